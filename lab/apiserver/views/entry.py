"""The entry of every view: who may come in, and how failures leave."""

import functools
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import urlsplit

from django.core.exceptions import DisallowedHost, SuspiciousOperation
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.views.decorators.csrf import csrf_exempt

from lab.apimachinery.errors import ApiError, bad_request, expired, unavailable
from lab.apimachinery.kinds import LESSONS
from lab.httpserver import AT_END, author_for
from lab.store import Compacted, UnknownCluster

from .. import bodies, options, protobuf, versions
from ..access import allowance, attributes, authentication, rbac, shared, strangers
from ..access.user import LOOPBACK, User
from ..negotiation import APPLY_PATCH, YAML, author_of, body_type, patch_type
from ..request import Request
from ..requestinfo import PROXIED, RequestInfo, unknown_path
from ..schemas.check import check_object
from ..threads import in_thread
from .answers import refusal

log = logging.getLogger(__name__)
LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
LONGEST_AUTHOR = 63  # Revision.author
CLUSTER = r"^clusters/(?P<cluster>[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)/"  # the base path of a cluster's addresses
BASE = re.compile("^/(clusters/[^/]+/)?")
View = Callable[..., Awaitable[HttpResponseBase]]


def api_view(view: View) -> View:
    """An API address: strangers' browsers are refused, and whatever goes wrong is told as a Status."""

    @csrf_exempt  # no cookie opens anything here, and `check_origin` keeps other sites' pages out
    @functools.wraps(view)
    async def entered(request: HttpRequest, **kwargs: str) -> HttpResponseBase:
        try:
            check_query(request)
            check_origin(request)
            if "cluster" in kwargs:
                kwargs["cluster"] = authentication.cluster_meant(request.scope, kwargs["cluster"])
                await admit(request, kwargs["cluster"])
            return await view(request, **kwargs)
        except Exception as error:
            return refusal(request, as_api_error(error, request))

    return entered


def check_query(request: HttpRequest) -> None:
    """Refuse a query that Django will not parse, before somebody asks for it while wording the refusal."""
    try:
        request.GET  # noqa: B018 - parsed on first use
    except SuspiciousOperation as error:
        request.GET = QueryDict()
        raise bad_request(f"the query cannot be read: {error}") from None


def check_origin(request: HttpRequest) -> None:
    """Refuse what a web page of another site sends, for the API trusts whoever reaches its loopback port.

    A page can send requests to this machine, and by a name that it makes resolve to 127.0.0.1 (DNS rebinding) it can
    even read the answers. Browsers say where a request comes from; the Host header must be one of ALLOWED_HOSTS.
    At the TLS port the certificate says by which names one may call. A token is nothing that a browser adds by itself,
    but a client's certificate is, and of a websocket browsers say no more than the Origin: then it must be of this
    machine, where a proxy may stand between that has credentials of its own (`kubectl proxy`).
    """
    origin, foreign = request.headers.get("Origin"), False
    if not authentication.is_secured(request.scope):
        host = request.get_host()
        if PROXIED.fullmatch(BASE.sub("", request.path)):
            return  # it is for a program behind the front door, which asks nobody from where they come either
        foreign = origin is not None and urlsplit(origin).netloc != host
    elif authentication.has_certificate(request.scope):
        foreign = origin is not None and urlsplit(origin).hostname not in LOOPBACK_NAMES
    if foreign or request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
        raise ApiError(403, "Forbidden", "requests from pages of other sites are refused")


async def admit(request: HttpRequest, cluster: str) -> None:
    """Find out who asks, which from now on is `request.user`. Raises ApiError 401, 403 for what they may not do."""
    if authentication.is_plain(request.scope):
        request.user = LOOPBACK
        return
    request.user, is_strangers = await in_thread(_admitted, request, cluster)
    if is_strangers:
        # Not in the thread: it goes on where whoever asked has left, and what it took then nobody would give back.
        request.scope[AT_END].enter_context(strangers.one_more(f"pods of {cluster}"))


def _admitted(request: HttpRequest, cluster: str) -> tuple[User, bool]:
    """Who asks, and whether the cluster is a stranger's."""
    user = authentication.user_of(request.scope, cluster)
    view = Request(cluster, "").view()
    if view.guard:
        headers = request.scope["headers"]
        strangers.check_body(headers)
        if seconds := shared.OF_PODS.wait(cluster, strangers.cost_of(headers)):
            raise allowance.too_fast(seconds)
    if not user.is_master:
        path = request.path_info.removeprefix(f"/clusters/{cluster}")
        asked = attributes.of_request(request.method, path, request.GET)
        rbac.require(view, user, asked)
    return user, bool(view.guard)


