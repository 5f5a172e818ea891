"""What the kinds that keep pods of a template have in common. Source: pkg/apis/apps/validation/validation.go."""

from collections.abc import Iterator

from django.conf import settings

from lab.apimachinery.errors import Cause
from lab.apimachinery.selectors import parse_label_selector

from .base import Strategy
from .causes import invalid, not_negative, required, unchanged
from .podspec.defaults import default_pod_spec
from .podspec.selectors import validate_label_selector
from .podspec.validation import validate_lasting_template


class WorkloadStrategy(Strategy):
    """Of a kind with a selector for life, and a template of pods that are meant to run for ever."""

    has_generation = True
    called = "deployment", "ReplicaSet"  # where its selector, its template is wrong: so Kubernetes calls several kinds

    def validate_numbers(self, spec: dict) -> Iterator[Cause]:
        """How many there shall be, and how they are replaced."""
        yield from validate_replicas(spec)

    def validate(self, obj: dict) -> Iterator[Cause]:
        yield from self.validate_numbers(obj["spec"])
        yield from self._validate_pods(obj["spec"])

    def validate_change(self, new: dict, old: dict) -> Iterator[Cause]:
        """With another selector the workload would forget the pods it made. A template that has not changed was checked
        when it came, so scaling costs little."""
        spec, was = new["spec"], old["spec"]
        yield from self.validate_numbers(spec)
        if spec.get("selector") != was.get("selector") or spec["template"] != was["template"]:
            yield from self._validate_pods(spec)
            yield from unchanged("spec.selector", spec.get("selector"), was.get("selector"))

    def _validate_pods(self, spec: dict) -> Iterator[Cause]:
        yield from validate_selection(spec, self.called[0])
        yield from validate_lasting_template(spec["template"], self.called[1])


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


def validate_selection(spec: dict, of: str) -> Iterator[Cause]:
    """The selector must choose the pods of its own template: or the controller would make pods for ever. `of`: what
    has it, in the words of Kubernetes."""
    selector = spec.get("selector")
    if selector is None:
        yield required("spec.selector")
        yield from _validate_match(spec, matches=False)  # no selector chooses nothing, an empty one everything
        return
    problems = list(validate_label_selector(selector, "spec.selector"))
    yield from problems
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield invalid("spec.selector", selector, f"empty selector is invalid for {of}")
    elif not problems:
        labels = _labels(spec)
        yield from _validate_match(spec, parse_label_selector(selector).matches(labels))


def _labels(spec: dict) -> dict:
    return (spec["template"].get("metadata") or {}).get("labels") or {}


def _validate_match(spec: dict, matches: bool) -> Iterator[Cause]:
    if not matches:
        yield invalid("spec.template.metadata.labels", _labels(spec), "`selector` does not match template `labels`")
