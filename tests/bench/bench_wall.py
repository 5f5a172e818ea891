"""The wall of sixty learners: from what one of them does until their tile says so, and what the wall is sent a second.

    python -m tests.bench.bench_wall [learners] [rounds]

A whole lab with a room; its machines and pods are simulated, so that sixty clusters find room anywhere. All play the
same lesson; then one after the other scales their deployment, by the API at the room's port, and puts up a hand. Timed
is from when the request is sent to when a websocket that takes its messages packed, as browsers do, has the news;
drawing it is not in it. Counted is what comes by that websocket, while nobody acts and while one of them does.
"""

import contextlib
import json
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, Request, TextMessage
from wsproto.extensions import PerMessageDeflate

from tests.flow.room import ROOM, Browser, made, root_of, teacher_of
from tests.labs import LabUnderTest, wait_until

from .measure import Row, p95

LESSON = "10-desired-state"
WEB = "apis/apps/v1/namespaces/default/deployments/web"
MOST_SECONDS, MOST_BYTES = 1.0, 5 * 1024
REST_SECONDS = 20.0


class Look:
    """An open wall. `rows` are the tiles as it has them; `size` what has come by the wire."""

    def __init__(self, teacher: Browser, code: str):
        where = teacher.root.removeprefix("http://").strip("/")
        host, _, port = where.partition(":")
        self.rows: dict[str, dict] = {}
        self.size = 0
        self.grew = threading.Condition()
        self._socket = socket.create_connection((host, int(port)))
        self._end = WSConnection(ConnectionType.CLIENT)
        headers = [(b"cookie", f"orrery-staff={teacher.cookie('orrery-staff')}".encode())]
        headers.append((b"origin", teacher.root.strip("/").encode()))
        target = f"/staff/workshops/{code}/wall"
        asked = Request(where, target, extra_headers=headers, extensions=[PerMessageDeflate()])
        self._socket.sendall(self._end.send(asked))
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        text = ""
        with contextlib.suppress(OSError):
            while data := self._socket.recv(1 << 16):
                self.size += len(data)
                self._end.receive_data(data)
                for event in self._end.events():
                    assert not isinstance(event, AcceptConnection) or event.extensions, "the server does not pack"
                    if isinstance(event, TextMessage):
                        text += event.data
                        if event.message_finished:
                            self._take(json.loads(text))
                            text = ""

    def _take(self, message: dict) -> None:
        with self.grew:
            for row in (*message.get("tiles", ()), *message.get("upserts", ())):
                known = {**self.rows.get(row["id"], {}), **row}
                self.rows[row["id"]] = {key: held for key, held in known.items() if held is not None}
            self.grew.notify_all()

    def until(self, cluster: str, says: Callable[[dict], object], seconds: float = 60) -> float:
        """When the tile first says it."""
        with self.grew:
            assert self.grew.wait_for(lambda: says(self.rows.get(cluster, {})), seconds), self.rows.get(cluster)
        return time.monotonic()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)


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
        hands, boards, words = [], [], []

        def acts() -> None:
            for number in range(int(rounds)):
                browser, cluster = seated[number % len(seated)]
                hands.append(raise_hand(look, browser, cluster))
                board, word = scale(look, browser, cluster, 2 if number < len(seated) else 1)
                boards.append(board)
                words.append(word)

        busy = a_second(look, lab, acts)
        look.close()
    told("hand up -> tile", hands)
    told("replicas declared -> another pod on the tile", boards)
    told("replicas declared -> the check's new words on the tile", words)
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
    since = time.monotonic()
    browser.hand(True)
    took = look.until(cluster, lambda row: "hand" in row) - since
    browser.hand(False)
    look.until(cluster, lambda row: "hand" not in row)
    return took


def scale(look: Look, browser: Browser, cluster: str, replicas: int) -> tuple[float, float]:
    board, says = look.rows[cluster].get("board"), look.rows[cluster].get("says")
    since = time.monotonic()
    browser.patch(f"clusters/{cluster}/{WEB}", json.dumps({"spec": {"replicas": replicas}}).encode())
    shown = look.until(cluster, lambda row: row.get("board") != board or "waiting" in row)
    told = look.until(cluster, lambda row: row.get("says") != says)
    return shown - since, told - since


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


def told(what: str, samples: list[float]) -> None:
    kept = "kept" if p95(samples) <= MOST_SECONDS else "MISSED"
    print(f"{Row(what, samples)}  (at most {MOST_SECONDS * 1000:.0f}: {kept})")


if __name__ == "__main__":
    main(*sys.argv[1:])
