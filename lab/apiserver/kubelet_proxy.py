"""The API server's way to a node: it asks the node's kubelet, and passes on what that says.

In Kubernetes too a client never talks to a node: logs, exec and port-forward go through the API server, which knows
where each kubelet listens. Here a Node says so in an annotation.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

import orjson

from lab.apimachinery.errors import ApiError, unavailable
from lab.apimachinery.labels import KUBELET

from . import passing
from .kubelet_token import token
from .passing import READ_BYTES


@dataclass
class Answer:
    """What a kubelet answers: its code and content type, and the body as it arrives."""

    code: int
    content_type: str
    body: AsyncIterator[bytes]

    async def refusal(self) -> ApiError:
        """What the kubelet refused with, as a Status: its own if it sent one, else the beginning of its words."""
        found = b""
        async for chunk in self.body:
            found += chunk
            if len(found) >= READ_BYTES:
                break
        return refusal(self.code, found[:READ_BYTES].decode(errors="replace").strip())


def refusal(code: int, text: str) -> ApiError:
    """What a kubelet refused with, as a Status."""
    try:
        status = orjson.loads(text)
        return ApiError(code, status["reason"], status["message"], status.get("details"))
    except (ValueError, KeyError, TypeError):
        reason = {400: "BadRequest", 404: "NotFound", 503: "ServiceUnavailable"}.get(code, "InternalError")
        return ApiError(code, reason, text or f"the kubelet answered {code}")


def kubelet_of(node: dict | None, name: str) -> str:
    """Where the kubelet of a node listens, `http://host:port`. Raises ApiError 503 if nobody knows."""
    address = ((node or {}).get("metadata", {}).get("annotations") or {}).get(KUBELET, "")
    if not address:
        raise unavailable(f'node "{name}" has no kubelet to ask: it carries no annotation {KUBELET}')
    return address


def kubelet_path(verb: str, *parts: str, query: str = "") -> str:
    """`parts`: cluster, namespace, pod, container."""
    return f"/{verb}/{'/'.join(quote(part, safe='') for part in parts)}" + (f"?{query}" if query else "")


async def connect(kubelet: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Raises ApiError 503 if nobody listens there."""
    try:
        return await passing.connect(_place(kubelet))
    except (OSError, ValueError) as error:
        raise silent(kubelet, error) from None


def _place(kubelet: str) -> tuple[str, int]:
    """Raises ValueError."""
    address = urlsplit(kubelet)
    return address.hostname or "", address.port or 80


def authorization() -> tuple[str, str]:
    """The header that opens a kubelet."""
    return "Authorization", f"Bearer {token()}"


@contextlib.asynccontextmanager
async def ask(kubelet: str, method: str, path: str) -> AsyncIterator[Answer]:
    """Send one request to a kubelet. Raises ApiError 503 if it does not answer; hangs up when the block is left."""
    stack = contextlib.AsyncExitStack()
    try:
        headers = [("Host", urlsplit(kubelet).netloc), authorization()]
        reply = await stack.enter_async_context(passing.exchange(_place(kubelet), method, path, headers))
    except (OSError, ValueError) as error:
        raise silent(kubelet, error) from None
    async with stack:
        yield Answer(reply.code, reply.header("content-type", "text/plain"), reply.body)


async def kill_container(kubelet: str, cluster: str, namespace: str, pod: str, container: str, signal: str) -> None:
    """Signal a container's process (`KILL`, `HUP`), which Kubernetes has no verb for. Raises ApiError 404 if it does
    not run, 400 for no signal."""
    path = kubelet_path("kill", cluster, namespace, pod, container, query=urlencode({"signal": signal}))
    async with ask(kubelet, "POST", path) as answer:
        if answer.code != 200:
            raise await answer.refusal()


def silent(kubelet: str, error: Exception) -> ApiError:
    """A kubelet that nobody hears."""
    words = str(error) or type(error).__name__
    return unavailable(f"the kubelet at {kubelet} does not answer: {words}")
