"""A limit on how many containers are being started at once, with a fast lane.

An engine starts about six containers a second however many are asked of it; beyond eight at once only the wait grows.
So the wait is here, where a container that is to be healed can overtake one that is merely new.
"""

import heapq
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class StartGate:
    def __init__(self, limit: int):
        self._free = limit
        self._waiting: list[tuple[int, int]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()

    @contextmanager
    def slot(self, urgent: bool = False) -> Iterator[None]:
        """Hold one of the slots; waits for it, urgent ones first, otherwise in the order of asking."""
        ticket = (0 if urgent else 1, next(self._numbers))
        with self._changed:
            heapq.heappush(self._waiting, ticket)
            self._changed.wait_for(lambda: self._free and self._waiting[0] == ticket)
            heapq.heappop(self._waiting)
            self._free -= 1
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify_all()
