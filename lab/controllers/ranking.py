"""Which pods of a ReplicaSet go first when it has too many: those that are missed least. Pure.

Source: ActivePodsWithRanks in k8s.io/kubernetes/pkg/controller/controller_utils.go.
"""

import math
from collections import Counter
from collections.abc import Iterable
from itertools import compress
from operator import ne

from .pods import created, is_ready, most_restarts, node_of, ready_since

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
PHASE_ORDER = {"Pending": 0, "Unknown": 1, "Running": 2}
# What `rank` sorts by, of the one that goes.
CRITERIA = (
    "on no node yet", "does not run yet", "not ready", "lower pod-deletion-cost", "more pods on its node",
    "ready for less long", "restarted more often", "its sidecars restarted more often", "younger", "equal to the rest",
)  # fmt: skip


def first_to_go(pods: Iterable[dict], count: int, related: Iterable[dict], time: float) -> list[dict]:
    """`count` of the pods. `related` are all pods of the same Deployment: a node with many of them can spare one."""
    crowd = Counter(node_of(pod) for pod in related)
    return sorted(pods, key=lambda pod: rank(pod, crowd[node_of(pod)], time))[:count]


def why_first(going: list[dict], staying: list[dict], related: Iterable[dict], time: float) -> dict[str, str]:
    """uid → what it is in that each of those that go comes before the first of those that stay; empty if none stays."""
    crowd = Counter(node_of(pod) for pod in related)
    ranks = {pod["metadata"]["uid"]: rank(pod, crowd[node_of(pod)], time) for pod in [*going, *staying]}
    least = min((ranks[pod["metadata"]["uid"]] for pod in staying), default=None)
    if least is None:
        return {}
    differ = {pod["metadata"]["uid"]: map(ne, ranks[pod["metadata"]["uid"]], least) for pod in going}
    return {uid: next(compress(CRITERIA, differences), CRITERIA[-1]) for uid, differences in differ.items()}


def rank(pod: dict, on_its_node: int, time: float) -> tuple:
    """What sorts a pod that goes earlier before one that goes later: unassigned < assigned, pending < running,
    not ready < ready, cheap < dear, on a crowded node < alone, ready for a short time < for long, restarted often <
    seldom, young < old. Ages count by order of magnitude only, so that among near equals it is not always the youngest.
    """
    return (
        bool(node_of(pod)),
        PHASE_ORDER.get(pod.get("status", {}).get("phase", "Pending"), 0),
        is_ready(pod),
        _cost(pod),
        -on_its_node,
        _magnitude(ready_since(pod), time),
        *(-count for count in most_restarts(pod)),
        _magnitude(created(pod), time),
        pod["metadata"].get("uid", ""),
    )


def _cost(pod: dict) -> int:
    text = pod["metadata"].get("annotations", {}).get(DELETION_COST, "0")
    try:
        return int(text)
    except ValueError:
        return 0


def _magnitude(since: float, time: float) -> int:
    """The age in doublings of a second; -1 for what has not begun."""
    return int(math.log2(max(1.0, time - since))) if since else -1
