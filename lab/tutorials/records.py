"""The pages of all lessons together: the path of them, the certificate and its file, what was predicted."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_POST

from lab.apimachinery.errors import ApiError, bad_request
from lab.apimachinery.kinds import LESSONS
from lab.client import cluster_names
from lab.dashboard.answers import named_cluster, own_cluster, strict

from . import carrying, kept, shelf
from .cluster import LEARN, ensure_learning_cluster
from .overview import certificate_of, tracks
from .predictions import in_sum
from .views import client_of


@require_GET
@strict
@ensure_csrf_cookie
def overview(request: HttpRequest) -> HttpResponse:
    """All lessons, and where one is. What was done is read of the cluster `?cluster=`."""
    cluster = own_cluster(request) or request.GET.get("cluster", LEARN)
    return render(
        request, "tutorials/overview.html", {"cluster": cluster, "alone": _alone(request), **tracks(_lessons(cluster))}
    )


@require_GET
@strict
def certificate(request: HttpRequest) -> HttpResponse:
    cluster = own_cluster(request) or request.GET.get("cluster", LEARN)
    context = {"cluster": cluster, "alone": _alone(request), **certificate_of(_lessons(cluster))}
    context["brought"] = "brought" in request.GET
    return render(request, "tutorials/certificate.html", context)


@require_GET
@strict
def progress_file(request: HttpRequest) -> HttpResponse:
    cluster = own_cluster(request) or request.GET.get("cluster", LEARN)
    answer = HttpResponse(carrying.packed(list(_lessons(cluster).values())), content_type="application/yaml")
    answer["Content-Disposition"] = 'attachment; filename="orrery-progress.yaml"'
    return answer


@require_POST
@strict
def bring_progress(request: HttpRequest) -> HttpResponse:
    """What was passed elsewhere: a file of `progress_file`."""
    try:
        cluster = named_cluster(request, LEARN)
        if "file" not in request.FILES:
            raise bad_request("choose a file first: the one that Download has written")
        if cluster == LEARN:
            ensure_learning_cluster()
        carrying.unpack(client_of(cluster), request.FILES["file"].read(carrying.MOST_BYTES + 1))
    except ApiError as error:
        told = {"error": error, "title": "This file cannot be brought here", "back": reverse("certificate")}
        return render(request, "tutorials/sorry.html", told, status=error.code)
    return redirect(f"{reverse('certificate')}?cluster={cluster}&brought=1")


@require_GET
@strict
def predictions(request: HttpRequest) -> HttpResponse:
    """Of all learners, each in a cluster of their own."""
    return render(request, "tutorials/predictions.html", in_sum(shelf.lessons(), list(map(_lessons, cluster_names()))))


def _alone(request: HttpRequest) -> bool:
    """Whether they see nobody's cluster but their own: then there is no sum over all to show them."""
    return bool(own_cluster(request))


def _lessons(cluster: str) -> dict[str, dict]:
    if cluster not in cluster_names():
        return kept.of_gone(cluster)
    return {obj["metadata"]["name"]: obj for obj in client_of(cluster).list(LESSONS)}
