"""What templates know of whoever comes by the room's port: `seated`, their seat, or `teaches`, that they may do so."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from lab.dashboard.answers import own_cluster
from lab.models import Seat

LEADS = ("/lessons/", "/clusters/")


def seated(request: HttpRequest) -> dict:
    cluster = own_cluster(request)
    if cluster:
        return {"seated": SimpleLazyObject(lambda: Seat.objects.filter(cluster=cluster).first())}
    # Only what is offered in the page goes by this: whoever teaches is known where something is done.
    return {"teaches": settings.SESSION_COOKIE_NAME in request.COOKIES and request.path.startswith(LEADS)}
