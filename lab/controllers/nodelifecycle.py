"""The node lifecycle controller: notices that a node has fallen silent, and says so where others look for it.

A kubelet renews its node's Lease every few seconds. When that stops, nobody can tell a dead node from one that is cut
off, so nothing is killed here: the node's conditions become Unknown, taints keep new pods away (NoSchedule) and let the
old ones be evicted (NoExecute, by the taint eviction controller), and its pods count as not ready. When the heartbeat
is back, the kubelet reports its conditions and the taints go.
"""

import math
import time
from collections.abc import Iterable
from functools import partial

from django.conf import settings

from lab.apimachinery.kinds import LEASES, NODES, PODS
from lab.apimachinery.leases import LEASE_NAMESPACE, renew_time
from lab.apimachinery.meta import condition, is_true, now
from lab.client import Change, Client, Put, View
from lab.client.reconcile import Controller

from . import zonedisruption
from .clusterautoscaler.machines import is_booting
from .pods import is_ready, node_of
from .stopwatch import Stopwatch
from .taints import taints_of, why_tainted

# The one key: all nodes. They are looked at by the clock, since silence is not an event; and together, since what may
# be done about one depends on how the others are.
NODES_KEY = "nodes"
SWEEPS_A_GRACE = 4
FROM_KUBELET = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")


class NodeLifecycleController(Controller):
    """Has one key. Leases are not watched: a look at all of them now and then costs less than a wake-up with each."""

    name = "nodelifecycle"
    author = "node-controller"
    watches = (NODES.resource,)

    def __init__(self, heartbeats: Stopwatch | None = None):
        # A look that comes late, because the database or the worker was away, says nothing of those who were silent.
        self._heartbeats = heartbeats or Stopwatch(longest_look=settings.CLOCK["node_grace"] / 2)

    def keys(self, change: Change) -> Iterable[str]:
        if change.deleted or change.author == self.author:
            return ()
        if change.old and _looked_at(change.old) == _looked_at(change.object):
            return ()
        return (NODES_KEY,)

    def all_keys(self, client: Client) -> Iterable[str]:
        return (NODES_KEY,)

    def sync(self, client: Client, key: str) -> float | None:
        view = client.view()
        # A machine that still boots has not fallen silent: nobody speaks for it yet.
        nodes = [node for node in view.list(NODES.resource) if not is_booting(node)]
        silent = {node["metadata"]["name"] for node in nodes if self._is_silent(view, node)}
        told = self._mark_unknown(client, [node for node in nodes if node["metadata"]["name"] in silent])
        self._mark_pods_not_ready(client, silent)
        wait = self._taint(client, [told.get(node["metadata"]["uid"], node) for node in nodes])
        uids = {(view.uid, node["metadata"]["uid"]) for node in nodes}
        self._heartbeats.keep(uids, lambda seen: seen[0] == view.uid)
        return min(wait, settings.CLOCK["node_grace"] / SWEEPS_A_GRACE)

    def _is_silent(self, view: View, node: dict) -> bool:
        """Has neither its Lease been renewed nor its status been posted for too long, as far as this process saw?"""
        find = partial(view.get, LEASES.resource, LEASE_NAMESPACE)
        lease = find(node["metadata"]["name"])
        renewed = renew_time(lease, find) if lease else None
        posted = (condition(node, "Ready") or {}).get("lastHeartbeatTime")
        quiet = self._heartbeats.seconds((view.uid, node["metadata"]["uid"]), (renewed, posted))
        return quiet >= settings.CLOCK["node_grace"]

    # When a zone goes, hundreds of nodes fall silent at once: whatever there is to say goes in one transaction.

    def _mark_unknown(self, client: Client, silent: list[dict]) -> dict[str, dict]:
        """Everything that only the kubelet can know is unknown now. The changed nodes, by uid."""
        found = [(node, unknown_conditions(node)) for node in silent]
        changed = [(node, conditions) for node, conditions in found if conditions != _conditions(node)]
        if not changed:
            return {}
        # Whatever made us look now, it is the silence that is told: a fault that the clock has found.
        client = client.caused_by(0)
        stored = client.write(
            [Put(NODES, _with_conditions(*change), "status", _fault(change[0])) for change in changed]
        )
        told = [(new, f"Node {new['metadata']['name']} status is now: NodeNotReady") for new in stored]
        was_ready = [each for each, (old, _) in zip(told, changed, strict=True) if is_true(old, "Ready")]
        client.events([(node, "Normal", "NodeNotReady", words) for node, words in was_ready])
        return {node["metadata"]["uid"]: node for node in stored}

    def _mark_pods_not_ready(self, client: Client, silent: set[str]) -> None:
        """Nobody vouches for their pods any longer, so no traffic should be sent to them. (Of a node that says itself
        that it is not ready, the kubelet goes on to tell how its pods are.)"""
        pods = [pod for pod in client.list(PODS) if node_of(pod) in silent and is_ready(pod)] if silent else []
        if pods:
            nodes = {name: _revision(client.get(NODES, "", name)) for name in silent}
            whys = {name: {"decision": "MarkPodNotReady", "node": name} for name in silent}
            marked = client.write(
                [Put(PODS, _not_ready(pod), "status", whys[node_of(pod)], cause=nodes[node_of(pod)]) for pod in pods]
            )
            # Of the pods as they are now: so the Event comes of the silence, as they do.
            client.caused_by(0).events([(pod, "Warning", "NodeNotReady", "Node is not ready") for pod in marked])

    def _taint(self, client: Client, nodes: list[dict]) -> float:
        """Keep new pods off nodes in trouble, and drive the old ones away, one node after the other; the seconds until
        it is the next one's turn."""
        pace = settings.CLOCK["node_eviction"]
        evict = zonedisruption.to_evict(nodes, pace, time.time())
        wanted = [(node, taints_of(node, node["metadata"]["name"] in evict)) for node in nodes]
        puts = [
            Put(NODES, _with_taints(node, taints), why=why_tainted(node, taints), cause=_revision(node))
            for node, taints in wanted
            if taints != node["spec"].get("taints", [])
        ]
        client.write(puts)
        return pace if zonedisruption.waiting(nodes, evict) else math.inf


