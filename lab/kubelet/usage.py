"""What pods use, for `kubectl top` and for autoscalers: in Kubernetes it is cAdvisor, in the kubelet, that counts.

The engine counts CPU time since a container's start; millicores are a difference between two looks at it.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable

from lab import metrics
from lab.runtime import Runtime, RuntimeFailure

from .nodes import NodeTable
from .records import PodRecord, PodTable

LOOK_SECONDS = 1.0
MOST_SECONDS = 8.0  # what is older than ten is no longer read
SHARE = 0.0015  # of a core, at most: with very many pods, looks are rarer
LOOKS_BACK = 2  # CPU time of processes comes in steps of 10 ms, which in one second would be one percent of a core

Stats = dict[str, tuple[int, int]]  # container's id → (CPU nanoseconds since its start, bytes in use)


class Usage:
    """`look` is called again and again, and publishes what is to be published when it is time."""

    def __init__(
        self,
        runtime: Runtime,
        pods: PodTable,
        nodes: NodeTable,
        clock: Callable[[], float] = time.monotonic,
        cost: Callable[[], float] = time.thread_time,
    ):
        self._runtime = runtime
        self._pods = pods
        self._nodes = nodes
        self._clock = clock
        self._cost = cost
        self._looks: deque[tuple[float, Stats]] = deque(maxlen=LOOKS_BACK)
        self._next = 0.0

    def look(self) -> None:
        now, begun = self._clock(), self._cost()
        if now < self._next:
            return
        try:
            stats = self._runtime.stats()
        except RuntimeFailure:  # the engine is away, as others say
            return
        if self._looks:
            before, then = self._looks[0][1], self._looks[0][0]
            for cluster, figures in usage(self._reported(), before, stats, now - then).items():
                metrics.publish(cluster, metrics.POD_USAGE, f"kubelet/{self._runtime.engine}", figures)
        self._looks.append((now, stats))
        self._next = now + min(max(LOOK_SECONDS, (self._cost() - begun) / SHARE), MOST_SECONDS)

    def _reported(self) -> Iterable[PodRecord]:
        """Not those of a node that is cut off: nobody could ask it."""
        for record in self._pods:
            node = self._nodes.get(record.cluster, record.node)
            if node and not node.silent:
                yield record


def usage(pods: Iterable[PodRecord], before: Stats, now: Stats, seconds: float) -> dict[str, dict]:
    """Cluster → uid → figures of a pod, as `lab.metrics` tells them. A container counts from its second look on."""
    found: dict[str, dict] = {}
    for record in pods:
        containers = {
            one.name: {
                "cpuMillis": round((now[one.id][0] - before[one.id][0]) / seconds / 1_000_000, 1),
                "memoryBytes": now[one.id][1],
            }
            for one in record.containers
            if one.id in now and one.id in before
        }
        if containers:
            total = {key: sum(one[key] for one in containers.values()) for key in ("cpuMillis", "memoryBytes")}
            found.setdefault(record.cluster, {})[record.uid] = total | {"containers": containers}
    return found


def pod_stats(runtime: Runtime, pods: Iterable[PodRecord]) -> list[dict]:
    """The pods of Kubernetes' Summary API, as far as it is asked for here."""
    stats, found = runtime.stats(), []
    for record in pods:
        cluster, namespace, name = record.address
        containers = [
            {
                "name": c.name,
                "cpu": {"usageCoreNanoSeconds": stats[c.id][0]},
                "memory": {"workingSetBytes": stats[c.id][1]},
            }
            for c in record.containers
            if c.id in stats
        ]
        ref = {"name": name, "namespace": namespace, "uid": record.uid}
        found.append({"podRef": ref, "cluster": cluster, "node": record.node, "containers": containers})
    return found
