"""What should be: reading the log of each cluster for nodes, pods, and what pods read of ConfigMaps and the like."""

import threading
from collections import defaultdict
from collections.abc import Callable

from lab.apimachinery.engines import engine_of
from lab.apimachinery.kinds import CONFIGMAPS, NODES, PODS, SECRETS, SERVICEACCOUNTS, WHEELS
from lab.apimachinery.meta import is_deleting
from lab.apimachinery.wheels import KUBELET, kubelet_of
from lab.client import Change, Client, View
from lab.client.wheels import wheel_of
from lab.runtime import Sandbox

from .draining import note_drained
from .nodes import NodeRecord
from .parts import Parts
from .pods import grace_seconds, references
from .records import PodRecord
from .volumes import remove_machine_folder


class DesiredState:
    """A cursor for each cluster. `node_changed` (its power, its network) and `hurry` (a grace that has become shorter)
    are the agent's."""

    def __init__(
        self, parts: Parts, engine: str, node_changed: Callable[[NodeRecord], None], hurry: Callable[[str], None]
    ):
        self._parts = parts
        self._engine = engine
        self._node_changed = node_changed
        self._hurry = hurry
        self._cursors: dict[str, int] = {}
        self._clusters: set[str] | None = None
        self._strangers: set[str] = set()  # clusters
        # Cluster → nodes whose kubelet's wheel must be looked at; and those that are new, or can be heard again: their
        # pods must be read. Both until that is done, for a look may fail in its middle.
        self._turned: dict[str, set[str]] = defaultdict(set)
        self._unread: dict[str, set[str]] = defaultdict(set)
        self._lock = threading.Lock()

    def catch_up(self, cluster: str, client: Client) -> None:
        """Read what is new. At first, or when the log no longer reaches back to the cursor, read everything."""
        with self._lock:
            view = client.view()
            (self._strangers.add if view.guard else self._strangers.discard)(cluster)
            head = view.revision
            cursor = self._cursors.get(cluster)
            changes = view.changes_since(cursor) if cursor is not None else None
            if changes is None:
                self._read_all(cluster, client)
            else:
                for change in changes:
                    self._apply(cluster, change)
                    head = change.revision
                if unread := self._unread[cluster]:
                    self._read_pods(cluster, client, lambda pod: pod["spec"].get("nodeName") in unread)
            self._turn(cluster, view)
            self._cursors[cluster] = head

    def _turn(self, cluster: str, view: View) -> None:
        """Look at the wheels of nodes that are new, and at those that have been turned."""
        for name in self._unread[cluster] | self._turned[cluster]:
            node = self._parts.nodes.get(cluster, name)
            if node:
                for uid in node.turning.put(wheel_of(view, kubelet_of(name))):
                    self._parts.wake(uid)
        del self._unread[cluster], self._turned[cluster]

    def has_read(self, cluster: str) -> bool:
        """Whether everything of a cluster has been read, and not only a part so far."""
        return cluster in self._cursors

    def keep_only(self, clusters: list[str]) -> None:
        """Forget clusters that are no more; their pods are taken down."""
        self._clusters = set(clusters)
        for cluster in set(self._cursors) - set(clusters):
            with self._lock:
                del self._cursors[cluster]
                self._unread.pop(cluster, None)
                self._turned.pop(cluster, None)
            self._parts.neighbours.forget(cluster)
            for node in self._parts.nodes.of_cluster(cluster):
                self._remove_node(cluster, node.name)

    def may_remove(self, sandbox: Sandbox) -> bool:
        """Whether a sandbox without a pod is an orphan: not before its cluster was read, nor on a node cut off from
        the API, where nobody can know what should run."""
        node = self._parts.nodes.get(sandbox.cluster, sandbox.node)
        read = sandbox.cluster in self._cursors
        forgotten = self._clusters is not None and sandbox.cluster not in self._clusters
        return (read or forgotten) and not (node and node.silent)

    def is_strangers(self, cluster: str) -> bool:
        return cluster in self._strangers

    def leaves_unused(self, cluster: str) -> bool:
        """Whether nothing here is of that cluster any more: it is gone, or was read, and has none of our nodes, nor is
        its network joined with another one through ours."""
        forgotten = self._clusters is not None and cluster not in self._clusters
        foreign = cluster in self._cursors and not self._parts.nodes.of_cluster(cluster)
        foreign = foreign and cluster not in self._parts.neighbours.joined()
        return (forgotten or foreign) and not any(record.cluster == cluster for record in self._parts.pods)

    def _read_all(self, cluster: str, client: Client) -> None:
        nodes = client.list(NODES)
        self._parts.neighbours.forget(cluster)
        for node in nodes:
            self._put_node(cluster, node)
            self._turned[cluster].add(node["metadata"]["name"])
        names = {node["metadata"]["name"] for node in nodes}
        for known in self._parts.nodes.of_cluster(cluster):
            if known.name not in names:
                self._remove_node(cluster, known.name)
        self._read_pods(cluster, client, lambda pod: True)

    def _read_pods(self, cluster: str, client: Client, concerns: Callable[[dict], bool]) -> None:
        pods = {pod["metadata"]["uid"]: pod for pod in client.list(PODS) if concerns(pod)}
        for pod in pods.values():
            self._put_pod(cluster, pod, int(pod["metadata"]["resourceVersion"]))
        for record in self._parts.pods:
            if record.cluster == cluster and concerns(record.pod) and record.uid not in pods and self._hears(record):
                self._gone(record)

    def _apply(self, cluster: str, change: Change) -> None:
        if change.resource == PODS.resource:
            self._apply_pod(cluster, change)
        elif change.resource == NODES.resource:
            if change.deleted:
                self._parts.neighbours.remove(cluster, change.name)
                self._remove_node(cluster, change.name)
            else:
                self._put_node(cluster, change.object)
        elif change.resource == WHEELS.resource:
            self._turned[cluster].add(change.name.removeprefix(KUBELET))
        elif change.resource in (CONFIGMAPS.resource, SECRETS.resource, SERVICEACCOUNTS.resource):
            self._wake_users(cluster, change)

    def _apply_pod(self, cluster: str, change: Change) -> None:
        if not change.deleted:
            self._put_pod(cluster, change.object, change.revision, ours=change.author == "kubelet")
            return
        record = self._parts.pods.get(change.object["metadata"]["uid"])
        if record and self._hears(record):
            self._gone(record)

    def _hears(self, record: PodRecord) -> bool:
        """Whether the API reaches the pod's node: behind a partition the old orders stand."""
        node = self._parts.nodes.get(record.cluster, record.node)
        return node is None or not node.partitioned

    def _put_pod(self, cluster: str, pod: dict, revision: int, ours: bool = False) -> None:
        node = self._parts.nodes.get(cluster, pod["spec"].get("nodeName", ""))
        if node is None or node.partitioned:
            return
        before = self._parts.pods.get(pod["metadata"]["uid"])
        if ours and before:
            before.pod = pod  # our own report, come round: nothing to do
            return
        old_grace = grace_seconds(before.pod) if before and before.must_end else None
        record, new = self._parts.pods.put(cluster, pod, revision)
        if new:
            # What was bound only now nobody can have begun with: there is nothing to look for on the engine.
            record.inherited = record.dirty = cluster not in self._cursors
        note_drained(record)
        if old_grace is not None and is_deleting(pod) and grace_seconds(pod) < old_grace:
            self._hurry(record.uid)
        self._parts.wake(record.uid)

    def _gone(self, record: PodRecord) -> None:
        if not record.gone:
            record.gone = True
            self._hurry(record.uid)
            self._parts.wake(record.uid)

    def _put_node(self, cluster: str, node: dict) -> None:
        name = node["metadata"]["name"]
        self._parts.neighbours.put(cluster, node)
        if engine_of(node) != self._engine:
            self._remove_node(cluster, name)  # if it was ours: it has moved to another engine
            return
        before = self._parts.nodes.get(cluster, name)
        if before and before.node["metadata"]["uid"] != node["metadata"]["uid"]:
            self._remove_node(cluster, name)
            before = None
        was_off, was_cut = (before.off, before.partitioned) if before else (False, False)
        record = self._parts.nodes.put(cluster, node, cluster in self._strangers)
        if before is None or (was_cut and not record.partitioned):
            self._unread[cluster].add(name)
        if (record.off, record.partitioned) != (was_off, was_cut):
            self._node_changed(record)

    def _remove_node(self, cluster: str, name: str) -> None:
        node = self._parts.nodes.get(cluster, name)
        if node:
            remove_machine_folder(self._parts.data_dir, node.node["metadata"]["uid"])
        self._parts.nodes.remove(cluster, name)
        for record in self._parts.pods.of_node(cluster, name):
            self._parts.wake(record.uid)

    def _wake_users(self, cluster: str, change: Change) -> None:
        """Pods that use this ConfigMap, Secret or account: one may be waiting for it, others have it as a volume."""
        for record in self._parts.pods:
            if record.address[:2] == (cluster, change.namespace) and (change.resource, change.name) in references(
                record.pod
            ):
                record.config_changed = True
                self._parts.wake(record.uid)
