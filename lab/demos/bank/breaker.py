"""A circuit breaker: who keeps failing is not asked for a while, so that its failure does not become ours.

Closed, calls go through. After some failures in a row it opens: calls are refused at once, without waiting. After a
rest it is half-open: one call may try. If that succeeds it closes, if not it opens again.
"""

import threading
import time
from collections.abc import Callable

FAILURES = 3
REST_SECONDS = 5.0
SLOW_SECONDS = 0.4  # an answer that takes longer is as bad as none


class Breaker:
    """Of the calls to one part. Turned off it only counts."""

    def __init__(self, on: bool = False, clock: Callable[[], float] = time.monotonic):
        self.on = on
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._opened: float | None = None
        self._trying = False

    @property
    def state(self) -> str:
        if self._opened is None or not self.on:
            return "closed"
        return "open" if self._clock() - self._opened < REST_SECONDS else "half-open"

    def allows(self) -> bool:
        """Whether to make the call; whoever is told yes must say how it went, with `done`."""
        with self._lock:
            state = self.state
            if state == "half-open" and not self._trying:
                self._trying = True
                return True
            return state == "closed"

    def done(self, well: bool, seconds: float) -> None:
        with self._lock:
            self._trying = False
            if well and seconds < SLOW_SECONDS:
                self._failures, self._opened = 0, None
                return
            self._failures += 1
            if self._failures >= FAILURES:
                self._opened = self._clock()

    def turn(self, on: bool) -> None:
        with self._lock:
            self.on, self._failures, self._opened, self._trying = on, 0, None, False

    def told(self) -> dict:
        return {"state": self.state, "failures": self._failures}
