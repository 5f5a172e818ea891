"""Counting who goes through the web server's doors: requests, the time until they are answered, websockets open."""

import time
from collections import Counter
from collections.abc import Callable

from lab import counters
from lab.httpserver import Message, Receive, Scope, Send

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
open_sockets: Counter[str] = Counter()  # of this process, by door


class Counted:
    """ASGI: `door` is `plain`, `tls` or `room`."""

    def __init__(self, inner: Callable, door: str):
        self._inner, self._door = inner, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self._inner(scope, receive, self._noting(scope, send))
            return
        open_sockets[self._door] += 1
        try:
            await self._inner(scope, receive, self._noting(scope, send))
        finally:
            open_sockets[self._door] -= 1

    def _noting(self, scope: Scope, send: Send) -> Send:
        began = time.monotonic()
        method = scope.get("method", "websocket")  # a handshake is a GET, but one does not wait for its end
        method = method if method in METHODS or method == "websocket" else "other"

        async def noted(message: Message) -> None:
            if code := _answered(message):
                counters.count(counters.REQUESTS, self._door, method, code)
                counters.observe(counters.ANSWERS, time.monotonic() - began, self._door)
            await send(message)

        return noted


def _answered(message: Message) -> str:
    """The code with which it was answered, by this message; empty for another. Pure."""
    kind = message["type"]
    if kind in ("http.response.start", "websocket.http.response.start"):
        return str(message["status"])
    return "101" if kind == "websocket.accept" else ""
