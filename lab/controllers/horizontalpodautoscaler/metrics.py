"""What is measured of pods and of services, by the names that a HorizontalPodAutoscaler asks for. Pure but for `read`.

Kubernetes has three doors: metrics.k8s.io (CPU and memory, by the kubelets), custom.metrics.k8s.io and
external.metrics.k8s.io (whatever an adapter offers). Behind all three here is `lab.metrics`; what the proxy counts of
services is offered as `requests_per_second`, `errors_per_second` and `latency_ms` (their mean). In thousandths.
"""

from collections.abc import Callable
from dataclasses import dataclass

from lab import metrics

from .replicas import Unknown

WINDOW_SECONDS = 2.0  # over about so long each figure is taken


@dataclass(frozen=True)
class Figures:
    """All that is fresh: `usage` by pod's uid, `traffic` by service and port, as `lab.metrics` says."""

    usage: dict
    traffic: dict


def read(cluster: str) -> Figures:
    return Figures(metrics.read(cluster, metrics.POD_USAGE), metrics.read(cluster, metrics.TRAFFIC))


def resource_usage(figures: Figures, resource: str, pods: list[dict], container: str = "") -> dict[str, int]:
    """What the pods, or one container of each, use of CPU or memory, by uid; who is not measured is missing."""
    field = {"cpu": "cpuMillis", "memory": "memoryBytes"}.get(resource)
    scale = 1 if resource == "cpu" else 1000
    found = {}
    for uid in (pod["metadata"]["uid"] for pod in pods):
        used = figures.usage.get(uid)
        if used and container:
            used = used.get("containers", {}).get(container)
        if used and field:
            found[uid] = round(used[field] * scale)
    if not found:
        raise Unknown(f"unable to get metrics for resource {resource}: no metrics returned from resource metrics API")
    return found


def _rate(servers: list[dict]) -> float:
    return sum(server["rate"] for server in servers)


def _errors(servers: list[dict]) -> float:
    return sum(server["rate"] * server["errorRate"] for server in servers)


def _latency(servers: list[dict]) -> float:
    """The mean over requests, not over pods: one that gets few hardly matters."""
    total = _rate(servers)
    return sum(server["rate"] * server["meanMs"] for server in servers) / total if total else 0.0


MEASURES: dict[str, Callable[[list[dict]], float]] = {
    "requests_per_second": _rate,
    "errors_per_second": _errors,
    "latency_ms": _latency,
}


def of_pods(figures: Figures, name: str, namespace: str, pods: list[dict]) -> dict[str, int]:
    """What each pod has of a metric, over all services that send it requests, by uid."""
    served: dict[str, list[dict]] = {}
    for service, port in figures.traffic.items():
        if service.startswith(f"{namespace}/"):
            for uid, server in port["servers"].items():
                served.setdefault(uid, []).append(server)
    measure = _measure(name)
    uids = [pod["metadata"]["uid"] for pod in pods]
    found = {uid: round(measure(served[uid]) * 1000) for uid in uids if uid in served}
    if not found:
        raise Unknown(f"unable to get metric {name}: no metrics returned from custom metrics API")
    return found


def of_object(figures: Figures, name: str, namespace: str, described: dict) -> int:
    """What a Service has of a metric, all its ports and pods together."""
    what = f"{described['kind']} on {namespace} {described['name']}"
    if described["kind"] != "Service":
        raise Unknown(f"unable to get metric {name}: {what}: only Services are measured")
    servers = _servers(figures, lambda service: service == f"{namespace}/{described['name']}")
    if servers is None:
        raise Unknown(f"unable to get metric {name}: {what}: no metrics returned from custom metrics API")
    return round(_measure(name)(servers) * 1000)


def external(figures: Figures, name: str, namespace: str, selector: dict | None) -> int:
    """What all services of the namespace have of a metric together; `matchLabels: {service: …}` narrows it to one."""
    asked = ((selector or {}).get("matchLabels") or {}).get("service")
    servers = _servers(
        figures, lambda service: service == f"{namespace}/{asked}" if asked else service.startswith(f"{namespace}/")
    )
    if servers is None:
        raise Unknown(
            f"unable to get external metric {namespace}/{name}: no metrics returned from external metrics API"
        )
    return round(_measure(name)(servers) * 1000)


def _servers(figures: Figures, wanted: Callable[[str], bool]) -> list[dict] | None:
    """The servers of all ports of the wanted services; None if nothing is known of any."""
    ports = [port for service, port in figures.traffic.items() if wanted(service.rpartition(":")[0])]
    return [server for port in ports for server in port["servers"].values()] if ports else None


def _measure(name: str) -> Callable[[list[dict]], float]:
    if name not in MEASURES:
        raise Unknown(f"the server could not find the metric {name}: there are {', '.join(MEASURES)}")
    return MEASURES[name]
