"""The questions of a class, in the page of one of its learners: a list that is drawn here, and put in as it is."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from lab.dashboard.answers import strict
from lab.models import Seat

from .questions import of_workshop, put, take_back, want
from .seated import seated


@require_http_methods(["GET", "POST"])
@strict
@seated
def questions(request: HttpRequest, seat: Seat) -> HttpResponse:
    """All of them; or one more, in `text`."""
    if request.method == "POST":
        put(seat, request.POST.get("text", ""))
    return _listed(request, seat)


@require_POST
@strict
@seated
def change(request: HttpRequest, seat: Seat, question: int, what: str) -> HttpResponse:
    """`want`, `unwant` or `back`."""
    acts: dict[str, Callable[[], None]] = {
        "want": lambda: want(seat, question, True),
        "unwant": lambda: want(seat, question, False),
        "back": lambda: take_back(seat, question),
    }
    if what not in acts:
        return HttpResponse(status=404)
    acts[what]()
    return _listed(request, seat)


def _listed(request: HttpRequest, seat: Seat) -> HttpResponse:
    """As they are now."""
    shown = [(one, one.by == seat.cluster, seat.cluster in one.voters) for one in of_workshop(seat.workshop)]
    return render(request, "workshops/questions.html", {"questions": shown})
