"""The page of drills and of the report, and the report as files."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_POST

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import LESSONS
from lab.client import Client, UnknownCluster
from lab.dashboard.answers import refused, strict
from lab.models import Seat, Workshop
from lab.tutorials import shelf
from lab.tutorials.lesson import Lesson

from .accounts import staff
from .acts import INSTRUCTOR
from .drills import FAULTS, outcomes, strike
from .presence import last_seen
from .report import as_csv, report


@require_GET
@strict
@ensure_csrf_cookie
@staff
def page(request: HttpRequest, code: str) -> HttpResponse:
    one = get_object_or_404(Workshop, code=code)
    context = {"workshop": one, "faults": FAULTS, **_report(one)}
    return render(request, "workshops/report.html", context)


@require_GET
@strict
@staff
def file(request: HttpRequest, code: str, kind: str) -> HttpResponse:
    """`csv`: a line a learner and step; `json`: all of it."""
    one = get_object_or_404(Workshop, code=code)
    if kind == "json":
        answer: HttpResponse = JsonResponse(_report(one), json_dumps_params={"indent": 1})
    else:
        answer = HttpResponse(as_csv(*_read(one)), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{code}.{kind}"'
    return answer


@require_POST
@strict
@staff
def drill(request: HttpRequest, code: str) -> HttpResponse:
    """A fault for everybody. A page's script gets words, a form the page anew."""
    one = get_object_or_404(Workshop, code=code)
    try:
        said = strike(one, request.POST.get("fault", ""))
    except ApiError as error:
        return refused(error)
    wants_words = request.headers.get("Accept", "").startswith("application/json")
    return JsonResponse({"message": said}) if wants_words else redirect("report", code)


def _report(one: Workshop) -> dict:
    seats, lessons, objects, seen = _read(one)
    drills = [(drill.fault, drill.began, outcomes(drill, seats)) for drill in one.drills.order_by("-began")]
    return report(one, seats, lessons, objects, seen, drills)


def _read(one: Workshop) -> tuple[list[Seat], list[Lesson], dict[str, dict[str, dict]], dict[str, float]]:
    """The seats, the workshop's lessons, what is kept of them in each cluster, and when each learner was last seen."""
    seats = list(one.taken.order_by("id"))
    lessons = [found.lesson for id in one.lessons if (found := shelf.find(id)) and found.lesson]
    return seats, lessons, {seat.cluster: _kept(seat) for seat in seats}, last_seen([seat.cluster for seat in seats])


def _kept(seat: Seat) -> dict[str, dict]:
    try:
        found = Client(seat.cluster, INSTRUCTOR, hardware=True).list(LESSONS)
    except (ApiError, UnknownCluster):
        return seat.kept
    return {obj["metadata"]["name"]: obj for obj in found}
