"""Who may act: a hold on a cursor's row, taken for a time and renewed, as leader election does with a Lease.

A hold may outlive its holder's belief in it (a stopped process wakes up late), so writes carry a fence that the
store checks within their transaction.
"""

import logging
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import Error as DatabaseError
from django.db import close_old_connections, connections
from django.db.models import F, Q

from lab.models import Cursor
from lab.store import Fence

log = logging.getLogger(__name__)
# For so long nobody does the work of a worker that was killed. Whoever is still at it renews in time.
HOLD_SECONDS = 5.0
RENEW_SECONDS = 1.5
# Who has been at it for longer than this is stuck, and is no longer waited for.
STUCK_SECONDS = 60.0
PROXY_HOLD = "proxy"  # of the one kube-proxy that acts: kubelets look whether there is any
# Who had to wait for the database looks with a time that is already past: only more than this is a clock set back.
JITTER_SECONDS = 2.0


class Lock:
    """A named hold. `acquire()` says whether we have it now; it may be called again and again to renew. With `turn`,
    of a hold that was free in that turn, the first write takes it, if nobody has had it since.

    Times are the wall clock's, since processes share no other; a hold that begins in the future means that the
    clock has stepped back, and is free.
    """

    def __init__(self, name: str, seconds: float = HOLD_SECONDS, turn: int | None = None):
        self.name = name
        self.seconds = seconds
        self.turn = turn
        self.holder = secrets.token_hex(8)

    def acquire(self) -> bool:
        """Take the hold, or renew it; False while somebody else has it."""
        now = time.time()
        free = Q(holder__in=("", self.holder)) | Q(expires__lte=now) | Q(held_since__gt=now + JITTER_SECONDS)
        taken = {"holder": self.holder, "held_since": now, "expires": now + self.seconds}
        if Cursor.objects.filter(free, name=self.name).update(**taken):
            return True
        if Cursor.objects.filter(name=self.name).exists():
            return False
        _, created = Cursor.objects.get_or_create(name=self.name, defaults=taken)
        return created

    def acquire_if_able(self) -> bool:
        """For a thread that waits until it has it: a database that does not answer gives it to nobody, and the
        connection that broke with it is replaced."""
        try:
            close_old_connections()
            return self.acquire()
        except DatabaseError as error:
            log.warning("the database does not answer: %s", error)
            return False

    def renew(self) -> bool:
        """Have it for longer, if we have it at all: what was given back is not taken again."""
        now = time.time()
        taken = {"held_since": now, "expires": now + self.seconds}
        return bool(Cursor.objects.filter(name=self.name, holder=self.holder).update(**taken))

    def release(self) -> None:
        """Give the hold back; harmless if it was lost already. With no database to say so to, it runs out by itself."""
        try:
            mine = Cursor.objects.filter(name=self.name, holder=self.holder)
            mine.update(holder="", expires=0, turn=F("turn") + 1)
        except DatabaseError as error:
            log.warning("the lock %s stays until it runs out: %s", self.name, error)

    @property
    def fence(self) -> Fence:
        return Fence(self.name, self.holder, self.seconds, self.turn)


class Renewer:
    """One thread of a process that renews what the process holds, so that a hold may be short and the work long.

    Nearly all work is over before its first renewal; for that, nothing happens here but a note in a dict.
    """

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Lock, float]] = {}  # by their names, each with when it began
        self._changed = threading.Condition()
        self._running = False

    @contextmanager
    def keeping(self, lock: Lock) -> Iterator[Lock | None]:
        """While this lasts, the hold does not run out, once it is taken. Yields None, and keeps nothing, while another
        thread of this process is at the same."""
        now = time.monotonic()
        with self._changed:
            is_free = lock.name not in self._kept or now - self._kept[lock.name][1] >= STUCK_SECONDS
            if is_free:
                self._kept[lock.name] = lock, now
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name="hold-renewer", daemon=True).start()
            self._changed.notify()
        try:
            yield lock if is_free else None
        finally:
            with self._changed:
                if self._kept.get(lock.name, (None,))[0] is lock:
                    del self._kept[lock.name]

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._kept)
            time.sleep(RENEW_SECONDS)
            now = time.monotonic()
            with self._changed:
                due = [lock for lock, since in self._kept.values() if RENEW_SECONDS <= now - since < STUCK_SECONDS]
            if due:
                self._renew(due)

    def _renew(self, locks: list[Lock]) -> None:
        try:
            for lock in locks:
                lock.renew()
        except DatabaseError as error:
            log.warning("a hold could not be renewed: %s", error)
        finally:
            connections.close_all()


_renewer = Renewer()
keeping = _renewer.keeping
