"""A container's log as it is read."""

from collections.abc import Callable, Iterator


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
