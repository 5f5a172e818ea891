"""Naming and counting who goes through the web server's doors: requests, the time to their answers, websockets."""

import logging
import re
import secrets
import time
from collections import Counter
from collections.abc import Callable

from lab import counters, logs
from lab.httpserver import Message, Receive, Scope, Send

log = logging.getLogger(__name__)
NAME, CLUSTER = re.compile(rb"[A-Za-z0-9-]{8,64}"), re.compile(r"/clusters/([a-z0-9-]{1,63})/")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
open_sockets: Counter[str] = Counter()  # of this process, by door


class Counted:
    """ASGI: `door` is `plain`, `tls` or `room`."""

    def __init__(self, inner: Callable, door: str):
        self._inner, self._door = inner, door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        number = name_request(scope)
        if scope["type"] != "websocket":
            await self._inner(scope, receive, self._noting(scope, send, number))
            return
        open_sockets[self._door] += 1
        try:
            await self._inner(scope, receive, self._noting(scope, send, number))
        finally:
            open_sockets[self._door] -= 1

    def _noting(self, scope: Scope, send: Send, number: bytes) -> Send:
        began = time.monotonic()
        method = scope.get("method", "websocket")  # a handshake is a GET, but one does not wait for its end
        method = method if method in METHODS or method == "websocket" else "other"

        async def noted(message: Message) -> None:
            if code := _answered(message):
                counters.count(counters.REQUESTS, self._door, method, code)
                counters.observe(counters.ANSWERS, time.monotonic() - began, self._door)
                log.debug("%s %s: %s", method, scope["path"], code)
                message = {**message, "headers": [*(message.get("headers") or ()), (b"x-request-id", number)]}
            await send(message)

        return noted


class Sealed:
    """ASGI: cookies that a browser sends by TLS alone, where a proxy with TLS stands before the door."""

    def __init__(self, inner: Callable):
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sealed(message: Message) -> None:
            if headers := message.get("headers"):
                message = {**message, "headers": [(name, seal(name, value)) for name, value in headers]}
            await send(message)

        await self._inner(scope, receive, sealed)


def seal(name: bytes, value: bytes) -> bytes:
    return value + b"; Secure" if name.lower() == b"set-cookie" and b"; secure" not in value.lower() else value


def name_request(scope: Scope) -> bytes:
    """What all lines of logs about it have in common, and its answer too: the name by which it came, or a new one."""
    came = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    number = came if NAME.fullmatch(came) else secrets.token_hex(8).encode()
    logs.request_id.set(number.decode())
    found = CLUSTER.match(scope["path"])
    logs.cluster.set(found[1] if found else "")
    return number


def _answered(message: Message) -> str:
    """The code with which it was answered, by this message; empty for another. Pure."""
    kind = message["type"]
    if kind in ("http.response.start", "websocket.http.response.start"):
        return str(message["status"])
    return "101" if kind == "websocket.accept" else ""
