"""Opening a connection to one of a Service's servers. Whoever cannot be reached is passed over: nothing has been sent
yet, so nothing is sent twice."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from .balance import Backend, Server

P = TypeVar("P", bound=asyncio.Protocol)
CONNECT_SECONDS = 1.0
RETRIES = 3  # as HAProxy's
PAUSE_SECONDS = 0.3  # before the only server there is gets another try: its container may be starting again


async def dial(
    backend: Backend, client: str, server: Server | None, protocol: Callable[[Server], P]
) -> tuple[Server, P] | None:
    """Begin with `server`, which counts the request already; whoever is connected counts it in the end."""
    loop = asyncio.get_running_loop()
    tried: set[str] = set()
    try:
        for last in (*[False] * RETRIES, True):
            if server is None:
                return None
            spec = server.spec
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    made = await loop.create_connection(partial(protocol, server), spec.address, spec.port)
                return server, made[1]
            except OSError:
                tried.add(spec.key)
            following = None if last else backend.pick(client, tried)
            if following is None and not last:
                await asyncio.sleep(PAUSE_SECONDS)
                tried.clear()
                following = backend.pick(client, tried)
            if following is None:
                server.end(failed=True, reached=False)
            else:
                server.pass_on(following)
            server = following
        return None
    except asyncio.CancelledError:
        if server:
            server.end(failed=False)
        raise
