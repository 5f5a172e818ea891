"""What all answers of the board have in common."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse, JsonResponse

from lab.apimachinery.errors import ApiError

View = Callable[..., HttpResponse]


def refused(error: ApiError) -> JsonResponse:
    """The API's Status."""
    return JsonResponse(error.as_status(), status=error.code)


def strict(view: View) -> View:
    """The answer with a content security policy that lets nothing run but the board's own files."""

    @wraps(view)
    def answered(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        response = view(request, *args, **kwargs)
        host = request.get_host()
        response["Content-Security-Policy"] = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
            f"connect-src 'self' ws://{host} wss://{host}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        )
        response["Cache-Control"] = "no-store"
        return response

    return answered
