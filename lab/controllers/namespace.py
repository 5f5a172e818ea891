"""The namespace controller: empties a namespace that is being deleted, and only then lets it go.

A namespace is held by the finalizer `kubernetes` in its spec, not in its metadata: it has a sub-resource of its own,
`finalize`, and this controller is who calls it. While the namespace is Terminating nothing new can be made in it.
"""

import copy
from collections import Counter
from collections.abc import Iterable

from lab.apimachinery.kinds import KINDS, NAMESPACES, PODS
from lab.apimachinery.meta import is_deleting, with_condition
from lab.client import Change, Client, Put, View
from lab.client.reconcile import Controller

from .finalizers import let_go

FINALIZER = "kubernetes"
# Pods first and all of them, before what they use is taken from under them (KEP-5080, ordered namespace deletion).
CONTENT = (PODS, *(kind for kind in KINDS if kind.namespaced and kind is not PODS))

# What can go wrong in Kubernetes, where kinds are served by others too, and does not here. Tools look for it.
ALL_WELL = {
    "NamespaceDeletionDiscoveryFailure": ("False", "ResourcesDiscovered", "All resources successfully discovered"),
    "NamespaceDeletionGroupVersionParsingFailure": (
        "False", "ParsedGroupVersions", "All legacy kube types successfully parsed",
    ),
    "NamespaceDeletionContentFailure": (
        "False", "ContentDeleted", "All content successfully deleted, may be waiting on finalization",
    ),
}  # fmt: skip


class NamespaceController(Controller):
    """Keys are namespaces."""

    name = "namespace"
    watches = tuple(kind.resource for kind in (NAMESPACES, *CONTENT))

    def keys(self, change: Change) -> Iterable[str]:
        if change.resource == NAMESPACES.resource:
            return (change.name,) if is_deleting(change.object) and not change.deleted else ()
        return (change.namespace,) if change.deleted else ()

    def wants(self, change: Change) -> bool:
        """Things are deleted all the time, mostly in namespaces that stay: the tick will do for those."""
        return change.resource == NAMESPACES.resource and bool(self.keys(change))

    def all_keys(self, client: Client) -> Iterable[str]:
        return [ns["metadata"]["name"] for ns in client.list(NAMESPACES) if is_deleting(ns)]

    def sync(self, client: Client, key: str) -> float | None:
        namespace = client.find(NAMESPACES, "", key)
        if namespace is None or not is_deleting(namespace):
            return None
        for kind in CONTENT:
            content = [obj for obj in client.list(kind, key) if not is_deleting(obj)]
            client.delete_these(kind, content, why=lambda obj: {"decision": "EmptyNamespace", "namespace": key})
            if kind is PODS and client.list(PODS, key):
                break
        left = remaining(client.view(), key)
        namespace = self._report(client, namespace, left)
        if not left and FINALIZER in namespace["spec"].get("finalizers", ()):
            client.write(
                [Put(NAMESPACES, _finalized(namespace), "finalize", let_go(FINALIZER, "nothing is left in it"))]
            )
        return None

    def _report(self, client: Client, namespace: dict, left: dict[str, list[dict]]) -> dict:
        """Say what is still there and what it waits for."""
        status = {**namespace.get("status", {}), "phase": "Terminating"}
        status["conditions"] = conditions(status.get("conditions", []), left)
        if status == namespace.get("status"):
            return namespace
        return client.update_status(NAMESPACES, {**namespace, "status": status})


def remaining(view: View, namespace: str) -> dict[str, list[dict]]:
    """What is in a namespace: resource → objects."""
    every = {kind.resource: view.list(kind.resource, namespace) for kind in CONTENT}
    return {resource: objects for resource, objects in every.items() if objects}


def conditions(old: list[dict], left: dict[str, list[dict]]) -> list[dict]:
    """Kubernetes' conditions of a namespace on its way out, with its words."""
    if left:
        # As Kubernetes has it: a resource and its group, which is empty for the first kinds of all.
        named = sorted((name if "." in name else f"{name}.", len(objects)) for name, objects in left.items())
        counts = ", ".join(f"{name} has {count} resource instances" for name, count in named)
        content = ("True", "SomeResourcesRemain", f"Some resources are remaining: {counts}")
    else:
        content = ("False", "ContentRemoved", "All content successfully removed")
    waiting = Counter(name for objects in left.values() for obj in objects for name in _finalizers(obj))
    if waiting:
        names = ", ".join(f"{name} in {count} resource instances" for name, count in sorted(waiting.items()))
        held = ("True", "SomeFinalizersRemain", f"Some content in the namespace has finalizers remaining: {names}")
    else:
        held = ("False", "ContentHasNoFinalizers", "All content-preserving finalizers finished")
    told = {**ALL_WELL, "NamespaceContentRemaining": content, "NamespaceFinalizersRemaining": held}
    for kind, verdict in told.items():
        old = with_condition(old, kind, *verdict)
    return old


def _finalizers(obj: dict) -> Iterable[str]:
    return obj["metadata"].get("finalizers", ())


def _finalized(namespace: dict) -> dict:
    namespace = copy.deepcopy(namespace)
    namespace["spec"]["finalizers"] = [name for name in namespace["spec"]["finalizers"] if name != FINALIZER]
    return namespace
