"""Who owns what: an index from an owner's uid to its dependents, and how a controller claims what its selector matches.

client-go calls such a thing an indexer: a second way into the cache. It is made from the process's view of the cluster
and kept from the log, so finding the ten pods of a ReplicaSet costs the same among ten thousand others.
"""

import copy
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from lab.apimachinery.kinds import EVENTS, Kind
from lab.apimachinery.meta import controller_of, is_deleting, owner_reference
from lab.client import Client, Put, View

Key = tuple[str, str, str]  # resource, namespace, name


def owner_uids(obj: dict) -> set[str]:
    return {ref["uid"] for ref in obj["metadata"].get("ownerReferences", ())}


def no_controller(resource: str, namespace: str) -> str:
    """Stands for an owner's uid: under it are those that no controller manages. No uid has a slash in it."""
    return f"{resource}/{namespace}"


class OwnerIndex:
    """uid → where that object is, and uid → keys of the objects that name it as an owner. Of one cluster.

    Events are left out: they are many, and never own or are owned.
    """

    def __init__(self) -> None:
        self._revision = 0
        self._places: dict[str, Key] = {}
        self._dependents: dict[str, set[Key]] = {}
        self._lock = threading.Lock()

    def catch_up(self, view: View) -> None:
        """Take in what the log has brought since the last call."""
        with self._lock:
            changes = view.changes_since(self._revision) if self._revision else None
            if changes is None:
                self._revision = view.revision
                self._rebuild(view)
                return
            for change in changes:
                self._revision = change.revision
                if change.resource == EVENTS.resource:
                    continue
                key = (change.resource, change.namespace, change.name)
                self._forget(key, change.old)
                self._forget(key, change.object)
                if not change.deleted:
                    self._note(key, change.object)

    def _rebuild(self, view: View) -> None:
        self._places.clear()
        self._dependents.clear()
        for resource in view.resources():
            if resource != EVENTS.resource:
                for obj in view.list(resource):
                    self._note((resource, obj["metadata"].get("namespace", ""), obj["metadata"]["name"]), obj)

    def _entries(self, key: Key, obj: dict) -> set[str]:
        uids = owner_uids(obj)
        if controller_of(obj) is None:
            uids.add(no_controller(key[0], key[1]))
        return uids

    def _note(self, key: Key, obj: dict) -> None:
        self._places[obj["metadata"]["uid"]] = key
        for entry in self._entries(key, obj):
            self._dependents.setdefault(entry, set()).add(key)

    def _forget(self, key: Key, obj: dict | None) -> None:
        if obj is None:
            return
        self._places.pop(obj["metadata"]["uid"], None)
        for entry in self._entries(key, obj):
            keys = self._dependents.get(entry)
            if keys:
                keys.discard(key)
                if not keys:
                    del self._dependents[entry]

    def place(self, uid: str) -> Key | None:
        return self._places.get(uid)

    def dependents(self, uid: str) -> list[Key]:
        """The keys of those that name `uid` as an owner, in order."""
        with self._lock:
            return sorted(self._dependents.get(uid, ()))


_indexes: WeakKeyDictionary[View, OwnerIndex] = WeakKeyDictionary()  # it goes with the view that it is of


def index_of(view: View) -> OwnerIndex:
    """The process's index of that cluster, up to date with the view."""
    index = _indexes.setdefault(view, OwnerIndex())
    index.catch_up(view)
    return index


def dependents(view: View, uid: str, kind: Kind | None = None) -> list[dict]:
    """The objects (of one kind, or of all) that name `uid` as an owner, in the order of their keys."""
    keys = (key for key in index_of(view).dependents(uid) if kind is None or key[0] == kind.resource)
    found = (view.get(*key) for key in keys)
    return [obj for obj in found if obj is not None and uid in owner_uids(obj)]


def unmanaged(view: View, kind: Kind, namespace: str) -> list[dict]:
    """The objects of a kind in a namespace that no controller manages."""
    found = (view.get(*key) for key in index_of(view).dependents(no_controller(kind.resource, namespace)))
    return [obj for obj in found if obj is not None and controller_of(obj) is None]


@dataclass
class Claim:
    """What a controller owns, and what has to be written to make it so."""

    owned: list[dict] = field(default_factory=list)
    adopt: list[dict] = field(default_factory=list)
    release: list[dict] = field(default_factory=list)


def claim(owner: dict, candidates: Iterable[dict], matches: Callable[[dict], bool]) -> Claim:
    """Sort candidates of the owner's namespace. An owner keeps what it controls and its selector matches, adopts what
    matches and nobody controls, and lets go of what it controls and no longer matches. An object has at most one
    controller (`controller: true` in its ownerReferences, Kubernetes' controllerRef), so two with the same selector
    never fight: the second one finds nothing to adopt.

    A deleting owner neither adopts nor releases. Source: k8s.io/kubernetes/pkg/controller/controller_ref_manager.go.
    """
    result = Claim()
    for obj in candidates:
        ref = controller_of(obj)
        if obj["metadata"].get("namespace", "") != owner["metadata"].get("namespace", ""):
            continue
        if ref is None:
            if matches(obj) and not is_deleting(owner) and not is_deleting(obj):
                result.adopt.append(obj)
        elif ref["uid"] == owner["metadata"]["uid"]:
            if matches(obj):
                result.owned.append(obj)
            elif not is_deleting(owner):
                result.release.append(obj)
    return result


def claimed(
    client: Client,
    owner: dict,
    kind: Kind,
    matches: Callable[[dict], bool],
    counts: Callable[[dict], bool] = lambda obj: True,
) -> list[dict]:
    """The objects of `kind` that `owner` controls, after adopting and releasing what has to be. What `counts` refuses
    is left alone. Raises ApiError."""
    view = client.view()
    mine = dependents(view, owner["metadata"]["uid"], kind)
    others = unmanaged(view, kind, owner["metadata"].get("namespace", ""))
    found = claim(owner, filter(counts, mine + others), matches)
    place = index_of(view).place(owner["metadata"]["uid"])
    if place is None or is_deleting(view.get(*place) or owner):
        found.adopt = []  # the owner has gone since it was read, and would take along whatever it adopts
    of = {"owner": f"{owner['kind']} {owner['metadata']['name']}"}
    puts = [Put(kind, with_owner(obj, owner), why={"decision": "Adopt", **of}) for obj in found.adopt]
    released = [without_owner(obj, owner["metadata"]["uid"]) for obj in found.release]
    puts += [Put(kind, obj, why={"decision": "Release", **of}) for obj in released]
    if not puts:
        return found.owned
    written = client.write(puts)
    return found.owned + written[: len(found.adopt)]


def with_owner(obj: dict, owner: dict) -> dict:
    """A copy that names `owner` as its controller."""
    obj = copy.deepcopy(obj)
    obj["metadata"].setdefault("ownerReferences", []).append(owner_reference(owner))
    return obj


def without_owner(obj: dict, *uids: str) -> dict:
    """A copy that no longer names these owners."""
    obj = copy.deepcopy(obj)
    left = [ref for ref in obj["metadata"].get("ownerReferences", ()) if ref["uid"] not in uids]
    if left:
        obj["metadata"]["ownerReferences"] = left
    else:
        obj["metadata"].pop("ownerReferences", None)
    return obj
