"""A container's log on disk: Kubernetes' format (`time stream F line`), with a limit on its size.

The format is that of the CRI, which every container engine below a kubelet writes:
`2026-01-31T12:00:00.123456789Z stdout F Listening`. stdout and stderr are one pipe here, so it is always stdout.
"""

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from lab.runtime import Lines, LogOptions

MOST_BYTES = 5 << 20  # of a file; there are at most two
LONGEST_LINE = 16 << 10
LOOK_SECONDS = 0.1
ROTATING_SECONDS = 0.005
NAME, OLD_NAME = "0.log", "0.log.1"


class LogWriter:
    """Turns what arrives in pieces into lines with a time."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._file = (folder / NAME).open("ab", buffering=0)
        self._rest = b""

    def feed(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            lines, self._rest = [*lines, self._rest], b""
        self._write(lines)

    def close(self) -> None:
        if self._rest:
            self._write([self._rest])
        self._file.close()

    def _write(self, lines: list[bytes]) -> None:
        now = time.time_ns()
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now // 10**9))
        head = f"{moment}.{now % 10**9:09d}Z stdout F ".encode()
        # A full disk costs lines, as it does under any engine; it must not cost the engine.
        with contextlib.suppress(OSError):
            self._file.write(b"".join(head + line + b"\n" for line in lines))
        if self._file.tell() > MOST_BYTES:
            self._file.close()
            (self._folder / NAME).replace(self._folder / OLD_NAME)
            self._file = (self._folder / NAME).open("ab", buffering=0)


def read(folder: Path, ended: Callable[[], bool] | None, wanted: LogOptions) -> Lines:
    """A log's lines. With `ended` they are followed until that says that the container has ended, or until `close`."""
    reader = _Reader(folder, ended, wanted)
    return Lines(reader.lines(), reader.closed.set)


class _Reader:
    def __init__(self, folder: Path, ended: Callable[[], bool] | None, wanted: LogOptions):
        self._folder = folder
        self._ended = ended
        self._wanted = wanted
        self.closed = threading.Event()

    def lines(self) -> Iterator[bytes]:
        file = self._open()
        if file is None:
            return
        *lines, rest = (self._rotated_before(file) + file.read()).split(b"\n")
        if since := self._wanted.since:
            begin = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(since)).encode()
            lines = [line for line in lines if line >= begin]
        tail = self._wanted.tail
        yield from map(self._shown, lines if tail is None else lines[max(len(lines) - tail, 0) :])
        if self._ended:
            yield from self._follow(file, rest, self._ended)
        else:
            file.close()

    def _follow(self, file: IO[bytes], rest: bytes, ended: Callable[[], bool]) -> Iterator[bytes]:
        while not self.closed.is_set():
            over = ended()  # asked before reading, so that what was written before the end is shown
            following = self._open() if self._is_rotated(file) else file
            *lines, rest = (rest + file.read()).split(b"\n")
            yield from map(self._shown, lines)
            if following is not file:
                file.close()
                if following is None:
                    return
                file = following
            elif over:
                break
            else:
                self.closed.wait(LOOK_SECONDS)
        file.close()

    def _open(self) -> IO[bytes] | None:
        """The log; None if the container was removed. While it is being rotated there is none for an instant."""
        while self._folder.exists():
            try:
                return (self._folder / NAME).open("rb")
            except FileNotFoundError:
                time.sleep(ROTATING_SECONDS)
        return None

    def _rotated_before(self, file: IO[bytes]) -> bytes:
        """What was written before this file was begun, as far as it is kept."""
        try:
            with (self._folder / OLD_NAME).open("rb") as old:
                return b"" if os.path.sameopenfile(old.fileno(), file.fileno()) else old.read()
        except FileNotFoundError:
            return b""

    def _is_rotated(self, file: IO[bytes]) -> bool:
        try:
            return (self._folder / NAME).stat().st_ino != os.fstat(file.fileno()).st_ino
        except FileNotFoundError:
            return True

    def _shown(self, line: bytes) -> bytes:
        moment, _, text = line.partition(b" ")
        text = text.removeprefix(b"stdout F ")
        return (moment + b" " + text if self._wanted.timestamps else text) + b"\n"
