"""Taking a seat in a workshop, and finding it again."""

import logging
import re
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections, transaction
from django.utils.timezone import now

from lab.apimachinery.errors import ApiError
from lab.client import UnknownCluster, cluster_names
from lab.client.clusters import delete_cluster
from lab.models import Role, Seat, Workshop
from lab.sqlite.base import DatabaseWrapper
from lab.tutorials.cluster import ensure_learning_cluster

from .codes import digest, free_nickname, new_token, token_for
from .groups import smallest
from .presence import forgotten, seen

log = logging.getLogger(__name__)
FRESH_SECONDS = 2.0  # for so long what the database said of a token is believed
MOST_KNOWN = 4096
WESTERNMOST = timedelta(hours=12)  # so far behind UTC a day begins, where it does so last

_known: dict[str, tuple[float, Seat | None]] = {}


class Refused(Exception):
    """Why there is no seat, in words for who asks for one."""


def join(code: str, nickname: str, browser: str = "") -> tuple[Seat, str]:
    """A new seat, with a cluster of its own, and the token that opens it; from the same `browser` with the same name
    it is the one that it has. Raises Refused."""
    token = token_for(browser, code, nickname) if browser else new_token()
    with transaction.atomic():
        workshop = Workshop.objects.select_for_update().filter(code=code).first()
        if workshop is None:
            raise Refused("No workshop has this code. Look at the projector again: six letters, without vowels.")
        if workshop.over:
            raise Refused("This workshop is over.")
        if seat := workshop.taken.filter(key=digest(token)).first():
            return seat, token
        if not workshop.is_open:
            raise Refused("This workshop takes nobody any more. Ask your instructor to open it again.")
        rows = list(workshop.taken.values_list("nickname", "group"))
        taken = [name for name, _ in rows]
        if len(taken) >= workshop.seats:
            raise Refused(f"All {workshop.seats} seats are taken. Ask your instructor for one more.")
        name = free_nickname(nickname, taken)
        cluster = next_clusters(workshop)[0]
        group = smallest(workshop.groups, (letter for _, letter in rows))
        seat = Seat.objects.create(workshop=workshop, nickname=name, key=digest(token), cluster=cluster, group=group)
        if not rows and not workshop.waits:
            set_going(workshop)
    try:
        settle(seat)
    except (ApiError, DatabaseError):  # the seat is theirs all the same, and their place tries again
        log.exception("no cluster for %s yet", seat.cluster)
    return seat, token


def settle(seat: Seat) -> None:
    """Make a learner's cluster where it is not there. Raises Refused where the workshop has been deleted meanwhile,
    with the clusters that it knew of."""
    made = ensure_learning_cluster(seat.cluster, seat.workshop.guard)
    if made and not Seat.objects.filter(pk=seat.pk).exists():
        remove(seat.cluster)
        raise Refused("This workshop has just been deleted.")


def remove(cluster: str) -> None:
    """With all that is known of it beside the store; somebody else may be faster."""
    with suppress(UnknownCluster):
        delete_cluster(cluster)
    forgotten(cluster)


def set_going(workshop: Workshop) -> None:
    """From now on its time runs, if somebody has said how long it lasts, and until when nobody yet."""
    if workshop.minutes:
        ends = now() + timedelta(minutes=workshop.minutes)
        Workshop.objects.filter(pk=workshop.pk, ends=None).update(ends=ends)


def next_clusters(workshop: Workshop) -> list[str]:
    """The names of those that its free seats will have, in the order in which they are taken."""
    last = workshop.taken.order_by("id").last()
    first = int(last.cluster.rpartition("-")[2]) + 1 if last else 1
    return [f"{workshop.code.lower()}-{first + n}" for n in range(workshop.seats - workshop.taken.count())]


def rehearsal_cluster(workshop: Workshop) -> str:
    """The name of the one in which its stages are tried."""
    return f"{workshop.code.lower()}-0"


def forget(workshop: Workshop) -> None:
    """Its clusters, those that nobody has taken too, with all that was done there, its learners' names, and the
    accounts of who only helped in it. From its first moment on the class is over, so that nobody comes back into what
    is being deleted."""
    Workshop.objects.filter(pk=workshop.pk, over=None).update(over=now(), is_open=False)
    helped = list(workshop.roles.values_list("account", flat=True))
    theirs = re.compile(rf"{workshop.code.lower()}-[0-9]+")
    for _ in "before", "after":  # who was just coming in had a cluster made
        for cluster in filter(theirs.fullmatch, cluster_names()):
            remove(cluster)
        Workshop.objects.filter(pk=workshop.pk).delete()
    drop_without_part(helped)
    if isinstance(database := connections[DEFAULT_DB_ALIAS], DatabaseWrapper):
        database.empty_log()


def drop_without_part(names: Iterable[str]) -> None:
    """Those accounts that were for nothing but what is gone. Who makes workshops keeps theirs. A lab without a room has
    no accounts, and does not know what one is."""
    if not apps.is_installed("django.contrib.auth"):
        return
    parts = {*Role.objects.values_list("account", flat=True), *Workshop.objects.values_list("by", flat=True)}
    accounts = apps.get_model("auth", "User").objects.filter(username__in=set(names) - parts)
    accounts.filter(is_superuser=False, is_staff=False).delete()


def forget_overdue() -> None:
    """Those whose day has come, everywhere on Earth: nobody has said where the class is."""
    for workshop in Workshop.objects.filter(forget__lte=(now() - WESTERNMOST).date()):
        forget(workshop)


def seat_of(token: str) -> Seat | None:
    """Whose token it is."""
    return Seat.objects.select_related("workshop").filter(key=digest(token)).first()


def waits_at(cluster: str) -> tuple[str, str] | None:
    """The lesson and the step past which the learner of a cluster may not go."""
    held = Seat.objects.filter(cluster=cluster, workshop__held=True)
    return held.values_list("workshop__lesson", "workshop__step").first()


def lately(token: str) -> Seat | None:
    """The same, as it was a moment ago: a browser asks many times a second, the database is asked once in a while."""
    key, at = digest(token), time.monotonic()
    known = _known.get(key)
    if known is None or known[0] < at:
        if len(_known) >= MOST_KNOWN:
            _known.clear()
        seat = seat_of(token)
        # Who waits for the class to begin is let in at once when it does.
        fresh = 0.0 if seat and seat.workshop.is_waiting else FRESH_SECONDS
        known = _known[key] = (at + fresh, seat)
        if known[1]:
            seen(known[1].cluster)
    return known[1]
