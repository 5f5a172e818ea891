"""What the loops of ReplicaSets, StatefulSets, DaemonSets and Jobs have in common: which change concerns whom, and how
a pod of a template is made.

Kubernetes' own controllers read from a cache that lags behind their writes, and would make pods twice did they not keep
"expectations" of what they have just asked for. Here every read catches up with the log first, and one worker at a time
turns a loop for a cluster, so a sync always sees all that an earlier one wrote: there is nothing to expect.
"""

import copy
import time
from collections.abc import Callable, Iterable

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import PODS
from lab.apimachinery.meta import condition, controller_of, is_deleting, owner_reference
from lab.client import Change, Client

from .objects import EVERY, ObjectController
from .pods import is_finished, seconds_to_available

# Pods made or deleted in one sync, so that the first of thousands are being scheduled while the rest are made.
BURST_REPLICAS = 500


class WorkloadController(ObjectController):
    """A loop over the objects of one kind, which keep pods. Its own writes do not wake it: a sync leaves nothing undone
    that they could tell it of, or asks to be called again."""

    def keys(self, change: Change) -> Iterable[str]:
        if change.resource == self.kind.resource:
            return super().keys(change)
        if change.author == self.author:
            return ()
        return self.keys_of_pod(change) if change.resource == PODS.resource else self.other_keys(change)

    def other_keys(self, change: Change) -> Iterable[str]:
        """The keys that a change concerns which is neither of the kind itself nor of a pod."""
        return ()

    def write_status(self, client: Client, obj: dict, status: dict, why: dict | None = None) -> None:
        if status != obj.get("status"):
            client.update_status(self.kind, {**obj, "status": status}, why)

    def keys_of_pod(self, change: Change) -> Iterable[str]:
        """The objects that a change of a pod concerns. What nobody counts, such as the node it was bound to, wakes
        nobody."""
        before = self.counted(change.old) if change.old else None
        after = self.counted(change.object) if not change.deleted else None
        return self.keys_of_owned(change) if before != after else ()

    def keys_of_owned(self, change: Change) -> Iterable[str]:
        """The one that manages what has changed, the one that did, or, if now nobody does, all that might."""
        yield from self.keys_of_managed(change)
        if not change.deleted and controller_of(change.object) is None and _may_be_adopted(change):
            yield f"{change.namespace}/{EVERY}"

    def counted(self, pod: dict) -> tuple:
        """All of a pod that its owner goes by."""
        ready = condition(pod, "Ready") or {}
        refs, labels = pod["metadata"].get("ownerReferences"), pod["metadata"].get("labels")
        return is_finished(pod), is_deleting(pod), ready.get("status"), ready.get("lastTransitionTime"), labels, refs


def _may_be_adopted(change: Change) -> bool:
    """What stands alone can be news to a selector only when it appears, is let go, or has other labels than before."""
    old = change.old
    if old is None or controller_of(old) is not None:
        return True
    return old["metadata"].get("labels") != change.object["metadata"].get("labels")


def new_pod(owner: dict, name: str, template: dict | None = None) -> dict:
    """A pod as the owner's template describes it, or as another one of its revisions does; owned by the owner."""
    template = copy.deepcopy(template or owner["spec"]["template"])
    asked = template.get("metadata") or {}
    meta = {field: asked[field] for field in ("labels", "annotations", "finalizers") if asked.get(field)}
    meta |= {
        "name": name,
        "generateName": f"{owner['metadata']['name']}-",
        "namespace": owner["metadata"]["namespace"],
        "ownerReferences": [owner_reference(owner)],
    }
    return {"apiVersion": PODS.api_version, "kind": PODS.kind, "metadata": meta, "spec": template["spec"]}


def as_far_as_allowed(items: list, make: Callable[[list], None]) -> None:
    """Make all of them together. If they are too many for what the namespace may have, half as many are tried, until
    not even one more may be made. (Kubernetes, where each is a request of its own, starts with one and doubles, so as
    not to fail a thousand times at once.) Raises what `make` does."""
    size = len(items)
    while items:
        try:
            make(items[:size])
        except ApiError as error:
            if error.code != 403 or size == 1:
                raise
            size //= 2
        else:
            items = items[size:]


def is_worth_telling(error: ApiError) -> bool:
    """Whether a pod could not be made for any other reason than that somebody was faster, or that all of the
    namespace goes."""
    causes = (error.details or {}).get("causes", ())
    return error.code != 409 and all(cause["reason"] != "NamespaceTerminating" for cause in causes)


def next_look(obj: dict, pods: Iterable[dict]) -> float | None:
    """Seconds until the next ready pod has been ready for `minReadySeconds`: time itself makes it available."""
    wait, now = obj["spec"].get("minReadySeconds", 0), time.time()
    waits = [seconds_to_available(pod, wait, now) for pod in pods]
    return min((seconds for seconds in waits if seconds is not None and seconds > 0), default=None)
