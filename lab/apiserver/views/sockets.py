"""A watch or a log on a websocket, as a browser follows it that cannot read an answer that never ends.

What is said is what the same GET would be answered with: of a watch each event is a message, of a log each piece.
Source: k8s.io/apiserver/pkg/endpoints/handlers/watch.go and pkg/util/wsstream.
"""

import base64
import contextlib
import io
from collections.abc import AsyncIterator

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import StreamingHttpResponse
from django.urls import re_path

from lab.apimachinery.tasks import until_first_ends
from lab.httpserver import Receive, Scope, Send

from ..access.authentication import spoken
from ..negotiation import JSON
from . import streams
from .entry import CLUSTER
from .resources import resource

IN_BASE64 = "base64.binary.k8s.io"  # a log's pieces as text: the script of a page has no use for bytes


async def follow(scope: Scope, receive: Receive, send: Send) -> None:
    """A websocket's whole life. Whatever does not go on is answered, or refused, as without one."""
    request = ASGIRequest({**scope, "method": "GET"}, io.BytesIO())
    await receive()  # websocket.connect
    response = await resource(request, **scope["url_route"]["kwargs"])
    if not response.streaming:
        return await streams.refuse(response, send)
    protocol = next(iter(spoken(scope)), None)
    await send({"type": "websocket.accept", "subprotocol": protocol})
    with contextlib.suppress(OSError):  # the client has gone
        await until_first_ends(_until_gone(receive), _say(response, protocol, send))


async def _until_gone(receive: Receive) -> None:
    """Whoever follows has nothing to say."""
    while (await receive())["type"] != "websocket.disconnect":
        pass


async def _say(response: StreamingHttpResponse, protocol: str | None, send: Send) -> None:
    async for message in _messages(response, protocol):
        await send({"type": "websocket.send", **message})
    await send({"type": "websocket.close", "code": 1000})


async def _messages(response: StreamingHttpResponse, protocol: str | None) -> AsyncIterator[dict]:
    async for piece in response:
        if response.headers["Content-Type"] == JSON:
            for line in piece.splitlines():
                yield {"text": line.decode()}
        elif protocol == IN_BASE64:
            yield {"text": base64.b64encode(piece).decode()}
        else:
            yield {"bytes": piece}


PATH = r"(?P<path>apis?/.+)$"
websocket_urlpatterns = [
    *streams.websocket_urlpatterns,
    re_path(CLUSTER + PATH, follow),
    re_path(rf"^{PATH}", follow, {"cluster": settings.DEFAULT_CLUSTER}),
]
