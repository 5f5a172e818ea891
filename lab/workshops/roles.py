"""Who may do what in a workshop: an instructor all of it, an assistant what helps the learners of their groups, an
observer nothing but look, without names. Whoever made it is its instructor, and a superuser everybody's.
"""

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from lab.apimachinery.errors import ApiError
from lab.models import Role, Seat, Workshop

from .groups import named

INSTRUCTOR, ASSISTANT, OBSERVER = ROLES = ("instructor", "assistant", "observer")
SEES = frozenset({"wall", "report"})
HELPS = frozenset({"hint", "reset", "lower", "answer", "look", "take", "give", "leave", "point", "progress"})


@dataclass(frozen=True)
class Standing:
    """What an account is in a workshop; nothing where it has no part in it."""

    role: str = ""
    groups: str = ""  # an assistant's, their letters

    @property
    def helps(self) -> str:
        return named(self.groups)


def refusal(standing: Standing, act: str, name: str = "", group: str = "") -> str:
    """Why not, in words; empty where they may. `name`, `group`: of the learner to whom it is done. Pure."""
    if standing.role == INSTRUCTOR or (standing.role and act in SEES):
        return ""
    if not standing.role:
        return "you have no part in this workshop: an instructor of it can give you one"
    if standing.role == OBSERVER:
        return "you observe this workshop: you see its wall and its report, and act on nobody"
    if act not in HELPS:
        return "this is for an instructor of the workshop: as an assistant you help the learners of your group"
    if not group or group not in standing.groups:
        return f"{name or 'this learner'} is not in {named(standing.groups)}, which you help: ask an instructor"
    return ""


def standing(user: User, workshop: Workshop) -> Standing:
    """Of nobody who has not signed in."""
    if not isinstance(user, User) or not user.is_active:
        return Standing()
    if user.is_superuser or user.username == workshop.by:
        return Standing(INSTRUCTOR)
    held = Role.objects.filter(workshop=workshop, account=user.username).first()
    return Standing(held.role, held.groups) if held else Standing()


def why_not(user: User, workshop: Workshop, act: str, seat: Seat | None = None) -> str:
    """`refusal`, as it is now."""
    who = (seat.nickname, seat.group) if seat else ("", "")
    return refusal(standing(user, workshop), act, *who)


def may(user: User, workshop: Workshop, act: str, seat: Seat | None = None) -> bool:
    """`seat`: the learner to whom it is done, if it is one."""
    return not why_not(user, workshop, act, seat)


def check(user: User, workshop: Workshop, act: str, seat: Seat | None = None) -> None:
    """Raises ApiError 403, in words."""
    if why := why_not(user, workshop, act, seat):
        raise ApiError(403, "Forbidden", why)


def instructs(user: User) -> bool:
    """Whether they may make workshops, and use the lab beside them."""
    return isinstance(user, User) and user.is_active and (user.is_staff or user.is_superuser)


def workshops_of(user: User) -> QuerySet[Workshop]:
    """Those in which they have a part."""
    if user.is_superuser:
        return Workshop.objects.all()
    return Workshop.objects.filter(Q(by=user.username) | Q(roles__account=user.username)).distinct()