def _revision(node: dict) -> int:
    """The row that what is written follows from: the node as it is."""
    return int(node["metadata"]["resourceVersion"])


def _fault(node: dict) -> dict:
    posted = condition(node, "Ready") or {}
    of = {"reason": "NodeSilent", "node": node["metadata"]["name"], "heardOf": posted.get("lastHeartbeatTime")}
    return {"decision": "NodeStatusUnknown", "fault": of}


def _looked_at(node: dict) -> tuple:
    """All of a node that this controller goes by, but its heartbeat."""
    conditions = node.get("status", {}).get("conditions", ())
    return {c["type"]: c["status"] for c in conditions}, node["spec"]


def _conditions(node: dict) -> list[dict]:
    return node.get("status", {}).get("conditions", [])


def _with_taints(node: dict, taints: list[dict]) -> dict:
    return {**node, "spec": {**node["spec"], "taints": taints}}


def _with_conditions(node: dict, conditions: list[dict]) -> dict:
    return {**node, "status": {**node.get("status", {}), "conditions": conditions}}


def unknown_conditions(node: dict) -> list[dict]:
    """The node's conditions after its kubelet has stopped reporting. When it last did stays on them."""
    conditions = _conditions(node)
    return [*map(_unknown, conditions), *(_never_posted(kind) for kind in FROM_KUBELET if not condition(node, kind))]


def _unknown(old: dict) -> dict:
    if old["type"] not in FROM_KUBELET or old["status"] == "Unknown":
        return old
    told = {"reason": "NodeStatusUnknown", "message": "Kubelet stopped posting node status."}
    return {**old, "status": "Unknown", "lastTransitionTime": now(), **told}


def _never_posted(kind: str) -> dict:
    told = {"reason": "NodeStatusNeverUpdated", "message": "Kubelet never posted node status."}
    return {"type": kind, "status": "Unknown", "lastTransitionTime": now(), **told}


def _not_ready(pod: dict) -> dict:
    """A copy that is not ready, and says that this is because of its node."""
    ready = {
        "status": "False",
        "lastTransitionTime": now(),
        "reason": "NodeNotReady",
        "message": "Node is not ready",
    }
    conditions = [{**c, **ready} if c["type"] == "Ready" else c for c in pod["status"]["conditions"]]
    return {**pod, "status": {**pod["status"], "conditions": conditions}}
