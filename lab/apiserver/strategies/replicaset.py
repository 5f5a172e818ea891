"""ReplicaSet: so many pods of one template. Source: kubernetes/pkg/apis/apps/validation/validation.go."""

from collections.abc import Iterator

from django.conf import settings

from lab.apimachinery.errors import Cause
from lab.apimachinery.selectors import parse_label_selector

from .base import Strategy
from .causes import invalid, not_negative, required, unchanged
from .podspec.defaults import default_pod_spec
from .podspec.selectors import validate_label_selector
from .podspec.validation import validate_lasting_template


class ReplicaSetStrategy(Strategy):
    has_generation = True

    def default(self, obj: dict) -> None:
        spec = obj.setdefault("spec", {})
        spec.setdefault("replicas", 1)
        default_template(spec)

    def validate(self, obj: dict) -> Iterator[Cause]:
        yield from validate_replicas(obj["spec"])
        yield from validate_selection(obj["spec"])
        yield from validate_lasting_template(obj["spec"]["template"], "spec.template")

    def validate_change(self, new: dict, old: dict) -> Iterator[Cause]:
        yield from validate_replicas(new["spec"])
        yield from validate_workload_change(new["spec"], old["spec"])


def default_template(spec: dict) -> None:
    template = spec.setdefault("template", {})
    template.setdefault("metadata", {})
    default_pod_spec(template.setdefault("spec", {}), int(settings.CLOCK["termination_grace"]))


def default_rolling(spec: dict, field: str, **defaults: int | str) -> None:
    """How pods of old versions are replaced, which `field` says: one after the other, where it says nothing else."""
    strategy = spec.setdefault(field, {})
    if not strategy.get("type"):
        strategy["type"] = "RollingUpdate"
    if strategy["type"] == "RollingUpdate":
        rolling = strategy.setdefault("rollingUpdate", {})
        for name, value in defaults.items():
            rolling.setdefault(name, value)


def validate_replicas(spec: dict) -> Iterator[Cause]:
    yield from not_negative("spec.replicas", spec.get("replicas"))
    yield from not_negative("spec.minReadySeconds", spec.get("minReadySeconds"))


def validate_selection(spec: dict, of: str = "deployment") -> Iterator[Cause]:
    """The selector must choose the pods of its own template: or the controller would make pods for ever. `of`: what
    has it, in the words of Kubernetes, which calls a ReplicaSet a deployment here."""
    selector = spec.get("selector")
    if selector is None:
        yield required("spec.selector")
        return
    problems = list(validate_label_selector(selector, "spec.selector"))
    yield from problems
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield invalid("spec.selector", selector, f"empty selector is invalid for {of}")
    elif not problems:
        labels = (spec["template"].get("metadata") or {}).get("labels") or {}
        if not parse_label_selector(selector).matches(labels):
            yield invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")


def validate_workload_change(new: dict, old: dict) -> Iterator[Cause]:
    """The selector stays for life: with another one the workload would forget the pods it made. A template that has
    not changed was checked when it came, so scaling costs little."""
    if new.get("selector") == old.get("selector") and new["template"] == old["template"]:
        return
    yield from validate_selection(new)
    yield from validate_lasting_template(new["template"], "spec.template")
    yield from unchanged("spec.selector", new.get("selector"), old.get("selector"))
