"""The filters that look at one node by itself. Each returns why the pod cannot run there: no reasons, no objection.

Names, order and words are kube-scheduler's (`pkg/scheduler/framework/plugins`). The first filter that objects ends
the node's hearing, so a node is counted under one filter only. Those that look at where other pods are: `topology.py`.
"""

from lab.apimachinery.taints import UNSCHEDULABLE, tolerates

from .nodeinfo import NodeInfo
from .podinfo import PodInfo

CORDONED = {"key": UNSCHEDULABLE, "effect": "NoSchedule"}
NODE_UNSCHEDULABLE = "node(s) were unschedulable"
NODE_AFFINITY = "node(s) didn't match Pod's node affinity/selector"
NOT_NAMED = "node(s) didn't satisfy plugin(s) [NodeAffinity]"  # of all that a pod for certain nodes does not name
NODE_PORTS = "node(s) didn't have free ports for the requested pod ports"
VOLUME_CONFLICT = "node(s) didn't match PersistentVolume's node affinity"
UNTOLERATED = "node(s) had untolerated taint"
INSUFFICIENT = "Insufficient "
TOO_MANY_PODS = "Too many pods"
Reasons = tuple[str, ...]


def node_unschedulable(pod: PodInfo, node: NodeInfo) -> Reasons:
    """Cordoned. A pod that tolerates the taint which `kubectl cordon` also sets may come all the same."""
    if node.unschedulable and not tolerated(pod, CORDONED):
        return (NODE_UNSCHEDULABLE,)
    return ()


def taint_toleration(pod: PodInfo, node: NodeInfo) -> Reasons:
    """A taint keeps away whoever does not tolerate it. A node that is not ready is kept free in this way too."""
    for taint in node.taints:
        if taint.get("effect") in ("NoSchedule", "NoExecute") and not tolerated(pod, taint):
            return (f"{UNTOLERATED} {{{taint['key']}: {taint.get('value', '')}}}",)
    return ()


def node_affinity(pod: PodInfo, node: NodeInfo) -> Reasons:
    """`nodeSelector` and required node affinity: both must hold; of the affinity's terms, one."""
    fits = pod.node_selector.items() <= node.labels.items()
    if fits and pod.required_nodes is not None:
        fits = any(term.matches(node.name, node.labels) for term in pod.required_nodes)
    return () if fits else (NODE_AFFINITY,)


def node_ports(pod: PodInfo, node: NodeInfo) -> Reasons:
    """Two pods cannot listen on one port of a node, unless on different addresses of it."""
    for address, protocol, port in pod.ports:
        for taken_address, taken_protocol, taken in node.ports:
            same_address = address == taken_address or "0.0.0.0" in (address, taken_address)
            if port == taken and protocol == taken_protocol and same_address:
                return (NODE_PORTS,)
    return ()


def node_resources_fit(pod: PodInfo, node: NodeInfo) -> Reasons:
    """What the pods ask for must fit into what the node has; what they really use does not matter here."""
    if (
        len(node.pods) < node.pods_allowed
        and pod.cpu <= node.cpu - node.used_cpu
        and pod.memory <= node.memory - node.used_memory
        and not pod.scalars
    ):
        return ()
    lacking = [TOO_MANY_PODS] if len(node.pods) >= node.pods_allowed else []
    if pod.cpu and pod.cpu > node.cpu - node.used_cpu:
        lacking.append(f"{INSUFFICIENT}cpu")
    if pod.memory and pod.memory > node.memory - node.used_memory:
        lacking.append(f"{INSUFFICIENT}memory")
    for name, amount in pod.scalars.items():
        if amount > node.scalars.get(name, 0) - node.used_scalars.get(name, 0):
            lacking.append(f"{INSUFFICIENT}{name}")
    return tuple(lacking)


def lacking(pod: PodInfo, node: NodeInfo) -> dict[str, int]:
    """Resource → how much more of it would have to be free there; what is promised to others counts as free."""
    free = {name: node.scalars.get(name, 0) - node.used_scalars.get(name, 0) for name in pod.scalars}
    free |= {"cpu": node.cpu - node.used_cpu, "memory": node.memory - node.used_memory}
    wanted = {"cpu": pod.cpu, "memory": pod.memory, **pod.scalars}
    return {name: amount - free[name] for name, amount in wanted.items() if amount and amount > free[name]}


def volume_binding(pod: PodInfo, node: NodeInfo) -> Reasons:
    """The volumes that its claims are bound to may not be had everywhere."""
    reached = all(any(term.matches(node.name, node.labels) for term in terms) for terms in pod.volumes)
    return () if reached else (VOLUME_CONFLICT,)


def never_fits(pod: PodInfo, node: NodeInfo) -> bool:
    """Whether the pod asks for more than the whole node offers."""
    return (
        pod.cpu > node.cpu
        or pod.memory > node.memory
        or any(amount > node.scalars.get(name, 0) for name, amount in pod.scalars.items())
    )


def static_reasons(pod: PodInfo, node: NodeInfo) -> Reasons:
    """The filters that depend on the node's own description only: whatever pods come or go, they say the same."""
    if not (node.unschedulable or node.taints or pod.node_selector or pod.required_nodes is not None):
        return ()
    return node_unschedulable(pod, node) or taint_toleration(pod, node) or node_affinity(pod, node)


def dynamic_reasons(pod: PodInfo, node: NodeInfo) -> Reasons:
    """The filters whose answer changes with each pod that comes or goes; and VolumeBinding, asked after them."""
    return node_ports(pod, node) or node_resources_fit(pod, node) or volume_binding(pod, node)


def tolerated(pod: PodInfo, taint: dict) -> bool:
    return any(tolerates(toleration, taint) for toleration in pod.tolerations)
