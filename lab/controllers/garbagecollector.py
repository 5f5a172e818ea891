"""The garbage collector: what is owned goes when its last owner goes.

Nobody deletes a Deployment's ReplicaSets, or their pods: each names its owner by uid, and this loop finds out that the
owner is gone. How a deletion treats what hangs on the object is asked for when it is deleted:

Background  the object goes at once, and its dependents after it. The default.
Foreground  the object waits, with the finalizer `foregroundDeletion`, until the dependents that block it are gone.
Orphan      the object waits, with the finalizer `orphan`, until its dependents have been made to forget it.

Source: k8s.io/kubernetes/pkg/controller/garbagecollector.
"""

import copy
from collections.abc import Iterable

from lab.apimachinery.kinds import BY_GVK, BY_RESOURCE, Kind
from lab.apimachinery.meta import is_deleting
from lab.client import Change, Client, Put, View
from lab.client.reconcile import Controller

from .finalizers import let_go, released
from .owners import OwnerIndex, dependents, index_of, without_owner

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"


class GarbageCollector(Controller):
    """Keys are uids: of what is gone, of what waits for its dependents, of what has owners that are in doubt."""

    name = "garbagecollector"
    author = "generic-garbage-collector"
    watches = tuple(kind.resource for kind in BY_RESOURCE.values() if kind.kind != "Event")

    def keys(self, change: Change) -> Iterable[str]:
        obj, old = change.object, change.old
        refs, had = obj["metadata"].get("ownerReferences", []), (old or obj)["metadata"].get("ownerReferences", [])
        uids = set()
        if change.deleted or _waits(obj):
            uids.add(obj["metadata"]["uid"])
        if refs and (change.created or refs != had):
            uids.add(obj["metadata"]["uid"])
        if change.deleted or refs != had:  # an owner may have been waiting for just this
            uids.update(ref["uid"] for ref in (*refs, *had))
        return uids

    def wants(self, change: Change) -> bool:
        """A new object whose owner is already gone is a rare accident; the tick finds it, and creating stays quick."""
        return change.resource in self.watches and not change.created and bool(self.keys(change))

    def all_keys(self, client: Client) -> Iterable[str]:
        """All that wait, and all that name an owner who is gone or leaving."""
        view = client.view()
        index = index_of(view)
        every = (obj for resource in self.watches for obj in view.list(resource))
        return [obj["metadata"]["uid"] for obj in every if _waits(obj) or _leaving(view, index, obj)]

    def sync(self, client: Client, key: str) -> float | None:
        view = client.view()
        index = index_of(view)
        obj = _object(view, index, key)
        if obj is None:
            for dependent in dependents(view, key):
                self._reconsider(client, view, index, dependent)
        elif is_deleting(obj) and ORPHAN in obj["metadata"].get("finalizers", ()):
            self._orphan(client, view, obj)
        elif is_deleting(obj) and FOREGROUND in obj["metadata"].get("finalizers", ()):
            self._wait_for_dependents(client, view, index, obj)
        elif obj["metadata"].get("ownerReferences"):
            self._reconsider(client, view, index, obj)
        return None

    def _reconsider(self, client: Client, view: View, index: OwnerIndex, obj: dict) -> None:
        """Delete the object if none of its owners is there to stay; else let it forget those that are not."""
        refs = obj["metadata"].get("ownerReferences", [])
        if is_deleting(obj) or not refs:
            return
        leaving = _leaving(view, index, obj)
        if any(ref["uid"] not in leaving for ref in refs):
            if leaving:
                owner = next(f"{ref['kind']} {ref['name']}" for ref in refs if ref["uid"] in leaving)
                client.update(_kind(obj), without_owner(obj, *leaving), {"decision": "Orphan", "owner": owner})
            return
        own = dependents(view, obj["metadata"]["uid"])
        if own and any(owner is not None for owner in leaving.values()):
            if any(_deletes_dependents(dependent) for dependent in own):
                obj = client.update(_kind(obj), _unblocking(obj))  # a circle: somebody has to stop waiting
            _delete(client, obj, "Foreground", refs)
        else:
            _delete(client, obj, _policy(obj), refs)

    def _wait_for_dependents(self, client: Client, view: View, index: OwnerIndex, owner: dict) -> None:
        """See that all dependents go, and let the owner go once none is left that blocks it."""
        uid = owner["metadata"]["uid"]
        own = dependents(view, uid)
        for dependent in own:
            self._reconsider(client, view, index, dependent)
        if not any(_blocks(obj, uid) for obj in own):
            client.update(_kind(owner), released(owner, FOREGROUND), let_go(FOREGROUND, "no dependent keeps it"))

    def _orphan(self, client: Client, view: View, owner: dict) -> None:
        """Make the dependents forget their owner, all in one transaction, and let it go."""
        uid = owner["metadata"]["uid"]
        why = {"decision": "Orphan", "owner": f"{owner['kind']} {owner['metadata']['name']}"}
        puts = [Put(_kind(obj), without_owner(obj, uid), why=why) for obj in dependents(view, uid)]
        gone = let_go(ORPHAN, "its dependents have forgotten it")
        client.write([*puts, Put(_kind(owner), released(owner, ORPHAN), why=gone)])


