"""How the program is told what to do: a line of JSON in, a line of JSON out, over a unix socket or TCP with a token.

`{"do": "apply", "scope": "<cluster>", "desired": {…}}` replaces all that was wanted of a scope, `{"do": "counters"}`
tells what each server has done, `{"do": "ping"}` that somebody is there.
"""

import asyncio
import json
import logging
import os
from pathlib import Path

from .plane import Plane

log = logging.getLogger(__name__)
LINE_MOST = 64 * 1024 * 1024


class Control:
    """`token`: what a request must show; empty where the socket's own permissions decide."""

    def __init__(self, plane: Plane, token: str = ""):
        self._plane = plane
        self._token = token
        self._server: asyncio.Server | None = None

    async def listen_unix(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(self._serve, path, limit=LINE_MOST)
        finally:
            os.umask(before)

    async def listen_tcp(self, address: str, port: int) -> None:
        self._server = await asyncio.start_server(self._serve, address, port, limit=LINE_MOST)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError) as error:
            log.info("a client of the control socket: %s", error)
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> dict:
        try:
            request = json.loads(line)
            if self._token and not same(str(request.get("token")).encode(), self._token.encode()):
                return {"error": "the token is missing or wrong"}
            return await self._do(request)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            return {"error": str(error) or type(error).__name__}
        except Exception as error:
            log.exception("a request on the control socket")
            return {"error": f"{type(error).__name__}: {error}"}

    async def _do(self, request: dict) -> dict:
        if request["do"] == "apply":
            refused = await self._plane.apply(request["scope"], request["desired"])
            return {"ok": True, "refused": refused} if refused else {"ok": True}
        if request["do"] == "counters":
            return {"engine": self._plane.engine.name, "scopes": await self._plane.engine.counters()}
        if request["do"] == "ping":
            return {"ok": True, "engine": self._plane.engine.name, "frontDoor": self._plane.listeners.front_door}
        raise ValueError(f"nothing is known of {request['do']!r}: apply, counters or ping")


def same(one: bytes, other: bytes) -> bool:
    """As `hmac.compare_digest`, which loads all of OpenSSL: takes as long for a wrong token as for the right one."""
    different = len(one) ^ len(other)
    for left, right in zip(one, other, strict=False):
        different |= left ^ right
    return not different
