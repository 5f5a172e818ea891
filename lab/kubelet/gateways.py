"""The data plane inside each cluster's network: kept there by the kubelet, as it keeps a node's kube-proxy pod.

In a thread of its own: making one takes an engine half a second, for which no pod shall wait.
"""

import logging
import threading
from collections.abc import Callable

from lab.client import gateway_token
from lab.runtime import Runtime, RuntimeFailure

from .nodes import NodeTable

log = logging.getLogger(__name__)
TROUBLE_SECONDS = 2.0


class Gateways:
    """`changed` is called when an address has become known."""

    def __init__(self, runtime: Runtime, nodes: NodeTable, changed: Callable[[], None]):
        self._runtime = runtime
        self._nodes = nodes
        self._changed = changed
        self._addresses: dict[str, str] = {}
        self._complaints: dict[str, str] = {}
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"{runtime.engine}-gateways", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._woken.set()

    def of(self, cluster: str) -> str:
        """Where the gateway of a cluster is told what to do; "" if it has none, or not yet."""
        return self._addresses.get(cluster, "")

    def forget(self, cluster: str) -> None:
        """It goes with its network."""
        self._addresses.pop(cluster, None)

    def look(self) -> None:
        """A node has been prepared, perhaps the first of its cluster; or it is time to look after the engine. One that
        was killed is started again by the engine itself, so this is for one that was removed."""
        self._woken.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            clusters = {record.cluster: record.stranger for record in self._nodes if record.pool}
            well = all([self._ensure(cluster, stranger) for cluster, stranger in clusters.items()])
            self._woken.wait(None if well else TROUBLE_SECONDS)
            self._woken.clear()

    def _ensure(self, cluster: str, stranger: bool) -> bool:
        try:
            address = self._runtime.ensure_gateway(cluster, gateway_token(), closed=stranger)
        except RuntimeFailure as failure:
            if self._complaints.get(cluster) != failure.message:
                log.warning("Services of %s cannot be reached from its pods: %s", cluster, failure.message)
            self._complaints[cluster] = failure.message
            return False
        except Exception:  # without this thread no new cluster would ever get one
            log.exception("Services of %s cannot be reached from its pods", cluster)
            return False
        self._complaints.pop(cluster, None)
        if address != self.of(cluster):
            self._addresses[cluster] = address
            self._changed()
        return True
