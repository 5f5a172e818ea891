"""The beginning of a class: who comes before it waits on a page, and gets in by itself.

A workshop may do without, and most do: then everybody begins when they come.
"""

from collections.abc import Callable

from django.utils.timezone import now

from lab.apimachinery.errors import ApiError, bad_request
from lab.models import Seat, Workshop

from .everybody import with_each
from .leading import Form, come_late
from .seats import set_going

NOT_YET = "your class has not begun: you get in by yourself when it does"


def check_begun(seat: Seat) -> None:
    """Raises ApiError 403 while a learner has to wait."""
    if seat.workshop.is_waiting:
        raise ApiError(403, "Forbidden", NOT_YET)


def begin(workshop: Workshop, form: Form, by: str) -> str:
    """For all who wait. Where the class is somewhere already they land there, as who comes late does."""
    waiting = Workshop.objects.filter(pk=workshop.pk, waits=True, begun=None, over=None)
    if not waiting.update(begun=now()):
        raise bad_request("it has begun already")
    set_going(workshop)
    seats = list(workshop.taken.select_related("workshop").order_by("id"))
    with_each(seats, come_late)
    return f"The class has begun, with {len(seats)} learner{'' if len(seats) == 1 else 's'}."


TO_ALL: dict[str, Callable[[Workshop, Form, str], str]] = {"begin": begin}
