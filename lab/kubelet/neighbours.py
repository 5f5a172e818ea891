"""The Docker nodes of each cluster, whichever engine they stand on: who shares a network. Only memory. Pure."""

import ipaddress
import threading
from collections import Counter
from dataclasses import dataclass

from lab.apimachinery.engines import DOCKER, engine_of, kind_of
from lab.apimachinery.labels import KUBELET

NETWORK_PREFIX = 16  # of a cluster's network on Docker


@dataclass(frozen=True)
class End:
    """What of a cluster stands on one engine: where its kubelet answers ("" as long as no node says so), and the ranges
    of its nodes, in order."""

    engine: str
    url: str
    ranges: tuple[str, ...]


class Neighbours:
    """As the kubelet of one engine sees them; any thread may look."""

    def __init__(self, engine: str):
        self._engine = engine
        self._nodes: dict[str, dict[str, dict]] = {}  # cluster → name → node
        self._lock = threading.Lock()

    def put(self, cluster: str, node: dict) -> None:
        if kind_of(engine_of(node)) != DOCKER:
            return self.remove(cluster, node["metadata"]["name"])
        with self._lock:
            self._nodes.setdefault(cluster, {})[node["metadata"]["name"]] = node

    def remove(self, cluster: str, name: str) -> None:
        with self._lock:
            self._nodes.get(cluster, {}).pop(name, None)

    def forget(self, cluster: str) -> None:
        with self._lock:
            self._nodes.pop(cluster, None)

    def joined(self) -> list[str]:
        """The clusters whose network this engine has a part in: nodes of theirs stand on other engines, and here too.
        The lab's own engine is part of all: on its machine are the front door, the probes, and the API."""
        with self._lock:
            there = {cluster: set(map(engine_of, nodes.values())) for cluster, nodes in self._nodes.items()}
        return [
            cluster
            for cluster, engines in there.items()
            if engines - {self._engine} and (self._engine in engines or self._engine == DOCKER)
        ]

    def own(self, cluster: str) -> End:
        return self._ends(cluster).get(self._engine, End(self._engine, "", ()))

    def others(self, cluster: str) -> list[End]:
        """Those that have ranges."""
        return [end for engine, end in self._ends(cluster).items() if engine != self._engine and end.ranges]

    def network(self, cluster: str) -> str:
        """The range that the network has on other engines, and must have here; "" if nobody has said so. The first of
        the engines leads."""
        if not self.others(cluster):
            return ""
        leading = min((end for end in self._ends(cluster).values() if end.ranges), key=lambda end: end.engine)
        found = Counter(_network(cidr) for cidr in leading.ranges)
        return max(found, key=lambda network: (found[network], network))

    def waits_for(self, cluster: str) -> str:
        """The engine that chooses the range first; "" if it is for this one to choose."""
        ends = self._ends(cluster)
        first = min(ends, default=self._engine)
        return first if first < self._engine and not any(end.ranges for end in ends.values()) else ""

    def _ends(self, cluster: str) -> dict[str, End]:
        with self._lock:
            nodes = list(self._nodes.get(cluster, {}).values())
        found: dict[str, list[dict]] = {}
        for node in nodes:
            found.setdefault(engine_of(node), []).append(node)
        return {engine: _end(engine, those) for engine, those in found.items()}


def _end(engine: str, nodes: list[dict]) -> End:
    urls = {(node["metadata"].get("annotations") or {}).get(KUBELET, "") for node in nodes} - {""}
    ranges = {cidr for node in nodes if _is_range(cidr := node["spec"].get("podCIDR", ""))}
    return End(engine, max(urls, default=""), tuple(sorted(ranges)))


def _is_range(cidr: str) -> bool:
    """Of a node here: anybody may write a Node who may write one."""
    try:
        return ipaddress.IPv4Network(cidr).prefixlen >= NETWORK_PREFIX
    except ValueError:
        return False


def _network(cidr: str) -> str:
    return str(ipaddress.IPv4Network(cidr).supernet(new_prefix=NETWORK_PREFIX))