def _kind(obj: dict) -> Kind:
    return BY_GVK[obj["apiVersion"], obj["kind"]]


def _object(view: View, index: OwnerIndex, uid: str) -> dict | None:
    place = index.place(uid)
    return view.get(*place) if place else None


def _owner(view: View, index: OwnerIndex, obj: dict, ref: dict) -> dict | None:
    """The owner that a reference names; None if there is none such: a uid is never used twice, so another object of the
    same name is not meant. An owner is in the same namespace, or in none."""
    owner = _object(view, index, ref["uid"])
    if owner is None or (owner["kind"], owner["metadata"]["name"]) != (ref["kind"], ref["name"]):
        return None
    return owner if owner["metadata"].get("namespace") in (None, obj["metadata"].get("namespace")) else None


def _leaving(view: View, index: OwnerIndex, obj: dict) -> dict[str, dict | None]:
    """The owners that will not keep the object: uid → None if gone, or the owner if it waits for dependents to go.

    Of an owner that cannot be looked up nobody knows whether it is gone, so it keeps the object: one of a kind that is
    not served here, or one in a namespace of an object in none.
    """
    refs = [ref for ref in obj["metadata"].get("ownerReferences", ()) if _can_be_looked_up(obj, ref)]
    owners = {ref["uid"]: _owner(view, index, obj, ref) for ref in refs}
    return {uid: owner for uid, owner in owners.items() if owner is None or _deletes_dependents(owner)}


def _can_be_looked_up(obj: dict, ref: dict) -> bool:
    kind = BY_GVK.get((ref["apiVersion"], ref["kind"]))
    return kind is not None and not (kind.namespaced and "namespace" not in obj["metadata"])


def _waits(obj: dict) -> bool:
    return is_deleting(obj) and bool({FOREGROUND, ORPHAN} & set(obj["metadata"].get("finalizers", ())))


def _deletes_dependents(obj: dict) -> bool:
    return is_deleting(obj) and FOREGROUND in obj["metadata"].get("finalizers", ())


def _blocks(obj: dict, uid: str) -> bool:
    return any(ref["uid"] == uid and ref.get("blockOwnerDeletion") for ref in obj["metadata"]["ownerReferences"])


def _unblocking(obj: dict) -> dict:
    obj = copy.deepcopy(obj)
    for ref in obj["metadata"]["ownerReferences"]:
        ref["blockOwnerDeletion"] = False
    return obj


def _policy(obj: dict) -> str:
    """Whoever put the finalizer there has asked for it."""
    finalizers = obj["metadata"].get("finalizers", ())
    return "Orphan" if ORPHAN in finalizers else "Foreground" if FOREGROUND in finalizers else "Background"


def _delete(client: Client, obj: dict, policy: str, owners: list[dict]) -> None:
    meta = obj["metadata"]
    why = {"decision": "CollectGarbage", "owners": [f"{ref['kind']} {ref['name']}" for ref in owners]}
    client.delete(_kind(obj), meta.get("namespace", ""), meta["name"], propagation=policy, uid=meta["uid"], why=why)
