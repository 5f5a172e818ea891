"""The ASGI application: HTTP for the API and the pages, websockets for the live board and the API's streams."""

import contextlib
import io
import os
from collections.abc import Callable
from functools import partial

import django
from asgiref.sync import iscoroutinefunction
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.core.signals import request_started
from django.db import close_old_connections, reset_queries
from django.http import HttpRequest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lab.settings")
django.setup(set_prefix=False)  # the imports below need it

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import WebsocketDenier  # noqa: E402
from django.conf import settings  # noqa: E402
from django.urls import ResolverMatch, re_path  # noqa: E402

from lab.apimachinery.errors import ApiError  # noqa: E402
from lab.apiserver import bodies  # noqa: E402
from lab.apiserver.access.authentication import is_secured  # noqa: E402
from lab.apiserver.threads import in_thread  # noqa: E402
from lab.apiserver.views import sockets  # noqa: E402
from lab.apiserver.views.entry import check_origin  # noqa: E402
from lab.dashboard import routing  # noqa: E402
from lab.httpserver import AT_END  # noqa: E402

rooms_own: list = []
if settings.ROOM:
    from lab.workshops.routing import websocket_urlpatterns as rooms_own


# Each thread looks after its own connections (`in_thread`); asked at each request, this would be asked in another one.
for receiver in (close_old_connections, reset_queries):
    request_started.disconnect(receiver)


class Handler(ASGIHandler):
    """At the TLS port there is the API alone: the board, which is the machine's own user's, asks nobody's name. Views
    that block run on threads that stay, as the API's do, and not on one, with a connection, for each request."""

    async def __call__(self, scope: dict, receive: Callable, send: Callable) -> None:
        """Without a thread of its own, which Django would make for each request: for it the whole server waits."""
        await self.handle(scope, bounded(receive), send)

    def resolve_request(self, request: HttpRequest) -> ResolverMatch:
        if is_secured(request.scope):
            request.urlconf = "lab.explain.urls"
        match = super().resolve_request(request)
        if not iscoroutinefunction(match.func):
            match.func = partial(in_thread, match.func)
        return match


def bounded(receive: Callable) -> Callable:
    """Django keeps a body in a file before it asks who sends it, however long that goes on: of one that is too long for
    the API, it gets so much that the API says so."""
    room = bodies.LONGEST + 1

    async def received() -> dict:
        nonlocal room
        message = await receive()
        while message["type"] == "http.request" and not room:
            message = await receive()
        if message["type"] == "http.request" and len(message.get("body", b"")) >= room:
            message, room = {**message, "body": message["body"][:room], "more_body": False}, 0
        elif message["type"] == "http.request":
            room -= len(message.get("body", b""))
        return message

    return received


async def board(scope: dict, receive: Callable, send: Callable) -> None:
    await (WebsocketDenier() if is_secured(scope) or is_foreign(scope) else boards_own)(scope, receive, send)


def is_foreign(scope: dict) -> bool:
    """Whether a page of another site asks. One of another port is that too: pods serve pages at the front door's."""
    try:
        check_origin(ASGIRequest({**scope, "method": "GET"}, io.BytesIO()))
    except (ApiError, DisallowedHost):
        return True
    return False


# The API looks for itself whom it lets in.
boards_own = URLRouter([*routing.websocket_urlpatterns, *rooms_own, re_path("", WebsocketDenier())])
router = ProtocolTypeRouter(
    {"http": Handler(), "websocket": URLRouter([*sockets.websocket_urlpatterns, re_path("", board)])}
)


async def application(scope: dict, receive: Callable, send: Callable) -> None:
    with contextlib.ExitStack() as at_end:
        await router({**scope, AT_END: at_end}, receive, send)
