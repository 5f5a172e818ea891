"""The wall of sixty learners: from what one of them does until their tile says so, and what the wall is sent a second.

    python -m tests.bench.bench_wall [learners] [rounds]

A whole lab with a room; its machines and pods are simulated, so that sixty clusters find room anywhere. All play the
same lesson; then one after the other scales their deployment, by the API at the room's port, and puts up a hand. Timed
is from when the request is sent to when a websocket that takes its messages packed, as browsers do, has the news;
drawing it is not in it. Beside it stands the same from when the log has it: what the wall itself takes. Counted is what
comes by that websocket, while nobody acts and while one of them does.
"""

import contextlib
import json
import sqlite3
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.flow.room import ROOM, Browser, made, root_of, teacher_of
from tests.labs import LabUnderTest, wait_until

from .measure import Row, p95
from .sockets import Socket

LESSON = "10-desired-state"
WEB = "apis/apps/v1/namespaces/default/deployments/web"
MOST_SECONDS, MOST_BYTES = 1.0, 5 * 1024
REST_SECONDS = 20.0


class Look:
    """An open wall. `rows` are the tiles as it has them; `size` is what has come by the wire."""

    def __init__(self, teacher: Browser, code: str):
        self.rows: dict[str, dict] = {}
        self.heard: dict[tuple[str, str], float] = {}  # of each cluster's tile and field: when it was last another
        self.grew = threading.Condition()
        self.socket = Socket(teacher, f"/staff/workshops/{code}/wall", self.take)

    @property
    def size(self) -> int:
        return self.socket.size

    def take(self, message: dict) -> None:
        with self.grew:
            for row in (*message.get("tiles", ()), *message.get("upserts", ())):
                known = {**self.rows.get(row["id"], {}), **row}
                self.heard |= {(row["id"], field): time.time() for field in row}
                self.rows[row["id"]] = {key: held for key, held in known.items() if held is not None}
            self.grew.notify_all()

    def until(self, cluster: str, fields: tuple[str, ...], since: float, seconds: float = 60) -> list[float]:
        """When each of these fields has become another since then."""
        times = lambda: [self.heard.get((cluster, field), 0.0) for field in fields]  # noqa: E731
        with self.grew:
            assert self.grew.wait_for(lambda: min(times()) > since, seconds), self.rows.get(cluster)
            return times()

    def close(self) -> None:
        self.socket.close()


@contextlib.contextmanager
def simulated_room() -> Iterator[LabUnderTest]:
    with tempfile.TemporaryDirectory(prefix="orrery-bench-") as folder:
        lab = LabUnderTest(Path(folder) / "data", "simulated", *ROOM)
        try:
            yield lab.start()
        finally:
            lab.clean_up()


def main(learners: str = "60", rounds: str = "30") -> None:
    with simulated_room() as lab:
        teacher, root = teacher_of(lab), root_of(lab)
        code = made(teacher, LESSON, int(learners))
        look, began = Look(teacher, code), time.monotonic()
        seated = [seat(root, code, number) for number in range(1, int(learners) + 1)]
        wait_until("all to act", lambda: all(look.rows[one].get("phase") == "Act" for _, one in seated), 600)
        print(f"{learners} learners joined and stand at their first step after {time.monotonic() - began:.0f} s")
        time.sleep(REST_SECONDS / 2)
        idle = a_second(look, lab, lambda: time.sleep(REST_SECONDS))
        samples: dict[str, list[float]] = defaultdict(list)

        def acts() -> None:
            for number in range(int(rounds)):
                browser, cluster = seated[number % len(seated)]
                samples["hand up -> tile"].append(raise_hand(look, browser, cluster))
                for what, seconds in scale(look, lab, browser, cluster, 2 + number // len(seated) % 2):
                    samples[what].append(seconds)

        busy = a_second(look, lab, acts)
        look.close()
    for what, seconds in samples.items():
        told(what, seconds)
    for what, (size, cpu) in (("nobody acts", idle), ("one after the other acts", busy)):
        kept = "kept" if size <= MOST_BYTES else "MISSED"
        print(f"{what}: {size / 1024:.2f} KB a second, at most 5: {kept}; the web server needs {cpu:.0%} of a core")


def seat(root: str, code: str, number: int) -> tuple[Browser, str]:
    """A learner who has joined, and begins the lesson."""
    browser, cluster = Browser(root), f"{code.lower()}-{number}"
    browser.post("join", code=code, nickname=f"Learner {number}")
    browser.post(f"lessons/{LESSON}/start", at="room/")
    return browser, cluster


def raise_hand(look: Look, browser: Browser, cluster: str) -> float:
    since = time.time()
    browser.hand(True)
    [told] = look.until(cluster, ("hand",), since)
    lowered = time.time()
    browser.hand(False)
    look.until(cluster, ("hand",), lowered)
    return told - since


def scale(look: Look, lab: LabUnderTest, browser: Browser, cluster: str, replicas: int) -> Iterator[tuple[str, float]]:
    since = time.time()
    browser.patch(f"clusters/{cluster}/{WEB}", json.dumps({"spec": {"replicas": replicas}}).encode())
    board, words = look.until(cluster, ("board", "says"), since)
    yield "replicas declared -> another pod on the tile", board - since
    yield "replicas declared -> the check's new words on the tile", words - since
    yield "pod bound in the log -> on the tile", board - written(lab, cluster, "pods", "scheduler", since, board)
    yield (
        "check judged in the log -> on the tile",
        words - written(lab, cluster, "lessons.orrery.io", "tutor", since, words),
    )


def written(lab: LabUnderTest, cluster: str, resource: str, author: str, since: float, until: float) -> float:
    """When the first such row was written."""
    asked = (
        "SELECT min(time) FROM lab_revision JOIN lab_cluster ON lab_cluster.id = cluster_id "
        "WHERE lab_cluster.name = ? AND resource = ? AND author = ? AND time BETWEEN ? AND ?"
    )
    with contextlib.closing(sqlite3.connect(f"file:{lab.data}/orrery.sqlite3?mode=ro", uri=True)) as database:
        return database.execute(asked, (cluster, resource, author, since, until)).fetchone()[0]


def a_second(look: Look, lab: LabUnderTest, act: Callable[[], object]) -> tuple[float, float]:
    """Bytes that the wall is sent, and the web server's time, a second while `act` runs."""
    pid = lab.pid_of("web")
    size, cpu, began = look.size, spent(pid), time.monotonic()
    act()
    seconds = time.monotonic() - began
    return (look.size - size) / seconds, (spent(pid) - cpu) / seconds


def spent(pid: int | None) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def told(what: str, samples: list[float], most: float = MOST_SECONDS) -> None:
    kept = "kept" if p95(samples) <= most else "MISSED"
    print(f"{Row(what, samples)}  (at most {most * 1000:.0f}: {kept})")


if __name__ == "__main__":
    main(*sys.argv[1:])
