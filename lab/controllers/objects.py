"""A loop whose keys are the objects of one kind, as most of Kubernetes' controllers are."""

from collections.abc import Iterable

from lab.apimachinery.kinds import Kind
from lab.apimachinery.meta import key_of, split_key
from lab.client import Client
from lab.client.reconcile import Controller

# In the place of a name stands for all objects of a namespace, and alone for all there are: which of them a change
# concerns is not known yet.
EVERY = "*"


class ObjectController(Controller):
    """Subclasses say of which kind, which keys a change concerns, and how to converge one object."""

    kind: Kind

    def all_keys(self, client: Client) -> Iterable[str]:
        return [key_of(obj) for obj in client.list(self.kind)]

    def sync_all(self, client: Client, causes: dict[str, int]) -> dict[str, float | None]:
        """EVERY is unfolded into its objects, so that one that fails keeps no other from its turn. Objects that are
        named come first: what they make is then due to their own change, and not to somebody else's."""
        every = {key: cause for key, cause in causes.items() if split_key(key)[1] == EVERY}
        unfolded = {key: cause for key, cause in causes.items() if key not in every}
        for key, cause in every.items():
            for obj in client.list(self.kind, split_key(key)[0]):
                unfolded.setdefault(key_of(obj), cause)
        return super().sync_all(client, unfolded) | dict.fromkeys(every)

    def sync(self, client: Client, key: str) -> float | None:
        obj = client.find(self.kind, *split_key(key))
        # Of one that is gone nothing is left to do here; what it owned is the garbage collector's.
        return self.converge(client, obj) if obj else None

    def converge(self, client: Client, obj: dict) -> float | None:
        """Take one step towards what the object asks for; the seconds after which to look again."""
        raise NotImplementedError
