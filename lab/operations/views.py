"""What is asked of the lab itself, and not of one of its clusters."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from lab.apimachinery.errors import ApiError
from lab.apiserver.views.entry import check_origin
from lab.dashboard.answers import refused, strict

from .health import Part, report

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
View = Callable[..., HttpResponse]


def of_the_lab(view: View) -> View:
    """Read by whoever runs it, and by no page of another site."""

    @require_safe
    @wraps(view)
    def entered(request: HttpRequest, **kwargs: str) -> HttpResponse:
        try:
            check_origin(request)
        except ApiError as error:
            return refused(error)
        response = view(request, **kwargs)
        response["Cache-Control"] = "no-store"
        return response

    return entered


@of_the_lab
def metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus."""
    from .exposition import text  # its library is no load for a lab whose metrics nobody reads

    return HttpResponse(text(), content_type=METRICS_TYPE)


@of_the_lab
def livez(request: HttpRequest) -> HttpResponse:
    """That this process answers is all there is to it."""
    return answered("livez", [Part("ping", True, "", counts=True)], "verbose" in request.GET)


@of_the_lab
def readyz(request: HttpRequest, part: str = "") -> HttpResponse:
    """Whether it can serve; of one part, whether that is well."""
    excluded = request.GET.getlist("exclude")
    found = [each for each in report() if each.name not in excluded]
    if not part:
        return answered("readyz", found, "verbose" in request.GET)
    one = next((each for each in found if each.name == part), None)
    if one is None:
        return HttpResponse(f'there is no part "{part}"\n', content_type="text/plain", status=404)
    return answered("readyz", [Part(one.name, one.well, one.word, one.help, counts=True)], "verbose" in request.GET)


def answered(probe: str, found: list[Part], verbose: bool) -> HttpResponse:
    """As Kubernetes' components answer: `ok`, or what failed; with `?verbose` all that was looked at."""
    failed = any(part.counts and not part.well for part in found)
    if not failed and not verbose:
        return HttpResponse("ok", content_type="text/plain")
    lines = [line(part) for part in found] + [f"{probe} check {'failed' if failed else 'passed'}"]
    return HttpResponse(
        "\n".join(lines) + "\n", content_type="text/plain; charset=utf-8", status=500 if failed else 200
    )


def line(part: Part) -> str:
    if part.well:
        return f"[+]{part.name} ok" + (f": {part.word}" if part.word else "")
    aside = "" if part.counts else " (readyz does not count it)"
    return f"[-]{part.name} failed: {part.word}. {part.help}{aside}"


@of_the_lab
@strict
def health(request: HttpRequest) -> HttpResponse:
    """The same for people."""
    found = report()
    ill = [part for part in found if not part.well]
    return render(request, "operations/health.html", {"parts": found, "ill": ill, "room": settings.ROOM})
