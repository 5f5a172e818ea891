"""The taint eviction controller: deletes pods from nodes whose NoExecute taints they do not tolerate.

Every pod tolerates a node that is not ready or unreachable for a while (Kubernetes: 300 s), because most such nodes
come back. Until the time is over this controller only waits; and whatever it deletes, its owner makes anew elsewhere.
"""

from collections.abc import Iterable

from lab.apimachinery.kinds import NODES, PODS
from lab.apimachinery.meta import is_deleting
from lab.client import Client
from lab.client.reconcile import Change, Controller

from .pods import node_of
from .stopwatch import Stopwatch
from .taints import no_execute, seconds_tolerated


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
        view = client.view()
        node = view.get(NODES.resource, "", key)
        taints = no_execute(node) if node else []
        pods = [p for p in view.list(PODS.resource) if node_of(p) == key and not is_deleting(p)] if taints else []
        waiting = [left for pod in pods if (left := self._sync_pod(client, view.uid, pod, taints)) is not None]
        uids = {(view.uid, key, pod["metadata"]["uid"]) for pod in pods}
        self._tainted.keep(uids, lambda seen: seen[:2] == (view.uid, key))
        return min(waiting, default=None)

    def _sync_pod(self, client: Client, cluster_uid: str, pod: dict, taints: list[dict]) -> float | None:
        """Delete the pod if its time is over; the seconds it still has, if it has to go at all."""
        tolerated = seconds_tolerated(pod, taints)
        if tolerated is None:
            return None
        meta = pod["metadata"]
        since = [(taint["key"], taint.get("timeAdded")) for taint in taints]
        left = tolerated - self._tainted.seconds((cluster_uid, node_of(pod), meta["uid"]), since)
        if left > 0:
            return left
        message = f"Marking for deletion Pod {meta['namespace']}/{meta['name']}"
        client.event(pod, "Normal", "TaintManagerEviction", message)
        client.delete(PODS, meta["namespace"], meta["name"], uid=meta["uid"])
        return None


def _newly_bound(change: Change) -> Iterable[str]:
    """The node of a pod that came to it, or that now tolerates other taints than before."""
    pod, old = change.object, change.old
    if change.deleted or not node_of(pod):
        return ()
    same = old and node_of(old) == node_of(pod) and old["spec"].get("tolerations") == pod["spec"].get("tolerations")
    return () if same else (node_of(pod),)
