"""The page of the wall, and what is done there."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_POST

from lab.apimachinery.errors import ApiError
from lab.dashboard.answers import refused, strict
from lab.models import Workshop

from . import acts, closing, helping, leading, polls, questions
from .accounts import staff
from .views import drawn

TO_ONE = {**acts.TO_ONE, **helping.TO_ONE}
TO_ALL = {**leading.TO_ALL, **polls.TO_ALL, **questions.TO_ALL, **closing.TO_ALL}


@require_GET
@strict
@ensure_csrf_cookie
@staff
def wall(request: HttpRequest, code: str) -> HttpResponse:
    """All learners at once."""
    one, join = get_object_or_404(Workshop, code=code), f"{settings.ROOM}join"
    context = {"me": request.user.username, "workshop": one, "join": join, "qr": drawn(f"{join}?code={one.code}")}
    return render(request, "workshops/wall.html", context)


@require_POST
@strict
@staff
def do(request: HttpRequest, code: str, what: str) -> HttpResponse:
    """To all, or to one (`seat`); answered in words."""
    workshop, by = get_object_or_404(Workshop, code=code), request.user.username
    if what not in (*TO_ALL, *TO_ONE):
        raise Http404("nothing of that name is done from the wall")
    try:
        if what in TO_ALL:
            return JsonResponse({"message": TO_ALL[what](workshop, request.POST, by)})
        seat = get_object_or_404(workshop.taken, cluster=request.POST.get("seat", ""))
        return JsonResponse({"message": TO_ONE[what](seat, request.POST.get("text", ""), by)})
    except ApiError as error:
        return refused(error)
