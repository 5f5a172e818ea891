"""The taint eviction controller: deletes pods from nodes whose NoExecute taints they do not tolerate.

Every pod tolerates a node that is not ready or unreachable for a while (Kubernetes: 300 s), because most such nodes
come back. Until the time is over this controller only waits; and whatever it deletes, its owner makes anew elsewhere.
"""

import time
from collections.abc import Iterable

from lab.apimachinery.kinds import NODES, PODS
from lab.apimachinery.meta import is_deleting, key_of
from lab.client import Change, Client, Put
from lab.client.reconcile import Controller

from .pods import disrupted, node_of
from .stopwatch import Stopwatch
from .taints import first_to_drive_away, no_execute, seconds_told, seconds_tolerated


class TaintEvictionController(Controller):
    """Keys are nodes."""

    name = "tainteviction"
    author = "taint-eviction-controller"
    watches = (NODES.resource, PODS.resource)

    def __init__(self, tainted: Stopwatch | None = None):
        self._tainted = tainted or Stopwatch()

    def keys(self, change: Change) -> Iterable[str]:
        if change.resource == NODES.resource:
            before = no_execute(change.old) if change.old else []
            return (change.name,) if before != no_execute(change.object) else ()
        return _newly_bound(change)

    def wants(self, change: Change) -> bool:
        """A pod that has just been bound is worth no wake-up of its own, for the scheduler has looked at the taints:
        the tick finds the few that were tainted in between."""
        return change.resource == NODES.resource and bool(self.keys(change))

    def all_keys(self, client: Client) -> Iterable[str]:
        return [node["metadata"]["name"] for node in client.list(NODES) if no_execute(node)]

    def sync(self, client: Client, key: str) -> float | None:
        return self.sync_all(client, {key: client.cause})[key]

    def sync_all(self, client: Client, causes: dict[str, int]) -> dict[str, float | None]:
        """All nodes that are due together: when a zone goes, its pods go in one transaction."""
        view = client.view()
        nodes = {key: view.get(NODES.resource, "", key) for key in causes}
        taints = {key: found for key, node in nodes.items() if node and (found := no_execute(node))}
        pods = [pod for pod in view.list(PODS.resource) if node_of(pod) in taints and not is_deleting(pod)]
        delays: dict[str, float | None] = dict.fromkeys(causes)
        over, whys = [], {}
        for pod in pods:
            left = self._seconds_left(view.uid, pod, taints[node_of(pod)])
            if left == 0:
                over.append(pod)
                whys[pod["metadata"]["uid"]] = _why(pod, taints[node_of(pod)])
            elif left is not None:
                delays[node_of(pod)] = min(left, delays[node_of(pod)] or left)
        self._evict(client, over, {pod["metadata"]["uid"]: _revision(nodes[node_of(pod)]) for pod in over}, whys)
        uids = {(view.uid, node_of(pod), pod["metadata"]["uid"]) for pod in pods}
        self._tainted.keep(uids, lambda seen: seen[0] == view.uid and seen[1] in causes)
        return delays

    def _seconds_left(self, cluster_uid: str, pod: dict, taints: list[dict]) -> float | None:
        """How long the pod may still stay beside these taints; None for ever."""
        tolerated = seconds_tolerated(pod, taints)
        if tolerated is None:
            return None
        since = [(taint["key"], taint.get("timeAdded")) for taint in taints]
        seen = self._tainted.seconds((cluster_uid, node_of(pod), pod["metadata"]["uid"]), since)
        # Another worker may have seen it for longer than this one has: the taint says itself since when it is there.
        return max(0.0, tolerated - max(seen, seconds_told(pod, taints, time.time())))

    def _evict(self, client: Client, pods: list[dict], causes: dict[str, int], whys: dict[str, dict]) -> None:
        """`causes`: pod's uid → its node as it is: whatever woke us, it is the taint that drives the pod away. `whys`:
        pod's uid → the decision."""
        if pods:
            words = "Taint manager: deleting due to NoExecute taint"
            marked = {pod["metadata"]["uid"]: disrupted(pod, "DeletionByTaintManager", words) for pod in pods}
            puts = [Put(PODS, pod, "status", whys[uid], cause=causes[uid]) for uid, pod in marked.items()]
            # Of the pods as they are now: so the Event comes of the taint, as they do.
            told = [(pod, f"Marking for deletion Pod {key_of(pod)}") for pod in client.write(puts)]
            client.caused_by(0).events([(pod, "Normal", "TaintManagerEviction", words) for pod, words in told])
            client.delete_these(PODS, pods, causes=causes, why=lambda pod: whys[pod["metadata"]["uid"]])


def _why(pod: dict, taints: list[dict]) -> dict:
    taint, seconds = first_to_drive_away(pod, taints)
    return {"decision": "DeletionByTaintManager", "node": node_of(pod), "taint": taint, "tolerationSeconds": seconds}


def _revision(node: dict | None) -> int:
    return int(node["metadata"]["resourceVersion"]) if node else 0


def _newly_bound(change: Change) -> Iterable[str]:
    """The node of a pod that came to it, or that now tolerates other taints than before."""
    pod, old = change.object, change.old
    if change.deleted or not node_of(pod):
        return ()
    same = old and node_of(old) == node_of(pod) and old["spec"].get("tolerations") == pod["spec"].get("tolerations")
    return () if same else (node_of(pod),)
