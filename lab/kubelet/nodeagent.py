"""Looking after the nodes themselves: network, address range, capacity, status and heartbeats. In batches.

All nodes of a runtime share one agent, so that five thousand simulated ones are a few transactions and not five
thousand timers.
"""

import logging
from collections.abc import Callable

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import LEASES, NODES
from lab.apimachinery.quantity import milli_value, value
from lab.client import Client, Put, View
from lab.runtime import Runtime, RuntimeFailure

from .addresses import AddressPool, Exhausted, free_range
from .nodes import NodeRecord, NodeTable
from .nodestatus import image_list, lease, node_status, says_something_new

log = logging.getLogger(__name__)
KUBELET = "orrery.io/kubelet"
BATCH = 500


class NodeAgent:
    """`lease_seconds` is how long a heartbeat is good for; `url` says where our HTTP server listens; `prepared` is told
    of a node whose pods can be started from now on."""

    def __init__(
        self,
        runtime: Runtime,
        client: Callable[[str], Client],
        nodes: NodeTable,
        lease_seconds: float,
        url: Callable[[], str],
        prepared: Callable[[NodeRecord], None],
    ):
        self._runtime = runtime
        self._client = client
        self._nodes = nodes
        self._lease_seconds = max(1, round(lease_seconds))
        self._url = url
        self._prepared = prepared
        self._ranges: dict[str, str] = {}
        self._version = ""
        self._images: list[dict] = []
        self.trouble = ""  # why the engine cannot be used now

    def look_at_engine(self) -> None:
        """Ask the engine whether it is well, and for its images."""
        try:
            self._version = self._version or self._runtime.version()
            images = image_list(self._runtime.list_images())
            self._images = self._images if images == self._images else images
            self.trouble = ""
        except RuntimeFailure as failure:
            self.trouble = f"container runtime is down: {failure.message}"

    def report(self, cluster: str, renew: bool) -> None:
        """Prepare, register and report all nodes of a cluster that can speak; with `renew`, their heartbeats too."""
        records = [record for record in self._nodes.of_cluster(cluster) if not record.silent]
        for record in records:
            self._prepare(record)
        view = self._client(cluster).view()
        self._write(cluster, [put for record in records if (put := self._registration(record, view))])
        view = self._client(cluster).view()
        self._write(cluster, [put for record in records if (put := self._status(record, view))])
        if renew and not self.trouble:
            self._renew(cluster, records)

    def _prepare(self, record: NodeRecord) -> None:
        """What the engine must know of a node before a pod can run there. Tried again with the next report."""
        try:
            if record.cluster not in self._ranges:
                self._ranges[record.cluster] = self._runtime.ensure_network(record.cluster)
            if record.prepared_for != record.capacity:
                cpu, memory = record.capacity.get("cpu", "0"), record.capacity.get("memory", "0")
                record.cgroup_parent = self._runtime.set_node_capacity(
                    record.cluster, record.name, milli_value(cpu), value(memory)
                )
                record.prepared_for = record.capacity
            if record.pool is None:
                record.pool = AddressPool(self._range_of(record))
                self._prepared(record)
        except (RuntimeFailure, Exhausted) as failure:
            log.warning("node %s of %s cannot be prepared: %s", record.name, record.cluster, failure)

    def _range_of(self, record: NodeRecord) -> str:
        given = record.node["spec"].get("podCIDR")
        if given:
            return given
        others = self._client(record.cluster).list(NODES)
        taken = {node["spec"].get("podCIDR", "") for node in others}
        taken |= {other.pool.cidr for other in self._nodes.of_cluster(record.cluster) if other.pool}
        return free_range(self._ranges[record.cluster], taken)

    def _registration(self, record: NodeRecord, view: View) -> Put | None:
        """The node with its range and our address, if it does not say so yet."""
        node = view.get(NODES.resource, "", record.name)
        if node is None or node["metadata"]["uid"] != record.node["metadata"]["uid"]:
            return None
        annotations = node["metadata"].get("annotations") or {}
        cidr = record.pool.cidr if record.pool else node["spec"].get("podCIDR")
        if annotations.get(KUBELET) == self._url() and node["spec"].get("podCIDR") == cidr:
            return None
        new = {**node, "metadata": {**node["metadata"], "annotations": {**annotations, KUBELET: self._url()}}}
        if cidr:
            new["spec"] = {**node["spec"], "podCIDR": cidr, "podCIDRs": [cidr]}
        return Put(NODES, new)

    def _status(self, record: NodeRecord, view: View) -> Put | None:
        """The node with its status, if that says anything new."""
        node = view.get(NODES.resource, "", record.name)
        if node is None or node["metadata"]["uid"] != record.node["metadata"]["uid"]:
            return None
        trouble = self.trouble or ("" if record.pool else "the pod network is not ready")
        made_from = (node["metadata"]["resourceVersion"], trouble, self._version, id(self._images), self._url())
        if made_from == record.reported:
            return None
        record.reported = made_from
        port = int(self._url().rpartition(":")[2] or 0)
        status = node_status(node, self._version, port, self._images, trouble)
        if says_something_new(status, node.get("status", {})):
            return Put(NODES, {**node, "status": status}, "status")
        return None

    def _renew(self, cluster: str, records: list[NodeRecord]) -> None:
        view = self._client(cluster).view()
        puts = []
        for record in records:
            old = view.get(LEASES.resource, "kube-node-lease", record.name)
            uid = record.node["metadata"]["uid"]
            puts.append(Put(LEASES, lease(record.name, uid, old, self._lease_seconds)))
        self._write(cluster, puts)

    def _write(self, cluster: str, puts: list[Put]) -> None:
        """In batches; where one of a batch cannot be written, one by one, and what fails waits for the next report."""
        for start in range(0, len(puts), BATCH):
            batch = puts[start : start + BATCH]
            try:
                self._client(cluster).write(batch)
            except ApiError as error:
                if len(batch) > 1:
                    for put in batch:
                        self._write(cluster, [put])
                elif error.code not in (404, 409):
                    log.warning("%s %s: %s", batch[0].kind.kind, batch[0].object["metadata"]["name"], error.message)
