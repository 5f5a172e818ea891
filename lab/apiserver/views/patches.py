"""PATCH, in each of the languages that a change can be told in."""

from django.http import HttpRequest, HttpResponse

from .. import registry
from ..apply import apply
from ..negotiation import APPLY_PATCH
from ..requestinfo import RequestInfo
from .answers import object_answer
from .entry import asking, read_patch


def patch(request: HttpRequest, cluster: str, info: RequestInfo) -> HttpResponse:
    """Of an object, or of the status of one."""
    patch_type, body, force = read_patch(request)
    req, where, created = asking(request, cluster, body), (info.namespace, info.name), False
    if patch_type == APPLY_PATCH:
        obj, created = apply(req, info.served, *where, body.value, force, info.subresource)
    else:
        obj = registry.patch(req, info.served, *where, body.value, patch_type, info.subresource)
    return object_answer(request, info, obj, 201 if created else 200, req.warnings)
