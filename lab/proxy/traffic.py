"""From the counters of the data planes to figures: how many, how fast, how many went wrong, of each server. Pure.

Several data planes may lead to one pod, and each counts from zero when it is started again: what is told here is the
sum, and never goes back while this process lives.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

WINDOW_SECONDS = 5.0  # over which rates and means are taken
COUNTERS = ("requests", "errors", "totalMs", "unreached")
Place = tuple[str, str, str]  # cluster, backend, server


@dataclass
class Count:
    """What one data plane has said of one server: in all its lives, and in this one."""

    sums: dict = field(default_factory=lambda: dict.fromkeys(COUNTERS, 0))
    told: dict = field(default_factory=dict)

    def take(self, told: dict) -> None:
        again = told["requests"] < self.told.get("requests", 0)  # it has been started anew
        before = {} if again else self.told
        self.sums = {name: self.sums[name] + told.get(name, 0) - before.get(name, 0) for name in COUNTERS}
        self.told = told


class Tally:
    def __init__(self) -> None:
        self._counts: dict[Place, dict[str, Count]] = {}  # → data plane's name → its count
        self._past: dict[Place, deque[tuple[float, dict]]] = {}  # times, and the sums until then
        self._figures: dict[Place, dict] = {}

    def take(self, planes: dict[str, dict]) -> None:
        """What each data plane there is last answered to `counters`. What none tells of any more is forgotten."""
        counts: dict[Place, dict[str, Count]] = {}
        for plane, scopes in planes.items():
            for place, told in _servers(scopes):
                count = self._counts.get(place, {}).get(plane) or Count()
                count.take(told)
                counts.setdefault(place, {})[plane] = count
        self._counts = counts
        for held in (self._past, self._figures):
            for place in held.keys() - counts.keys():
                del held[place]

    def note(self, now: float, clusters: set[str]) -> None:
        """That it is so now in these clusters: the rates are those since what was noted a few seconds ago."""
        for place, planes in self._counts.items():
            if place[0] not in clusters:
                continue
            sums = {name: sum(count.sums[name] for count in planes.values()) for name in COUNTERS}
            sums["inFlight"] = sum(count.told["inFlight"] for count in planes.values())
            past = self._past.setdefault(place, deque())
            past.append((now, sums))
            while len(past) > 2 and past[1][0] < now - WINDOW_SECONDS:
                past.popleft()
            self._figures[place] = _figures(past, self._figures.get(place, {}))

    def asked(self, cluster: str) -> set[str]:
        """The servers that have been asked anything by now."""
        return {place[2] for place, figures in self._figures.items() if place[0] == cluster and figures["requests"]}

    def figures(self, cluster: str) -> dict:
        """As `lab.metrics.TRAFFIC` has them."""
        found: dict[str, dict] = {}
        for (scope, backend, server), figures in self._figures.items():
            if scope == cluster:
                found.setdefault(backend, {"servers": {}})["servers"][server] = figures
        return found


def _servers(scopes: dict) -> Iterator[tuple[Place, dict]]:
    for cluster, backends in scopes.items():
        for backend, servers in backends.items():
            for server, told in servers.items():
                yield (cluster, backend, server), told


def _figures(past: deque[tuple[float, dict]], before: dict) -> dict:
    (first, then), (last, now) = past[0], past[-1]
    # A data plane that went has taken its counts along: less than before is nothing new.
    requests, errors, took, unreached = (max(now[name] - then[name], 0) for name in COUNTERS)
    flying = now["inFlight"] - then["inFlight"]
    answered = requests - flying
    return {
        **now,
        "rate": round(requests / (last - first), 3) if last > first else 0.0,
        "errorRate": round(errors / requests, 4) if requests else 0.0,
        "unreachedRate": round(unreached / requests, 4) if requests else 0.0,
        # As long as none of them is answered, the last that is known is how long it took before.
        "meanMs": round(max(took / answered, 0.0), 3) if answered > 0 else before.get("meanMs", 0.0),
    }
