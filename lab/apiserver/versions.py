"""Versions of a kind: one is stored, and the others are made of it when they are asked for.

Pure. Nothing is lost on the way there and back: what an older version has no field for goes into an annotation.
Sources: kubernetes/pkg/apis/autoscaling/v1/conversion.go, kubernetes/pkg/apis/events/v1/conversion.go.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import orjson

from lab.apimachinery.errors import bad_request
from lab.apimachinery.kinds import BY_RESOURCE, Kind

METRICS, BEHAVIOR = (f"autoscaling.alpha.kubernetes.io/{name}" for name in ("metrics", "behavior"))
CONDITIONS, CURRENT = (f"autoscaling.alpha.kubernetes.io/{name}" for name in ("conditions", "current-metrics"))
IN_SPEC = {METRICS: "metrics", BEHAVIOR: "behavior"}
IN_STATUS = {CONDITIONS: "conditions", CURRENT: "currentMetrics"}
CPU = "targetCPUUtilizationPercentage"
# What events.k8s.io calls otherwise than the core group.
OF_EVENTS = {
    "regarding": "involvedObject",
    "note": "message",
    "reportingController": "reportingComponent",
    "deprecatedSource": "source",
    "deprecatedFirstTimestamp": "firstTimestamp",
    "deprecatedLastTimestamp": "lastTimestamp",
    "deprecatedCount": "count",
}


def stored_kind(kind: Kind) -> Kind:
    """The kind as it is stored; itself for what is stored nowhere."""
    return BY_RESOURCE.get(kind.stored_as or kind.resource, kind)


def stored(kind: Kind, obj: dict) -> dict:
    """An object of a version as it is stored; shares parts with what was given."""
    turned = _TURNED.get(kind.api_version + kind.kind)
    return {**turned[0](obj), "apiVersion": stored_kind(kind).api_version} if turned else obj


def served(kind: Kind, obj: dict) -> dict:
    """A stored object in a version; shares parts with what was given."""
    turned = _TURNED.get(kind.api_version + kind.kind)
    return {**turned[1](obj), "apiVersion": kind.api_version} if turned else obj


def _autoscaler_from_v1(obj: dict) -> dict:
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    annotations = dict((obj.get("metadata") or {}).get("annotations") or {})
    for part, names in ((spec, IN_SPEC), (status, IN_STATUS)):
        for annotation, field in names.items():
            if annotation in annotations:
                part[field] = _read(annotation, annotations.pop(annotation))
    percentage = spec.pop(CPU, None)
    if percentage is not None:
        spec["metrics"] = [
            _cpu("target", {"type": "Utilization", "averageUtilization": percentage}),
            *spec.get("metrics", ()),
        ]
    used = status.pop("currentCPUUtilizationPercentage", None)
    if used is not None:
        status["currentMetrics"] = [_cpu("current", {"averageUtilization": used}), *status.get("currentMetrics", ())]
    return _put_together(obj, annotations, spec, status)


def _autoscaler_to_v1(obj: dict) -> dict:
    spec, status = dict(obj.get("spec") or {}), dict(obj.get("status") or {})
    annotations = dict(obj["metadata"].get("annotations") or {})
    percentage, metrics = _take_cpu(spec.pop("metrics", None), "target")
    used, current = _take_cpu(status.pop("currentMetrics", None), "current")
    if percentage is not None:
        spec[CPU] = percentage
    if used is not None:
        status["currentCPUUtilizationPercentage"] = used
    kept = {METRICS: metrics, BEHAVIOR: spec.pop("behavior", None)}
    kept |= {CURRENT: current, CONDITIONS: status.pop("conditions", None)}
    annotations |= {name: orjson.dumps(value).decode() for name, value in kept.items() if value}
    return _put_together(obj, annotations, spec, status)


def _cpu(field: str, value: dict) -> dict:
    return {"type": "Resource", "resource": {"name": "cpu", field: value}}


def _take_cpu(metrics: list[dict] | None, field: str) -> tuple[int | None, list[dict]]:
    """(the utilization that the first of them has for the CPU, those that are left)."""
    metrics = metrics or []
    for at, metric in enumerate(metrics):
        resource = metric.get("resource") or {}
        found = (resource.get(field) or {}).get("averageUtilization")
        if resource.get("name") == "cpu" and found is not None:
            return found, metrics[:at] + metrics[at + 1 :]
    return None, metrics


def _read(annotation: str, text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise bad_request(f"metadata.annotations[{annotation}] is not valid JSON") from None


def _put_together(obj: dict, annotations: dict, spec: dict, status: dict) -> dict:
    metadata = {key: value for key, value in (obj.get("metadata") or {}).items() if key != "annotations"}
    if annotations:
        metadata["annotations"] = annotations
    return {**obj, "metadata": metadata, "spec": spec} | ({"status": status} if "status" in obj else {})


def _renamed(names: dict[str, str], obj: dict) -> dict:
    return {names.get(field, field): value for field, value in obj.items()}


_TURNED: dict[str, tuple[Callable[[dict], dict], Callable[[dict], dict]]] = {
    "autoscaling/v1HorizontalPodAutoscaler": (_autoscaler_from_v1, _autoscaler_to_v1),
    "events.k8s.io/v1Event": (partial(_renamed, OF_EVENTS), partial(_renamed, {b: a for a, b in OF_EVENTS.items()})),
}
