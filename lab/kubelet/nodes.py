"""The nodes that this agent is the kubelet of. Only memory, and what follows from a Node's annotations. Pure."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from lab.apimachinery.controlplane import PARTITIONED, POWER

from .addresses import AddressPool
from .turning import Turning


@dataclass
class NodeRecord:
    cluster: str
    node: dict  # as the API last had it
    pool: AddressPool | None = None
    cgroup_parent: str = ""
    stranger: bool = False  # whose cluster it is in: see `lab/apiserver/admission/guard.py`
    prepared_for: dict | None = None  # the capacity that the engine was last told
    reported: tuple | None = None  # what the status that was reported last was made from
    turning: Turning = field(default_factory=Turning)

    @property
    def name(self) -> str:
        return self.node["metadata"]["name"]

    def _annotation(self, name: str) -> str:
        return (self.node["metadata"].get("annotations") or {}).get(name, "")

    @property
    def off(self) -> bool:
        """Powered off: nothing runs, nobody reports."""
        return self._annotation(POWER) == "off"

    @property
    def partitioned(self) -> bool:
        """Cut off: everything runs on, but neither the API reaches the node nor the node the API."""
        return self._annotation(PARTITIONED) == "true"

    @property
    def silent(self) -> bool:
        return self.off or self.partitioned or self.turning.paused

    @property
    def capacity(self) -> dict[str, str]:
        return self.node.get("status", {}).get("capacity") or {}

    @property
    def allocatable(self) -> dict[str, str]:
        return self.node.get("status", {}).get("allocatable") or self.capacity


class NodeTable:
    """All nodes of an agent; any thread may look."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, str], NodeRecord] = {}
        self._lock = threading.Lock()

    def get(self, cluster: str, name: str) -> NodeRecord | None:
        return self._records.get((cluster, name))

    def put(self, cluster: str, node: dict, stranger: bool = False) -> NodeRecord:
        with self._lock:
            key = (cluster, node["metadata"]["name"])
            record = self._records.get(key)
            if record is None:
                record = self._records[key] = NodeRecord(cluster, node)
            record.node, record.stranger = node, stranger
            return record

    def remove(self, cluster: str, name: str) -> None:
        with self._lock:
            self._records.pop((cluster, name), None)

    def of_cluster(self, cluster: str) -> list[NodeRecord]:
        return [record for record in self if record.cluster == cluster]

    def __iter__(self) -> Iterator[NodeRecord]:
        with self._lock:
            return iter(list(self._records.values()))

    def __len__(self) -> int:
        return len(self._records)
