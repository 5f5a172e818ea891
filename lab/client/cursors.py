"""How far each loop has read the log of each cluster, and whether its turn is anybody's.

A turn begins with no write: whoever begins reads where the cursor stands and in which turn, and the first write of that
turn takes the hold in its own transaction, as does the move of the cursor at the end. So a loop that finds nothing to
do writes once, and of two workers that begin the same turn one is refused, whatever it has decided.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from django.db import connection
from django.db.models import F

from lab.models import Cursor
from lab.store import IS_OURS, LostFence, View

from .locks import JITTER_SECONDS, Lock

LAG = 50  # revisions that do not concern a loop before its cursor skips them
# Asked in every turn of a loop: by hand, for the reason given in `requeue`.
TABLE = f'"{Cursor._meta.db_table}"'
PLACE = f"SELECT revision, turn, holder, held_since, expires FROM {TABLE} WHERE name = %s"
MOVE = f"UPDATE {TABLE} SET revision = %s, held_since = %s, holder = '', expires = 0, turn = turn + 1 WHERE {IS_OURS}"


class Place(NamedTuple):
    """Where a cursor stands, and in which turn; nowhere in none if its loop has never turned. A hold that begins in the
    future means that the clock has stepped back, and is nobody's."""

    revision: int = 0
    turn: int | None = None
    holder: str = ""
    held_since: float = 0.0
    expires: float = 0.0

    @property
    def is_held(self) -> bool:
        now = time.time()
        return bool(self.holder) and self.expires > now and self.held_since <= now + JITTER_SECONDS

    @property
    def free_turn(self) -> int | None:
        """The turn that the first write may take; None of a hold that has to be taken before anything is read: whoever
        had it, and let it run out, may wake up and write until then."""
        return None if self.holder else self.turn


def cursor_name(cluster: View, loop: str) -> str:
    return f"{cluster.uid}/{loop}"


def place_of(name: str) -> Place:
    with connection.cursor() as cursor:
        cursor.execute(PLACE, [name])
        return Place(*(cursor.fetchone() or ()))


def positions_of(names: list[str]) -> dict[str, int]:
    """Where those of them stand that stand anywhere. Asked of all loops of each cluster once a second."""
    if not names:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT name, revision FROM {TABLE} WHERE name IN ({', '.join(['%s'] * len(names))})", names)
        return dict(cursor.fetchall())


@contextmanager
def whole_turn(lock: Lock) -> Iterator[None]:
    """A turn that fails is given back at once, if it was taken at all. Raises LostFence if it is somebody else's."""
    try:
        if lock.turn is None and not lock.acquire():
            raise LostFence(lock.name)
        yield
    except LostFence:
        raise
    except BaseException:
        lock.release()
        raise


def move(lock: Lock, head: int) -> None:
    """The turn is over: the cursor stands at `head`, and is nobody's. Raises LostFence."""
    with connection.cursor() as cursor:
        cursor.execute(MOVE, [head, time.time(), lock.name, lock.holder, lock.turn])
        if not cursor.rowcount:
            raise LostFence(lock.name)


def skip(positions: dict[str, int], head: int) -> None:
    """Up to `head` nothing concerns the loops that stand there, or whoever begins anew would read it again: now and
    then where changes have passed a cursor; at once where it stands nowhere, for then every object was looked at."""
    if new := [name for name, position in positions.items() if not position]:
        Cursor.objects.bulk_create([Cursor(name=name, revision=head) for name in new], ignore_conflicts=True)
    if passed := [name for name, position in positions.items() if head - position > LAG]:
        free = Cursor.objects.filter(name__in=passed, revision__lt=head, holder="")
        free.update(revision=head, turn=F("turn") + 1)
