"""Reviews and TokenRequests: objects that are created only to be answered."""

from django.http import HttpRequest, HttpResponse

from lab.apimachinery.errors import method_not_allowed

from ..access import reviews
from ..access.tokens import request_token
from ..requestinfo import RequestInfo
from ..schemas.check import check_object
from .answers import json_answer
from .entry import Body, asking, read_object

TOKEN_REQUEST = ("authentication.k8s.io/v1", "TokenRequest")


def review(request: HttpRequest, cluster: str, info: RequestInfo) -> HttpResponse:
    """`POST …/selfsubjectaccessreviews` and the like: the object comes back with its status."""
    if request.method != "POST" or info.name or info.kind.namespaced != bool(info.namespace):
        raise method_not_allowed()
    body = read_object(request, info.kind.kind)
    req = asking(request, cluster, body)
    asked = _typed(body, info.kind.api_version, info.kind.kind, req.field_validation)
    status = reviews.answer(req.view(), request.user, info.kind, info.namespace, asked.get("spec") or {})
    return json_answer(request, {**asked, "metadata": asked.get("metadata") or {}, "status": status}, 201, req.warnings)


def token(request: HttpRequest, cluster: str, info: RequestInfo) -> HttpResponse:
    """`POST …/serviceaccounts/robot/token`: what `kubectl create token robot` sends."""
    body = read_object(request, "TokenRequest")
    req = asking(request, cluster, body)
    asked = _typed(body, *TOKEN_REQUEST, req.field_validation)
    return json_answer(request, request_token(req, info.namespace, info.name, asked), 201, req.warnings)


def _typed(body: Body[dict], api_version: str, kind: str, field_validation: str) -> dict:
    """The object of a body. Raises ApiError 400 for what cannot be one of its kind."""
    asked = {**body.value, "apiVersion": api_version, "kind": kind}
    check_object(asked, api_version, kind, field_validation)
    return asked
