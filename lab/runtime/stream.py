"""A conversation with a process in a container: what `exec` and `attach` of a runtime answer."""

import threading
from dataclasses import dataclass
from typing import Protocol

STDOUT, STDERR = 1, 2
PIECE_BYTES = 32768  # of a read; a websocket's message, in the end
MOST_OUTPUT = 1 << 20


class Stream(Protocol):
    """Its calls block. One thread reads, one writes, and any may close: then the others return."""

    def read(self) -> tuple[int, bytes] | None:
        """(STDOUT or STDERR, some bytes); None once there is no more. What nobody reads holds the process up."""

    def write(self, data: bytes) -> None:
        """To its standard input. What comes after its end is dropped."""

    def end_input(self) -> None:
        """Its standard input ends here."""

    def resize(self, columns: int, rows: int) -> None:
        """Its terminal, if it has one."""

    def exit_code(self) -> int:
        """How the command ended, after the last read; 128 and the signal's number for one that was killed."""

    def close(self) -> None:
        """Hang up. A command that exec has started is killed if it still runs; a container is not."""


@dataclass(frozen=True)
class ExecResult:
    exit_code: int
    stdout: bytes = b""
    stderr: bytes = b""


def hear_out(stream: Stream, timeout: float) -> ExecResult:
    """All that a command says until it ends. Raises TimeoutError if that takes longer than `timeout` seconds."""
    output, late = {STDOUT: b"", STDERR: b""}, threading.Event()

    def hang_up() -> None:
        late.set()
        stream.close()

    timer = threading.Timer(timeout, hang_up)
    timer.start()
    try:
        while piece := stream.read():
            kind, data = piece
            output[kind] = (output[kind] + data)[:MOST_OUTPUT]
        if late.is_set():
            raise TimeoutError(f"it took longer than {timeout:g} s")
        return ExecResult(stream.exit_code(), output[STDOUT], output[STDERR])
    finally:
        timer.cancel()
        stream.close()
