"""Who may act: a hold on a cursor's row, taken for a time and renewed, as leader election does with a Lease.

A hold may outlive its holder's belief in it (a stopped process wakes up late), so writes carry a fence that the
store checks within their transaction.
"""

import secrets
import time

from django.db.models import Q

from lab.models import Cursor
from lab.store import Fence

HOLD_SECONDS = 30.0
# Who had to wait for the database looks with a time that is already past: only more than this is a clock set back.
JITTER_SECONDS = 2.0


class Lock:
    """A named hold. `acquire()` says whether we have it now; it may be called again and again to renew.

    Times are the wall clock's, since processes share no other; a hold that begins in the future means that the
    clock has stepped back, and is free.
    """

    def __init__(self, name: str, seconds: float = HOLD_SECONDS):
        self.name = name
        self.seconds = seconds
        self.holder = secrets.token_hex(8)

    def acquire(self) -> bool:
        """Take the hold, or renew it; False while somebody else has it."""
        now = time.time()
        free = Q(holder="") | Q(holder=self.holder) | Q(expires__lte=now) | Q(held_since__gt=now + JITTER_SECONDS)
        taken = {"holder": self.holder, "held_since": now, "expires": now + self.seconds}
        rows = Cursor.objects.filter(name=self.name)
        if rows.filter(free).update(**taken):
            return True
        if rows.exists():
            return False
        _, created = Cursor.objects.get_or_create(name=self.name, defaults=taken)
        return created

    renew = acquire

    def release(self) -> None:
        """Give the hold back; harmless if it was lost already."""
        Cursor.objects.filter(name=self.name, holder=self.holder).update(holder="", expires=0)

    @property
    def fence(self) -> Fence:
        return Fence(self.name, self.holder)
