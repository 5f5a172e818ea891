"""Whose a wheel is: that of a kubelet goes with its node, as whatever has an owner does."""

from lab.apimachinery.kinds import NODES
from lab.apimachinery.meta import is_deleting, owner_reference
from lab.apimachinery.wheels import KUBELET
from lab.store import View


def belong(view: View, wheel: dict) -> None:
    """To its node, if that is there to stay and nobody has said whose it is."""
    meta = wheel["metadata"]
    if not meta["name"].startswith(KUBELET) or meta.get("ownerReferences"):
        return
    node = view.get(NODES.resource, "", meta["name"].removeprefix(KUBELET))
    if node and not is_deleting(node):
        meta["ownerReferences"] = [owner_reference(node, controller=False)]
