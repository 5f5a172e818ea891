"""The board's pages and fragments. Thin: rows come from the feed, facts from `drawers`, acts go to `actions`."""

from collections import defaultdict
from dataclasses import asdict

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from lab.apimachinery.errors import ApiError, bad_request
from lab.apimachinery.kinds import BUILDS, KINDS, NAMESPACES, PRIORITYCLASSES, STORAGECLASSES
from lab.apimachinery.volumes import DRIVER
from lab.client import Client
from lab.explain.past import PastClient
from lab.httpserver import author_for

from . import bundle
from .actions import perform
from .answers import clusters_for, comes_by_room, refused, strict
from .console import kubeconfig_command
from .creating import AUTHOR
from .drawers import drawer, gone
from .feed import feed_of
from .frontdoor import way_in
from .panels import panel, submit
from .rows import WORKLOADS, percent
from .waits import shortened

TILES_AT_FIRST = 400  # past it the browser draws the tiles itself: it has their rows, and chooses the density


@require_GET
@strict
def home(request: HttpRequest) -> HttpResponse:
    query = request.META["QUERY_STRING"]
    return redirect(reverse("board", args=[settings.DEFAULT_CLUSTER]) + (f"?{query}" if query else ""))


@require_GET
@strict
@ensure_csrf_cookie
def board(request: HttpRequest, cluster: str) -> HttpResponse:
    """The whole board, drawn once by the server, with the rows that the browser goes on from."""
    try:
        return render(request, "board/board.html", whole_board(request, cluster))
    except ApiError as error:
        return render(request, "board/no_cluster.html", {"clusters": clusters_for(request)}, status=error.code)


def whole_board(request: HttpRequest, cluster: str) -> dict:
    """What `board/board.html` shows to whoever asks. Raises ApiError 404 for an unknown cluster."""
    feed = feed_of(cluster)
    feed.catch_up()
    first = feed.first()
    context = {
        "cluster": cluster,
        "clusters": clusters_for(request),
        "first": first,
        "blank": {},
        **_drawn(first["rows"]),
    }
    names = [obj["metadata"]["name"] for obj in feed.client.list(NAMESPACES)]
    context |= {
        "waits": shortened(settings.CLOCK, settings.KUBERNETES_CLOCK),
        "kubeconfig": kubeconfig_command(cluster),
    }
    door = way_in(cluster, comes_by_room(request))
    return {**context, "door": door, "namespaces": sorted(names)}


def _drawn(rows: list[dict]) -> dict:
    """The rows by the region of the board that shows them."""
    kinds: dict[str, list[dict]] = defaultdict(list)
    for row in rows:
        kinds[row["kind"]].append(row)
    pods = sorted(kinds["pod"], key=lambda row: (row.get("created", 0), row["id"]))
    tiles = [{**row, "hatch": (row["version"] - 1) % 3 if "version" in row else 0} for row in pods]
    names = {row["name"] for row in kinds["node"]}
    shown = tiles if len(tiles) <= TILES_AT_FIRST else []
    nodes = [
        {"row": row, "pods": [tile for tile in shown if tile.get("node") == row["name"]]}
        for row in sorted(kinds["node"], key=lambda row: row["name"])
    ]
    cards = [_card(row) for row in sorted(kinds["workload"], key=lambda row: row["id"])]
    return {
        "nodes": nodes,
        "waiting": [tile for tile in shown if tile.get("node") not in names],
        "pods": len(pods),
        "workloads": [(kind.kind, [card for card in cards if card["what"] == kind.kind]) for kind in WORKLOADS],
        "loops": kinds["loop"],
        "events": sorted(kinds["event"], key=lambda row: row.get("at", 0), reverse=True),
    }


def _card(row: dict) -> dict:
    """The row with what its ring shows: how much of it, and the sign or the number in it."""
    ready = row.get("ready", 0)
    return {**row, "readyPart": percent(ready, row.get("desired", 0)), "mark": row.get("mark", ready)}


@require_GET
@strict
def details(request: HttpRequest, cluster: str, resource: str, key: str) -> HttpResponse:
    """The drawer for one thing, as it is or as it was `?at=<revision>`."""
    namespace, _, name = key.rpartition("/")
    at = request.GET.get("at", "")
    client = None
    try:
        client = PastClient(cluster, int(at)) if at.isdecimal() else Client(cluster, AUTHOR)
        context = drawer(client, resource, namespace, name, request.GET.get("tab", ""))
    except ApiError as error:
        context = {"error": error, "name": name, **(gone(client, resource, namespace, name) if client else {})}
        return render(request, "board/drawer/gone.html", context, status=error.code)
    by_room = comes_by_room(request)
    if by_room:
        context["front_door"] = ""  # on their own machine `.localhost` is that machine
    context["outside"] = way_in(cluster, by_room).format(service=name, namespace=namespace)
    return render(request, f"board/drawer/{context.get('template', context['kind'])}.html", context)


@require_http_methods(["GET", "POST"])
@strict
def form(request: HttpRequest, cluster: str, name: str) -> HttpResponse:
    """The drawer for making something: a deployment, anything as YAML, a node, what leads and steers."""
    client = Client(cluster, author_for(request, AUTHOR))
    try:
        context = submit(client, name, request.POST) if request.method == "POST" else panel(client, name, request.GET)
    except ApiError as error:
        return render(request, "board/drawer/gone.html", {"error": error, "name": name}, status=error.code)
    return render(
        request,
        f"board/panel/{context.get('template', name)}.html",
        context,
        status=422 if context.get("wrong") else 200,
    )


@require_POST
@strict
def do(request: HttpRequest, cluster: str, action: str) -> HttpResponse:
    """One act: what was done, and the kubectl command for it; or the API's Status."""
    try:
        asked = orjson.loads(request.body)
    except ValueError:
        return refused(bad_request("the body must be JSON"))
    try:
        if not isinstance(asked, dict):
            raise bad_request("the body must be an object")
        return JsonResponse(asdict(perform(Client(cluster, author_for(request, AUTHOR)), action, asked)))
    except ApiError as error:
        return refused(error)


@require_GET
@strict
def take_away(request: HttpRequest, cluster: str) -> HttpResponse:
    """What is in `?namespace=`, as a zip for any Kubernetes."""
    namespace = request.GET.get("namespace") or "default"
    client = Client(cluster, AUTHOR)
    try:
        client.get(NAMESPACES, "", namespace)
        objects = [obj for kind in KINDS if kind.namespaced for obj in client.list(kind, namespace)]
        local = {each["metadata"]["name"] for each in client.list(STORAGECLASSES) if each["provisioner"] == DRIVER}
        objects += client.list(PRIORITYCLASSES)
        files = bundle.bundle(cluster, namespace, objects, client.list(BUILDS), frozenset(local))
    except ApiError as error:
        return refused(error)
    name = f"{cluster}-{namespace}"
    answer = HttpResponse(bundle.archive(files, name), content_type="application/zip")
    answer["Content-Disposition"] = f'attachment; filename="{name}.zip"'
    return answer
