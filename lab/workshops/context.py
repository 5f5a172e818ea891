"""What templates know of whoever comes by the room's port: `seated`, their seat."""

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from lab.dashboard.answers import own_cluster
from lab.models import Seat


def seated(request: HttpRequest) -> dict:
    cluster = own_cluster(request)
    return {"seated": SimpleLazyObject(lambda: Seat.objects.filter(cluster=cluster).first())} if cluster else {}
