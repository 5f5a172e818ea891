"""Which machines to buy for pods that fit nowhere. Pure.

The scheduler's own run is asked: first, which of the waiting pods will find room on what there is and what is coming
already; then, with one empty machine after the other added, each as full as it gets, how far that helps. So several
pods share a machine, and a machine that is on its way is not bought again.

Source: cluster-autoscaler's core/scaleup/orchestrator and estimator/binpacking_estimator.go.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from lab.apimachinery import meta
from lab.apimachinery.budgets import Budget
from lab.scheduler.batch import schedule
from lab.scheduler.cache import Cache
from lab.scheduler.filters import dynamic_reasons, static_reasons
from lab.scheduler.nodeinfo import NodeInfo, parse_node
from lab.scheduler.scores import MOST_ALLOCATED

from ..pods import is_daemon, is_finished, node_of
from .machines import is_coming, names, pool_of, template

AT_MOST = "max node group size reached"
NOT_TOGETHER = "pod's rules about other pods"


@dataclass(frozen=True)
class State:
    """The cluster as it is looked at. `now` is seconds since the epoch."""

    pools: list[dict]
    nodes: list[dict]
    pods: list[dict]
    namespaces: dict[str, dict[str, str]]
    now: float
    provision: float  # seconds after which a bought node that is not ready is given up
    budgets: list[Budget] = field(default_factory=list)

    def of(self, pool: dict) -> list[dict]:
        return [node for node in self.nodes if pool_of(node) == pool["metadata"]["name"]]

    @cached_property
    def placed(self) -> dict[str, list[dict]]:
        """Node's name → the pods that are on it, and have not ended."""
        found: dict[str, list[dict]] = {}
        for pod in self.pods:
            if (node := node_of(pod)) and not is_finished(pod):
                found.setdefault(node, []).append(pod)
        return found

    def coming(self) -> list[dict]:
        return [node for node in self.nodes if is_coming(node, self.now, self.provision)]


@dataclass
class Purchase:
    """So many more machines of a pool. `placed`: name of a machine → the pods that it is bought for."""

    pool: dict
    had: int
    names: list[str]
    placed: dict[str, list[dict]] = field(default_factory=dict)

    def __str__(self) -> str:
        most = self.pool["spec"]["maxNodes"]
        return f"{{{self.pool['metadata']['name']} {self.had}->{self.had + len(self.names)} (max: {most})}}"


@dataclass
class Plan:
    """What to buy, and of the pods that remain why no pool helps: (pod, reason → pools)."""

    purchases: list[Purchase] = field(default_factory=list)
    refused: list[tuple[dict, dict[str, int]]] = field(default_factory=list)
    awaited: set[str] = field(default_factory=set)  # names of nodes, there or coming, that waiting pods will take


def plan(state: State) -> Plan:
    made = Plan()
    for pool in sorted(state.pools, key=meta.key_of):
        had = len(state.of(pool))
        if (lacking := pool["spec"]["minNodes"] - had) > 0:
            made.purchases.append(Purchase(pool, had, _names(pool, state, lacking)))
    waiting = [pod for pod in state.pods if is_unschedulable(pod)]
    bought = [template(p.pool, name) for p in made.purchases for name in p.names]
    left = _without_room(state, waiting, bought, made.awaited) if waiting else []
    pools = {pool["metadata"]["name"]: pool for pool in state.pools}
    while left and pools:
        tried = [_packed(state, pool, left, bought, made.purchases) for pool in pools.values()]
        best = max(tried, key=_worth)
        if not best.placed:
            break
        del pools[best.pool["metadata"]["name"]]
        made.purchases.append(best)
        bought += [template(best.pool, name) for name in best.names]
        helped = {meta.key_of(pod) for pods in best.placed.values() for pod in pods}
        left = [pod for pod in left if meta.key_of(pod) not in helped]
    made.refused = [(pod, _reasons(state, made, pod)) for pod in left]
    return made


