"""uvicorn's server, as the lab's own programs run one beside other things."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import quote

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

# A connection in the words of ASGI (asgi.readthedocs.io): what was asked for, and what comes and goes on it.
Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
LOOK_SECONDS = 0.5
# In a request's scope: an ExitStack of what is given back when it is over, however that comes.
AT_END = "orrery.at-end"
# In the `state` of a request's scope: that it came by TLS, and the client's certificate as `ssl.getpeercert` has it.
SECURED, CERTIFICATE = "orrery.secured", "orrery.certificate"
# Also there: the one cluster that whoever asks may see. Without it they may see all.
ONLY_CLUSTER = "orrery.only-cluster"
# Or what to call for a list of those that are offered to them; where they may act the room's door says.
SHOWN_CLUSTERS = "orrery.shown-clusters"
# That it came by the room's port.
BY_ROOM = "orrery.by-room"
# And who the log says it was, where that is not the program that asks.
AUTHOR = "orrery.author"
# What stands outside in the place of the path to a Service's `proxy`, where that is another path.
LED = "orrery.led"
# What the room's door says to an act that it does not see in the path: because the cluster is named in a form, or
# because what was typed must be read to know whether it is one. Called with the cluster's name, it raises ApiError for
# one in which they may not act.
LETS = "orrery.lets"


def quoted(path: str) -> str:
    """A path as it goes over the wire: what ASGI has in `raw_path`."""
    return quote(path, safe="/:@!$&'()*+,;=~-._")


def author_for(request: object, usual: str) -> str:
    """Who the log says has done what a request asks for; it comes as Django has it."""
    return (getattr(request, "scope", {}).get("state") or {}).get(AUTHOR, usual)


class QuietServer(uvicorn.Server):
    """Leaves signals to the program, and looks around twice a second: uvicorn does so ten times, all day long."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        for listener in sockets or ():
            # Inherited by each connection; else the second half of an answer waits until the first is acknowledged.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await super().startup(sockets)

    async def main_loop(self) -> None:
        while not await self.on_tick(0):
            await asyncio.sleep(LOOK_SECONDS)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class SecuredProtocol(H11Protocol):
    """Says of each request that it came by TLS, and whose certificate was shown: where no client can write."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self.app_state = {**self.app_state, SECURED: True, CERTIFICATE: transport.get_extra_info("peercert")}
