"""The page of drills and of the report, and the report as files."""

from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_POST

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import LESSONS
from lab.client import Client, UnknownCluster
from lab.dashboard.answers import refused, strict
from lab.models import Seat, Workshop
from lab.tutorials import shelf
from lab.tutorials.lesson import Lesson

from . import polls, questions
from .accounts import staff_for
from .acts import INSTRUCTOR
from .drills import FAULTS, Outcome, outcomes, strike
from .presence import last_seen
from .report import as_csv, report
from .roles import OBSERVER, standing
from .voices import Voices

FRESH = timedelta(minutes=3)  # so long after a fault its page looks again by itself


@require_GET
@strict
@ensure_csrf_cookie
@staff_for("report")
def page(request: HttpRequest, workshop: Workshop) -> HttpResponse:
    role = standing(request.user, workshop).role
    fresh = workshop.drills.filter(began__gt=now() - FRESH).exists()
    context = {**_report(workshop, role), "workshop": workshop, "role": role, "faults": FAULTS, "fresh": fresh}
    return render(request, "workshops/report.html", context)


@require_GET
@strict
@staff_for("report")
def file(request: HttpRequest, workshop: Workshop, kind: str) -> HttpResponse:
    """`csv`: a line for each thing that a learner did; `json`: all of it."""
    role = standing(request.user, workshop).role
    if kind == "json":
        answer: HttpResponse = JsonResponse(_report(workshop, role), json_dumps_params={"indent": 1})
    else:
        read = _read(workshop, role)
        written = as_csv(*read, _drills(workshop, read[0]), _voices(workshop))
        answer = HttpResponse(written, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{workshop.code}.{kind}"'
    return answer


@require_POST
@strict
@staff_for("inject")
def drill(request: HttpRequest, workshop: Workshop) -> HttpResponse:
    """A fault for everybody. A page's script gets words, a form the page anew."""
    try:
        said = strike(workshop, request.POST.get("fault", ""))
    except ApiError as error:
        return refused(error)
    wants_words = request.headers.get("Accept", "").startswith("application/json")
    return JsonResponse({"message": said}) if wants_words else redirect("report", workshop.code)


def _report(one: Workshop, role: str) -> dict:
    seats, lessons, objects, seen = _read(one, role)
    return report(one, seats, lessons, objects, seen, _drills(one, seats), _voices(one))


def _drills(one: Workshop, seats: list[Seat]) -> list[tuple[str, datetime, list[Outcome]]]:
    return [(drill.fault, drill.began, outcomes(drill, seats)) for drill in one.drills.order_by("-began")]


def _voices(one: Workshop) -> Voices:
    return Voices(polls.all_of(one), questions.all_of(one))


def _read(one: Workshop, role: str) -> tuple[list[Seat], list[Lesson], dict[str, dict[str, dict]], dict[str, float]]:
    """The seats, the workshop's lessons, what is kept of them in each cluster, and when each learner was last seen. An
    observer knows nobody by name."""
    seats = list(one.taken.order_by("id"))
    if role == OBSERVER:
        for number, seat in enumerate(seats, 1):
            seat.nickname = f"No. {number}"  # never saved: as on the wall
    lessons = [found.lesson for id in one.lessons if (found := shelf.find(id)) and found.lesson]
    return seats, lessons, {seat.cluster: _kept(seat) for seat in seats}, last_seen([seat.cluster for seat in seats])


def _kept(seat: Seat) -> dict[str, dict]:
    try:
        found = Client(seat.cluster, INSTRUCTOR, hardware=True).list(LESSONS)
    except (ApiError, UnknownCluster):
        return seat.kept
    return {obj["metadata"]["name"]: obj for obj in found}
