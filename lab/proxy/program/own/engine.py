"""Our own proxy as an engine of the data plane."""

import asyncio
import os
import socket
from collections import defaultdict
from dataclasses import replace

from .. import pages
from ..listeners import FRONT_DOORS
from ..plan import Plan, Routes
from ..strays import Strays, host_of
from .balance import Backend
from .downstream import Downstream
from .heads import Head
from .tcp import TcpDownstream


class OwnEngine:
    name = "own"

    def __init__(self) -> None:
        self._backends: dict[str, Backend] = {}
        self._plan = Plan()
        self._routes = Routes([])
        self._servers: dict[tuple[str, int], tuple[int, asyncio.Server]] = {}
        self._strays = Strays()

    async def apply(self, plan: Plan, sockets: dict[tuple[str, int], socket.socket]) -> None:
        """`sockets`: by the listener's place, open and listening; they stay the caller's."""
        for key, spec in plan.backends.items():
            if key in self._backends:
                self._backends[key].update(spec)
            else:
                self._backends[key] = Backend(spec)
        for key in self._backends.keys() - plan.backends.keys():
            self._backends[key].update(replace(self._backends[key].spec, servers={}))
            if not self._backends[key].servers:
                del self._backends[key]
        self._plan = self._strays.plan = plan
        self._strays.sockets = sockets
        self._routes = Routes(plan.hosts)
        for place in [p for p, (number, _) in self._servers.items() if p not in sockets or number != id(sockets[p])]:
            self._servers.pop(place)[1].close()
        for place, listener in sockets.items():
            if place not in self._servers:
                self._servers[place] = (id(listener), await self._serve(place, listener))

    async def _serve(self, place: tuple[str, int], listener: socket.socket) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        own = socket.socket(fileno=os.dup(listener.fileno()))
        if place in FRONT_DOORS:
            return await loop.create_server(lambda: Downstream(self._at_front_door), sock=own, backlog=2048)
        return await loop.create_server(lambda: self._accept(place), sock=own, backlog=2048)

    def _accept(self, place: tuple[str, int]) -> asyncio.Protocol:
        """Who serves a connection is looked up when it comes, and for HTTP again with each request."""
        backend = self._backends.get(self._plan.listeners.get(place, ""))
        if backend and backend.spec.mode == "tcp":
            return TcpDownstream(backend)
        return Downstream(lambda head, client: self._at(place))

    def _at(self, place: tuple[str, int]) -> Backend | bytes:
        backend = self._backends.get(self._plan.listeners.get(place, ""))
        return backend or pages.answer(503, "This Service is gone.\n")

    def _at_front_door(self, head: Head, client: str) -> Backend | bytes:
        path = head.start[1].partition(b"?")[0].decode("latin-1")
        found = self._routes.find(host_of(head), path) if path.startswith("/") else None
        return self._backends[found] if found else self._strays.route(head, client)

    async def counters(self) -> dict:
        """scope → backend → server → counters."""
        told: dict[str, dict] = defaultdict(dict)
        for backend in self._backends.values():
            backend.update(backend.spec)  # forget those that went and have finished
            found = {key: server.counters() for key, server in backend.servers.items()}
            told[backend.spec.scope][backend.spec.name] = found
        return told

    async def stop(self) -> None:
        for _, server in self._servers.values():
            server.close()
