"""What would be if: a node from which pods are taken, and to which they are given back, without anything happening."""

from types import TracebackType

from .filters import Reasons, dynamic_reasons
from .nodeinfo import NodeInfo
from .podinfo import PodInstance
from .topology import Topology


class Trial:
    """A node as `pod` would find it: those that were promised room before it have come. Use it in a `with`.

    The counts of the topology, which others use too, follow each step, and are put right in the end.
    """

    def __init__(self, node: NodeInfo, pod: PodInstance, topology: Topology):
        self.pod = pod
        self.topology = topology
        self._arrived = node.promised(pod.info.priority, but=pod.key)
        self._removed: dict[str, PodInstance] = {}
        self.node = node.after(self._arrived)

    def __enter__(self) -> "Trial":
        for other in self._arrived:
            self.topology.count(other, self.node, 1)
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for other in self._removed.values():
            self.topology.count(other, self.node, 1)
        for other in self._arrived:
            self.topology.count(other, self.node, -1)

    def remove(self, other: PodInstance) -> None:
        self.node.remove(other.key)
        self._removed[other.key] = other
        self.topology.count(other, self.node, -1)

    def give_back(self, other: PodInstance) -> None:
        self.node.add(self._removed.pop(other.key))
        self.topology.count(other, self.node, 1)

    def reasons(self) -> Reasons:
        """What now stands against the pod on this node, apart from what never changes."""
        found = dynamic_reasons(self.pod.info, self.node)
        for wide in (False, True):
            found = found or self.topology.reasons(self.node.labels, wide)
        return found
