"""`/api/v1/namespaces/N/services/[http:]S[:PORT]/proxy/PATH`: any request, passed on through the front door.

So whoever reaches the API reaches a Service too, from another machine and without a route to the pods:
`kubectl get --raw`, `kubectl proxy`, and learners in a room. Kubernetes' API server asks an endpoint itself.

What comes back was written by whoever runs that program, and is shown under the API's own address: it may not set
cookies there, and a browser takes it for a page of nobody's (CSP `sandbox`), that nothing of the lab answers to.
"""

import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse

from lab.apimachinery.errors import ApiError, bad_request, unavailable
from lab.apimachinery.kinds import SERVICES
from lab.apimachinery.services import find_port, tcp_ports
from lab.httpserver import LED, quoted

from .. import registry
from ..passing import Reply, exchange, front_door
from ..requestinfo import RequestInfo
from ..threads import in_thread
from .entry import asking, read_raw

# What is between two neighbours only, and what is said to the API server and to nobody behind it.
NOT_PASSED_ON = frozenset(
    ("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding")
    + ("upgrade", "host", "content-length", "authorization", "cookie")
)
# What a browser takes as the word of all that is at our address: to forget its cookies, to ask elsewhere from now on.
OF_ALL_OF_US = frozenset(
    ("set-cookie", "clear-site-data", "strict-transport-security", "alt-svc", "service-worker-allowed", "nel")
    + ("report-to", "reporting-endpoints", "accept-ch", "critical-ch", "origin-agent-cluster")
)
NOT_PASSED_BACK = (NOT_PASSED_ON | OF_ALL_OF_US | {"content-security-policy"}) - {"content-length"}
SANDBOX = "sandbox allow-scripts allow-forms allow-popups"


async def proxy(request: HttpRequest, cluster: str, info: RequestInfo) -> HttpResponseBase:
    """Raises ApiError 400 for a port that the Service has not, 404 without such a Service, 503 if nobody answers."""
    host = await in_thread(_host, request, cluster, info)
    door = front_door()
    if not door:
        raise unavailable("this API server has no front door to pass requests through")
    query = request.META.get("QUERY_STRING", "")
    target = quoted(f"/{info.rest}") + (f"?{query}" if query else "")
    headers = [(name, value) for name, value in request.headers.items() if name.lower() not in NOT_PASSED_ON]
    stack = contextlib.AsyncExitStack()
    try:
        body = await in_thread(read_raw, request)
        asked = exchange(door, request.method or "GET", target, [("Host", host), *headers], body)
        reply = await stack.enter_async_context(asked)
    except OSError as error:
        raise unavailable(f"error trying to reach service: {error}") from None
    response = StreamingHttpResponse(_until_hung_up(stack, reply), status=reply.code)
    for name, value in reply.headers:
        if name.lower() not in NOT_PASSED_BACK:
            response.headers[name] = value
    if location := reply.header("location"):
        here = (request.scope.get("state") or {}).get(LED) or request.path.partition("/proxy")[0] + "/proxy"
        response.headers["Location"] = _led(location, host, here)
    response.headers["Content-Security-Policy"] = SANDBOX
    return response


def _host(request: HttpRequest, cluster: str, info: RequestInfo) -> str:
    """By which name the front door knows that port of the Service; see `lab/proxy/desired.py`."""
    name, port = _name_and_port(info.name)
    service = registry.get(asking(request, cluster), SERVICES, info.namespace, name)
    own = f"{name}.{info.namespace}.{cluster}.localhost"
    if not port:
        return own
    found = find_port(service, int(port) if port.isdecimal() else port)
    if found is None:
        raise ApiError(503, "ServiceUnavailable", f'no service port "{port}" found for service "{name}"')
    return f"{found.get('name') or found['port']}.{own}" if len(tcp_ports(service)) > 1 else own


def _name_and_port(asked: str) -> tuple[str, str]:
    """Of `web`, `web:80`, `http:web:80`, `http:web:`. Source: SplitSchemeNamePort in apimachinery/pkg/util/net."""
    parts = asked.split(":")
    if len(parts) > 3 or (len(parts) == 3 and parts[0] not in ("", "http")):
        raise bad_request(f'invalid service request "{asked}": it is called NAME, NAME:PORT or http:NAME:PORT')
    name, port = (*parts, "")[:2] if len(parts) < 3 else parts[1:]
    return name, port


def _led(location: str, host: str, here: str) -> str:
    """Where a redirection leads, seen from outside: a path of the Service's is one below ours."""
    parts = urlsplit(location)
    if parts.netloc not in ("", host) or not parts.path.startswith("/"):
        return location
    return here + parts.path + (f"?{parts.query}" if parts.query else "")


async def _until_hung_up(stack: contextlib.AsyncExitStack, reply: Reply) -> AsyncIterator[bytes]:
    async with stack:
        async for chunk in reply.body:
            yield chunk
