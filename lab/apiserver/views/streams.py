"""exec, attach and port-forward: a websocket that goes on to the kubelet of the pod's node, message by message.

The API server says whether there may be such a stream, and whose kubelet has the other end. What is said on it, it
does not understand: the framing is the same on both sides. A client that is refused a websocket repeats its request as
a POST of the older protocol, and shows its user what that is answered with.
"""

import contextlib
import io
import logging

import orjson
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponseBase
from django.urls import re_path

from lab.apimachinery.errors import ApiError, bad_request
from lab.apimachinery.tasks import until_first_ends
from lab.httpserver import Receive, Scope, Send

from ..access.authentication import cluster_meant, spoken
from ..kubelet_proxy import ask, kubelet_path
from ..kubelet_socket import KubeletSocket, open_socket
from ..podlogs import choose_container
from ..requestinfo import RequestInfo, resolve
from ..threads import in_thread
from .answers import refusal
from .entry import CLUSTER, admit, as_api_error, asking, check_origin, check_query
from .logs import pod_and_kubelet

log = logging.getLogger(__name__)
ERROR_CHANNEL = 3
KUBELETS_VERBS = {"exec": "exec", "attach": "attach", "portforward": "portForward"}


async def stream(scope: Scope, receive: Receive, send: Send) -> None:
    """A websocket's whole life."""
    request = ASGIRequest({**scope, "method": "GET"}, io.BytesIO())
    cluster, path = (scope["url_route"]["kwargs"][name] for name in ("cluster", "path"))
    await receive()  # websocket.connect
    async with contextlib.AsyncExitStack() as stack:
        try:
            check_query(request)
            check_origin(request)
            cluster = cluster_meant(scope, cluster)
            await admit(request, cluster)
            info = resolve(path)
            kubelet, there = await _way(request, cluster, info)
            socket = await stack.enter_async_context(open_socket(kubelet, there, spoken(scope)))
        except Exception as error:
            return await refuse(refusal(request, as_api_error(error, request)), send)
        try:
            await send({"type": "websocket.accept", "subprotocol": socket.subprotocol})
            await until_first_ends(_inwards(socket, receive), _outwards(socket, send, info))
        except OSError as error:
            log.debug("%s: one side has gone: %s", request.path, error)


async def without_websocket(request: HttpRequest, cluster: str, info: RequestInfo) -> HttpResponseBase:
    """What speaks against the stream, or that it needs a websocket: the kubelet says it."""
    kubelet, path = await _way(request, cluster, info)
    async with ask(kubelet, "POST", path) as answer:
        raise await answer.refusal()


async def _way(request: HttpRequest, cluster: str, info: RequestInfo) -> tuple[str, str]:
    """The kubelet of the pod's node, and the address there. Raises ApiError in a real API server's words."""
    pod, kubelet = await in_thread(pod_and_kubelet, asking(request, cluster), info)
    parts = [cluster, info.namespace, info.name]
    if info.subresource != "portforward":
        parts.append(choose_container(pod, request.GET.get("container", "")))
    if not kubelet:
        raise bad_request(f"pod {info.name} does not have a host assigned")
    return kubelet, kubelet_path(KUBELETS_VERBS[info.subresource], *parts, query=request.GET.urlencode())


async def _inwards(socket: KubeletSocket, receive: Receive) -> None:
    while (message := await receive())["type"] != "websocket.disconnect":
        data = message.get("bytes")
        await socket.send(message["text"].encode() if data is None else data)


async def _outwards(socket: KubeletSocket, send: Send, info: RequestInfo) -> None:
    try:
        async for data in socket.messages():
            await send({"type": "websocket.send", "bytes": data})
    except ConnectionError as error:
        if info.subresource != "portforward":
            status = ApiError(500, "InternalError", f"Internal error occurred: {error}").as_status()
            await send({"type": "websocket.send", "bytes": bytes([ERROR_CHANNEL]) + orjson.dumps(status)})
    await send({"type": "websocket.close", "code": 1000})


async def refuse(response: HttpResponseBase, send: Send) -> None:
    """Answer who asked for a websocket as if they had not."""
    headers = [(name.lower().encode(), value.encode()) for name, value in response.items()]
    start = {"type": "websocket.http.response.start", "status": response.status_code, "headers": headers}
    await send(start)
    await send({"type": "websocket.http.response.body", "body": response.content})


PATH = r"(?P<path>api/v1/namespaces/[^/]+/pods/[^/]+/(exec|attach|portforward))$"
websocket_urlpatterns = [
    re_path(CLUSTER + PATH, stream),
    re_path(rf"^{PATH}", stream, {"cluster": settings.DEFAULT_CLUSTER}),
]
