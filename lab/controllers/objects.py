"""A loop whose keys are the objects of one kind, as most of Kubernetes' controllers are."""

from collections.abc import Iterable

from lab.apimachinery.kinds import Kind
from lab.apimachinery.meta import controller_of, join_key, key_of, split_key
from lab.client import Change, Client
from lab.client.reconcile import Controller

# In the place of a name stands for all objects of a namespace, and alone for all there are: which of them a change
# concerns is not known yet.
EVERY = "*"


class ObjectController(Controller):
    """Subclasses say of which kind, which keys a change concerns, and how to converge one object."""

    kind: Kind

    def keys(self, change: Change) -> Iterable[str]:
        """The object itself, unless it is gone, or this loop wrote it."""
        return () if change.deleted or change.author == self.author else (key_of(change.object),)

    def keys_of_managed(self, change: Change) -> Iterable[str]:
        """Who manages what has changed, or did before."""
        for obj in (change.object, change.old):
            ref = controller_of(obj) if obj else None
            if ref and (ref["apiVersion"], ref["kind"]) == (self.kind.api_version, self.kind.kind):
                yield join_key(change.namespace, ref["name"])

    def all_keys(self, client: Client) -> Iterable[str]:
        return [key_of(obj) for obj in client.list(self.kind)]

    def standing(self, client: Client, key: str) -> int:
        obj = client.find(self.kind, *split_key(key))
        return int(obj["metadata"]["resourceVersion"]) if obj else 0

    def sync_all(self, client: Client, causes: dict[str, int]) -> dict[str, float | None]:
        """EVERY is unfolded into its objects, so that one that fails keeps no other from its turn. Objects that are
        named come first: what they make is then due to their own change, and not to somebody else's."""
        return dict.fromkeys(causes) | super().sync_all(client, self.singly(client, causes))

    def singly(self, client: Client, causes: dict[str, int]) -> dict[str, int]:
        every = {key: cause for key, cause in causes.items() if split_key(key)[1] == EVERY}
        unfolded = {key: cause for key, cause in causes.items() if key not in every}
        for key, cause in every.items():
            for obj in client.list(self.kind, split_key(key)[0]):
                unfolded.setdefault(key_of(obj), cause)
        return unfolded

    def sync(self, client: Client, key: str) -> float | None:
        obj = client.find(self.kind, *split_key(key))
        if obj:
            return self.converge(client, obj)
        self.gone(client, key)
        return None

    def converge(self, client: Client, obj: dict) -> float | None:
        """Take one step towards what the object asks for; the seconds after which to look again."""
        raise NotImplementedError

    def gone(self, client: Client, key: str) -> None:
        """What is left to do here of an object that is no more; what it owned is the garbage collector's."""
