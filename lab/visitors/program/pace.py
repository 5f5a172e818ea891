"""When the next request is due. Two ways to ask: so many a second, or so many people who each think for a while.

The first (an open loop) goes on asking however slow the answers are, as strangers on the internet do. The second (a
closed loop) asks less when answers are slow, as people in front of a form do.
"""

import asyncio
import math
from collections.abc import Callable

PATIENCE_SECONDS = 0.1  # a request that finds no free place for so long is not made: it is counted as late
ROUNDING = 1e-6


class Rate:
    """Request n is due at n/rate seconds. `send` says whether there was a place for it."""

    def __init__(self, rate: float, send: Callable[[], bool], late: Callable[[int], None]):
        self._rate = rate
        self._send = send
        self._late = late
        self._loop = asyncio.get_running_loop()
        self._begun = self._loop.time()
        self._next = 0
        self._timer: asyncio.TimerHandle | None = None
        self._send_due()

    def stop(self) -> None:
        if self._timer:
            self._timer.cancel()

    def freed(self, busy: int) -> None:
        """A place is free again: for one that was due and found none."""
        if self._due(self._loop.time()) > self._next:
            self.stop()
            self._send_due()

    def _due(self, now: float) -> int:
        """How many were due by `now`."""
        return math.floor((now - self._begun) * self._rate + ROUNDING) + 1

    def _when(self, number: int) -> float:
        return self._begun + number / self._rate

    def _send_due(self) -> None:
        now = self._loop.time()
        due = self._due(now)
        while self._next < due and self._send():
            self._next += 1
        gave_up = self._due(now - PATIENCE_SECONDS)
        if gave_up > self._next:
            self._late(gave_up - self._next)
            self._next = gave_up
        again = self._when(due)
        if self._next < due:  # somebody waits for a place, but not for ever
            again = min(again, self._when(self._next) + PATIENCE_SECONDS)
        self._timer = self._loop.call_at(again, self._send_due)


class Think:
    """`people` who ask, wait for the answer, think for some seconds, and ask again."""

    def __init__(self, people: int, seconds: float, send: Callable[[], bool], busy: int):
        self._people = people
        self._seconds = seconds
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._thinking: set[asyncio.TimerHandle] = set()
        missing = people - busy
        for nth in range(missing):  # not all at once
            self._think(seconds * nth / missing)

    def stop(self) -> None:
        for timer in self._thinking:
            timer.cancel()

    def freed(self, busy: int) -> None:
        """Somebody has an answer. With fewer people than there were, some do not come again."""
        if busy + len(self._thinking) < self._people:
            self._think(self._seconds)

    def _think(self, seconds: float) -> None:
        def ask() -> None:
            self._thinking.discard(timer)
            self._send()

        timer = self._loop.call_later(seconds, ask)
        self._thinking.add(timer)
