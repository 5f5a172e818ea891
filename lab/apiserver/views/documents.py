"""What a client reads before anything else: version, health, discovery, OpenAPI."""

import datetime
import functools

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.http import http_date

from lab.apimachinery.errors import ApiError, method_not_allowed

from .. import discovery, negotiation, openapi
from ..request import Request
from ..threads import in_thread
from .answers import json_answer
from .entry import View, api_view

YEAR = 365 * 24 * 3600


def document(view: View) -> View:
    """An address that can only be read, below a cluster that can be reached: a client should not be told of what it
    cannot. Otherwise ApiError 405, 404, or 503 where no control plane is up."""

    @api_view
    @functools.wraps(view)
    async def entered(request: HttpRequest, cluster: str, **kwargs: str) -> HttpResponseBase:
        _check_read(request)
        await _check_cluster(cluster)
        return await view(request, cluster, **kwargs)

    return entered


def _check_read(request: HttpRequest) -> None:
    if request.method not in ("GET", "HEAD"):
        raise method_not_allowed()


async def _check_cluster(cluster: str) -> None:
    await in_thread(Request(cluster, "", outside=True).view)


def _accept(request: HttpRequest) -> str:
    return request.headers.get("Accept", "")


@document
async def version(request: HttpRequest, cluster: str) -> HttpResponseBase:
    return json_answer(request, discovery.VERSION)


@api_view
async def health(request: HttpRequest, cluster: str, probe: str) -> HttpResponseBase:
    """`/healthz`, `/livez`, `/readyz`: whether the store answers for this cluster. `?verbose` says what was checked."""
    _check_read(request)
    checks: dict[str, str | None] = {"ping": None}
    if probe != "livez":
        try:
            await _check_cluster(cluster)
            checks["store"] = None
        except ApiError as error:
            checks["store"] = error.message
    failed = {name: why for name, why in checks.items() if why}
    if not failed and "verbose" not in request.GET:
        return HttpResponse("ok", content_type="text/plain")
    lines = [f"[-]{name} failed: {failed[name]}" if name in failed else f"[+]{name} ok" for name in checks]
    lines.append(f"{probe} check {'failed' if failed else 'passed'}")
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain", status=500 if failed else 200)


@document
async def core_versions(request: HttpRequest, cluster: str) -> HttpResponseBase:
    return _discovery(request, core=True)


@document
async def groups(request: HttpRequest, cluster: str) -> HttpResponseBase:
    return _discovery(request, core=False)


def _discovery(request: HttpRequest, core: bool) -> HttpResponse:
    wanted = negotiation.discovery_version(_accept(request))
    if not wanted:
        return json_answer(request, discovery.core_versions(request.get_host()) if core else discovery.group_list())
    response = json_answer(request, discovery.aggregated(core, wanted))
    response.headers["Content-Type"] = (
        f"{negotiation.JSON};g={negotiation.DISCOVERY_GROUP};v={wanted};as=APIGroupDiscoveryList"
    )
    response.headers["Vary"] = "Accept"
    return response


@document
async def group(request: HttpRequest, cluster: str, group: str) -> HttpResponseBase:
    negotiation.check_json(_accept(request))
    return json_answer(request, discovery.group(group))


@document
async def resources(request: HttpRequest, cluster: str, version: str, group: str = "") -> HttpResponseBase:
    negotiation.check_json(_accept(request))
    return json_answer(request, discovery.resource_list(group, version))


@document
async def openapi_v2(request: HttpRequest, cluster: str) -> HttpResponseBase:
    if not any(media.type in openapi.V2_ASKED for media in negotiation.parse_accept(_accept(request))):
        raise negotiation.not_acceptable(f"{openapi.V2_TYPE}; as JSON there is /openapi/v3")
    return HttpResponse(openapi.V2, content_type=openapi.V2_TYPE)


@document
async def openapi_index(request: HttpRequest, cluster: str) -> HttpResponseBase:
    return json_answer(request, await in_thread(openapi.index, f"/clusters/{cluster}"))


@document
async def openapi_document(request: HttpRequest, cluster: str, path: str) -> HttpResponseBase:
    """A document that never changes under its hash: with the right one, a client may keep it for good."""
    raw = await in_thread(openapi.document, path)
    digest = openapi.digest(path)
    response = HttpResponse(raw, content_type=negotiation.JSON, headers={"Content-Length": str(len(raw))})
    response.headers["ETag"] = f'"{digest}"'
    if request.GET.get("hash") == digest:
        expires = datetime.datetime.now(datetime.UTC).timestamp() + YEAR
        response.headers["Cache-Control"] = "public, immutable"
        response.headers["Expires"] = http_date(expires)
    return response
