"""Keeping the scheduler's picture of a cluster up to date from the log, and telling which changes call for it.

Kubernetes asks each plugin that rejected a pod whether a change may help that pod (its QueueingHint). Here a change
that may help any pod is a reason to try all whose back-off is over: with a batch, one more costs little.
"""

from lab.apimachinery import meta
from lab.apimachinery.budgets import parse_budgets
from lab.apimachinery.kinds import (
    CONFIGMAPS,
    NAMESPACES,
    NODES,
    PERSISTENTVOLUMECLAIMS,
    PODDISRUPTIONBUDGETS,
    PODS,
    STORAGECLASSES,
)
from lab.apimachinery.pods import is_finished
from lab.client import Change, Client, View

from .cache import Cache, is_pending
from .scores import LEAST_ALLOCATED
from .volumebinding import frees_pods

CONFIG = ("kube-system", "scheduler-config")


class Informer:
    """One cluster's `cache`, kept at some `revision` of its log: the event handlers of kube-scheduler's informers."""

    def __init__(self) -> None:
        self.cache = Cache(LEAST_ALLOCATED)
        self.revision = 0

    def catch_up(self, state: View) -> Cache:
        """Take in what has happened since; everything anew where that cannot be told."""
        namespaces = {
            ns["metadata"]["name"]: ns["metadata"].get("labels") or {} for ns in state.list(NAMESPACES.resource)
        }
        changes = state.changes_since(self.revision) if self.revision else None
        if changes is None or namespaces != self.cache.namespaces:
            self._start_anew(state, namespaces)
        else:
            for change in changes:
                self._take(change)
                self.revision = change.revision
        self.cache.default_strategy = default_strategy(state)
        self.cache.budgets = parse_budgets(state.list(PODDISRUPTIONBUDGETS.resource))
        self.cache.tidy()
        return self.cache

    def _start_anew(self, state: View, namespaces: dict[str, dict[str, str]]) -> None:
        self.cache = Cache(LEAST_ALLOCATED)
        self.cache.namespaces = namespaces
        self.revision = state.revision  # before the lists: what they know beyond it is taken in once more
        for node in state.list(NODES.resource):
            self.cache.set_node(node)
        for pod in state.list(PODS.resource):
            self.cache.set_pod(pod)

    def _take(self, change: Change) -> None:
        if change.resource == PODS.resource:
            if change.deleted:
                self.cache.remove_pod(meta.key_of(change.object))
            else:
                self.cache.set_pod(change.object)
        elif change.resource == NODES.resource:
            if change.deleted:
                self.cache.remove_node(change.name)
            else:
                self.cache.set_node(change.object)

    def correct(self, client: Client, keys: list[str]) -> None:
        """These pods were taken for bound, but the API server refused: look how they really are."""
        for key in keys:
            pod = client.find(PODS, *meta.split_key(key))
            if pod is None:
                self.cache.remove_pod(key)
            else:
                self.cache.set_pod(pod)


def default_strategy(state: View) -> str:
    """The cluster's choice between balancing and packing: `data.scoringStrategy` of a ConfigMap in kube-system."""
    config = state.get(CONFIGMAPS.resource, *CONFIG) or {}
    return (config.get("data") or {}).get("scoringStrategy", LEAST_ALLOCATED)


def concerns_pending(change: Change) -> bool:
    """Whether a pod has begun to wait, or what it asks for has changed. A new status alone is no reason to try."""
    if change.resource != PODS.resource or change.deleted or not is_pending(change.object):
        return False
    old, new = change.old, change.object
    if old is None or not is_pending(old):
        return True
    return old["spec"] != new["spec"] or old["metadata"].get("labels") != new["metadata"].get("labels")


def helps_pending(change: Change, author: str) -> bool:
    """Whether a change may let pods fit that did not fit before. `author`: the scheduler's own, whose bindings take
    room and nothing else."""
    if change.resource == NODES.resource:
        return change.old is None or change.deleted or _offer(change.old) != _offer(change.object)
    if change.resource in (PERSISTENTVOLUMECLAIMS.resource, STORAGECLASSES.resource):
        return change.author != author and frees_pods(change)
    if change.resource != PODS.resource:
        return False
    has_room = not change.deleted and _takes_room(change.object)
    if change.old is None or not _takes_room(change.old):
        return has_room and change.author != author
    return not has_room or change.old["metadata"].get("labels") != change.object["metadata"].get("labels")


def _offer(node: dict) -> tuple:
    """All of a node that filters look at. Not its conditions: a node that is not ready is tainted."""
    status = node.get("status") or {}
    return node.get("spec"), node["metadata"].get("labels"), status.get("allocatable") or status.get("capacity")


def _takes_room(pod: dict) -> bool:
    """Whether the pod has a node, or is promised room on one."""
    placed = pod["spec"].get("nodeName") or pod.get("status", {}).get("nominatedNodeName")
    return bool(placed) and not is_finished(pod)
