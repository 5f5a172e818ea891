"""Looking after the nodes themselves: network, address range, capacity, status and heartbeats. In batches.

All nodes of a runtime share one agent, so that five thousand simulated ones are a few transactions and not five
thousand timers.
"""

import ipaddress
import logging
import time
from collections.abc import Callable, Iterator
from functools import partial

from django.conf import settings

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import LEASES, NODES
from lab.apimachinery.labels import GATEWAY, HOSTNAME_LABEL, KUBELET, POD_NETWORK
from lab.apimachinery.leases import LEASE_NAMESPACE
from lab.apimachinery.quantity import milli_value, value
from lab.apimachinery.services import API_SERVER, API_TARGET_PORT
from lab.client import Client, Put, View
from lab.runtime import Linkable, Runtime, RuntimeFailure
from lab.runtime.machine import LABELS

from .addresses import AddressPool, Exhausted, free_ranges, lies_in
from .gateways import Gateways
from .heartbeats import renewals
from .neighbours import Neighbours
from .nodes import NodeRecord, NodeTable
from .nodestatus import image_list, node_status, says_something_new

log = logging.getLogger(__name__)
BATCH = 500
PRUNE_SECONDS = 20.0
ENGINE_GRACE = 0.75  # of the time that a node may be silent


class NodeAgent:
    """`lease_seconds` is how long a heartbeat is good for; `url` says where our HTTP server listens; `prepared` is told
    of a node whose pods can be started from now on, `changed` that there is something to report."""

    def __init__(
        self,
        runtime: Runtime,
        client: Callable[[str], Client],
        nodes: NodeTable,
        neighbours: Neighbours,
        lease_seconds: float,
        url: Callable[[], str],
        prepared: Callable[[NodeRecord, AddressPool], None],
        changed: Callable[[], None],
    ):
        self._runtime = runtime
        self._client = client
        self._nodes, self._neighbours = nodes, neighbours
        self._lease_seconds = max(1, round(lease_seconds))
        self._url = url
        self._prepared = prepared
        self.gateways = Gateways(runtime, nodes, changed)
        self._ranges: dict[str, str] = {}
        self._version = ""
        self._images: list[dict] = []
        self._answered = self._pruned = time.monotonic()  # when the engine did so last
        self.trouble = ""  # why the engine cannot be used now

    def look_at_engine(self) -> bool:
        """Ask the engine for its images, and so whether it is well. As in Kubernetes the node is called not ready only
        once the engine has been away for a while (there 30 s of the 40 that a node may be silent)."""
        try:
            self._version = self._version or self._runtime.version()
            images = image_list(self._runtime.images.present())
            self._images = self._images if images == self._images else images
            self._answered, self.trouble = time.monotonic(), ""
            self.gateways.look()
            return True
        except RuntimeFailure as failure:
            if time.monotonic() > self._answered + ENGINE_GRACE * self._lease_seconds:
                self.trouble = f"container runtime is down: {failure.message}"
            return False

    @property
    def well(self) -> bool:
        """Whether the engine has answered, and still does."""
        return bool(self._version) and not self.trouble

    def report(self, cluster: str) -> None:
        """Prepare, register and report those nodes of a cluster of which there is anything new."""
        records = [record for record in self._nodes.of_cluster(cluster) if not record.silent and self._is_news(record)]
        if records:
            free = self._free_ranges(cluster)
            for record in records:
                self._prepare(record, free)
            view = self._client(cluster).view()
            self._write(cluster, [put for record in records if (put := self._registration(record, view))])
            self._report_status(cluster, records)

    def prune(self, unused: Callable[[str], bool]) -> None:
        """Take down the networks in which nobody will be; one that stays is tried again. Raises RuntimeFailure where
        the engine does not say what it has."""
        if time.monotonic() < self._pruned + PRUNE_SECONDS:
            return
        self._pruned = time.monotonic()
        for cluster in filter(unused, self._runtime.networks()):
            self._ranges.pop(cluster, None)
            self.gateways.forget(cluster)
            try:
                self._runtime.remove_network(cluster)
            except RuntimeFailure as failure:
                log.info("the network of %s stays for now: %s", cluster, failure.message)

    def _is_news(self, record: NodeRecord) -> bool:
        """Whether anything that a report is made from has changed since the last: of thousands, most times of none."""
        unprepared = record.pool is None or record.prepared_for != record.capacity
        return unprepared or self._made_from(record, record.node) != record.reported

    def _made_from(self, record: NodeRecord, node: dict) -> tuple:
        version = node["metadata"]["resourceVersion"]
        addresses = self._url(), self.gateways.of(record.cluster)
        return version, self._trouble_of(record), self._version, id(self._images), addresses

    def _trouble_of(self, record: NodeRecord) -> str:
        return self.trouble or ("" if record.pool else "the pod network is not ready")

    def _prepare(self, record: NodeRecord, free: Iterator[str]) -> None:
        """What the engine must know of a node before a pod can run there. Tried again with the next report."""
        try:
            self._ranges[record.cluster] = self._network(record)
            if record.prepared_for != record.capacity:
                cpu, memory = record.capacity.get("cpu", "0"), record.capacity.get("memory", "0")
                record.cgroup_parent = self._runtime.set_node_capacity(
                    record.cluster, record.name, milli_value(cpu), value(memory)
                )
                record.prepared_for = record.capacity
            if record.pool is None:
                record.pool = pool = AddressPool(self._range(record, free))
                self._prepared(record, pool)
                self.gateways.look()
        except (RuntimeFailure, Exhausted) as failure:
            log.warning("node %s of %s cannot be prepared: %s", record.name, record.cluster, failure)

    def _network(self, record: NodeRecord) -> str:
        """The range of its cluster's network here, which is what it has on other engines, if on any."""
        stands = any(other.pool for other in self._nodes.of_cluster(record.cluster))
        known = self._ranges.get(record.cluster, "") if stands else ""
        elsewhere = self._neighbours.network(record.cluster)
        if isinstance(self._runtime, Linkable) and elsewhere:
            if known != elsewhere:
                self._runtime.share_network(record.cluster, elsewhere, record.stranger)
            return elsewhere
        if first := self._neighbours.waits_for(record.cluster):
            raise RuntimeFailure("NetworkNotReady", f"its range is chosen on {first}, where nodes of the cluster stand")
        return known or self._runtime.ensure_network(record.cluster, record.stranger)

    def _free_ranges(self, cluster: str) -> Iterator[str]:
        """Ranges for the new nodes of one report. Who has which is looked up once, when the first is asked for."""
        taken = {node["spec"].get("podCIDR", "") for node in self._client(cluster).list(NODES)}
        taken |= {record.pool.cidr for record in self._nodes.of_cluster(cluster) if record.pool}
        yield from free_ranges(self._ranges[cluster], taken)

    def _range(self, record: NodeRecord, free: Iterator[str]) -> str:
        """Its own; another one where that is of a network that is no more: of the machine where a backup was made."""
        own = record.node["spec"].get("podCIDR")
        return own if own and lies_in(own, self._ranges[record.cluster]) else self._next_range(record, free)

    def _next_range(self, record: NodeRecord, free: Iterator[str]) -> str:
        found = next(free, None)
        if found is None:
            raise Exhausted(f"no range for another node is free in {self._ranges[record.cluster]}")
        return found

    def _registration(self, record: NodeRecord, view: View) -> Put | None:
        """The node with its labels, its range, our address, the gateway's and the API's, if it does not say so yet."""
        node = view.get(NODES.resource, "", record.name)
        if node is None or node["metadata"]["uid"] != record.node["metadata"]["uid"]:
            return None
        annotations = node["metadata"].get("annotations") or {}
        cidr = record.pool.cidr if record.pool else node["spec"].get("podCIDR")
        ours = {KUBELET: self._url(), GATEWAY: self.gateways.of(record.cluster), API_SERVER: self._api(record.cluster)}
        if cidr != node["spec"].get("podCIDR", cidr):
            ours[POD_NETWORK] = self._ranges[record.cluster]
        ours = {name: said for name, said in ours.items() if said}
        labels = (node["metadata"].get("labels") or {}) | {HOSTNAME_LABEL: record.name, **LABELS}
        same = ours.items() <= annotations.items() and labels == node["metadata"].get("labels")
        if same and node["spec"].get("podCIDR") == cidr:
            return None
        new = {**node, "metadata": {**node["metadata"], "annotations": annotations | ours, "labels": labels}}
        if cidr:
            new["spec"] = {**node["spec"], "podCIDR": cidr, "podCIDRs": [cidr]}
        return Put(NODES, new, cause=_cause(record, node, None))

    def _api(self, cluster: str) -> str:
        """Where pods find the API: from a network of their own at this machine's address on it, which is the first
        (`lab/runtime/docker/network.py`) and where the host's data plane leads on; else at the TLS port itself."""
        if self._runtime.name != "docker":
            return f"{settings.API_HOST}:{settings.TLS_PORT}"
        has_gateway = cluster in self._ranges and self.gateways.of(cluster)
        return f"{ipaddress.ip_network(self._ranges[cluster])[1]}:{API_TARGET_PORT}" if has_gateway else ""

    def _report_status(self, cluster: str, records: list[NodeRecord]) -> None:
        """Write the status of those of which it says anything new."""
        view = self._client(cluster).view()
        port = int(self._url().rpartition(":")[2] or 0)
        puts, reported = [], []
        for record in records:
            node = view.get(NODES.resource, "", record.name)
            if node is None or node["metadata"]["uid"] != record.node["metadata"]["uid"]:
                continue
            reported.append((record, self._made_from(record, node)))
            status = node_status(node, self._version, port, self._images, self._trouble_of(record))
            if says_something_new(status, node.get("status", {})):
                fault = {"reason": "EngineSilent", "node": record.name, "message": self.trouble}
                why = {"decision": "NodeNotReady", "fault": fault} if self.trouble else None
                puts.append(Put(NODES, {**node, "status": status}, "status", why, cause=_cause(record, node, why)))
        if self._write(cluster, puts):
            for record, made_from in reported:
                record.reported = made_from

    def renew(self, cluster: str) -> None:
        """Write the heartbeats of all nodes of a cluster that can speak."""
        find = partial(self._client(cluster).view().get, LEASES.resource, LEASE_NAMESPACE)
        kubelet = f"kubelet-{self._runtime.engine}"
        leases = renewals(kubelet, self._nodes.of_cluster(cluster), find, self._lease_seconds)
        self._write(cluster, [Put(LEASES, lease) for lease in leases])

    def _write(self, cluster: str, puts: list[Put]) -> bool:
        """In batches; where one of a batch cannot be written, one by one. Whether there was anybody to be told: if not,
        all of it waits for the next report."""
        for start in range(0, len(puts), BATCH):
            batch = puts[start : start + BATCH]
            try:
                self._client(cluster).write(batch)
            except ApiError as error:
                if error.code == 503:
                    log.info("nothing can be said of the nodes: %s", error.message)
                    return False
                if len(batch) > 1:
                    if not all(self._write(cluster, [put]) for put in batch):
                        return False
                elif error.code not in (404, 409):
                    log.warning("%s %s: %s", batch[0].kind.kind, batch[0].object["metadata"]["name"], error.message)
        return True


def _cause(record: NodeRecord, node: dict, fault: dict | None) -> int:
    """The node as it is now, if that is new to us; else it is the engine that has news, or the clock."""
    version = node["metadata"]["resourceVersion"]
    told = record.reported[0] if record.reported else ""
    return 0 if fault or version == told else int(version)
