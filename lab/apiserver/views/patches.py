"""PATCH, in each of the languages that a change can be told in."""

from django.http import HttpRequest, HttpResponse

from .. import options, registry
from ..apply import apply
from ..negotiation import APPLY_PATCH
from ..requestinfo import RequestInfo
from .answers import object_answer
from .entry import asking, read_configuration, read_patch, read_patch_type


def patch(request: HttpRequest, cluster: str, info: RequestInfo) -> HttpResponse:
    """Of an object, or of the status of one."""
    patch_type, where, created = read_patch_type(request), (info.namespace, info.name), False
    force = options.force(request.GET, patch_type == APPLY_PATCH)
    if patch_type == APPLY_PATCH:
        config = read_configuration(request)
        req = asking(request, cluster, config)
        obj, created = apply(req, info.served, *where, config.value, force, info.subresource)
    else:
        body = read_patch(request)
        req = asking(request, cluster, body)
        obj = registry.patch(req, info.served, *where, body.value, patch_type, info.subresource)
    return object_answer(request, info, obj, 201 if created else 200, req.warnings)
