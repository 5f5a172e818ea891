"""A limit on how many containers are being started at once, with a fast lane.

An engine starts about six containers a second however many are asked of it; beyond eight at once only the wait grows.
So the wait is here, where what is more urgent overtakes: a container to be healed first, then one whose pod has its
network already, so that of fifty new pods the first are ready long before the last has begun.
"""

import heapq
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager

HEAL, FINISH, BEGIN, LAST = range(4)
RESERVED = 2  # places that only healing gets


class StartGate:
    def __init__(self, limit: int):
        self._free = limit + RESERVED
        self._waiting: list[tuple[int, int]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()

    @contextmanager
    def slot(self, rank: int) -> Iterator[None]:
        """Hold one of the slots; waits for it, the lowest rank first, otherwise in the order of asking."""
        ticket = (rank, next(self._numbers))
        least = 0 if rank == HEAL else RESERVED
        with self._changed:
            heapq.heappush(self._waiting, ticket)
            self._changed.wait_for(lambda: self._free > least and self._waiting[0] == ticket)
            heapq.heappop(self._waiting)
            self._free -= 1
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()
