"""From the counters of the data planes to figures: how many, how fast, how many went wrong, of each server. Pure.

Several data planes may lead to one pod, and each counts from zero when it is started again: what is told here is the
sum, and never goes back while this process lives.
"""

from collections import deque
from dataclasses import dataclass, field

WINDOW_SECONDS = 5.0  # over which rates are taken
Place = tuple[str, str, str]  # cluster, backend, server


@dataclass
class Count:
    """What one data plane has said of one server: in all its lives, and in this one."""

    requests: int = 0
    errors: int = 0
    told: dict = field(default_factory=dict)

    def take(self, told: dict) -> None:
        again = told["requests"] < self.told.get("requests", 0)  # it has been started anew
        self.requests += told["requests"] - (0 if again else self.told.get("requests", 0))
        self.errors += told["errors"] - (0 if again else self.told.get("errors", 0))
        self.told = told


class Tally:
    def __init__(self) -> None:
        self._counts: dict[Place, dict[str, Count]] = {}  # → data plane's name → its count
        self._past: dict[Place, deque[tuple[float, int, int]]] = {}  # times, requests and errors until then

    def take(self, plane: str, scopes: dict) -> None:
        """What a data plane last answered to `counters`. Servers it no longer tells of have gone from it."""
        seen: set[Place] = set()
        for cluster, backends in scopes.items():
            for backend, servers in backends.items():
                for server, told in servers.items():
                    place = (cluster, backend, server)
                    self._counts.setdefault(place, {}).setdefault(plane, Count()).take(told)
                    seen.add(place)
        for place in [p for p, counts in self._counts.items() if plane in counts and p not in seen]:
            del self._counts[place][plane]
            if not self._counts[place]:
                del self._counts[place]
                self._past.pop(place, None)

    def note(self, now: float) -> None:
        """That it is so now: the rates are those since what was noted a few seconds ago."""
        for place, planes in self._counts.items():
            past, counts = self._past.setdefault(place, deque()), planes.values()
            past.append((now, sum(c.requests for c in counts), sum(c.errors for c in counts)))
            while len(past) > 2 and past[1][0] < now - WINDOW_SECONDS:
                past.popleft()

    def figures(self, cluster: str) -> dict:
        """As `lab.metrics.TRAFFIC` has them."""
        found: dict[str, dict] = {}
        for (scope, backend, server), counts in self._counts.items():
            if scope == cluster and (scope, backend, server) in self._past:
                one = _figures(list(counts.values()), self._past[scope, backend, server])
                found.setdefault(backend, {"servers": {}})["servers"][server] = one
        return found


def _figures(counts: list[Count], past: deque[tuple[float, int, int]]) -> dict:
    (first, requests_then, errors_then), (last, requests, errors) = past[0], past[-1]
    recent = requests - requests_then
    asked = sum(count.told["requests"] for count in counts)
    return {
        "requests": requests,
        "errors": errors,
        "inFlight": sum(count.told["inFlight"] for count in counts),
        "rate": round(recent / (last - first), 3) if last > first else 0.0,
        "errorRate": round((errors - errors_then) / recent, 4) if recent else 0.0,
        "meanMs": round(sum(c.told["meanMs"] * c.told["requests"] for c in counts) / asked, 3) if asked else 0.0,
    }
