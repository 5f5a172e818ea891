"""The runtime's end of the wire: a connection a thread, an engine started where none answers."""

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lab.runtime import RuntimeFailure

from . import place

CALL_SECONDS = 30.0
START_SECONDS = 10.0
ROOT = Path(__file__).resolve().parents[3]


class Engine:
    def __init__(self, data_dir: Path):
        self._data_dir = data_dir
        self._threads = threading.local()
        self._starting = threading.Lock()

    def call(self, op: str, timeout: float = CALL_SECONDS, **arguments: object) -> Any:
        """The engine's answer; raises RuntimeFailure as the engine says, or "EngineUnavailable"."""
        request = json.dumps({"id": 1, "op": op, "args": arguments}).encode() + b"\n"
        for last in (False, True):
            try:
                line = self._exchange(request, timeout)
                break
            except (OSError, EOFError) as error:
                # The engine may have been started anew since this thread last spoke to it: once more.
                self.hang_up()
                if last or isinstance(error, TimeoutError):
                    raise RuntimeFailure("EngineUnavailable", f"the process engine does not answer: {error}") from error
        return _result(line)

    def ask(self, op: str, files: list[int], **arguments: object) -> "Pending":
        """A request on a connection of its own, with files, whose answer may take any time."""
        connection = self._connect()
        request = json.dumps({"id": 1, "op": op, "args": arguments}).encode() + b"\n"
        try:
            socket.send_fds(connection, [request], files)
        except OSError as error:
            connection.close()
            raise RuntimeFailure("EngineUnavailable", f"the process engine does not answer: {error}") from error
        return Pending(connection)

    def hang_up(self) -> None:
        stream = getattr(self._threads, "stream", None)
        if stream:
            stream.close()
            self._threads.stream = None

    def subscribe(self, timeout: float) -> Iterator[dict | None]:
        """Events as they happen; None after each `timeout` seconds without one. Ends, or raises OSError, when the
        connection is lost; raises RuntimeFailure if no engine can be had."""
        with self._connect() as connection:
            connection.sendall(b'{"id": 1, "op": "subscribe"}\n')
            connection.settimeout(timeout)
            rest = b""
            while True:
                try:
                    data = connection.recv(65536)
                except TimeoutError:
                    yield None
                    continue
                if not data:
                    return
                *lines, rest = (rest + data).split(b"\n")
                yield from (json.loads(line) for line in lines)

    def _exchange(self, request: bytes, timeout: float) -> bytes:
        stream = getattr(self._threads, "stream", None)
        if stream is None:
            stream = self._threads.stream = _Stream(self._connect())
        return stream.exchange(request, timeout)

    def _connect(self) -> socket.socket:
        try:
            return self._dial()
        except OSError:
            with self._starting:
                return self._start_and_dial()

    def _dial(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(CALL_SECONDS)
        try:
            connection.connect(str(place.socket_path(self._data_dir)))
        except OSError:
            connection.close()
            raise
        return connection

    def _start_and_dial(self) -> socket.socket:
        """Usually the supervisor runs the engine. One started here outlives us, and ends when nobody wants it."""
        end, started = time.monotonic() + START_SECONDS, 0.0
        while time.monotonic() < end:
            try:
                return self._dial()
            except OSError:
                if time.monotonic() - started > START_SECONDS / 4:
                    started = time.monotonic()
                    self._start()
                time.sleep(0.01)
        raise RuntimeFailure("EngineUnavailable", f"the process engine does not start; see {self._log()}")

    def _start(self) -> None:
        command = [sys.executable, "-m", "lab.runtime.process.engine", str(self._data_dir.resolve()), "--on-demand"]
        with self._log().open("ab") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        threading.Thread(target=process.wait, daemon=True).start()  # no zombie is left of it

    def _log(self) -> Path:
        return place.folder(self._data_dir) / "engine.log"


class Pending:
    """An answer that is waited for. To hang up tells the engine that nobody does so any more."""

    def __init__(self, connection: socket.socket):
        self._connection = connection
        connection.settimeout(None)

    def result(self) -> Any:
        """Raises RuntimeFailure, as `Engine.call` does."""
        try:
            with self._connection.makefile("rb") as file:
                line = file.readline()
        except OSError:
            line = b""
        if not line.endswith(b"\n"):
            raise RuntimeFailure("EngineUnavailable", "the process engine has hung up")
        return _result(line)

    def file(self) -> int | None:
        """The file that comes with the answer, if one does. Raises RuntimeFailure, as `result` does."""
        line, files, _, _ = socket.recv_fds(self._connection, 4096, 1)
        _result(line or b'{"error": {"reason": "EngineUnavailable", "message": "the process engine has hung up"}}')
        return files[0] if files else None

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)  # wakes whoever waits
        self._connection.close()


def _result(line: bytes) -> Any:
    answer = json.loads(line)
    if "error" in answer:
        raise RuntimeFailure(answer["error"]["reason"], answer["error"]["message"])
    return answer["result"]


class _Stream:
    def __init__(self, connection: socket.socket):
        self._connection = connection
        self._file = connection.makefile("rb")

    def exchange(self, request: bytes, timeout: float) -> bytes:
        self._connection.settimeout(timeout)
        self._connection.sendall(request)
        line = self._file.readline()
        if not line.endswith(b"\n"):
            raise EOFError("it hung up")
        return line

    def close(self) -> None:
        self._file.close()
        self._connection.close()
