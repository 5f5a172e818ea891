"""Who steers a cluster: its control-plane nodes, and which one of them leads. Pure.

Every control-plane node runs a kube-controller-manager and a kube-scheduler, but of each only one acts: the one that
holds the component's Lease, and renews it. When it falls silent the Lease runs out, and another takes it over. So much
is Kubernetes' leader election (k8s.io/client-go/tools/leaderelection). Two things are the lab's own: the members are
not processes but turns of the lab's workers, and the store lies outside of them, as k3s has it with an external
database: one member of three is enough to go on, where an etcd inside the members would need two.

A cluster without control-plane nodes is steered by the lab itself and cannot lose its head.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from . import meta

CONTROL_PLANE = "node-role.kubernetes.io/control-plane"  # the label of a member, and the taint that keeps pods off it
LEADER_NAMESPACE = "kube-system"
CONTROLLER_MANAGER, SCHEDULER = "kube-controller-manager", "kube-scheduler"
COMPONENTS = (CONTROLLER_MANAGER, SCHEDULER)
# Annotation of a component's Lease: all members, so that nobody has to search thousands of nodes for them.
MEMBERS = "orrery.io/members"
POWER = "orrery.io/power"
PARTITIONED = "orrery.io/partitioned"
# Of its duration, when a Lease is renewed. A leader that is up comes first even with one that has run out.
RENEW_AT = 0.75


@dataclass(frozen=True)
class Election:
    """What becomes of a Lease. `taken_over` tells of a new leader, in words; "" where the old one goes on."""

    lease: dict
    taken_over: str = ""


def is_member(node: dict) -> bool:
    return CONTROL_PLANE in (node["metadata"].get("labels") or {})


def is_up(node: dict | None) -> bool:
    """Whether it has power and a network: nothing that the node itself would have to tell."""
    held = node["metadata"].get("annotations") or {} if node else {}
    return node is not None and held.get(POWER) != "off" and held.get(PARTITIONED) != "true"


def members_of(lease: dict | None) -> list[str]:
    named = ((lease or {}).get("metadata", {}).get("annotations") or {}).get(MEMBERS, "")
    return named.split(",") if named else []


def elect(component: str, lease: dict | None, nodes: Iterable[dict], now: float, seconds: float) -> Election | None:
    """The Lease to write now, if any. `nodes`: at least all members; `seconds`: how long a Lease is good for."""
    members = {node["metadata"]["name"]: node for node in nodes if is_member(node)}
    up = sorted(name for name, node in members.items() if is_up(node))
    if not up:
        return None
    spec = lease["spec"] if lease else {}
    holder = spec.get("holderIdentity", "")
    silence = now - meta.parse_time(spec["renewTime"]) if spec.get("renewTime") else seconds
    listed = ",".join(sorted(members))
    if holder in up:
        fresh = 0 <= silence < seconds * RENEW_AT and ",".join(members_of(lease)) == listed
        return None if fresh else Election(_lease(component, lease, listed, spec, seconds))
    if holder in members and 0 <= silence < seconds:
        return None  # it may be back before its Lease has run out
    new = {
        **spec,
        "holderIdentity": up[0],
        "acquireTime": meta.micro_now(),
        "leaseTransitions": spec.get("leaseTransitions", -1) + 1,
    }
    words = f"{up[0]} became leader" + (f", {silence:.1f} s after {holder} was last heard of" if holder else "")
    return Election(_lease(component, lease, listed, new, seconds), words)


def _lease(component: str, old: dict | None, listed: str, spec: dict, seconds: float) -> dict:
    about: dict = old["metadata"] if old else {"name": component, "namespace": LEADER_NAMESPACE}
    return {
        "metadata": {**about, "annotations": {**(about.get("annotations") or {}), MEMBERS: listed}},
        "spec": {**spec, "renewTime": meta.micro_now(), "leaseDurationSeconds": max(1, round(seconds))},
    }
