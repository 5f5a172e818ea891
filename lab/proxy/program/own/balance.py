"""Whose turn it is: smooth weighted round robin, as nginx has it, and clients that stay with their server. Pure."""

import time

from .. import plan

REMEMBERED = 10_000  # clients of one Service


class Server:
    """A server with its counters and its idle connections."""

    __slots__ = ("current", "errors", "idle", "in_flight", "requests", "spec", "total_ms", "unreached")

    def __init__(self, spec: plan.Server):
        self.spec = spec
        self.current = 0
        self.requests = self.errors = self.unreached = self.in_flight = 0
        self.total_ms = 0.0
        self.idle: list = []

    def begin(self) -> None:
        self.requests += 1
        self.in_flight += 1

    def end(self, failed: bool, reached: bool = True) -> None:
        self.in_flight -= 1
        self.errors += failed
        self.unreached += not reached

    def pass_on(self, other: "Server") -> None:
        """It could not be asked, so it was not its request."""
        self.requests -= 1
        self.in_flight -= 1
        other.begin()

    def took(self, seconds: float) -> None:
        """Until the answer began."""
        self.total_ms += seconds * 1000

    def counters(self) -> dict:
        total = round(self.total_ms)
        told = {"requests": self.requests, "errors": self.errors, "unreached": self.unreached}
        return {**told, "inFlight": self.in_flight, "totalMs": total}


class Backend:
    """The servers of one, those that went but still have work among them."""

    def __init__(self, spec: plan.Backend):
        self.spec = spec
        self.servers: dict[str, Server] = {}
        self._usable: list[Server] = []
        self._stays: dict[str, tuple[str, float]] = {}  # client → its server, until when
        self.update(spec)

    def update(self, spec: plan.Backend) -> None:
        self.spec = spec
        for key, wanted in spec.servers.items():
            server = self.servers.setdefault(key, Server(wanted))
            moved = (server.spec.address, server.spec.port) != (wanted.address, wanted.port)
            server.spec = wanted
            if moved or not wanted.weight:
                _close_idle(server)
        for key in self.servers.keys() - spec.servers.keys():
            _close_idle(self.servers[key])
            if not self.servers[key].in_flight:
                del self.servers[key]
        self._usable = [self.servers[key] for key, wanted in spec.servers.items() if wanted.weight]

    def is_usable(self, server: Server) -> bool:
        return server in self._usable

    def pick(self, client: str, tried: set[str]) -> Server | None:
        """The server of this client's next request, none of those already tried."""
        if not self.spec.affinity:
            return self._next(tried)
        now = time.monotonic()
        key, until = self._stays.get(client, ("", 0.0))
        server = self.servers.get(key)
        if server is None or until < now or key in tried or not self.is_usable(server):
            server = self._next(tried)
        if server:
            self._stays.pop(client, None)
            self._stays[client] = (server.spec.key, now + self.spec.affinity)
            if len(self._stays) > REMEMBERED:
                del self._stays[next(iter(self._stays))]  # who has not been seen for longest
        return server

    def _next(self, tried: set[str]) -> Server | None:
        best, total = None, 0
        for server in self._usable:
            if tried and server.spec.key in tried:
                continue
            weight = server.spec.weight
            server.current += weight
            total += weight
            if best is None or server.current > best.current:
                best = server
        if best:
            best.current -= total
        return best


def _close_idle(server: Server) -> None:
    for connection in server.idle:
        connection.transport.close()
    server.idle.clear()
