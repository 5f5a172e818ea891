"""A limit on how many containers are being started at once, with a fast lane.

An engine starts about six containers a second however many are asked of it; beyond eight at once only the wait grows.
So the wait is here, where what is more urgent overtakes: a container to be healed first, then one whose pod has its
network already, so that of fifty new pods the first are ready long before the last has begun. A stranger's cluster has
but a part of the places, whatever is urgent there: what fails and is started again for ever takes no others' turn.
"""

import bisect
import itertools
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

HEAL, FINISH, BEGIN, LAST = range(4)
RESERVED = 2  # places that only healing gets, and no stranger's
SHARE = 3  # places of one stranger's cluster


class StartGate:
    def __init__(self, limit: int):
        self._free = limit + RESERVED
        self._waiting: list[tuple[int, int, str]] = []
        self._held: Counter[str] = Counter()
        self._numbers = itertools.count()
        self._changed = threading.Condition()

    @contextmanager
    def slot(self, rank: int, stranger: str = "") -> Iterator[None]:
        """Hold one of the slots; waits for it, the lowest rank first, otherwise in the order of asking. `stranger`:
        whose cluster it is for, where that has but a share."""
        ticket = (rank, next(self._numbers), stranger)
        with self._changed:
            bisect.insort(self._waiting, ticket)
            self._changed.wait_for(lambda: next(filter(self._may_start, self._waiting), None) == ticket)
            self._waiting.remove(ticket)
            self._free -= 1
            self._held[stranger] += 1
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._held[stranger] -= 1
                self._changed.notify_all()

    def _may_start(self, ticket: tuple[int, int, str]) -> bool:
        rank, _, stranger = ticket
        least = 0 if rank == HEAL and not stranger else RESERVED
        return self._free > least and (not stranger or self._held[stranger] < SHARE)
