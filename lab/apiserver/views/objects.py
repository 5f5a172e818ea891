"""GET, PUT and PATCH: of an object, or of a part of it such as its status."""

from django.http import HttpRequest, HttpResponse

from .. import registry
from ..apply import apply
from ..negotiation import APPLY_PATCH
from ..options import list_options
from ..requestinfo import RequestInfo
from .answers import object_answer
from .entry import asking, read_patch, stored_object


def get(request: HttpRequest, cluster: str, info: RequestInfo) -> HttpResponse:
    obj = registry.get(asking(request, cluster), info.kind, info.namespace, info.name)
    return object_answer(request, info, obj, include=list_options(request.GET).include)


def update(request: HttpRequest, cluster: str, info: RequestInfo) -> HttpResponse:
    req, obj = stored_object(request, cluster, info)
    obj = registry.update(req, info.kind, info.namespace, info.name, obj, info.subresource)
    return object_answer(request, info, obj, 200, req.warnings)


def patch(request: HttpRequest, cluster: str, info: RequestInfo) -> HttpResponse:
    """In each of the languages that a change can be told in."""
    patch_type, body, force = read_patch(request)
    req, where, created = asking(request, cluster, body), (info.namespace, info.name), False
    if patch_type == APPLY_PATCH:
        obj, created = apply(req, info.served, *where, body.value, force, info.subresource)
    else:
        obj = registry.patch(req, info.served, *where, body.value, patch_type, info.subresource)
    return object_answer(request, info, obj, 201 if created else 200, req.warnings)
