"""One fault for a whole class: until it has come to every cluster, and until every tile of the wall shows it.

    python -m tests.bench.bench_drill [learners] [rounds] [runtime]

All play the same lesson, with its web server of three. A round has a container of each cluster killed, as the button of
the report's page does, and waits until all are whole again. Timed is the button, from when it is pressed until it is
answered; each tile, from just before its kill is sent, and from when the log of its cluster has the first
word of the kubelet's after it, until a websocket that takes its messages packed, as browsers do, has the news; and the
last tile, from the button on.
"""

import contextlib
import json
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.flow.room import ROOM, made, root_of, teacher_of
from tests.labs import LabUnderTest, wait_until

from .bench_wall import LESSON, Look, seat, told, written

STRUCK_SECONDS, SHOWN_SECONDS = 2.0, 1.0


@contextlib.contextmanager
def room(runtime: str, ending: float = 120.0) -> Iterator[LabUnderTest]:
    """`ending`: how many seconds it may take to stop what runs in it."""
    with tempfile.TemporaryDirectory(prefix="orrery-bench-") as folder:
        lab = LabUnderTest(Path(folder) / "data", runtime, *ROOM)
        try:
            yield lab.start()
        finally:
            lab.clean_up(ending)


def main(learners: str = "30", rounds: str = "5", runtime: str = "docker") -> None:
    with room(runtime) as lab:
        teacher, root = teacher_of(lab), root_of(lab)
        code = made(teacher, LESSON, int(learners))
        look = Look(teacher, code)
        clusters = [seat(root, code, number)[1] for number in range(1, int(learners) + 1)]
        teacher.ask(f"staff/workshops/{code}/wall/do/bring", lesson=LESSON, step="2")
        struck, happened, shown, last = [], [], [], []
        for _ in range(int(rounds)):
            wait_until("all to be whole", lambda: all(map(is_whole, (look.rows[one] for one in clusters))), 300)
            time.sleep(2)  # a tile that has only just become whole may not have been told yet
            since = time.time()
            teacher.ask(f"staff/workshops/{code}/drill", fault="kill")
            struck.append(time.time() - since)
            tiles = {cluster: look.until(cluster, ("board",), since)[0] for cluster in clusters}
            killed = killed_at(lab)
            happened += [heard - killed[one] for one, heard in tiles.items()]
            shown += [heard - written(lab, one, "pods", "kubelet", since, heard) for one, heard in tiles.items()]
            last.append(max(tiles.values()) - since)
        look.close()
    told(f"a fault has come to {learners} clusters", struck, STRUCK_SECONDS)
    told("killed -> on its tile", happened, SHOWN_SECONDS)
    told("told by the kubelet -> on its tile", shown, SHOWN_SECONDS)
    told("pressed -> on the last tile", last, STRUCK_SECONDS + SHOWN_SECONDS)


def killed_at(lab: LabUnderTest) -> dict[str, float]:
    """Of each cluster, when the last fault was about to be sent to it: epoch seconds."""
    with contextlib.closing(sqlite3.connect(f"file:{lab.data}/orrery.sqlite3?mode=ro", uri=True)) as database:
        [newest] = database.execute("SELECT struck FROM lab_drill ORDER BY id DESC LIMIT 1").fetchone()
    return {cluster: began["time"] for cluster, began in json.loads(newest).items()}


def is_whole(tile: dict) -> bool:
    """Three pods that are ready, and nothing else."""
    return "".join(sorted("".join(word[1:] for word in tile.get("board", ())))) == "rrr"


if __name__ == "__main__":
    main(*sys.argv[1:])
