"""The people of one Visitors object: as many connections as may be busy at once, a pace, and what they have seen."""

import asyncio

from .connection import Connection, Ending, Request
from .figures import Figures, Outcome
from .pace import Rate, Think

# Shorter than any door keeps an unused connection, so that a request never meets its closing.
IDLE_SECONDS = 1.0


class Crowd:
    """Follows its orders, `spec` (see `control`). `key` is `cluster/namespace/name`, `uid` that object's."""

    def __init__(self, key: str, uid: str, door: tuple[str, int]):
        self.uid = uid
        self._key = key
        self._door = door
        self._loop = asyncio.get_running_loop()
        self._figures = Figures(self._loop.time())
        self._spec: dict = {}
        self._head = b""
        self._count = 0
        self._pace: Rate | Think | None = None
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()

    def follow(self, spec: dict) -> None:
        if spec == self._spec:
            return
        self._spec = spec
        self._head = _head(spec)
        if self._pace:
            self._pace.stop()
        self._pace = self._new_pace(spec)
        if self._pace is None:
            self._close_idle()

    def _new_pace(self, spec: dict) -> Rate | Think | None:
        if "rate" in spec:
            return Rate(spec["rate"], self._send, self._late) if spec["rate"] > 0 else None
        if "thinkSeconds" in spec:
            return Think(spec["concurrency"], spec["thinkSeconds"], self._send, len(self._busy))
        return None

    def stop(self) -> None:
        """They all go home; what they wait for is given up."""
        if self._pace:
            self._pace.stop()
        self._close_idle()
        for connection in self._busy:
            connection.close()

    def shown(self) -> dict:
        return self._figures.shown(self._loop.time(), len(self._busy))

    def _close_idle(self) -> None:
        while self._idle:
            self._idle.pop().close()

    def _late(self, requests: int) -> None:
        self._figures.count_late(requests, self._loop.time())

    def _send(self) -> bool:
        if len(self._busy) >= self._spec["concurrency"]:
            return False
        connection = self._free_connection()
        self._busy.add(connection)
        self._count += 1
        request_id = f"{self._key.replace('/', '.')}-{self._figures.epoch:.0f}-{self._count}"
        raw = self._head + request_id.encode() + b"\r\n\r\n"
        connection.send(Request(request_id, raw, self._loop.time(), self._spec["timeoutSeconds"]), self._door)
        return True

    def _free_connection(self) -> Connection:
        """The one that was used last: those that are not needed grow old, and are left alone."""
        while self._idle:
            connection = self._idle.pop()
            if self._loop.time() - connection.idle_since < IDLE_SECONDS:
                return connection
            connection.close()
        return Connection(self._ended, self._gone)

    def _ended(self, connection: Connection, ending: Ending) -> None:
        now = self._loop.time()
        self._busy.discard(connection)
        if connection.usable:
            self._idle.append(connection)
        self._figures.count(_outcome(ending, now), now)
        if self._pace:
            self._pace.freed(len(self._busy))

    def _gone(self, connection: Connection) -> None:
        if connection in self._idle:
            self._idle.remove(connection)


def _head(spec: dict) -> bytes:
    """The request, up to its id."""
    lines = (f"GET {spec['path']} HTTP/1.1", f"Host: {spec['host']}", "User-Agent: orrery-visitors", "Accept: */*")
    return ("\r\n".join((*lines, "X-Request-Id: "))).encode("latin-1")


def _outcome(ending: Ending, now: float) -> Outcome:
    answer, request = ending.answer, ending.request
    return Outcome(
        request.id,
        ending.kind,
        answer.status if answer else 0,
        answer.header(b"x-orrery-pod") if answer else "",
        answer.header(b"x-orrery-version") if answer else "",
        (now - request.sent) * 1000,
        ending.message,
    )
