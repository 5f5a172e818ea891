"""One data plane as seen from here: what it is wanted to do, what it was told, and what it has counted.

A thread holds one connection to it. It tells only what has changed, and all of it again on a new connection: a program
that was started anew has another one, so its restart needs no asking. While nothing happens the thread sleeps, but for
the counters.
"""

import json
import logging
import select
import socket
import threading
import time
from collections.abc import Callable
from io import BufferedReader

log = logging.getLogger(__name__)
ANSWER_SECONDS = 10.0
RETRY_FIRST, RETRY_MOST = 0.1, 1.0
COUNT_SECONDS, COUNT_SECONDS_AT_REST = 1.0, 3.0
REST_SECONDS = 10.0  # without a request after which there is rest
AGAIN_SECONDS = 5.0  # between tries to listen where somebody else does
HURRY_SECONDS = 0.05  # between two looks at what is still in flight
SILENT_ROUNDS = 2.5  # without an answer, after which its last counters say nothing of now


class Refused(Exception):
    """The data plane said that it cannot do what it was told."""


class Plane:
    """`kind`: host or gateway. `news` is called in its thread when there are new counters, or it cannot be heard."""

    def __init__(
        self, name: str, kind: str, connect: Callable[[], socket.socket], token: str, news: Callable[[], None]
    ):
        self.name = name
        self.kind = kind
        self.connected = False
        self.applied: dict[str, dict] = {}  # scope → what it was told last
        self.refused: dict[str, dict[str, str]] = {}  # scope → where it cannot listen, as `address:port`, and why
        self.counted: tuple[dict, dict] = ({}, {})  # the newest counters, after what it had been told by then
        self._connect = connect
        self._token = token
        self._news = news
        self._wanted: dict[str, dict] = {}
        self._lock = threading.Lock()
        self._ear, self._bell = socket.socketpair()
        self._ear.setblocking(False)
        self._bell.setblocking(False)
        self._stopping = threading.Event()
        self._hurried = False
        self._counted_at, self._rhythm = 0.0, COUNT_SECONDS
        self._said = ""  # what it was last complained of, which is not said again and again
        self._thread = threading.Thread(target=self._run, name=f"proxy-{name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Tell it nothing more; it goes on as it was told last. Does not wait: it may be one that does not answer."""
        self._stopping.set()
        self._ring()

    def join(self) -> None:
        """Until a stopped one is told nothing more."""
        self._thread.join(5)

    def want(self, scope: str, desired: dict) -> None:
        """`{}`: nothing of that scope any more."""
        with self._lock:
            if self._wanted.get(scope) == desired:
                return
            self._wanted[scope] = desired
        self._ring()

    def hurry(self, on: bool) -> None:
        """Whether somebody waits for what is in flight to be over."""
        if on != self._hurried:
            self._hurried = on
            self._ring()

    @property
    def silent(self) -> bool:
        """Nobody knows what goes through it."""
        return time.monotonic() - self._counted_at > SILENT_ROUNDS * self._rhythm

    def _ring(self) -> None:
        try:
            self._bell.send(b"\0")
        except BlockingIOError:
            return  # it has been rung often enough

    def _run(self) -> None:
        pause = RETRY_FIRST
        while not self._stopping.is_set():
            try:
                with self._connect() as connection:
                    connection.settimeout(ANSWER_SECONDS)
                    self._serve(connection)
            except (OSError, ValueError, Refused) as error:
                pause = self._pause(error, pause)
                self.connected = False
                self._news()
                self._stopping.wait(pause)

    def _pause(self, error: Exception, before: float) -> float:
        """Before the next try: soon if it has only just gone, since it is being started again."""
        if str(error) != self._said:
            log.log(logging.WARNING if self.connected else logging.INFO, "data plane %s: %s", self.name, error)
            self._said = str(error)
        if isinstance(error, Refused):
            return RETRY_MOST
        return RETRY_FIRST if self.connected else min(before * 2, RETRY_MOST)

    def _serve(self, connection: socket.socket) -> None:
        stream = connection.makefile("rb")
        self.applied = {}
        counted = busy_until = 0.0
        again = time.monotonic() + AGAIN_SECONDS
        while not self._stopping.is_set():
            self._apply(connection, stream)
            now = time.monotonic()
            if self.refused and now >= again:  # who has the port may have gone
                self.applied = {scope: told for scope, told in self.applied.items() if scope not in self.refused}
                again = now + AGAIN_SECONDS
                continue
            self._rhythm = COUNT_SECONDS if now < busy_until else COUNT_SECONDS_AT_REST
            due = counted + (HURRY_SECONDS if self._hurried else self._rhythm)
            if now >= due:
                before, counted = self.counted[1], now
                scopes = self._ask(connection, stream, {"do": "counters"})["scopes"]
                self.counted, self._counted_at = (self.applied, scopes), time.monotonic()
                busy_until = now + REST_SECONDS if scopes != before else busy_until
                self._news()
                continue
            readable, _, _ = select.select([connection, self._ear], [], [], due - now)
            if connection in readable:
                raise ConnectionError("it has ended")
            if self._ear in readable:
                self._ear.recv(4096)

    def _apply(self, connection: socket.socket, stream: BufferedReader) -> None:
        with self._lock:
            wanted = dict(self._wanted)
        for scope, desired in wanted.items():
            if self.applied.get(scope) != desired:
                answer = self._ask(connection, stream, {"do": "apply", "scope": scope, "desired": desired})
                self.applied = {**self.applied, scope: desired}
                others = {other: places for other, places in self.refused.items() if other != scope}
                self.refused = others | ({scope: answer["refused"]} if answer.get("refused") else {})
        if not self.connected:
            log.info("data plane %s is there", self.name)
        self.connected, self._said = True, ""

    def _ask(self, connection: socket.socket, stream: BufferedReader, request: dict) -> dict:
        connection.sendall(json.dumps({"token": self._token, **request}).encode() + b"\n")
        line = stream.readline()
        if not line:
            raise ConnectionError("it has ended")
        answer = json.loads(line)
        if "error" in answer:
            raise Refused(answer["error"])
        return answer
