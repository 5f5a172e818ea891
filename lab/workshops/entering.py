"""Who may be where, and act there: what the room's door goes by. All that is called `check_…` raises ApiError."""

from urllib.parse import parse_qs

from django.contrib.auth.models import User

from lab.apimachinery.errors import ApiError
from lab.client import cluster_names
from lab.models import Seat, Workshop

from .accounts import NOT_FOR_YOU
from .closing import check_goes_on
from .helping import check_instructor, check_learner, class_of, code_of, whose
from .roles import check, instructs, workshops_of

LESSONS = "/lessons/"
NOT_FOR_LEARNERS = ("/lessons/predictions",)


def check_acts(seat: Seat) -> None:
    """Whether a learner may act. Raises ApiError."""
    check_goes_on(seat)
    check_learner(seat)


def check_own(seat: Seat, cluster: str) -> None:
    """The same of an act that the door has not seen: a learner has no cluster but their own."""
    check_acts(seat)


def check_beside(path: str, name: str, acts: bool) -> None:
    """Whether that account may be in the learner's cluster that a path leads to, and act there. Raises ApiError."""
    seat, user = whose(path), User.objects.filter(username=name).first()
    if seat is None or user is None:
        raise ApiError(403, "Forbidden", "who was there is not any more")
    check(user, seat.workshop, "take" if acts else "look", seat)
    check_instructor(seat, name, acts)


def check_free(path: str, name: str, acts: bool) -> None:
    """The cluster of a seat that nobody has yet is looked at by who may all of its workshop, and acted in by nobody:
    what is left there would await whoever comes. Raises ApiError."""
    workshop = class_of(path)
    if workshop is None:
        return
    if whose(path):
        raise ApiError(403, "Forbidden", "a learner has come into this cluster: ask them from the wall")
    check(User.objects.get(username=name), workshop, "page")
    if acts:
        raise ApiError(403, "Forbidden", "this waits for a learner: look around, and try things in another cluster")


def check_named(name: str, cluster: str) -> None:
    """The same of an act in a cluster that is named in a form. Any other is everybody's who may make workshops."""
    path = f"/clusters/{cluster}/"
    if whose(path):
        check_beside(path, name, acts=True)
    else:
        check_free(path, name, acts=True)


def offered(user: User) -> list[str]:
    """The clusters that an instructor is shown where one can choose: all but those of classes that are not theirs."""
    others = set(Workshop.objects.exclude(pk__in=workshops_of(user)).values_list("code", flat=True))
    return [name for name in cluster_names() if code_of(f"/clusters/{name}/") not in others]


def check_elsewhere(user: User, path: str, query: bytes, reads: bool) -> None:
    """Whether they may be where no learner is: who only assists or observes reads lessons. What a learner has done in
    them is read by who helps them. Raises ApiError."""
    named = parse_qs(query.decode("latin-1")).get("cluster", [])
    for seat in filter(None, (whose(f"/clusters/{cluster}/") for cluster in named)):
        check(user, seat.workshop, "progress", seat)
    lessons = reads and path.startswith(LESSONS) and not path.startswith(NOT_FOR_LEARNERS)
    if not lessons and not instructs(user):
        raise ApiError(403, "Forbidden", NOT_FOR_YOU)
