"""The cluster autoscaler's loop: one look at all pools, nodes and waiting pods, and one step.

Level-triggered like all others: what was bought stands in the store as a node that is coming, what is not needed since
when, and what goes, as taints of the node. So a worker that is killed has bought nothing twice.
"""

import time
from collections.abc import Iterable

from django.conf import settings

from lab.apimachinery import meta
from lab.apimachinery.budgets import parse_budgets
from lab.apimachinery.kinds import NAMESPACES, NODEPOOLS, NODES, PODDISRUPTIONBUDGETS, PODS
from lab.apimachinery.taints import CANDIDATE, TO_BE_DELETED
from lab.client import Change, Client, Put
from lab.client.reconcile import Controller

from ..pods import is_finished, node_of
from . import buying, machines, selling
from .buying import Plan, State
from .selling import Verdict

LEAVING_SECONDS = 5.0  # between two looks at a node that goes, should nobody tell that its pods have ended
POOLS_KEY = "pools"  # the one key: what is bought for one pod may do for another


class ClusterAutoscalerController(Controller):
    """What it remembers (what was said of which pod) may be lost: it is said once more then."""

    name = "clusterautoscaler"
    author = "cluster-autoscaler"
    watches = (PODS.resource, NODES.resource, NODEPOOLS.resource)

    def __init__(self) -> None:
        self._told: dict[str, dict[str, str]] = {}  # cluster → pod's uid → message

    def keys(self, change: Change) -> Iterable[str]:
        if change.resource == PODS.resource:
            seen = _of_pod(change.old) != _of_pod(None if change.deleted else change.object)
        elif change.resource == NODES.resource:
            seen = change.old is None or change.deleted or _of_node(change.old) != _of_node(change.object)
        else:
            seen = change.author != self.author
        return (POOLS_KEY,) if seen else ()

    def wants(self, change: Change) -> bool:
        """Only who waits is in a hurry; the tick finds all else."""
        waits = change.resource != PODS.resource or buying.is_unschedulable(change.object)
        return waits and super().wants(change)

    def all_keys(self, client: Client) -> Iterable[str]:
        return (POOLS_KEY,)

    def sync(self, client: Client, key: str) -> float | None:
        state = _look(client)
        if not state.pools and not any(map(machines.pool_of, state.nodes)):
            return None
        plan = buying.plan(state)
        verdicts = selling.verdicts(state, plan.awaited)
        calm = not plan.purchases and not state.coming()
        going = selling.due(verdicts, state) if calm else []
        puts = [*_booted(state), *_purchases(state, plan), *_marks(state, verdicts, going)]
        client.write(puts + _statuses(state, plan))
        self._say(client, plan)
        client.events([(v.node, "Normal", "ScaleDown", "marked the node as toBeDeleted/unschedulable") for v in going])
        _remove(client, state)
        return 0.0 if puts else _next_look(state, verdicts)

    def _say(self, client: Client, plan: Plan) -> None:
        """Who got something, and who did not: to each pod once, as long as nothing else is to be said of it."""
        happened, told, before = [], {}, self._told.get(client.cluster, {})
        ups = " ".join(map(str, plan.purchases))
        for purchase in plan.purchases:
            size, name = purchase.had + len(purchase.names), purchase.pool["metadata"]["name"]
            most = purchase.pool["spec"]["maxNodes"]
            words = f"Scale-up: setting group {name} size to {size} instead of {purchase.had} (max: {most})"
            happened.append((purchase.pool, "Normal", "ScaledUpGroup", words))
            helped = [pod for pods in purchase.placed.values() for pod in pods]
            happened += [(pod, "Normal", "TriggeredScaleUp", f"pod triggered scale-up: [{ups}]") for pod in helped]
        for pod, reasons in plan.refused:
            words = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
            told[pod["metadata"]["uid"]] = message = f"pod didn't trigger scale-up: {words}"
            if before.get(pod["metadata"]["uid"]) != message:
                happened.append((pod, "Normal", "NotTriggerScaleUp", message))
        self._told[client.cluster] = told
        client.events(happened)


def _of_pod(pod: dict | None) -> tuple:
    """All of a pod that matters here: whether it waits, and where it is."""
    if pod is None or is_finished(pod):
        return False, ""
    return buying.is_unschedulable(pod), node_of(pod)


def _of_node(node: dict) -> tuple:
    meta_, status = node["metadata"], node.get("status") or {}
    ready = (meta.condition(node, "Ready") or {}).get("status")
    return node["spec"], meta_.get("labels"), meta_.get("annotations"), ready, status.get("allocatable")


def _look(client: Client) -> State:
    return State(
        pools=[pool for pool in client.list(NODEPOOLS) if not meta.is_deleting(pool)],
        nodes=client.list(NODES),
        pods=client.list(PODS),
        namespaces={ns["metadata"]["name"]: ns["metadata"].get("labels") or {} for ns in client.list(NAMESPACES)},
        now=time.time(),
        provision=settings.CLOCK["node_provision"],
        budgets=parse_budgets(client.list(PODDISRUPTIONBUDGETS)),
    )


