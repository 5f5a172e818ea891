"""How many nodes may have their pods driven away at once. Pure.

The more of a zone is silent, the likelier it is not the nodes that failed but the network between them and us, and to
move every pod would make things worse.

A zone is in full disruption when none of its nodes is ready, and in partial disruption when more than half of them are
not. Evictions go on at their normal pace unless
- every zone is in full disruption: then we are the ones who are cut off, and nobody is evicted;
- a small zone is in partial disruption: then nobody more is evicted there.
Source: handleDisruption and ComputeZoneState in k8s.io/kubernetes/pkg/controller/nodelifecycle.
"""

from collections import defaultdict

from lab.apimachinery.labels import REGION_LABEL, ZONE_LABEL
from lab.apimachinery.meta import is_true, parse_time

from .taints import driving_away

UNHEALTHY_SHARE = 0.55  # --unhealthy-zone-threshold
FEW_UNHEALTHY = 2  # so many do not make a disruption, however small the zone
LARGE_ZONE = 50  # --large-cluster-size-threshold
SLOWER = 10.0  # in a large zone in partial disruption: --secondary-node-eviction-rate is a tenth of the normal one

Zone = tuple[str, str]


def zone_of(node: dict) -> Zone:
    labels = node["metadata"].get("labels") or {}
    return labels.get(REGION_LABEL, ""), labels.get(ZONE_LABEL, "")


def to_evict(nodes: list[dict], pace: float, time: float) -> set[str]:
    """The names of the nodes that may have the taint that drives pods away, now: those that have it, and in each zone
    one more every `pace` seconds. `time` is seconds since the epoch."""
    zones: dict[Zone, list[dict]] = defaultdict(list)
    for node in sorted(nodes, key=lambda node: node["metadata"]["name"]):
        zones[zone_of(node)].append(node)
    if all(not any(map(_is_ready, zone)) for zone in zones.values()):
        return set()
    allowed = [node for zone in zones.values() for node in _of_zone(zone, pace, time)]
    return {node["metadata"]["name"] for node in allowed}


def waiting(nodes: list[dict], allowed: set[str]) -> bool:
    """Whether any node has still to wait for its turn."""
    return bool(allowed) and any(not _is_ready(node) and node["metadata"]["name"] not in allowed for node in nodes)


def _of_zone(zone: list[dict], pace: float, time: float) -> list[dict]:
    sick = [node for node in zone if not _is_ready(node)]
    tainted = [node for node in sick if driving_away(node)]
    others = [node for node in sick if not driving_away(node)]
    if len(sick) < len(zone) and len(sick) > FEW_UNHEALTHY and len(sick) / len(zone) >= UNHEALTHY_SHARE:
        if len(zone) <= LARGE_ZONE:
            return tainted
        pace *= SLOWER
    since = [parse_time(taint["timeAdded"]) for node in tainted for taint in driving_away(node)]
    turns = int((time - max(since)) / pace) if since else 1
    # A taint from a time to come only says that the clock has stepped back.
    return tainted + others[: turns if turns >= 0 else 1]


def _is_ready(node: dict) -> bool:
    return is_true(node, "Ready")
