"""Running a command beside a container, and talking to the container itself: the engine owns the processes, and we the
near ends of their pipes and terminals."""

import contextlib
import fcntl
import os
import pty
import selectors
import struct
import termios
import threading
from collections.abc import Callable

from lab.runtime.stream import PIECE_BYTES, STDERR, STDOUT

from .connection import Engine, Pending

END_OF_INPUT = b"\x04"  # what Ctrl-D sends: a terminal has no other end


class Piped:
    """See `lab.runtime.stream.Stream`. `outputs`: the files to read and what each of them is; `stdin`: the one to write
    to, if any; all of them are ours to close. `request`: the engine acts when we hang up; `ended` waits for the end."""

    def __init__(
        self, request: Pending, ended: Callable[[], int], outputs: dict[int, int], stdin: int | None, tty: bool
    ):
        self._request, self.exit_code = request, ended
        self._outputs, self._stdin, self._tty = outputs, stdin, tty
        self._woken, self._wake = os.pipe()  # never read: once there is something in it, nobody waits any more
        self._reading, self._writing = threading.Lock(), threading.Lock()
        self._readable = _selector(dict.fromkeys((*outputs, self._woken), selectors.EVENT_READ))
        self._writable = _selector({self._woken: selectors.EVENT_READ})
        self._files = {*outputs, self._woken, self._wake}
        if stdin is not None:
            os.set_blocking(stdin, False)
            self._writable.register(stdin, selectors.EVENT_WRITE)
            self._files.add(stdin)
        self._closed = threading.Event()

    def read(self) -> tuple[int, bytes] | None:
        with self._reading:
            while self._outputs and not self._closed.is_set():
                for key, _ in self._readable.select():
                    if key.fd != self._woken and (found := self._piece(key.fd)):
                        return found
            return None

    def _piece(self, file: int) -> tuple[int, bytes] | None:
        try:
            data = os.read(file, PIECE_BYTES)
        except OSError:  # a terminal that nobody holds any more
            data = b""
        if data:
            return self._outputs[file], data
        self._readable.unregister(file)
        del self._outputs[file]
        return None

    def write(self, data: bytes) -> None:
        with self._writing, contextlib.suppress(OSError):
            while data and self._stdin is not None and not self._closed.is_set():
                if any(key.fd == self._stdin for key, _ in self._writable.select()):
                    data = data[os.write(self._stdin, data) :]

    def end_input(self) -> None:
        if self._tty:
            return self.write(END_OF_INPUT)
        with self._writing:
            if self._stdin is not None and not self._closed.is_set():
                self._writable.unregister(self._stdin)
                self._files.discard(self._stdin)
                os.close(self._stdin)
                self._stdin = None

    def resize(self, columns: int, rows: int) -> None:
        with self._writing:
            if self._tty and self._stdin is not None and not self._closed.is_set():
                fcntl.ioctl(self._stdin, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def close(self) -> None:
        if self._closed.is_set():
            return
        self._closed.set()
        self._request.close()
        os.write(self._wake, b".")
        with self._reading, self._writing:
            for each in (self._readable, self._writable):
                each.close()
            for file in self._files:
                os.close(file)


def exec_(engine: Engine, container_id: str, command: list[str], stdin: bool, tty: bool) -> Piped:
    if tty:
        near, far = pty.openpty()
        given, outputs, inward = [far, far, far], {near: STDOUT}, near
    else:
        (read, inward), (out, stdout), (err, stderr) = os.pipe(), os.pipe(), os.pipe()
        given, outputs = [read, stdout, stderr], {out: STDOUT, err: STDERR}
    try:
        pending = engine.ask("exec", given, container_id=container_id, command=command, tty=tty)
    except BaseException:
        for file in {*outputs, inward}:
            os.close(file)
        raise
    finally:
        for file in set(given):
            os.close(file)
    stream = Piped(pending, pending.result, outputs, inward, tty)
    if not stdin and not tty:
        stream.end_input()
    return stream


def attach(engine: Engine, container_id: str, stdin: bool) -> Piped:
    tty = engine.call("describe", container_id=container_id)["tty"]
    near, far = os.pipe()
    try:
        pending = engine.ask("attach", [far], container_id=container_id, stdin=stdin)
        heard = pending.file()
    except BaseException:
        os.close(near)
        raise
    finally:
        os.close(far)
    return Piped(pending, lambda: 0, {near: STDOUT}, heard, tty)


def _selector(wanted: dict[int, int]) -> selectors.BaseSelector:
    made = selectors.DefaultSelector()
    for file, events in wanted.items():
        made.register(file, events)
    return made
