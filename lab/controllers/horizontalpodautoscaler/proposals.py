"""One metric of a HorizontalPodAutoscaler's spec → how many replicas it asks for, and what its status says. Pure.

Source: computeReplicasForMetric and its five computeStatusFor… in pkg/controller/podautoscaler/horizontal.go; names,
reasons and messages are Kubernetes'.
"""

from dataclasses import dataclass

from lab.apimachinery.meta import is_true
from lab.apimachinery.quantity import canonical, milli_value

from . import metrics, replicas
from .metrics import Figures
from .replicas import Count, Patience, Tolerance, Unknown


@dataclass(frozen=True)
class Target:
    """What is scaled, as it is now.

    A rollout, and above all a Release, may keep many more pods than are asked for, and for long. Who uses how much is
    known of each of them; but a figure of all together is divided by, and grows by, no more than are asked for, or a
    surge would itself be a reason to scale. (Kubernetes counts the surge there, and swings until the rollout is over.)
    """

    namespace: str
    pods: list[dict]  # all that its selector means
    spec_replicas: int
    status_replicas: int
    rivals: str = ""  # who else scales it, in words

    @property
    def ready(self) -> int:
        ready = sum(p.get("status", {}).get("phase") == "Running" and is_true(p, "Ready") for p in self.pods)
        return min(ready, self.spec_replicas)

    @property
    def there(self) -> int:
        return min(self.status_replicas, self.spec_replicas)


@dataclass(frozen=True)
class Proposal:
    """What one metric asks for; `replicas` is None where it cannot be told, and `error` says why then."""

    name: str
    replicas: int | None
    status: dict  # autoscaling/v2 MetricStatus; without a type where it cannot be told, as in Kubernetes
    why: dict
    reason: str = ""
    error: str = ""


def propose(metric: dict, target: Target, figures: Figures, tolerance: Tolerance, patience: Patience) -> Proposal:
    kind = metric["type"]
    field = kind[:1].lower() + kind[1:]
    source = metric[field]
    try:
        name, count, current = SOURCES[kind](source, target, figures, tolerance, patience)
    except Unknown as unknown:
        error, reason = WRAPPED[kind].format(name=_name(source), error=unknown), f"FailedGet{kind}Metric"
        name = f"{_name(source)} ({kind})"
        return Proposal(name, None, {"type": ""}, {"metric": name, "error": error}, reason, error)
    identity = {key: source[key] for key in ("name", "container", "metric", "describedObject") if key in source}
    status = {"type": kind, field: {**identity, "current": current}}
    why = {"metric": name, "ratio": round(count.ratio, 3), "proposal": count.replicas}
    why |= {"current": _shown(current), "target": _shown(source["target"])}
    if count.groups:
        why |= {what: len(uids) for what, uids in vars(count.groups).items()}
    return Proposal(name, count.replicas, status, why)


def _name(source: dict) -> str:
    return source.get("name") or source["metric"]["name"]


def _shown(values: dict) -> str:
    if "averageUtilization" in values:
        return f"{values['averageUtilization']}%"
    return str(values.get("averageValue") or values.get("value"))


def _quantity(thousandths: int) -> str:
    return canonical(f"{thousandths}m")


Made = tuple[str, Count, dict]  # the metric's name in messages, the count, and the status' `current`


def _resource(source: dict, target: Target, figures: Figures, tolerance: Tolerance, patience: Patience) -> Made:
    resource, container, asked = source["name"], source.get("container", ""), source["target"]
    used = metrics.resource_usage(figures, resource, target.pods, container)
    waits = patience if resource == "cpu" else None
    name = f"{resource} container resource" if container else f"{resource} resource"
    if "averageValue" in asked:
        wanted = milli_value(asked["averageValue"])
        count = replicas.by_average(target.pods, used, wanted, target.spec_replicas, tolerance, waits)
        return name, count, {"averageValue": _quantity(count.usage)}
    requests = replicas.requests_of(target.pods, resource, container)
    percent = asked["averageUtilization"]
    count = replicas.by_utilization(target.pods, used, requests, percent, target.spec_replicas, tolerance, waits)
    current = {"averageUtilization": count.usage, "averageValue": _quantity(count.average)}
    return f"{name} utilization (percentage of request)", count, current


def _pods(source: dict, target: Target, figures: Figures, tolerance: Tolerance, patience: Patience) -> Made:
    name = source["metric"]["name"]
    found = metrics.of_pods(figures, name, target.namespace, target.pods)
    wanted = milli_value(source["target"]["averageValue"])
    count = replicas.by_average(target.pods, found, wanted, target.spec_replicas, tolerance)
    return f"pods metric {name}", count, {"averageValue": _quantity(count.usage)}


def _object(source: dict, target: Target, figures: Figures, tolerance: Tolerance, patience: Patience) -> Made:
    name, described = source["metric"]["name"], source["describedObject"]
    usage = metrics.of_object(figures, name, target.namespace, described)
    return f"{described['kind']} metric {name}", *_together(usage, source["target"], target, tolerance)


def _external(source: dict, target: Target, figures: Figures, tolerance: Tolerance, patience: Patience) -> Made:
    name, selector = source["metric"]["name"], source["metric"].get("selector")
    usage = metrics.external(figures, name, target.namespace, selector)
    return f"external metric {name}", *_together(usage, source["target"], target, tolerance)


def _together(usage: int, asked: dict, target: Target, tolerance: Tolerance) -> tuple[Count, dict]:
    """A figure of all pods together: one that should be so high, or of which each pod should have so much."""
    if "averageValue" in asked:
        count = replicas.by_share(usage, milli_value(asked["averageValue"]), target.there, tolerance)
        return count, {"averageValue": _quantity(count.usage)}
    if target.spec_replicas and not target.pods:
        raise Unknown(replicas.NO_PODS)
    wanted = milli_value(asked["value"])
    count = replicas.by_value(usage, wanted, target.ready, target.spec_replicas, tolerance)
    return count, {"value": _quantity(count.usage)}


SOURCES = {
    "Resource": _resource,
    "ContainerResource": _resource,
    "Pods": _pods,
    "Object": _object,
    "External": _external,
}
WRAPPED = {
    "Resource": "failed to get {name} utilization: {error}",
    "ContainerResource": "failed to get {name} container metric value: {error}",
    "Pods": "failed to get pods metric value: {error}",
    "Object": "failed to get object metric value: {error}",
    "External": "failed to get {name} external metric value: {error}",
}