def as_api_error(error: Exception, request: HttpRequest) -> ApiError:
    """What a client is told of a failure. What nobody expected is logged in full and told in one line."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, UnknownCluster):
        return ApiError(404, "NotFound", f'there is no cluster "{error}"; `manage.py status` lists those that are')
    if isinstance(error, Compacted):
        return expired(f"too old resource version: {error}")
    if isinstance(error, DisallowedHost):
        return ApiError(403, "Forbidden", "this host name is not one of ALLOWED_HOSTS")
    if isinstance(error, SuspiciousOperation | UnicodeError):
        return bad_request(f"the request cannot be read: {error}")
    if isinstance(error, DatabaseError):
        log.warning("%s %s: the store failed: %s", request.method, request.path, error)
        return unavailable(f"the store failed: {error}")
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    message = f"Internal error occurred: {type(error).__name__}; the server's log says more"
    return ApiError(500, "InternalError", message)


@api_view
async def no_such_path(request: HttpRequest, **kwargs: str) -> HttpResponseBase:
    raise unknown_path()


Value = TypeVar("Value", bound=dict | list | None, covariant=True)


@dataclass(frozen=True)
class Body(Generic[Value]):
    """A body that was read: its value, as it came where that was JSON, and what a strict reader says of it."""

    value: Value
    json: bytes = b""
    doubled: list[str] = field(default_factory=list)


def read_body(request: HttpRequest, what: str = "") -> Body[dict | list | None]:
    """Raises ApiError 400, 413 or 415. `what`: of which kind it must be, if that is known."""
    raw = read_raw(request)
    written_in = body_type(request.headers.get("Content-Type", "")) if raw else ""
    if written_in == protobuf.CONTENT_TYPE:
        return Body(protobuf.decode(raw))
    if written_in == YAML[0]:
        value, doubled = bodies.parse_yaml(raw, what)
        return Body(value, doubled=doubled)
    return Body(bodies.parse(raw, what), raw)


def read_patch(request: HttpRequest) -> tuple[str, Body, bool]:
    """(which of the patch languages it speaks, what it says, whether it takes over what others own). A configuration
    that is to be applied is an object, in YAML; all else is JSON. Raises ApiError 400, 413, 415 or 422."""
    language = patch_type(request.headers.get("Content-Type", ""))
    force = options.force(request.GET, language == APPLY_PATCH)
    raw = read_raw(request)
    if language != APPLY_PATCH:
        return language, Body(bodies.parse(raw), raw), force
    value, doubled = bodies.parse_yaml(raw)
    return language, Body(bodies.an_object(value, ""), doubled=doubled), force


def read_object(request: HttpRequest, what: str) -> Body[dict]:
    """A body that must be an object of the API."""
    body = read_body(request, what)
    return Body(bodies.an_object(body.value, what, body.json), body.json, body.doubled)


def stored_object(request: HttpRequest, cluster: str, info: RequestInfo) -> tuple[Request, dict]:
    """The registry's Request, and the object in the body as it is stored, whatever version it came in."""
    body = read_object(request, info.served.kind)
    req, obj = asking(request, cluster, body), body.value
    if info.served is not info.kind:
        bodies.check_kind(info.served, obj)
        req.warnings.extend(
            check_object(obj, info.served.api_version, info.served.kind, req.field_validation, req.doubled)
        )
    return req, versions.stored(info.served, obj)


def read_raw(request: HttpRequest) -> bytes:
    """Raises ApiError 413."""
    announced = request.headers.get("Content-Length", "")
    if announced.isdigit() and int(announced) > bodies.LONGEST:
        raise bodies.too_long()
    raw = request.read(bodies.LONGEST + 1)
    if len(raw) > bodies.LONGEST:
        raise bodies.too_long()
    return raw


# Where a learner is: a teacher's notes beside the machine, which can be read and written while nothing else can.
NOTES = f"/apis/{LESSONS.api_version}/{LESSONS.plural}"


def asking(request: HttpRequest, cluster: str, body: Body | None = None) -> Request:
    """The registry's Request out of HTTP's."""
    query = request.GET
    value = body.value if body and isinstance(body.value, dict) else None
    is_beside = NOTES in request.path
    program = author_of(request.headers.get("User-Agent", ""))
    wanted = options.write_options(request.method, query, value if request.method == "DELETE" else None)
    return Request(
        cluster,
        # The machine's own user goes by the program they use, everybody else by their name.
        author_for(request, program) if request.user.is_master else request.user.name[:LONGEST_AUTHOR],
        dry_run=wanted.dry_run,
        field_validation=wanted.field_validation,
        doubled=_doubled(body) if body and wanted.field_validation != "Ignore" else [],
        manager=wanted.manager,
        outside=not is_beside,
        hardware=is_beside,
        user=request.user,
    )


def _doubled(body: Body) -> list[str]:
    if not (body.json and isinstance(body.value, dict)):
        return body.doubled
    return [f'duplicate field "{path}"' for path in bodies.duplicate_fields(body.json)]
