"""The verbs of HTTP on a resource: `/api/v1/namespaces/default/pods` and `/api/v1/namespaces/default/pods/web-1`."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from lab.apimachinery.errors import method_not_allowed
from lab.apimachinery.kinds import FIGURES, REVIEWS, Kind
from lab.store import Compacted, changes

from .. import deletion, lists, negotiation, registry
from ..bodies import an_object
from ..options import ListOptions, delete_options, list_options
from ..request import Request
from ..requestinfo import RequestInfo, resolve
from ..threads import in_thread
from .answers import json_answer, many, object_answer, success
from .entry import api_view, asking, read_body, stored_object
from .figures import figures
from .objects import get, patch, update
from .reviews import review
from .subresources import Handler, serve_subresource
from .watches import watch

CHANGES_A_READ = 2000


@api_view
async def resource(request: HttpRequest, cluster: str, path: str) -> HttpResponseBase:
    """Everything below `/api/v1` and `/apis/<group>/<version>`."""
    info = resolve(path)
    if info.subresource:
        return await serve_subresource(request, cluster, info)
    if info.kind in FIGURES:
        return await in_thread(figures, request, cluster, info)
    if info.kind in REVIEWS:
        return await in_thread(review, request, cluster, info)
    if request.method == "GET":
        wanted = list_options(request.GET)
        if wanted.watch:
            return await watch(request, cluster, info, wanted)
    handler = (OF_OBJECT if info.name else OF_COLLECTION).get(request.method)
    if handler is delete_collection and "deletecollection" not in info.kind.verbs:
        handler = None
    if handler is None or (request.method != "GET" and info.kind.namespaced and not info.namespace):
        raise method_not_allowed()
    return await in_thread(handler, request, cluster, info)


def list_(request: HttpRequest, cluster: str, info: RequestInfo) -> HttpResponse:
    form = negotiation.response_form(request.headers.get("Accept", ""))
    wanted = list_options(request.GET)
    items, revision, after = listed(asking(request, cluster), info.kind, info.namespace, wanted)
    filtered = bool(wanted.label_selector or wanted.field_selector)
    items, metadata = lists.page(items, revision, wanted.limit, after, filtered)
    return json_answer(request, many(form, info, items, metadata, wanted.include))


def listed(req: Request, kind: Kind, namespace: str, wanted: ListOptions) -> tuple[list[dict], int, lists.Key | None]:
    """(matching objects by key, the revision they are of, the key after which the page begins)."""
    token = lists.decode_token(wanted.token) if wanted.token else None
    selectors = (wanted.label_selector, wanted.field_selector)
    items, now = registry.list_(req, kind, namespace, *selectors)
    asked = token.revision if token else wanted.resource_version or 0
    if asked > now:
        raise lists.too_large(asked, now)
    if asked in (0, now) or not (token or wanted.match == "Exact"):
        return items, now, token.key if token else None
    every, now = registry.list_(req, kind, namespace)
    try:
        then = lists.rewind(every, _between(req.cluster, asked, now), kind.resource, namespace)
    except Compacted:
        if token is None:
            raise
        raise lists.ExpiredPage(token, now) from None
    return registry.select(then, kind, *selectors), asked, token.key if token else None


def _between(cluster: str, after: int, until: int) -> list:
    found = []
    while after < until and (read := changes(cluster, after, CHANGES_A_READ)):
        found += [change for change in read if change.revision <= until]
        after = read[-1].revision
    return found


def create(request: HttpRequest, cluster: str, info: RequestInfo) -> HttpResponse:
    req, obj = stored_object(request, cluster, info)
    obj = registry.create(req, info.kind, info.namespace, obj)
    return object_answer(request, info, obj, 201, req.warnings)


def delete(request: HttpRequest, cluster: str, info: RequestInfo) -> HttpResponse:
    """The object while it still has to end, else the Status of a success: how clients see whether to wait."""
    body = read_body(request)
    options = delete_options(request.GET, _options_body(body.value))
    req = asking(request, cluster, body)
    obj, gone = deletion.delete(req, info.kind, info.namespace, info.name, options)
    if not gone:
        return object_answer(request, info, obj, 200, req.warnings)
    details = {"name": info.name, "group": info.kind.group, "kind": info.kind.plural, "uid": obj["metadata"]["uid"]}
    return json_answer(request, success({key: value for key, value in details.items() if value}))


def delete_collection(request: HttpRequest, cluster: str, info: RequestInfo) -> HttpResponse:
    body = read_body(request)
    options = delete_options(request.GET, _options_body(body.value))
    wanted = list_options(request.GET)
    req = asking(request, cluster, body)
    selectors = (wanted.label_selector, wanted.field_selector)
    items = deletion.delete_collection(req, info.kind, info.namespace, *selectors, options)
    form = negotiation.response_form(request.headers.get("Accept", ""))
    return json_answer(request, many(form, info, items, {"resourceVersion": str(req.view().revision)}))


def _options_body(value: dict | list | None) -> dict | None:
    return None if value is None else an_object(value, "DeleteOptions")


OF_OBJECT: dict[str, Handler] = {"GET": get, "PUT": update, "PATCH": patch, "DELETE": delete}
OF_COLLECTION: dict[str, Handler] = {"GET": list_, "POST": create, "DELETE": delete_collection}
