"""What is asked of the lab itself, and not of one of its clusters."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from lab.apimachinery.errors import ApiError
from lab.apiserver.views.entry import check_origin
from lab.dashboard.answers import refused

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus."""
    from .exposition import text  # its library is no load for a lab whose metrics nobody reads

    try:
        check_origin(request)
    except ApiError as error:
        return refused(error)
    return HttpResponse(text(), content_type=METRICS_TYPE, headers={"Cache-Control": "no-store"})
