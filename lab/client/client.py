"""The client: Kubernetes' verbs as a component calls them, with its name and its reason on every write."""

import builtins  # `list` is also a verb here
import dataclasses
import time
from collections.abc import Mapping, Sequence

from asgiref.sync import async_to_sync

from lab.apimachinery import errors
from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import NODES, Kind
from lab.apiserver import binding, deletion, eviction, kubelet_proxy, registry
from lab.apiserver.access import tokens
from lab.apiserver.registry import Put
from lab.apiserver.request import Request
from lab.store import Change, Fence, View, beginning, cluster_names, history, row_at

from .events import EventRecorder

__all__ = ["Client", "Put", "cluster_names"]

MERGE_PATCH = "application/merge-patch+json"


class Client:
    """One component's access to one cluster. Objects it returns are shared: copy before you change one.

    Every verb may raise `lab.apimachinery.errors.ApiError`; `error.code == 409` means: read again and retry.
    """

    def __init__(
        self, cluster: str, author: str, cause: int = 0, fence: Fence | None = None, hardware: bool = False
    ):  # fmt: skip
        self.cluster = cluster
        self.author = author
        self.cause = cause
        self.fence = fence
        self.hardware = hardware  # works while the cluster's control plane is down: `Request.hardware`

    def caused_by(self, revision: int) -> "Client":
        """The same client, acting because of that revision."""
        return Client(self.cluster, self.author, revision, self.fence, self.hardware)

    def _request(self) -> Request:
        return Request(self.cluster, self.author, self.cause, fence=self.fence, hardware=self.hardware)

    # Reading: from the process's view of the cluster, brought up to date by each call.

    def now(self) -> float:
        """What the time is where it reads, in epoch seconds: ages are counted from it."""
        return time.time()

    def view(self) -> View:
        """The cluster's whole state, up to date."""
        return self._request().view()

    def get(self, kind: Kind, namespace: str, name: str) -> dict:
        return registry.get(self._request(), kind, namespace, name)

    def find(self, kind: Kind, namespace: str, name: str) -> dict | None:
        """The object, or None where `get` raises a 404."""
        return self.view().get(kind.resource, namespace, name)

    def list(self, kind: Kind, namespace: str = "", labels: dict[str, str] | None = None) -> builtins.list[dict]:
        """All objects, or those that carry `labels`; of one namespace, or (empty) of all. In no particular order."""
        items = self.view().list(kind.resource, namespace)
        if labels:
            wanted = labels.items()
            items = [obj for obj in items if wanted <= obj["metadata"].get("labels", {}).items()]
        return items

    def changes_since(self, revision: int) -> builtins.list[Change] | None:
        """What was written after `revision`, oldest first; None if too long ago: then list instead."""
        return self.view().changes_since(revision)

    def history(
        self, kind: Kind, namespace: str, name: str, limit: int = 50, decided: bool = False
    ) -> builtins.list[dict]:
        """The revisions of one object, newest first, each with author, cause and decision (`why`); or of those only the
        `decided`, that carry one."""
        return history(self.cluster, kind.resource, namespace, name, limit, decided=decided)

    def beginning(self, kind: Kind, namespace: str, name: str, limit: int = 50) -> builtins.list[dict]:
        """The first revisions of the newest object of that name, oldest first, as `history` has them."""
        return beginning(self.cluster, kind.resource, namespace, name, limit)

    def written_by(self, revision: int) -> dict | None:
        """Who wrote a revision, of which object, because of which other revision."""
        return row_at(self.cluster, revision)

    # Writing: through the registry, like everybody. Of no objects at all it costs nothing, so nobody has to ask first.

    def create(self, kind: Kind, obj: dict, why: dict | None = None) -> dict:
        return registry.write(self._request(), [Put(kind, _typed(kind, obj), why=why)])[0]

    def create_many(self, kind: Kind, objs: builtins.list[dict]) -> builtins.list[dict]:
        """Create all of them in one transaction, or none."""
        return self.write([Put(kind, obj) for obj in objs])

    def update(self, kind: Kind, obj: dict, why: dict | None = None) -> dict:
        """Replace the object if it still is at the resourceVersion it carries (409 otherwise)."""
        return self._put(Put(kind, obj, why=why))

    def update_status(self, kind: Kind, obj: dict, why: dict | None = None) -> dict:
        """Replace its status only, if it still is at the resourceVersion it carries (409 otherwise)."""
        return self._put(Put(kind, obj, "status", why))

    def _put(self, put: Put) -> dict:
        if "resourceVersion" not in put.object["metadata"]:
            raise errors.bad_request("an update needs the resourceVersion that was read")
        return registry.write(self._request(), [put])[0]

    def write(self, puts: builtins.list[Put]) -> builtins.list[dict]:
        """Several objects in one transaction: those without a resourceVersion are created, the others updated."""
        typed = [dataclasses.replace(put, object=_typed(put.kind, put.object)) for put in puts]
        return registry.write(self._request(), typed) if typed else []

    def patch(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        patch: dict | builtins.list,
        subresource: str = "",
        patch_type: str = MERGE_PATCH,
        by_hand: bool = False,
    ) -> dict:
        """Change some fields: `patch` is a JSON merge patch unless `patch_type` says otherwise. `by_hand`: somebody
        gave it, so it is held to all that a patch from outside is held to."""
        req = dataclasses.replace(self._request(), field_validation="Strict" if by_hand else "")
        return registry.patch(req, kind, namespace, name, patch, patch_type, subresource)

    def delete(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        propagation: str = "Background",
        grace_seconds: int | None = None,
        uid: str | None = None,
        why: dict | None = None,
    ) -> bool:
        """Ask for the object's end; True if it is gone at once, or was already. `uid` guards against a namesake."""
        options: dict = {"propagationPolicy": propagation}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        if uid:
            options["preconditions"] = {"uid": uid}
        try:
            return deletion.delete(self._request(), kind, namespace, name, options, why)[1]
        except ApiError as error:
            if error.code == 404:
                return True
            raise

    def delete_these(
        self,
        kind: Kind,
        objs: builtins.list[dict],
        grace_seconds: int | None = None,
        causes: Mapping[str, int] | None = None,
        why: deletion.Why | None = None,
    ) -> None:
        """Ask for the end of these very objects, in one transaction; what is gone, or a namesake by now, is let be.
        `causes`: uid → its own, where they have several; `why`: object → the decision that it goes."""
        options: dict = {"propagationPolicy": "Background"}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        if objs:
            deletion.delete_these(self._request(), kind, objs, options, causes, why)

    def evict(self, pod: dict, drains: str = "") -> bool:
        """Ask for the end of this very pod; False if disruption budgets do not allow that (now), True if it is gone.
        `drains`: the node that is being emptied."""
        meta = pod["metadata"]
        options = {"propagationPolicy": "Background", "preconditions": {"uid": meta["uid"]}}
        try:
            eviction.evict(self._request(), meta["namespace"], meta["name"], options, drains)
        except ApiError as error:
            if error.code in (429, 500):
                return False
            if error.code != 404:
                raise
        return True

    def bind(self, bindings: Sequence[binding.Binding], causes: Mapping[str, int] | None = None) -> dict[str, ApiError]:
        """Bind (pod, node's name, decision) triples in one transaction; key → error for those that could not be.
        `causes`: pod's key → its own, where they have several."""
        return binding.bind(self._request(), bindings, causes)

    def create_token(self, namespace: str, account: str, spec: dict) -> dict:
        """A token of a ServiceAccount, as the status of its TokenRequest has it: `token`, `expirationTimestamp`. Of an
        API server, which must be up."""
        req = dataclasses.replace(self._request(), outside=True)
        return tokens.request_token(req, namespace, account, {"spec": spec})["status"]

    def kill_container(self, pod: dict, container: str, signal: str = "KILL") -> None:
        """Have the kubelet signal a container's process. SIGKILL is the fault that self-healing is there for."""
        meta, node = pod["metadata"], pod["spec"].get("nodeName", "")
        if not node:
            raise errors.bad_request(f'pod "{meta["name"]}" is not on a node yet: there is nothing to kill')
        kubelet = kubelet_proxy.kubelet_of(self.find(NODES, "", node), node)
        kill = async_to_sync(kubelet_proxy.kill_container)
        kill(kubelet, self.cluster, meta["namespace"], meta["name"], container, signal)

    def event(self, obj: dict, kind: str, reason: str, message: str) -> None:
        """Record that something happened to `obj`; `kind` is Normal or Warning. Repeats are counted."""
        self.events([(obj, kind, reason, message)])

    def events(self, happened: builtins.list[tuple[dict, str, str, str]]) -> None:
        """Record several (object, Normal|Warning, reason, message) in one transaction."""
        if happened:
            EventRecorder(self.author).record(self._request(), happened)


def _typed(kind: Kind, obj: dict) -> dict:
    """A copy that says what it is, as every stored object does."""
    return {"apiVersion": kind.api_version, "kind": kind.kind, **obj}
