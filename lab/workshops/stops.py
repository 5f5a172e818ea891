"""The time in which a class stands still: while it pauses, and when it is over. Nobody is stuck for a minute of it."""

import contextlib
from collections.abc import Iterator, Sequence

from django.db import transaction
from django.utils.timezone import now

from lab.models import Workshop

Stretch = Sequence[float]  # from when until when, in seconds since the epoch


@contextlib.contextmanager
def timing(workshop: Workshop) -> Iterator[Workshop]:
    """Its row as it is now, which nobody else changes meanwhile; what becomes of its time is written together."""
    with transaction.atomic():
        row = Workshop.objects.select_for_update().get(pk=workshop.pk)
        yield row
        row.save(update_fields=["paused", "over", "ends", "stood", "stopped"])


def stop(row: Workshop) -> None:
    """From now on, if it does not stand still already."""
    row.stopped = row.stopped or now()


def start(row: Workshop) -> None:
    if row.stopped:
        row.stood, row.stopped = [*row.stood, [row.stopped.timestamp(), now().timestamp()]], None


def still(workshop: Workshop) -> int:
    """The second from which on no minute counts; 0 while it goes on. Pure."""
    return int(workshop.stopped.timestamp()) if workshop.stopped else 0


def rested(cluster: str, since: float, now: float) -> float:
    """The seconds of that time in which the class stood still whose learner has this cluster."""
    found = Workshop.objects.filter(taken__cluster=cluster).values_list("stood", "stopped").first()
    if found is None:
        return 0.0
    stood, stopped = found
    return lost([*stood, [stopped.timestamp(), now]] if stopped else stood, since)


def lost(stood: Sequence[Stretch], since: float) -> float:
    """The seconds after `since` in which it stood still. Pure."""
    return sum(until - max(begin, since) for begin, until in stood if until > since)
