"""The scores: of the nodes that would do, which suits the pod best. Each from 0 to 100, then times its plugin's weight.

Names, formulas and weights are kube-scheduler's. Raw scores (a count, a sum of weights) are brought to 0…100 by
comparing with the other nodes that would do: Kubernetes' NormalizeScore, here `scaled`, `scaled_spread` and
`scaled_affinity`. The latter two keep the fractions that Kubernetes cuts off, for their sums are taken in parts.
"""

from collections.abc import Callable

from .filters import tolerated
from .nodeinfo import NodeInfo, image_name
from .podinfo import PodInfo

HIGHEST = 100
# Source: the default plugins of KubeSchedulerConfiguration v1.
WEIGHTS = {
    "TaintToleration": 3,
    "NodeAffinity": 2,
    "PodTopologySpread": 2,
    "InterPodAffinity": 2,
    "NodeResourcesFit": 1,
    "NodeResourcesBalancedAllocation": 1,
    "ImageLocality": 1,
}
LEAST_ALLOCATED, MOST_ALLOCATED = "LeastAllocated", "MostAllocated"
MEGABYTE = 1024 * 1024
SMALLEST_IMAGE, LARGEST_IMAGE = 23 * MEGABYTE, 1000 * MEGABYTE  # a container's image: below and above makes no odds


def least_allocated(pod: PodInfo, node: NodeInfo) -> int:
    """Balance: the share of CPU and memory that would stay free, on average."""
    cpu = _free(node.cpu, node.shown_cpu + pod.shown_cpu) if node.cpu else None
    memory = _free(node.memory, node.shown_memory + pod.shown_memory) if node.memory else None
    return _average(cpu, memory)


def _free(offered: int, used: int) -> int:
    return (offered - used) * HIGHEST // offered if used <= offered else 0


def most_allocated(pod: PodInfo, node: NodeInfo) -> int:
    """Pack: the share that would be taken, on average, so that whole machines stay empty."""
    cpu = _taken(node.cpu, node.shown_cpu + pod.shown_cpu) if node.cpu else None
    memory = _taken(node.memory, node.shown_memory + pod.shown_memory) if node.memory else None
    return _average(cpu, memory)


def _taken(offered: int, used: int) -> int:
    return min(used, offered) * HIGHEST // offered


def _average(one: int | None, other: int | None) -> int:
    if one is None or other is None:
        return one or other or 0
    return (one + other) // 2


RESOURCE_SCORES: dict[str, Callable[[PodInfo, NodeInfo], int]] = {
    LEAST_ALLOCATED: least_allocated,
    MOST_ALLOCATED: most_allocated,
}


def balanced_allocation(pod: PodInfo, node: NodeInfo) -> int:
    """CPU and memory used up evenly: or a node would stand there with cores free and no memory to use them with.

    A pod that asks for neither changes no balance: all of them would crowd onto the node that happens to have it.
    """
    if not (pod.cpu or pod.memory):
        return 0
    if not (node.cpu and node.memory):
        return HIGHEST
    cpu = min((node.used_cpu + pod.cpu) / node.cpu, 1.0)
    memory = min((node.used_memory + pod.memory) / node.memory, 1.0)
    return int((1 - abs(cpu - memory) / 2) * HIGHEST)  # of two fractions this is the standard deviation


def prefer_no_schedule(pod: PodInfo, node: NodeInfo) -> int:
    """Raw, less is better: the PreferNoSchedule taints that the pod does not tolerate."""
    return sum(taint.get("effect") == "PreferNoSchedule" and not tolerated(pod, taint) for taint in node.taints)


def preferred_node_affinity(pod: PodInfo, node: NodeInfo) -> int:
    """Raw, more is better: the weights of the preferred terms that the node meets."""
    return sum(weight for weight, term in pod.preferred_nodes if term.matches(node.name, node.labels))


def image_locality(pod: PodInfo, node: NodeInfo, spread_of: dict[str, float]) -> int:
    """Images that need not be pulled, by size. `spread_of`: image → share of all nodes that have it, by which it is
    discounted, or all pods would crowd onto the first node that pulled it."""
    if not node.images or not pod.images:
        return 0
    have = sum(
        int(node.images[name] * spread_of.get(name, 0.0)) for name in map(image_name, pod.images) if name in node.images
    )
    most = LARGEST_IMAGE * len(pod.images)
    return HIGHEST * (min(max(have, SMALLEST_IMAGE), most) - SMALLEST_IMAGE) // (most - SMALLEST_IMAGE)


def scaled(raw: int, most: int, reverse: bool = False) -> int:
    """`raw` as a share of the most that any node has; reversed, for what is better the less there is of it."""
    share = HIGHEST * raw // most
    return HIGHEST - share if reverse else share


def scaled_spread(crowd: float, fewest: float, most: float) -> float:
    """PodTopologySpread's own: the least crowded gets 100."""
    return HIGHEST * (most + fewest - crowd) / most if most else HIGHEST


def scaled_affinity(liking: float, least: float, most: float) -> float:
    """InterPodAffinity's own: the least liked gets 0, the most liked, which is not the same, 100."""
    return HIGHEST * (liking - least) / (most - least)
