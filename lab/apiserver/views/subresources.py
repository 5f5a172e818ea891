"""Subresources: parts of an object with an address and rules of their own, such as `…/deployments/web/scale`."""

import copy
from collections.abc import Callable, Iterable

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from lab.apimachinery import errors
from lab.apimachinery import patch as patches
from lab.apimachinery.errors import bad_request, method_not_allowed
from lab.apimachinery.kinds import NAMESPACES, PODS

from .. import binding, eviction, options, registry, tables
from ..negotiation import APPLY_PATCH, response_form
from ..request import Request
from ..requestinfo import RequestInfo
from ..scale import SCALE, apply_scale, get_scale, update_scale
from ..threads import in_thread
from .answers import json_answer, object_answer, one, success
from .entry import asking, read_object, read_patch
from .logs import kill, logs
from .objects import get, patch, update
from .proxy import proxy
from .reviews import token
from .streams import without_websocket

Handler = Callable[[HttpRequest, str, RequestInfo], HttpResponse]


async def serve_subresource(request: HttpRequest, cluster: str, info: RequestInfo) -> HttpResponseBase:
    streams = STREAMS.get((info.subresource, request.method))
    if streams:
        return await streams(request, cluster, info)
    handler = HANDLERS.get((info.subresource, request.method))
    if handler is None:
        raise method_not_allowed()
    return await in_thread(handler, request, cluster, info)


def scale(request: HttpRequest, cluster: str, info: RequestInfo) -> HttpResponse:
    found = get_scale(asking(request, cluster), info.kind, info.namespace, info.name)
    return _scale_answer(request, found)


def put_scale(request: HttpRequest, cluster: str, info: RequestInfo) -> HttpResponse:
    body = read_object(request, SCALE.kind)
    req = asking(request, cluster, body)
    return _rescaled(request, req, info, lambda old: body.value)


def patch_scale(request: HttpRequest, cluster: str, info: RequestInfo) -> HttpResponse:
    patch_type, body, force = read_patch(request)
    req = asking(request, cluster, body)
    if patch_type == APPLY_PATCH:
        made = apply_scale(req, info.kind, info.namespace, info.name, body.value, force)
        return _scale_answer(request, made, req.warnings)

    def patched(old: dict) -> dict:
        new = patches.apply(patch_type, SCALE, old, body.value)
        asked = body.value.get("metadata") if isinstance(body.value, dict) else None
        if not (asked or {}).get("resourceVersion"):
            new["metadata"].pop("resourceVersion", None)
        return new

    return _rescaled(request, req, info, patched)


def _rescaled(request: HttpRequest, req: Request, info: RequestInfo, change: Callable[[dict], dict]) -> HttpResponse:
    made = update_scale(req, info.kind, info.namespace, info.name, change)
    return _scale_answer(request, made, req.warnings)


def _scale_answer(request: HttpRequest, found: dict, warnings: Iterable[str] = ()) -> HttpResponse:
    form = response_form(request.headers.get("Accept", ""))
    return json_answer(request, one(form, tables.SCALE, found), 200, warnings)


def evict(request: HttpRequest, cluster: str, info: RequestInfo) -> HttpResponse:
    """A polite delete: what `kubectl drain` sends, so that a budget may say "not now"."""
    body = read_object(request, "Eviction")
    if body.value.get("kind", "Eviction") != "Eviction":
        raise bad_request(f"expected an Eviction in the body, not {body.value['kind']!r}")
    if (body.value.get("metadata") or {}).get("name", info.name) != info.name:
        raise bad_request("name in URL does not match name in Eviction object")
    asked = body.value.get("deleteOptions") or {}
    if not isinstance(asked, dict):
        raise bad_request("deleteOptions of an Eviction must be an object")
    wanted = options.delete_options(request.GET, {"propagationPolicy": "Background", **asked, "kind": "DeleteOptions"})
    eviction.evict(asking(request, cluster, body), info.namespace, info.name, wanted)
    return json_answer(request, success(code=201), 201)


def bind(request: HttpRequest, cluster: str, info: RequestInfo) -> HttpResponse:
    """What a scheduler says: this pod goes to that node."""
    body = read_object(request, "Binding")
    target = body.value.get("target")
    if not isinstance(target, dict) or not isinstance(node := target.get("name"), str) or not node:
        raise bad_request("a Binding needs target.name: the node")
    if target.get("kind", "Node") != "Node":
        raise bad_request(f"a pod can be bound to a Node only, not to a {target['kind']!r}")
    req = asking(request, cluster, body)
    pod = registry.get(req, PODS, info.namespace, info.name)
    for error in binding.bind(req, [(pod, node, None)]).values():
        raise error
    return json_answer(request, success(code=201), 201)


def finalize(request: HttpRequest, cluster: str, info: RequestInfo) -> HttpResponse:
    """The end of a namespace: its controller empties `spec.finalizers`, which nothing else may change."""
    body = read_object(request, NAMESPACES.kind)
    req = asking(request, cluster, body)
    spec = body.value.get("spec") or {}
    left = spec.get("finalizers") or [] if isinstance(spec, dict) else None
    if not isinstance(left, list) or not all(isinstance(item, str) for item in left):
        raise errors.bad_request("spec.finalizers must be a list of strings")

    def emptied(old: dict) -> dict:
        new = copy.deepcopy(old)
        new.setdefault("spec", {})["finalizers"] = left
        asked = (body.value.get("metadata") or {}).get("resourceVersion")
        new["metadata"]["resourceVersion"] = asked or old["metadata"]["resourceVersion"]
        return new

    obj = registry.modify(req, NAMESPACES, "", info.name, emptied, "finalize")
    return object_answer(request, info, obj, 200, req.warnings)


STREAMS = {
    ("log", "GET"): logs,
    ("kill", "POST"): kill,
    **{("proxy", method): proxy for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")},
    **{(each, method): without_websocket for each in ("exec", "attach", "portforward") for method in ("GET", "POST")},
}
HANDLERS: dict[tuple[str, str], Handler] = {
    **{
        (part, method): do
        for part in ("status", "ephemeralcontainers")
        for method, do in (("GET", get), ("PUT", update), ("PATCH", patch))
    },
    ("scale", "GET"): scale,
    ("scale", "PUT"): put_scale,
    ("scale", "PATCH"): patch_scale,
    ("eviction", "POST"): evict,
    ("binding", "POST"): bind,
    ("finalize", "PUT"): finalize,
    ("token", "POST"): token,
}
