"""What pods and nodes use, as `kubectl top` asks for it. Pure: out of the pods, the nodes, and the kubelets' figures.

In Kubernetes this is an API of its own, answered by the metrics server, which asks each kubelet every 15 seconds.
"""

from collections.abc import Iterable

from lab.apimachinery.controlplane import CONTROL_PLANE
from lab.apimachinery.kinds import NODE_METRICS, POD_METRICS, Kind

NOTHING = {"cpuMillis": 0, "memoryBytes": 0}
WINDOW = "2s"  # over which CPU is told, see lab/kubelet/usage.py


def pod_metrics(pods: Iterable[dict], figures: dict, timestamp: str) -> list[dict]:
    """PodMetrics of the pods that figures are known of."""
    found = []
    for pod in pods:
        used = figures.get(pod["metadata"]["uid"])
        if used:
            containers = [{"name": name, "usage": _usage(one)} for name, one in used["containers"].items()]
            found.append(_metrics(POD_METRICS, pod, timestamp) | {"containers": containers})
    return found


def node_metrics(nodes: list[dict], pods: Iterable[dict], figures: dict, timestamp: str) -> list[dict]:
    """NodeMetrics: a node here is what its pods use. Nothing of a control plane's, which is no pods here, nor of a
    node on which pods run and no figures of any are known."""
    sums: dict[str, dict] = {}
    running = set()
    for pod in pods:
        used, node = figures.get(pod["metadata"]["uid"]), pod["spec"].get("nodeName", "")
        if used:
            total = sums.setdefault(node, dict.fromkeys(NOTHING, 0))
            for key in total:
                total[key] += used[key]
        elif pod.get("status", {}).get("phase") == "Running":
            running.add(node)
    for node in nodes:
        name, labels = node["metadata"]["name"], node["metadata"].get("labels") or {}
        if name not in running and CONTROL_PLANE not in labels:
            sums.setdefault(name, NOTHING)
    known = [node for node in nodes if node["metadata"]["name"] in sums]
    return [
        _metrics(NODE_METRICS, node, timestamp) | {"usage": _usage(sums[node["metadata"]["name"]])} for node in known
    ]


def _metrics(kind: Kind, obj: dict, timestamp: str) -> dict:
    meta = obj["metadata"]
    kept = {key: meta[key] for key in ("name", "namespace", "labels") if key in meta}
    kept["creationTimestamp"] = timestamp
    head = {"kind": kind.kind, "apiVersion": kind.api_version}
    return {**head, "metadata": kept, "timestamp": timestamp, "window": WINDOW}


def _usage(used: dict) -> dict[str, str]:
    """CPU in billionths of a core, memory in KiB, as the metrics server writes them."""
    return {"cpu": f"{round(used['cpuMillis'] * 1_000_000)}n", "memory": f"{used['memoryBytes'] // 1024}Ki"}
