"""HorizontalPodAutoscaler: how many replicas of a workload there shall be, by what is measured.

Source: kubernetes/pkg/apis/autoscaling/v2/defaults.go and kubernetes/pkg/apis/autoscaling/validation/validation.go.
"""

from collections.abc import Iterator

from lab.apimachinery.errors import Cause
from lab.apimachinery.quantity import milli_value

from .base import Strategy
from .causes import POSITIVE, forbidden, invalid, one_of, required

SOURCES = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}
TARGETS = ("AverageValue", "Utilization", "Value")
# The kinds of target that each source can have; a resource may also be measured against what was asked for.
TARGETS_OF = {"resource": TARGETS[:2], "containerResource": TARGETS[:2], "pods": TARGETS[:1]}
FIELDS = {"Utilization": "averageUtilization", "AverageValue": "averageValue", "Value": "value"}
SELECT = ("Disabled", "Max", "Min")
LONGEST_PERIOD, LONGEST_WINDOW = 1800, 3600
UP_POLICIES = [
    {"type": "Pods", "value": 4, "periodSeconds": 15},
    {"type": "Percent", "value": 100, "periodSeconds": 15},
]
DOWN_POLICIES = [{"type": "Percent", "value": 100, "periodSeconds": 15}]


class HorizontalPodAutoscalerStrategy(Strategy):
    has_generation = True

    def default(self, obj: dict) -> None:
        spec = obj.setdefault("spec", {})
        spec.setdefault("minReplicas", 1)
        if not spec.get("metrics"):
            cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}
            spec["metrics"] = [{"type": "Resource", "resource": cpu}]
        behavior = spec.get("behavior")
        if behavior and (behavior.get("scaleUp") or behavior.get("scaleDown")):
            # How long a lower number has to be right is the controller's flag, where it is not said here.
            _default_rules(behavior, "scaleUp", UP_POLICIES, {"stabilizationWindowSeconds": 0})
            _default_rules(behavior, "scaleDown", DOWN_POLICIES, {})
        elif behavior is not None:
            del spec["behavior"]

    def validate(self, obj: dict) -> Iterator[Cause]:
        spec = obj["spec"]
        least, most = spec["minReplicas"], spec.get("maxReplicas", 0)
        if least < 1:
            yield invalid("spec.minReplicas", least, "must be greater than or equal to 1")
        if most < 1:
            yield invalid("spec.maxReplicas", most, "must be greater than 0")
        if most < least:
            yield invalid("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")
        yield from _validate_reference(spec.get("scaleTargetRef") or {}, "spec.scaleTargetRef")
        for at, metric in enumerate(spec["metrics"]):
            yield from _validate_metric(metric, f"spec.metrics[{at}]")
        for way, rules in (spec.get("behavior") or {}).items():
            yield from _validate_rules(rules, f"spec.behavior.{way}")


def _default_rules(behavior: dict, way: str, policies: list[dict], more: dict) -> None:
    rules = behavior.get(way) or {}
    behavior[way] = {"selectPolicy": "Max", "policies": [dict(p) for p in policies], **more, **rules}


def _validate_reference(ref: dict, path: str) -> Iterator[Cause]:
    for field in ("kind", "name"):
        if not ref.get(field):
            yield required(f"{path}.{field}")


def _validate_metric(metric: dict, path: str) -> Iterator[Cause]:
    kind, present = metric.get("type"), [field for field in SOURCES.values() if metric.get(field)]
    if not kind:
        yield required(f"{path}.type", "must specify a metric source type")
        return
    yield from one_of(f"{path}.type", kind, tuple(SOURCES))
    expected = SOURCES.get(kind)
    if expected is None:
        return
    if expected not in present:
        yield required(f"{path}.{expected}", "must populate information for the given metric source")
    else:
        yield from _validate_source(expected, metric[expected], f"{path}.{expected}")
    for field in present:
        if field != expected:
            yield forbidden(f"{path}.{field}", "must populate the given metric source only")


def _validate_source(field: str, source: dict, path: str) -> Iterator[Cause]:
    if field in ("resource", "containerResource"):
        if not source.get("name"):
            yield required(f"{path}.name", "must specify a resource name")
        if field == "containerResource" and not source.get("container"):
            yield required(f"{path}.container", "must specify a container")
    elif not (source.get("metric") or {}).get("name"):
        yield required(f"{path}.metric.name", "must specify a metric name")
    if field == "object":
        yield from _validate_reference(source.get("describedObject") or {}, f"{path}.describedObject")
    allowed = TARGETS_OF.get(field, ("AverageValue", "Value"))
    yield from _validate_target(source.get("target") or {}, f"{path}.target", allowed)


def _validate_target(target: dict, path: str, allowed: tuple[str, ...]) -> Iterator[Cause]:
    kind = target.get("type")
    if not kind:
        yield required(f"{path}.type", "must specify a metric target type")
        return
    yield from one_of(f"{path}.type", kind, TARGETS)
    fields = [FIELDS[one] for one in allowed]
    if not any(target.get(field) is not None for field in fields):
        yield required(f"{path}.{fields[0]}", f"must set {' or '.join(fields)}")
    if len([field for field in fields if target.get(field) is not None]) > 1:
        yield forbidden(f"{path}.{fields[0]}", f"may not set both {' and '.join(fields)}")
    for field in FIELDS.values():
        if target.get(field) is not None and milli_value(target[field]) <= 0:
            yield invalid(f"{path}.{field}", target[field], POSITIVE)


def _validate_rules(rules: dict, path: str) -> Iterator[Cause]:
    window = rules.get("stabilizationWindowSeconds", 0)
    if not 0 <= window <= LONGEST_WINDOW:
        words = f"must be greater than or equal to zero and less than or equal to {LONGEST_WINDOW}"
        yield invalid(f"{path}.stabilizationWindowSeconds", window, words)
    yield from one_of(f"{path}.selectPolicy", rules["selectPolicy"], SELECT)
    if not rules["policies"]:
        yield required(f"{path}.policies", "must specify at least one Policy")
    for at, policy in enumerate(rules["policies"]):
        here, period = f"{path}.policies[{at}]", policy.get("periodSeconds", 0)
        yield from one_of(f"{here}.type", policy.get("type"), ("Percent", "Pods"))
        if policy.get("value", 0) <= 0:
            yield invalid(f"{here}.value", policy.get("value", 0), POSITIVE)
        if period <= 0:
            yield invalid(f"{here}.periodSeconds", period, POSITIVE)
        elif period > LONGEST_PERIOD:
            yield invalid(f"{here}.periodSeconds", period, f"must be less than or equal to {LONGEST_PERIOD}")
