"""Whether a cluster has an API server at all: one of its control-plane nodes must be up.

Requests from outside are answered with 503 while none is, and nobody may write. Only who stands before the machines
(`Request.hardware`) still may: a power switch does not ask Kubernetes.
"""

from lab.apimachinery.controlplane import CONTROLLER_MANAGER, LEADER_NAMESPACE, is_up, members_of
from lab.apimachinery.errors import unavailable
from lab.apimachinery.kinds import LEASES, NODES
from lab.store import View


def members_down(view: View) -> list[str]:
    """The control-plane nodes, if all of them are down; else nothing."""
    members = members_of(view.get(LEASES.resource, LEADER_NAMESPACE, CONTROLLER_MANAGER))
    nodes = [node for name in members if (node := view.get(NODES.resource, "", name))]
    return [] if any(map(is_up, nodes)) else [node["metadata"]["name"] for node in nodes]


def check_up(view: View) -> None:
    """Raises ApiError 503."""
    if down := members_down(view):
        are = "is" if len(down) == 1 else "are all"
        raise unavailable(
            f"the API server of cluster {view.name} does not answer: {', '.join(down)} {are} without power or network. "
            "Pods go on running, but nothing is healed until one of them is back",
            retry_after=0,
        )
