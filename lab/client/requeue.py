"""The keys that a loop wants to see again: why, when, and because of what."""

import time
from typing import NamedTuple

from django.db import connection
from django.db.models import QuerySet

from lab.models import Requeue
from lab.store import View

BACKOFF_FIRST = 0.2  # seconds; doubles with each failure of the same key (client-go: 5 ms, up to 1000 s)
BACKOFF_MOST = 30.0
MOST_WORDS = 1000  # of an error


class Failure(float):
    """A delay that comes from a failure, which says `error`: it grows with each one in a row."""

    error: str

    def __new__(cls, error: str) -> "Failure":
        delay = super().__new__(cls, BACKOFF_FIRST)
        delay.error = error
        return delay


class Unseen(float):
    """No delay: the key was not looked at, and all that is known of it stays as it is."""


class Known(NamedTuple):
    """What is known of a key that waits: how often it failed in a row, and with what."""

    failures: int = 0
    error: str = ""


# Asked in every turn of a loop, and most turns find nothing: by hand, as building it with the ORM takes longer than all
# the rest of such a turn. Who was queued in the future is due too, for then the clock has stepped back.
IS_DUE = f'FROM "{Requeue._meta.db_table}" WHERE cluster_id = %s AND (due <= %s OR queued > %s)'

KNOWN = f'SELECT "key", failures, error FROM "{Requeue._meta.db_table}" WHERE cluster_id = %s AND controller = %s'
FORGET = f'DELETE FROM "{Requeue._meta.db_table}" WHERE cluster_id = %s AND controller = %s AND "key" IN'
NOTE = (
    f'INSERT INTO "{Requeue._meta.db_table}" (cluster_id, controller, "key", queued, due, failures, error, cause)'
    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
)


def due(state: View, loop: str) -> dict[str, int]:
    """The keys of a loop whose time has come, in the order in which they were noted, each with its cause."""
    now = time.time()
    with connection.cursor() as cursor:
        asked = f'SELECT "key", cause {IS_DUE} AND controller = %s ORDER BY id'
        cursor.execute(asked, [state.cluster_id, now, now + 1, loop])
        return dict(cursor.fetchall())


def loops_due(state: View) -> set[str]:
    """The loops that have such keys."""
    now = time.time()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT controller {IS_DUE}", [state.cluster_id, now, now + 1])
        return {loop for (loop,) in cursor.fetchall()}


def of(state: View, loop: str) -> QuerySet[Requeue]:
    """All keys that a loop wants to see again, in the order in which they were noted."""
    return Requeue.objects.filter(cluster_id=state.cluster_id, controller=loop).order_by("pk")


def renew(state: View, loop: str, delays: dict[str, float | None], causes: dict[str, int]) -> None:
    """After a turn: of each key that it had, forget what was noted, and note when to see it again (None: no more).

    A key that failed, that nobody got to, or that is not done (a delay of 0), stays due to what made it due; one that
    waits for its time is the clock's.
    """
    now = time.time()
    with connection.cursor() as cursor:
        cursor.execute(KNOWN, [state.cluster_id, loop])
        known = {key: Known(*rest) for key, *rest in cursor.fetchall() if key in delays}
        if known:
            cursor.execute(f"{FORGET} ({', '.join(['%s'] * len(known))})", [state.cluster_id, loop, *known])
        rows = [
            (state.cluster_id, loop, key, now, *_waits(now, delay, causes.get(key, 0), known.get(key, Known())))
            for key, delay in delays.items()
            if delay is not None
        ]
        if rows:
            cursor.executemany(NOTE, rows)


def _waits(now: float, delay: float, cause: int, known: Known) -> tuple[float, int, str, int]:
    """When it is due, how often it has failed and with what, and what makes it due."""
    if isinstance(delay, Failure):
        return now + backoff(known.failures), known.failures + 1, delay.error[:MOST_WORDS], cause
    if isinstance(delay, Unseen):
        return now + delay, *known, cause
    return now + delay, 0, "", 0 if delay else cause


def backoff(failures: int) -> float:
    """Seconds after so many failures. Doubled ten times it is past the most already, and 2 to the thousandth would be
    no float."""
    return min(BACKOFF_FIRST * 2 ** min(failures, 10), BACKOFF_MOST)
