"""The questions of a class, in the page of one of its learners: a list that is drawn here, and put in as it is."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from lab.apimachinery.errors import ApiError
from lab.dashboard.answers import refused, strict
from lab.models import Seat

from .gate import COOKIE
from .questions import of_workshop, put, take_back, want
from .seats import seat_of


@require_http_methods(["GET", "POST"])
@strict
def questions(request: HttpRequest) -> HttpResponse:
    """All of them; or one more, in `text`."""
    if request.method == "POST":
        return _done(request, lambda seat: put(seat, request.POST.get("text", "")))
    return _done(request, lambda seat: None)


@require_POST
@strict
def change(request: HttpRequest, question: int, what: str) -> HttpResponse:
    """`want`, `unwant` or `back`."""
    acts: dict[str, Callable[[Seat], None]] = {
        "want": lambda seat: want(seat, question, True),
        "unwant": lambda seat: want(seat, question, False),
        "back": lambda seat: take_back(seat, question),
    }
    return _done(request, acts[what]) if what in acts else HttpResponse(status=404)


def _done(request: HttpRequest, act: Callable[[Seat], None]) -> HttpResponse:
    """The list as it is then."""
    seat = seat_of(request.COOKIES.get(COOKIE, ""))
    if seat is None:
        return HttpResponse(status=403)
    try:
        act(seat)
    except ApiError as error:
        return refused(error)
    shown = [(one, one.by == seat.cluster, seat.cluster in one.voters) for one in of_workshop(seat.workshop)]
    return render(request, "workshops/questions.html", {"questions": shown})
