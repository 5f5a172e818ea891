"""The page of the wall, and what is done there."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_POST

from lab.apimachinery.errors import ApiError
from lab.dashboard.answers import refused, strict
from lab.models import Workshop

from . import acts, beginning, closing, groups, helping, leading, polls, questions
from .accounts import staff, staff_for
from .roles import check, standing
from .views import drawn

TO_ONE = {**acts.TO_ONE, **helping.TO_ONE, **groups.TO_ONE}
TO_ALL = {**leading.TO_ALL, **polls.TO_ALL, **questions.TO_ALL, **closing.TO_ALL, **beginning.TO_ALL}


@require_GET
@strict
@ensure_csrf_cookie
@staff_for("wall")
def wall(request: HttpRequest, workshop: Workshop) -> HttpResponse:
    """All learners at once."""
    join = f"{settings.ROOM}join"
    context = {"me": request.user.username, "standing": standing(request.user, workshop), "workshop": workshop}
    return render(
        request, "workshops/wall.html", {**context, "join": join, "qr": drawn(f"{join}?code={workshop.code}")}
    )


@require_POST
@strict
@staff
def do(request: HttpRequest, code: str, what: str) -> HttpResponse:
    """To all, or to one (`seat`); answered in words."""
    workshop, by = get_object_or_404(Workshop, code=code), request.user.username
    if what not in (*TO_ALL, *TO_ONE):
        raise Http404("nothing of that name is done from the wall")
    seat = get_object_or_404(workshop.taken, cluster=request.POST.get("seat", "")) if what in TO_ONE else None
    try:
        check(request.user, workshop, what, seat or questions.asker(workshop, request.POST))
        said = (
            TO_ONE[what](seat, request.POST.get("text", ""), by) if seat else TO_ALL[what](workshop, request.POST, by)
        )
        return JsonResponse({"message": said})
    except ApiError as error:
        return refused(error)
