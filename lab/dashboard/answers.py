"""What all answers of the board have in common."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse, JsonResponse

from lab.apimachinery.errors import ApiError
from lab.client import cluster_names
from lab.httpserver import BY_ROOM, LETS, ONLY_CLUSTER, SHOWN_CLUSTERS

View = Callable[..., HttpResponse]


def refused(error: ApiError) -> JsonResponse:
    """The API's Status."""
    return JsonResponse(error.as_status(), status=error.code)


def own_cluster(request: HttpRequest) -> str:
    """The only cluster that whoever asks may see: a learner's, who comes by the room's port. Empty for others."""
    return (getattr(request, "scope", {}).get("state") or {}).get(ONLY_CLUSTER, "")


def comes_by_room(request: HttpRequest) -> bool:
    """Through the room's door, which lets nobody in without a seat or an account."""
    return (getattr(request, "scope", {}).get("state") or {}).get(BY_ROOM, False)


def clusters_for(request: HttpRequest) -> list[str]:
    """Those that one may go to."""
    if own := own_cluster(request):
        return [own]
    shown = (getattr(request, "scope", {}).get("state") or {}).get(SHOWN_CLUSTERS)
    return shown() if shown else cluster_names()


def named_cluster(request: HttpRequest, usual: str) -> str:
    """The one that a form names, to do something there; who may see but one has that. Raises ApiError where the room's
    door does not let them act in it."""
    if own := own_cluster(request):
        return own
    cluster = request.POST.get("cluster", usual)
    check_act(request, cluster)
    return cluster


def check_act(request: HttpRequest, cluster: str) -> None:
    """Raises ApiError where the room's door does not let who asks act in that cluster."""
    if lets := (getattr(request, "scope", {}).get("state") or {}).get(LETS):
        lets(cluster)


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
