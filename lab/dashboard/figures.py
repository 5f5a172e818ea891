"""What goes through the cluster right now, in one small message a second: never a row, never in the log. Pure.

The proxy and the visitors publish more than a page can draw (`lab.metrics`). Here it is cut down to short lists of
rounded numbers: the same figures give the same message, so nothing is sent while nothing changes.
"""

from collections import defaultdict

MOST_PODS = 300  # past it no tile is big enough for a tick of heat; the busiest are kept
SERVER = ("rate", "errorRate", "inFlight", "requests", "errors", "meanMs")

Figures = dict[str, dict[str, list]]  # what → its id → numbers


def figures(traffic: dict, visitors: dict, turns: dict | None = None) -> Figures:
    """`pods`: uid → [requests a second, share that fails, in flight, requests, errors, mean ms];
    `services`: namespace/name → [requests a second, share that fails, mean ms];
    `visitors`: namespace/name → [requests a second, share that fails, p50 ms, p95 ms], of the last seconds, and behind
    them the same four second by second, oldest first, of the last minute;
    `versions`: namespace/pod-template-hash → [requests a second, share that fails, p95 ms], as its visitors find it;
    `turns`: name of a loop → [ms that its last turn took, its keys, those that failed, turns in all]."""
    pods: dict[str, list[list[float]]] = defaultdict(list)
    services: dict[str, list[list[float]]] = defaultdict(list)
    for backend, held in traffic.items():
        for uid, server in held.get("servers", {}).items():
            numbers = [server.get(key) or 0 for key in SERVER]
            numbers[1] = min(1, numbers[1])  # the two counts behind the share are not taken at the same instant
            pods[uid].append(numbers)
            services[backend.rpartition(":")[0]].append([numbers[0], numbers[1], numbers[5]])
    busiest = sorted(pods, key=lambda uid: -sum(one[0] for one in pods[uid]))[:MOST_PODS]
    return {
        "pods": {uid: _together(pods[uid], weighted=(1, 5)) for uid in sorted(busiest)},
        "services": {name: _together(held, weighted=(1, 2)) for name, held in sorted(services.items())},
        "visitors": {name: _visitors(held) for name, held in sorted(visitors.items())},
        "versions": _versions(visitors),
        "turns": {name: [rounded(number) for number in held] for name, held in sorted((turns or {}).items())},
    }


def _versions(visitors: dict) -> dict[str, list[float]]:
    """What the visitors of a namespace find of each version; of several of them the slowest p95."""
    many: dict[str, list[list[float]]] = defaultdict(list)
    for name, held in visitors.items():
        for version, found in (held.get("versions") or {}).items():
            numbers = [found.get(key) or 0 for key in ("rate", "errorRate", "p95")]
            if numbers[0]:
                many[f"{name.partition('/')[0]}/{version}"].append(numbers)
    slowest = {key: max(one[2] for one in found) for key, found in many.items()}
    return {key: [*_together(many[key], weighted=(1,))[:2], rounded(slowest[key])] for key in sorted(many)}


def _together(many: list[list[float]], weighted: tuple[int, ...]) -> list[float]:
    """Sums of each number; of those at the places `weighted`, means by the rate, which stands first."""
    rate = sum(one[0] for one in many)
    found = []
    for place in range(len(many[0])):
        if place in weighted:
            found.append(sum(one[0] * one[place] for one in many) / rate if rate else 0)
        else:
            found.append(sum(one[place] for one in many))
    return [rounded(number) for number in found]


def _visitors(held: dict) -> list:
    series = held.get("series") or {}
    requests, errors = series.get("requests") or [], series.get("errors") or []
    shares = [failed / all_ if all_ else 0 for failed, all_ in zip(errors, requests, strict=True)]
    charts = [requests, shares, series.get("p50") or [], series.get("p95") or []]
    now = [held.get(key) or 0 for key in ("rate", "errorRate", "p50", "p95")]
    return [*map(rounded, now), *([rounded(point or 0) for point in chart] for chart in charts)]


def rounded(number: float) -> float:
    """Three figures are what anybody reads, and keep the message short and often the same."""
    return int(number) if number == int(number) or abs(number) >= 100 else float(f"{number:.3g}")
