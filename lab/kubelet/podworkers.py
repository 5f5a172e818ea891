"""A serial worker for each pod, on a pool of threads: what Kubernetes calls pod workers.

Two threads never work on one pod at a time, and a pod that is told of again while it is being worked on is looked at
once more afterwards: however many hints come in between, they are one look. Urgent keys (a container has died)
overtake those that are merely new. Of one stranger's pods, no more than a part of the threads work at once: hooks that
never end are in nobody else's way.
"""

import heapq
import itertools
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable

log = logging.getLogger(__name__)
IDLE_SECONDS = 10.0
RETRY_FIRST, RETRY_MOST = 0.5, 30.0
OF_ONE = 4  # the share of one is a fourth of the threads

# Works on one key; returns the seconds after which to look again though nothing happens, or None.
Work = Callable[[str], float | None]


class PodWorkers:
    """`finish` is called in a thread after its work on a key, for what a thread must give back; `share_of` says whose
    share of the threads a key takes, "" for nobody's."""

    def __init__(
        self,
        name: str,
        work: Work,
        threads: int,
        finish: Callable[[], None] = lambda: None,
        share_of: Callable[[str], str] = lambda key: "",
    ):
        self._name = name
        self._work = work
        self._most = threads
        self._finish = finish
        self._share_of = share_of
        self._shares: dict[str, str] = {}  # busy key → whose share it takes
        self._taken: Counter[str] = Counter()
        self._held: dict[str, list[tuple[int, int, str]]] = {}  # share → those of _ready that wait for a part of it
        self._changed = threading.Condition()
        self._order = itertools.count()
        self._ready: list[tuple[int, int, str]] = []  # (0 urgent | 1, order, key)
        self._later: list[tuple[float, int, str]] = []
        self._due: dict[str, float] = {}  # key → the one entry of _later that counts
        self._queued: dict[str, int] = {}  # key → its rank in _ready
        self._busy: set[str] = set()
        self._again: dict[str, int] = {}  # keys told of while busy
        self._failures: dict[str, int] = {}
        self._threads = self._idle = 0
        self._stopped = False

    def add(self, key: str, urgent: bool = False) -> None:
        with self._changed:
            self._add(key, 0 if urgent else 1)

    def stop(self) -> None:
        """Take no new work; what is being done is finished."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def busy(self, key: str) -> bool:
        return key in self._busy

    def idle(self) -> bool:
        """Whether nothing is being done or waits to be done now."""
        with self._changed:
            return not self._busy and not self._queued

    def _add(self, key: str, rank: int) -> None:
        if key in self._busy:
            self._again[key] = min(rank, self._again.get(key, rank))
        elif self._queued.get(key, 2) > rank:
            self._queued[key] = rank
            heapq.heappush(self._ready, (rank, next(self._order), key))
            self._wake()

    def _schedule(self, key: str, seconds: float) -> None:
        due = time.monotonic() + seconds
        if due < self._due.get(key, float("inf")):
            self._due[key] = due
            heapq.heappush(self._later, (due, next(self._order), key))

    def _wake(self) -> None:
        waiting = len(self._queued) or 1
        if waiting > self._idle and self._threads < self._most and not self._stopped:
            self._threads += 1
            threading.Thread(target=self._run, name=f"{self._name}-{self._threads}", daemon=True).start()
        elif self._idle:
            self._changed.notify()

    def _run(self) -> None:
        while True:
            key = self._take()
            if key is None:
                return
            delay = self._do(key)
            self._finish()
            with self._changed:
                self._busy.discard(key)
                self._give_back(self._shares.pop(key))
                if key in self._again:
                    self._add(key, self._again.pop(key))
                if delay is not None:
                    self._schedule(key, delay)

    def _take(self) -> str | None:
        """The next key; None if the thread is to end: nothing came for a while, or all is over."""
        give_up = time.monotonic() + IDLE_SECONDS
        with self._changed:
            while not self._stopped:
                now = time.monotonic()
                self._move_due(now)
                key = self._pop()
                if key is not None:
                    return key
                # One thread stays for as long as something is due later: it is the pool's clock.
                if now >= give_up and (self._threads > 1 or not self._later):
                    break
                due = self._later[0][0] if self._later else give_up
                self._idle += 1
                self._changed.wait(max(0.0, (min(due, give_up) if self._threads > 1 else due) - now))
                self._idle -= 1
            self._threads -= 1
            self._changed.notify()  # if this one was woken for something, another must look
            return None

    def _move_due(self, now: float) -> None:
        while self._later and self._later[0][0] <= now:
            due, _, key = heapq.heappop(self._later)
            if self._due.get(key) == due:
                del self._due[key]
                self._add(key, 1)

    def _pop(self) -> str | None:
        while self._ready:
            entry = rank, _, key = heapq.heappop(self._ready)
            if self._queued.get(key) == rank and self._takes(entry):
                del self._queued[key]
                self._due.pop(key, None)  # the look that comes now says anew when the next one is due
                self._busy.add(key)
                return key
        return None

    def _takes(self, entry: tuple[int, int, str]) -> bool:
        """Whether there is room for it in its share; else it waits until there is."""
        share = self._share_of(entry[2])
        if share and self._taken[share] >= max(self._most // OF_ONE, 1):
            self._held.setdefault(share, []).append(entry)
            return False
        self._shares[entry[2]] = share
        self._taken[share] += 1
        return True

    def _give_back(self, share: str) -> None:
        self._taken[share] -= 1
        if not self._taken[share]:
            del self._taken[share]
        for entry in self._held.pop(share, ()):
            heapq.heappush(self._ready, entry)
            self._changed.notify()

    def _do(self, key: str) -> float | None:
        try:
            delay = self._work(key)
        except Exception as error:  # whatever it is: this pod is tried again later, and the others go on
            failures = self._failures[key] = self._failures.get(key, 0) + 1
            log.error("%s: %s: %s", self._name, key, error, exc_info=failures == 1)
            return min(RETRY_FIRST * 2 ** (failures - 1), RETRY_MOST)
        self._failures.pop(key, None)
        return delay
