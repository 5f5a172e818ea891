"""A class that pauses, has some minutes more, and ends.

Who learns may look all the time, and act while it goes on. When it is over their clusters sleep: every machine of them
is switched off, and can be switched on again. Or they go, and what certificates are made of stays with the seats.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from math import ceil

from django.utils.timezone import now

from lab.apimachinery.controlplane import POWER, is_member
from lab.apimachinery.errors import ApiError, bad_request
from lab.apimachinery.kinds import LESSONS, NODES, VISITORS
from lab.client import Client, UnknownCluster
from lab.client.clusters import delete_cluster
from lab.models import Help, Seat, Workshop
from lab.visitors.status import is_active

from .acts import INSTRUCTOR
from .drills import keep
from .everybody import with_each
from .leading import Form
from .polls import finish
from .presence import forgotten
from .stops import start, stop

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
    if Workshop.objects.filter(pk=workshop.pk, over=None).update(paused=True):
        stop(workshop)
    return "Everybody can look, and nobody can act."


def resume(workshop: Workshop, form: Form, by: str) -> str:
    if Workshop.objects.filter(pk=workshop.pk, over=None).update(paused=False):
        start(workshop)
    return "Everybody can act again."


def extend(workshop: Workshop, form: Form, by: str) -> str:
    """By `minutes`; of a class for which no time was said, or whose time is up, from now on."""
    minutes = form.get("minutes", "")
    if not minutes.isdecimal() or not 1 <= int(minutes) <= MOST_MINUTES:
        raise bad_request(f"choose from 1 to {MOST_MINUTES} minutes")
    ends = max(workshop.ends or now(), now()) + timedelta(minutes=int(minutes))
    if not Workshop.objects.filter(pk=workshop.pk, over=None).update(ends=ends):
        raise bad_request("it is over: let it go on first")
    return f"{ceil((ends - now()).total_seconds() / 60)} minutes are left."  # as all pages say it


def end(workshop: Workshop, form: Form, by: str) -> str:
    """For all at once. Nobody joins what is over."""
    ended = Workshop.objects.filter(pk=workshop.pk, over=None)
    if not ended.update(over=now(), paused=False, led=False, slide="", held=False):
        raise bad_request("it is over already")
    stop(workshop)
    workshop.taken.update(hand=None)
    finish(workshop, form, by)  # nobody is asked any more
    if workshop.goes:
        keep(workshop)
    put_away = _send_away if workshop.goes else _put_to_sleep
    return f"The class is over. {_told(workshop, put_away, 'gone' if workshop.goes else 'asleep')}"


def go_on(workshop: Workshop, form: Form, by: str) -> str:
    """After all: clusters that sleep wake."""
    if workshop.goes:
        raise bad_request("its clusters are gone")
    if Workshop.objects.filter(pk=workshop.pk).exclude(over=None).update(over=None, ends=None):
        start(workshop)
    return f"The class goes on. {_told(workshop, _wake, 'awake')}"


def _told(workshop: Workshop, act: Callable[[Seat], str], word: str) -> str:
    came = with_each(list(workshop.taken.order_by("id")), act)
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
    except (ApiError, UnknownCluster, ValueError) as error:  # the last: what a learner has written there themselves
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
        Seat.objects.filter(pk=seat.pk).update(kept={obj["metadata"]["name"]: obj for obj in found})
        delete_cluster(seat.cluster)
        Help.objects.filter(seat=seat).delete()  # there is nothing any more to look along at
    except (ApiError, UnknownCluster) as error:
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
