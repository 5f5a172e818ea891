"""The pod garbage collector: removes pods that no kubelet will ever finish.

A pod that is being deleted normally stays until its kubelet has said that the containers have ended, because until then
they may still write and answer. So a pod on a node that is only unreachable or powered off stays Terminating, as in
Kubernetes: its containers might be running behind the cut. It goes when the node does, or when somebody who has looked
says that the node is dead, with the taint `node.kubernetes.io/out-of-service`.
"""

from collections.abc import Iterable

from lab.apimachinery.kinds import NODES, PODS
from lab.apimachinery.meta import is_deleting, is_true
from lab.apimachinery.taints import OUT_OF_SERVICE
from lab.client import Change, Client, Put
from lab.client.reconcile import Controller

from .history import trimmed
from .pods import disrupted, is_finished, node_of

ALL_PODS = "pods"
SWEEP_SECONDS = 20.0  # gcCheckPeriod
MOST_FINISHED = 12_500  # --terminated-pod-gc-threshold


class PodGCController(Controller):
    """Has one key. Comes round by the clock, and when a node goes or is declared dead."""

    name = "podgc"
    author = "pod-garbage-collector"
    watches = (NODES.resource,)

    def keys(self, change: Change) -> Iterable[str]:
        return (ALL_PODS,) if change.deleted or _is_out_of_service(change.object) else ()

    def all_keys(self, client: Client) -> Iterable[str]:
        return (ALL_PODS,)

    def sync(self, client: Client, key: str) -> float | None:
        nodes = client.list(NODES)
        found, names = lost_pods(client.list(PODS), nodes), {node["metadata"]["name"] for node in nodes}
        lost, whys = [pod for pod, _ in found], {pod["metadata"]["uid"]: why for pod, why in found}

        def why(pod: dict) -> dict:
            return whys[pod["metadata"]["uid"]]

        # Whoever keeps it with a finalizer, as a Job does until it has counted it, has to see that it has ended.
        held = [pod for pod in lost if pod["metadata"].get("finalizers") and not is_finished(pod)]
        client.write([Put(PODS, _failed(pod, node_of(pod) in names), "status", why(pod)) for pod in held])
        client.delete_these(PODS, lost, grace_seconds=0, why=why)
        return SWEEP_SECONDS


def lost_pods(pods: list[dict], nodes: list[dict]) -> list[tuple[dict, dict]]:
    """The pods to remove at once, each with the decision that it goes: those on nodes that are gone, those terminating
    on nodes that are dead for good, and the oldest finished ones beyond what is kept."""
    known = {node["metadata"]["name"] for node in nodes}
    dead = {node["metadata"]["name"] for node in nodes if _is_out_of_service(node) and not is_true(node, "Ready")}
    gone = [pod for pod in pods if node_of(pod) and node_of(pod) not in known]
    lost = [(pod, _lost(f"its node {node_of(pod)} is gone")) for pod in gone]
    leaving = [pod for pod in pods if node_of(pod) in dead and is_deleting(pod)]
    lost += [(pod, _lost(f"its node {node_of(pod)} has the taint {OUT_OF_SERVICE}")) for pod in leaving]
    taken = [*gone, *leaving]
    finished = sorted(filter(is_finished, pods), key=lambda pod: pod["metadata"].get("creationTimestamp", ""))
    over = [pod for pod in finished[: max(0, len(finished) - MOST_FINISHED)] if pod not in taken]
    return lost + [(pod, trimmed("terminated-pod-gc-threshold", MOST_FINISHED)) for pod in over]


def _lost(because: str) -> dict:
    return {"decision": "DeletionByPodGC", "because": because}


def _failed(pod: dict, has_node: bool) -> dict:
    if has_node:  # somebody had it deleted before, for whatever reason
        return {**pod, "status": {**pod.get("status", {}), "phase": "Failed"}}
    return disrupted(pod, "DeletionByPodGC", "PodGC: node no longer exists", phase="Failed")


def _is_out_of_service(node: dict) -> bool:
    return any(taint["key"] == OUT_OF_SERVICE for taint in node["spec"].get("taints", ()))
