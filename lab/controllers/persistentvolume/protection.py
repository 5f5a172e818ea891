"""Nothing that is in use is taken away: a deleted claim stays, Terminating, until no pod mounts it any more, and a
deleted volume until it is bound no more. Kubernetes' pvc- and pv-protection controllers.

Every claim and volume is born with a finalizer; here it is taken off once it is deleted and free.
"""

from collections.abc import Iterable

from lab.apimachinery.kinds import PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES, PODS
from lab.apimachinery.meta import is_deleting, join_key, key_of, split_key
from lab.apimachinery.volumes import CLAIM_PROTECTION, VOLUME_PROTECTION, claim_names
from lab.client import Change, Client
from lab.client.reconcile import Controller

from ..finalizers import let_go, released


class VolumeProtectionController(Controller):
    """Keys are claims (`namespace/name`) and volumes (`name`)."""

    name = "volume-protection"
    author = "pvc-protection-controller"
    watches = tuple(kind.resource for kind in (PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES, PODS))

    def keys(self, change: Change) -> Iterable[str]:
        if change.resource == PODS.resource:
            if not change.deleted:
                return ()
            return [join_key(change.namespace, name) for name in claim_names(change.object["spec"])]
        return (key_of(change.object),) if is_deleting(change.object) and not change.deleted else ()

    def all_keys(self, client: Client) -> Iterable[str]:
        kinds = (PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES)
        return [key_of(obj) for kind in kinds for obj in client.list(kind) if is_deleting(obj)]

    def sync(self, client: Client, key: str) -> float | None:
        namespace, name = split_key(key)
        kind = PERSISTENTVOLUMECLAIMS if namespace else PERSISTENTVOLUMES
        obj = client.find(kind, namespace, name)
        finalizer = CLAIM_PROTECTION if namespace else VOLUME_PROTECTION
        if obj is None or not is_deleting(obj) or finalizer not in obj["metadata"].get("finalizers", ()):
            return None
        if not (in_use(obj, client.list(PODS, namespace)) if namespace else is_held(obj)):
            because = "no pod uses it" if namespace else "no claim is bound to it"
            client.update(kind, released(obj, finalizer), let_go(finalizer, because))
        return None


def in_use(claim: dict, pods: list[dict]) -> bool:
    """A pod that has no node yet mounts nothing; one that has ended may still be looked into."""
    name = claim["metadata"]["name"]
    return any(pod["spec"].get("nodeName") and name in claim_names(pod["spec"]) for pod in pods)


def is_held(volume: dict) -> bool:
    return volume.get("status", {}).get("phase") == "Bound"