def _booted(state: State) -> list[Put]:
    """Machines that have booted: from now on they are their kubelet's. One whose pool is gone boots all the same."""
    pools = {pool["metadata"]["name"]: pool for pool in state.pools}
    over = [node for node in state.nodes if machines.is_booting(node) and machines.boots_until(node) <= state.now]
    made = [
        machines.booted(pools.get(machines.pool_of(node), {"spec": {}}), node, state.nodes, settings.RUNTIME)
        for node in over
    ]
    return [Put(NODES, node, why={"decision": "BootNode", "pool": machines.pool_of(node)}) for node in made]


def _purchases(state: State, plan: Plan) -> list[Put]:
    return [
        Put(NODES, machines.bought(purchase.pool, name, state.now), why=_why_bought(purchase, name))
        for purchase in plan.purchases
        for name in purchase.names
    ]


def _why_bought(purchase: buying.Purchase, name: str) -> dict:
    pods = [meta.key_of(pod) for pod in purchase.placed.get(name, ())]
    return {
        "decision": "BuyNode",
        "bought": name,
        "pool": purchase.pool["metadata"]["name"],
        "size": str(purchase),
        "for": pods,
    }


def _marks(state: State, verdicts: list[Verdict], going: list[Verdict]) -> list[Put]:
    """Since when nobody needs a node is written on it, and taken off again when somebody does; those that go are
    cordoned, so that nothing new comes."""
    puts, names = [], {verdict.name for verdict in going}
    for verdict in verdicts:
        node, since = verdict.node, machines.stamp_of(verdict.node, CANDIDATE)
        if verdict.name in names:
            marked = machines.with_taint(node, TO_BE_DELETED, "NoSchedule", state.now)
            marked["spec"]["unschedulable"] = True
            why = {
                "decision": "SellNode",
                "sold": verdict.name,
                "utilization": round(verdict.utilization, 2),
                "moves": verdict.moves,
            }
            puts.append(Put(NODES, marked, why={**why, "idleSeconds": round(state.now - (since or 0))}))
        elif verdict.needed and since is not None:
            puts.append(
                Put(
                    NODES,
                    machines.without_taints(node, CANDIDATE),
                    why={"decision": "KeepNode", "needed": verdict.needed},
                )
            )
        elif not verdict.needed and since is None:
            why = {
                "decision": "FindNodeIdle",
                "idle": verdict.name,
                "utilization": round(verdict.utilization, 2),
                "moves": verdict.moves,
            }
            puts.append(Put(NODES, machines.with_taint(node, CANDIDATE, "PreferNoSchedule", state.now), why=why))
    return puts


def _remove(client: Client, state: State) -> None:
    """Take the pods from nodes that go, with the grace they ask for, and as their budgets allow; of those that have
    none left, take the node. A pod that is long past its grace has a kubelet that is silent, and nobody would ever say
    of it that it has ended."""
    for node in state.nodes:
        if machines.stamp_of(node, TO_BE_DELETED) is None:
            continue
        staying = selling.staying(state, node)
        leaving = [pod for pod in staying if not meta.is_deleting(pod) and client.evict(pod, node["metadata"]["name"])]
        client.events([(pod, "Normal", "ScaleDown", "deleting pod for node scale down") for pod in leaving])
        if all(meta.is_deleting(pod) and selling.is_overdue(pod, state.now) for pod in staying):
            why = {"decision": "RemoveNode", "node": node["metadata"]["name"]}
            client.delete(NODES, "", node["metadata"]["name"], uid=node["metadata"]["uid"], why=why)
            client.event(node, "Normal", "ScaleDown", "node removed by cluster autoscaler")


def _statuses(state: State, plan: Plan) -> list[Put]:
    puts = []
    reasons = sorted({reason for _, found in plan.refused for reason in found})
    pods = "1 waiting pod" if len(plan.refused) == 1 else f"{len(plan.refused)} waiting pods"
    message = f"no new node helps {pods}: {', '.join(reasons)}" if plan.refused else ""
    for pool in state.pools:
        bought = [name for p in plan.purchases if p.pool is pool for name in p.names]
        booting = [
            node for node in state.of(pool) if machines.is_booting(node) and machines.boots_until(node) > state.now
        ]
        status = {
            "observedGeneration": pool["metadata"].get("generation", 0),
            "nodes": len(state.of(pool)) + len(bought),
            "booting": len(booting) + len(bought),
            "message": message,
        }
        if status != pool.get("status"):
            refused = {meta.key_of(pod): found for pod, found in plan.refused}
            why = {"decision": "BuyNothing", "refused": refused} if refused else None
            puts.append(Put(NODEPOOLS, {**pool, "status": status}, "status", why))
    return puts


def _next_look(state: State, verdicts: list[Verdict]) -> float | None:
    """When something is over: a boot, the wait for a node that is due, the time that one has to be idle, or that the
    last pods of one that goes may take."""
    pools = {pool["metadata"]["name"]: pool["spec"] for pool in state.pools}
    waits = [machines.boots_until(node) - state.now for node in state.nodes if machines.is_booting(node)]
    waits += [machines.boots_until(node) + state.provision - state.now for node in state.coming()]
    waits += [LEAVING_SECONDS for node in state.nodes if machines.stamp_of(node, TO_BE_DELETED) is not None]
    for verdict in verdicts:
        left = selling.idle_left(verdict.node, pools[machines.pool_of(verdict.node)], state.now)
        if left and not verdict.needed:
            waits.append(left)
    return max(0.1, min(waits)) if waits else None
