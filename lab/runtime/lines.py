"""A container's log as it is read."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class LogOptions:
    """What of a log is wanted: of the lines since then, the last `tail`, with their times or without; and whether to
    wait for those that are still to come."""

    follow: bool = False
    tail: int | None = None
    since: float = 0.0  # seconds since the epoch
    timestamps: bool = False


class Lines:
    """Iterates over `lines`. `close()` may be called by any thread, as a generator's may not, and ends an iteration
    that waits for the next."""

    def __init__(self, lines: Iterator[bytes], close: Callable[[], None]):
        self._lines = lines
        self.close = close

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._lines)