def is_unschedulable(pod: dict) -> bool:
    """The scheduler has said that it fits nowhere, and has not made room for it by preemption. A daemon would fit on no
    other node than its own."""
    said = meta.condition(pod, "PodScheduled") or {}
    waits = not pod["spec"].get("nodeName") and not meta.is_deleting(pod)
    promised = pod.get("status", {}).get("nominatedNodeName")
    return (
        waits
        and not promised
        and not is_daemon(pod)
        and (said.get("status"), said.get("reason")) == ("False", "Unschedulable")
    )


def as_cache(state: State, more: Iterable[dict] = (), but: frozenset[str] = frozenset()) -> Cache:
    """The scheduler's picture, with machines that are coming as if they were there, `more` nodes, and without some."""
    cache = Cache(MOST_ALLOCATED)
    cache.namespaces = state.namespaces
    pools = {pool["metadata"]["name"]: pool for pool in state.pools}
    for node in state.nodes:
        name, pool = node["metadata"]["name"], pools.get(pool_of(node))
        if name not in but:
            cache.set_node(template(pool, name) if pool and is_coming(node, state.now, state.provision) else node)
    for node in more:
        cache.set_node(node)
    for pod in state.pods:
        if pod["spec"].get("nodeName") not in but:
            cache.set_pod(pod)
    return cache


def _without_room(state: State, waiting: list[dict], bought: list[dict], awaited: set[str]) -> list[dict]:
    """Those of the waiting for which there is no room, nor any coming; the nodes that the others take are noted."""
    cache = as_cache(state, bought)
    outcome = schedule(cache, list(cache.pending))
    awaited.update(node for _, node, _ in outcome.bindings)
    keys = {meta.key_of(each.pod) for each in outcome.unschedulable if not each.nominated}
    return [pod for pod in waiting if meta.key_of(pod) in keys]


def _packed(state: State, pool: dict, left: list[dict], bought: list[dict], purchases: list[Purchase]) -> Purchase:
    """As many machines of this pool as help, and may be had."""
    had = len(state.of(pool)) + sum(len(p.names) for p in purchases if p.pool is pool)
    cache, keys = as_cache(state, bought), [meta.key_of(pod) for pod in left]
    schedule(cache, [key for key in cache.pending if key not in set(keys)])  # they take the room that they find first
    made = Purchase(pool, had, [])
    taken = {node["metadata"]["name"] for node in bought}
    for name in _names(pool, state, pool["spec"]["maxNodes"] - had, taken):
        cache.set_node(template(pool, name))
        bindings = schedule(cache, [key for key in keys if key in cache.pending]).bindings
        placed = [pod for pod, node, _ in bindings if node == name]
        if not placed:
            break
        made.names.append(name)
        made.placed[name] = placed
    return made


def _worth(purchase: Purchase) -> tuple[int, int, str]:
    """The pool that helps most pods, with the fewest machines."""
    helped = sum(len(pods) for pods in purchase.placed.values())
    return helped, -len(purchase.names), purchase.pool["metadata"]["name"]


def _names(pool: dict, state: State, count: int, taken: Iterable[str] = ()) -> list[str]:
    known = {node["metadata"]["name"] for node in state.nodes} | set(taken)
    return names(pool["metadata"]["name"], known, max(0, count))


def _reasons(state: State, made: Plan, pod: dict) -> dict[str, int]:
    """Why no pool helps, in the scheduler's words: of how many pools an empty machine would not do, or is not to be
    had."""
    counts: Counter[str] = Counter()
    for pool in state.pools:
        had = len(state.of(pool)) + sum(len(p.names) for p in made.purchases if p.pool is pool)
        empty = parse_node(template(pool, f"{pool['metadata']['name']}-0"))
        if why := objections(pod, empty, state.namespaces):
            counts.update(why)
        else:
            counts[AT_MOST if had >= pool["spec"]["maxNodes"] else NOT_TOGETHER] += 1
    return dict(counts)


def objections(pod: dict, node: NodeInfo, namespaces: dict[str, dict[str, str]]) -> tuple[str, ...]:
    cache = Cache(MOST_ALLOCATED)
    cache.namespaces = namespaces
    info = cache.scheduled(pod).info
    return static_reasons(info, node) or dynamic_reasons(info, node)
