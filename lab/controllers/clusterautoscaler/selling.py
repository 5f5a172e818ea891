"""Which machines nobody needs. Pure.

A node of a pool is not needed if it is empty, or less than half of it is asked for and all its pods would find room
elsewhere, and nothing forbids that they move. If that stays so for the pool's idleSeconds, it is given back.

Source: cluster-autoscaler's simulator/, utils/drain and core/scaledown.
"""

from collections.abc import Set
from dataclasses import dataclass, field

from lab.apimachinery import meta
from lab.apimachinery.budgets import beyond
from lab.apimachinery.taints import CANDIDATE, TO_BE_DELETED
from lab.scheduler.batch import schedule
from lab.scheduler.cache import Cache
from lab.scheduler.nodeinfo import parse_node
from lab.scheduler.resources import resource_requests

from ..pods import is_active, is_daemon
from .buying import State, as_cache
from .machines import NO_SCALE_DOWN, is_coming, pool_of, stamp_of

LITTLE_USED = 0.5  # --scale-down-utilization-threshold
HEADROOM_SECONDS = 30.0  # PodEvictionHeadroom: beyond their grace, for pods of a node that goes
SAFE_TO_EVICT = "cluster-autoscaler.kubernetes.io/safe-to-evict"


@dataclass(frozen=True)
class Verdict:
    """Whether a node is needed, and why."""

    node: dict
    needed: str  # in words; empty if it is not
    utilization: float = 0.0
    moves: dict[str, str] = field(default_factory=dict)  # pod's key → where it would go

    @property
    def name(self) -> str:
        return self.node["metadata"]["name"]


def verdicts(state: State, awaited: Set[str] = frozenset()) -> list[Verdict]:
    """Of all nodes of pools that are there and stay for now; those that are not needed first, emptiest first.
    `awaited`: the nodes that pods will take which still wait."""
    pools = {pool["metadata"]["name"] for pool in state.pools}
    nodes = [node for node in state.nodes if pool_of(node) in pools and stamp_of(node, TO_BE_DELETED) is None]
    nodes = [node for node in nodes if not is_coming(node, state.now, state.provision)]
    # Pods never move onto nodes that are empty: those go first.
    others = as_cache(state, but=frozenset(node["metadata"]["name"] for node in nodes if not staying(state, node)))
    found = [_verdict(state, node, others, awaited) for node in nodes]
    return sorted(found, key=lambda verdict: (bool(verdict.needed), verdict.utilization, verdict.name))


def staying(state: State, node: dict) -> list[dict]:
    """The pods for which a node is there: not those that every node has, nor those that have ended."""
    here = state.placed.get(node["metadata"]["name"], ())
    return [pod for pod in here if not is_daemon(pod)]


def is_overdue(pod: dict, now: float) -> bool:
    """Of one that is being deleted: its grace, which its deletionTimestamp includes, has been over for long."""
    return now > meta.parse_time(pod["metadata"]["deletionTimestamp"]) + HEADROOM_SECONDS


def _verdict(state: State, node: dict, others: Cache, awaited: Set[str]) -> Verdict:
    if (node["metadata"].get("annotations") or {}).get(NO_SCALE_DOWN) == "true":
        return Verdict(node, f"its annotation {NO_SCALE_DOWN} keeps it")
    if node["metadata"]["name"] in awaited:
        return Verdict(node, "pods that wait will take it")
    pods = staying(state, node)
    if not pods:
        return Verdict(node, "")
    share = utilization(node, pods)
    if share >= LITTLE_USED:
        return Verdict(node, f"{share:.0%} of it is asked for", share)
    for pod in pods:
        if is_active(pod) and (held := held_by(pod)):
            return Verdict(node, f"{meta.key_of(pod)} {held}", share)
    moving = [pod for pod in pods if is_active(pod)]
    if broken := beyond(state.budgets, ((meta.key_of(pod), pod["metadata"].get("labels")) for pod in moving)):
        key, budget = next(iter(broken.items()))
        return Verdict(node, f"{key} may not go now: its disruption budget {budget} allows no more", share)
    moves, homeless = _elsewhere(others, node, moving)
    if homeless:
        return Verdict(node, f"{homeless} would fit nowhere else", share)
    return Verdict(node, "", share, moves)


def utilization(node: dict, pods: list[dict]) -> float:
    """The share of the node that its pods ask for: of CPU or of memory, whichever is more."""
    info = parse_node(node)
    asked = [resource_requests(pod["spec"]) for pod in pods]
    shares = [
        sum(each.get(resource, 0) for each in asked) / there
        for resource, there in (("cpu", info.cpu), ("memory", info.memory))
        if there
    ]
    return max(shares, default=0.0)


def held_by(pod: dict) -> str:
    """What keeps a pod where it is, in words; "" if it may be moved."""
    said = (pod["metadata"].get("annotations") or {}).get(SAFE_TO_EVICT)
    if said == "true":
        return ""
    if said == "false":
        return "is not safe to evict"
    if meta.controller_of(pod) is None:
        return "is not replicated"
    if any("emptyDir" in volume for volume in pod["spec"].get("volumes") or ()):
        return "has local storage"
    return ""


def _elsewhere(others: Cache, node: dict, pods: list[dict]) -> tuple[dict[str, str], str]:
    """Where its pods would go if the node were not there, and one that would fit nowhere. Leaves `others` as it was."""
    others.remove_node(node["metadata"]["name"])
    for pod in pods:
        spec = {field: value for field, value in pod["spec"].items() if field != "nodeName"}
        others.set_pod({**pod, "spec": spec, "status": {"phase": "Pending"}})
    keys = [meta.key_of(pod) for pod in pods]
    placed = {meta.key_of(pod): name for pod, name, _ in schedule(others, keys).bindings}
    for pod in pods:
        others.set_pod(pod)
    others.set_node(node)
    return placed, next((key for key in keys if key not in placed), "")


def due(verdicts_: list[Verdict], state: State) -> list[Verdict]:
    """Those that go now: idle for as long as their pool says, no pool below its least, and of those that have pods to
    move one at a time, while no other is on its way out."""
    going = [node for node in state.nodes if stamp_of(node, TO_BE_DELETED) is not None]
    pools = {pool["metadata"]["name"]: pool["spec"] for pool in state.pools}
    spare = {
        name: len([n for n in state.nodes if pool_of(n) == name]) - spec["minNodes"] for name, spec in pools.items()
    }
    for node in going:
        if pool_of(node) in spare:
            spare[pool_of(node)] -= 1
    moving, found = bool(going), []
    for verdict in verdicts_:
        pool = pool_of(verdict.node)
        if verdict.needed or spare[pool] <= 0 or idle_left(verdict.node, pools[pool], state.now) != 0.0:
            continue
        if verdict.moves:
            if moving:
                continue
            moving = True
        spare[pool] -= 1
        found.append(verdict)
    return found


def idle_left(node: dict, pool: dict, now: float) -> float | None:
    """How long it has still to be idle; None if it has not begun."""
    since = stamp_of(node, CANDIDATE)
    if since is None:
        return None
    # A time to come only says that the clock has stepped back.
    return max(0.0, pool["idleSeconds"] - (now - since)) if since <= now + 1 else 0.0
