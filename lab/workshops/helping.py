"""An instructor beside a learner: looks along, points, takes over and gives back.

Each is asked for and accepted, and either ends it whenever they like. While the instructor acts the learner does not:
two hands at one board would undo each other's work.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.db import transaction
from django.utils.timezone import now

from lab.apimachinery.errors import ApiError, bad_request
from lab.models import Help, Seat, Workshop

NONE, ASKED, LOOKS, OFFERS, ACTS = "", "Asked", "Looks", "Offers", "Acts"
PRESENT = (LOOKS, OFFERS, ACTS)
Moves = Mapping[str, Mapping[str, str]]  # act → from which state to which
OF_INSTRUCTOR: Moves = {
    "look": {NONE: ASKED},
    "take": {LOOKS: OFFERS},
    "give": {OFFERS: LOOKS, ACTS: LOOKS},
    "leave": dict.fromkeys((NONE, ASKED, *PRESENT), NONE),
}
OF_LEARNER: Moves = {
    "accept": {ASKED: LOOKS, OFFERS: ACTS},
    "refuse": {ASKED: NONE, OFFERS: LOOKS},
    "back": {ACTS: LOOKS},
    "end": dict.fromkeys((NONE, ASKED, *PRESENT), NONE),
}
SAID = {
    "look": "{name} is asked, and sees it at once.",
    "take": "{name} is asked whether you may act.",
    "give": "{name} acts again.",
    "leave": "You have left {name}.",
}
CLUSTER = re.compile(r"/clusters/(([a-z]{6})-[0-9]+)/")  # of a learner's, in the path of what is asked for
STREAMS = ("/exec", "/attach", "/portforward")
COMMAND_LINE = re.compile(r"/clusters/[^/]+/board/kubectl")  # it looks at what was typed, and asks back before an act


@dataclass(frozen=True)
class Beside:
    """What both are told. `pointed`: when it was, so that the same spot can be pointed at twice."""

    by: str
    state: str
    spot: str
    pointed: float

    def as_dict(self) -> dict:
        return {"by": self.by, "state": self.state, "spot": self.spot, "pointed": self.pointed}


def after(state: str, act: str, moves: Moves) -> str:
    """The state that an act leads to. Raises ApiError. Pure."""
    ways = moves.get(act)
    if ways is None:
        raise bad_request("this cannot be done")
    if state not in ways:
        raise bad_request("it is not like that any more: look at the page again")
    return ways[state]


def is_act(kind: str, method: str, path: str) -> bool:
    """Whether what is asked for may change a cluster. Pure."""
    if kind == "websocket":
        return path.rstrip("/").endswith(STREAMS)
    return method not in ("GET", "HEAD", "OPTIONS") and not COMMAND_LINE.fullmatch(path)


def beside(workshop: Workshop) -> dict[str, Beside]:
    """cluster → who is with its learner, or wants to be."""
    found = Help.objects.filter(seat__workshop=workshop).select_related("seat")
    return {
        one.seat.cluster: Beside(one.by, one.state, one.spot, one.pointed.timestamp() if one.pointed else 0.0)
        for one in found
    }


def move(seat: Seat, act: str, moves: Moves, by: str = "") -> None:
    """`by`: the instructor, where it is not the learner who acts. Raises ApiError."""
    with transaction.atomic():
        Seat.objects.select_for_update().get(pk=seat.pk)
        held = Help.objects.filter(seat=seat).first()
        if by and held and held.by != by:
            raise bad_request(f"{held.by} is with them already")
        state = after(held.state if held else NONE, act, moves)
        if state == NONE:
            Help.objects.filter(seat=seat).delete()
        else:
            Help.objects.update_or_create(seat=seat, defaults={"state": state, **({"by": by} if by else {})})


def point(seat: Seat, text: str, by: str) -> str:
    """At a thing on the learner's board, by its row's id."""
    here = Help.objects.filter(seat=seat, by=by, state__in=PRESENT)
    most = Help._meta.get_field("spot").max_length
    if not text or len(text) > most or not here.update(spot=text, pointed=now()):
        raise bad_request("one can point at something on the board of who has let one look along")
    return f"{seat.nickname} sees where you point."


def _act(act: str) -> Callable[[Seat, str, str], str]:
    def acted(seat: Seat, text: str, by: str) -> str:
        move(seat, act, OF_INSTRUCTOR, by)
        return SAID[act].format(name=seat.nickname)

    return acted


TO_ONE: dict[str, Callable[[Seat, str, str], str]] = {"point": point, **{act: _act(act) for act in OF_INSTRUCTOR}}


def whose(path: str) -> Seat | None:
    """The learner whose cluster it is about."""
    match = CLUSTER.match(path)
    return Seat.objects.select_related("workshop", "help").filter(cluster=match[1]).first() if match else None


def code_of(path: str) -> str:
    """Of the workshop whose seat has the cluster that it is about, taken or not; empty for any other."""
    match = CLUSTER.match(path)
    return match[2].upper() if match else ""


def class_of(path: str) -> Workshop | None:
    code = code_of(path)
    return Workshop.objects.filter(code=code).first() if code else None


def state_of(seat: Seat, by: str = "") -> str:
    """As it is with that instructor; with any, without one."""
    held = Help.objects.filter(seat=seat).first()
    return held.state if held and by in ("", held.by) else NONE


def check_instructor(seat: Seat, by: str, acts: bool) -> None:
    """Raises ApiError 403 where a learner has not let them. It names nobody: names may be hidden on the projector."""
    state = state_of(seat, by)
    if state not in PRESENT:
        raise ApiError(403, "Forbidden", "this learner has not let you look along: ask them from the wall")
    if acts and state != ACTS:
        raise ApiError(403, "Forbidden", "you look along; to act here, take over first, and this learner accepts")


def check_learner(seat: Seat) -> None:
    """Raises ApiError 403 while somebody else acts in their cluster."""
    held = Help.objects.filter(seat=seat, state=ACTS).first()
    if held:
        why = f"{held.by} acts in your cluster now; to do so yourself, take it back at the top of the page"
        raise ApiError(403, "Forbidden", why)
