"""A class that pauses, has some minutes more, and ends.

Who learns may look all the time, and act while it goes on. When it is over their clusters sleep: every machine of them
is switched off, and can be switched on again. Or they go, and what certificates are made of stays with the seats.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from math import ceil

from django.db.models import QuerySet
from django.utils.timezone import now

from lab.apimachinery.controlplane import POWER, is_member
from lab.apimachinery.errors import ApiError, bad_request
from lab.apimachinery.kinds import LESSONS, NODES, VISITORS
from lab.client import Client, cluster_names
from lab.client.clusters import delete_cluster
from lab.models import Help, Seat, Workshop
from lab.visitors.status import is_active

from .acts import INSTRUCTOR
from .drills import keep
from .everybody import FAILURES, with_each
from .leading import Form
from .polls import finish
from .presence import forgotten
from .stops import start, stop, timing

ASLEEP = "orrery.io/asleep"  # on visitors of a cluster that sleeps: as JSON, how they came
COMING = ("rate", "thinkSeconds")
MOST_MINUTES = 240
PAUSES = "your class pauses: you can look, and act again when your instructor goes on"
IS_OVER = "this class is over: what you have done stands in your certificate"


def why_not(paused: bool, over: bool) -> str:
    """Why a learner may not act; empty while they may. Pure."""
    return IS_OVER if over else PAUSES if paused else ""


def check_goes_on(seat: Seat) -> None:
    """Raises ApiError 403. Asked anew at each act: what the gate knows of a seat may be a moment old."""
    held = Workshop.objects.filter(pk=seat.workshop_id).values_list("paused", "over").first()
    if held and (why := why_not(held[0], bool(held[1]))):
        raise ApiError(403, "Forbidden", why)


def in_time(workshop: Workshop) -> dict:
    """What all pages are told of it."""
    ends = workshop.ends.timestamp() if workshop.ends else 0
    return {"paused": workshop.paused, "ends": int(ends), "over": bool(workshop.over), "goes": workshop.goes}


def pause(workshop: Workshop, form: Form, by: str) -> str:
    with timing(workshop) as row:
        if not row.over:
            row.paused = True
            stop(row)
    return "Everybody can look, and nobody can act."


def resume(workshop: Workshop, form: Form, by: str) -> str:
    with timing(workshop) as row:
        if not row.over:
            row.paused = False
            start(row)
    return "Everybody can act again."


def extend(workshop: Workshop, form: Form, by: str) -> str:
    """By `minutes`; of a class for which no time was said, or whose time is up, from now on."""
    minutes = form.get("minutes", "")
    if not minutes.isdecimal() or not 1 <= int(minutes) <= MOST_MINUTES:
        raise bad_request(f"choose from 1 to {MOST_MINUTES} minutes")
    with timing(workshop) as row:
        if row.over:
            raise bad_request("it is over: let it go on first")
        row.ends = max(row.ends or now(), now()) + timedelta(minutes=int(minutes))
    return f"{ceil((row.ends - now()).total_seconds() / 60)} minutes are left."  # as all pages say it


def end(workshop: Workshop, form: Form, by: str) -> str:
    """For all at once. Nobody joins what is over. Said once more, clusters go that are left because somebody was killed
    at that, or the database was away."""
    with timing(workshop) as row:
        again = bool(row.over)
        if not again:
            row.over, row.paused = now(), False
            stop(row)
            Workshop.objects.filter(pk=row.pk).update(led=False, slide="", held=False)
            row.taken.update(hand=None)
    finish(workshop, form, by)  # nobody is asked any more
    if not workshop.goes and not again:
        return f"The class is over. {_told(workshop.taken, _put_to_sleep, 'asleep')}"
    left = workshop.taken.filter(cluster__in=cluster_names())
    if again and not (workshop.goes and left):
        raise bad_request("it is over already")
    keep(workshop)
    return f"The class is over. {_told(left if again else workshop.taken, _send_away, 'gone')}"


def go_on(workshop: Workshop, form: Form, by: str) -> str:
    """After all: clusters that sleep wake."""
    if workshop.goes:
        raise bad_request("its clusters are gone")
    with timing(workshop) as row:
        if row.over:
            row.over = row.ends = None
            start(row)
    return f"The class goes on. {_told(workshop.taken, _wake, 'awake')}"


def _told(seats: QuerySet[Seat], act: Callable[[Seat], str], word: str) -> str:
    came = with_each(list(seats.order_by("id")), act)
    failed = sorted({why for why in came.values() if why})
    words = f"{sum(not why for why in came.values())} of {len(came)} clusters are {word}."
    return f"{words} Failed: {'; '.join(failed)}" if failed else words


def _put_to_sleep(seat: Seat) -> str:
    return _slept(seat, "off")


def _wake(seat: Seat) -> str:
    return _slept(seat, None)


def _slept(seat: Seat, held: str | None) -> str:
    """Whoever visits goes home, and all machines are switched off, those of the control plane last; or the other way
    round. Why it failed, if it did."""
    try:
        client = Client(seat.cluster, INSTRUCTOR, hardware=True)
        for one in client.list(VISITORS):
            if change := at_home(one, bool(held)):
                client.patch(VISITORS, one["metadata"]["namespace"], one["metadata"]["name"], change)
        for node in sorted(client.list(NODES), key=lambda node: is_member(node) == bool(held)):
            client.patch(NODES, "", node["metadata"]["name"], {"metadata": {"annotations": {POWER: held}}})
    except (*FAILURES, ValueError) as error:  # the last: what a learner has written there themselves
        return str(error)
    return ""


def at_home(visitors: dict, sleeps: bool) -> dict:
    """What is another of visitors when their cluster sleeps, or wakes: who did not come does not come then. Pure."""
    spec, before = visitors["spec"], visitors["metadata"].get("annotations", {}).get(ASLEEP)
    if sleeps and is_active(spec):
        came = json.dumps({field: spec.get(field) for field in COMING})
        return {"metadata": {"annotations": {ASLEEP: came}}, "spec": {"rate": 0, "thinkSeconds": None}}
    if before and not sleeps:
        return {"metadata": {"annotations": {ASLEEP: None}}, "spec": json.loads(before)}
    return {}


def _send_away(seat: Seat) -> str:
    """Only when what certificates are made of is kept."""
    try:
        found = Client(seat.cluster, INSTRUCTOR, hardware=True).list(LESSONS)
        Seat.objects.filter(pk=seat.pk).update(kept=seat.kept | {obj["metadata"]["name"]: obj for obj in found})
        Help.objects.filter(seat=seat).delete()  # there is nothing any more to look along at
        delete_cluster(seat.cluster)
    except FAILURES as error:
        return str(error)
    forgotten(seat.cluster)
    return ""


def kept_of(cluster: str) -> dict[str, dict]:
    """The Lessons of a learner whose cluster has gone when their class was over."""
    return Seat.objects.filter(cluster=cluster).values_list("kept", flat=True).first() or {}


TO_ALL: dict[str, Callable[[Workshop, Form, str], str]] = {
    "pause": pause,
    "resume": resume,
    "extend": extend,
    "end": end,
    "go-on": go_on,
}
