"""The pages "Ship" (edit the page, build an image of it, roll it out, watch) and "Images" (what the engines have)."""

import os

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from lab.apimachinery.errors import ApiError, not_found
from lab.apimachinery.kinds import BUILDS, DEPLOYMENTS, PODS, REPLICASETS, SERVICES
from lab.apimachinery.meta import key_of, split_key
from lab.client import Client
from lab.client.images import BUILDERS, built_as, engines, images
from lab.client.wheels import wheel_of
from lab.httpserver import author_for

from .answers import clusters_for, refused, strict
from .creating import AUTHOR
from .shipping import (
    DOCKERFILE,
    PAGE,
    address_of,
    builds_of,
    files_to_edit,
    first_image,
    image_rows,
    program_of,
    shipped_last,
    told_size,
    used_by,
)

SHOWN_BUILDS = 8


@require_http_methods(["GET", "POST"])
@strict
def ship(request: HttpRequest, cluster: str) -> HttpResponse:
    client = Client(cluster, author_for(request, AUTHOR))
    try:
        deployments = sorted(
            client.list(DEPLOYMENTS), key=lambda each: (program_of(first_image(each)) is None, key_of(each))
        )
    except ApiError as error:
        return render(request, "board/no_cluster.html", {"clusters": clusters_for(request)}, status=error.code)
    wanted = request.POST.get("deployment") or request.GET.get("deployment")
    meant = next((each for each in deployments if key_of(each) == wanted), None)
    chosen = meant or shipped_last(deployments, client.list(BUILDS))
    if request.method == "POST":
        try:
            if meant is None:  # it went while somebody typed: no other is shipped in its stead
                raise not_found(DEPLOYMENTS, str(wanted))
            return _done(request, client, meant)
        except ApiError as error:
            context = {**_page(request, client, deployments, chosen), "error": error.message}
            files = {PAGE: request.POST.get("page", ""), DOCKERFILE: request.POST.get("dockerfile", "")}
            return render(request, "board/pipeline/ship.html", {**context, **_texts(files)}, status=error.code)
    return render(request, "board/pipeline/ship.html", _page(request, client, deployments, chosen))


def _done(request: HttpRequest, client: Client, deployment: dict) -> HttpResponse:
    """What the form asks for: a Build, or the end of one."""
    namespace, name = split_key(key_of(deployment))
    address = f"{reverse('ship', args=[client.cluster])}?deployment={namespace}/{name}"
    if request.POST.get("cancel"):
        client.delete(BUILDS, namespace, request.POST["cancel"])
        return redirect(address)
    texts = {PAGE: request.POST.get("page", ""), DOCKERFILE: request.POST.get("dockerfile", "")}
    files = {name: text.replace("\r\n", "\n") for name, text in texts.items()}
    meta = {"generateName": f"{name}-", "namespace": namespace}
    made = client.create(BUILDS, {"metadata": meta, "spec": {"deployment": name, "files": files}})
    return redirect(f"{address}&build={made['metadata']['name']}")


def _texts(files: dict[str, str]) -> dict:
    return {"page": files.get(PAGE, ""), "dockerfile": files.get(DOCKERFILE, "")}


def _page(request: HttpRequest, client: Client, deployments: list[dict], chosen: dict | None) -> dict:
    context = {"cluster": client.cluster, "here": "ship", "deployments": [_choice(each) for each in deployments]}
    if chosen is None:
        return context
    builds = builds_of(client.list(BUILDS), chosen)
    wanted = request.GET.get("build")
    shown = next((build for build in builds if build["metadata"]["name"] == wanted), builds[0] if builds else None)
    files = files_to_edit(chosen, [shown, *builds] if shown and wanted else builds, "afresh" in request.GET)
    runtimes = {runtime for _, runtime in engines(client)}
    return {
        **context,
        **_texts(files),
        "wheel": wheel_of(client.view(), "build").said,
        "address": address_of(chosen, client.list(SERVICES), os.environ.get("ORRERY_FRONT_DOOR", ""), client.cluster),
        "chosen": {**_choice(chosen), "repository": built_as(first_image(chosen), client.view().guard)},
        "build": _told(shown) if shown else None,
        "builds": [_told(build) for build in builds[:SHOWN_BUILDS]],
        "engine": next((runtime for runtime in BUILDERS if runtime in runtimes), ""),
    }


def _choice(deployment: dict) -> dict:
    ready, wanted = deployment.get("status", {}).get("readyReplicas", 0), deployment["spec"].get("replicas", 1)
    return {"key": key_of(deployment), "image": first_image(deployment), "ready": ready, "wanted": wanted}


def _told(build: dict) -> dict:
    status, meta = build.get("status", {}), build["metadata"]
    told = {"phase": "Pending", "message": "it waits for its turn", "image": "", "log": "", **status}
    return {**told, "name": meta["name"], "namespace": meta["namespace"], "at": meta["creationTimestamp"]}


def _rows(client: Client) -> list[dict]:
    return image_rows(images(client), used_by(client.list(PODS), client.list(REPLICASETS)))


@require_GET
@strict
def list_images(request: HttpRequest, cluster: str) -> HttpResponse:
    try:
        return JsonResponse({"images": _rows(Client(cluster, AUTHOR))})
    except ApiError as error:
        return refused(error)


@require_GET
@strict
def show_images(request: HttpRequest, cluster: str) -> HttpResponse:
    context: dict = {"cluster": cluster, "here": "images", "images": []}
    try:
        rows = _rows(Client(cluster, AUTHOR))
    except ApiError as error:
        return render(request, "board/pipeline/images.html", {**context, "error": error.message}, status=error.code)
    for row in rows:
        steps = [{**layer, "told": told_size(layer["size"])} for layer in row["layers"]]
        context["images"].append({**row, "told": told_size(row["size"]), "steps": steps})
    return render(request, "board/pipeline/images.html", context)
