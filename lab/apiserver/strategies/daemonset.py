"""DaemonSet: one pod of a template on each node. Source: kubernetes/pkg/apis/apps/validation/validation.go and
pkg/registry/apps/daemonset/strategy.go."""

from collections.abc import Iterator

from lab.apimachinery.errors import Cause
from lab.apimachinery.labels import TEMPLATE_GENERATION

from .causes import invalid, not_negative, required, unsupported
from .shares import at_most_all, is_nothing, validate_share
from .workload import WorkloadStrategy, default_rolling, default_template

TYPES = ("RollingUpdate", "OnDelete")


class DaemonSetStrategy(WorkloadStrategy):
    called = "daemonset", "DaemonSet"

    def default(self, obj: dict) -> None:
        spec = obj.setdefault("spec", {})
        spec.setdefault("revisionHistoryLimit", 10)
        default_rolling(spec, "updateStrategy", maxUnavailable=1, maxSurge=0)
        default_template(spec)

    def prepare_create(self, obj: dict) -> None:
        super().prepare_create(obj)
        _number(obj, 1)

    def prepare_update(self, new: dict, old: dict) -> None:
        """Its templates are numbered too; Kubernetes shows the number, which was once a field, as an annotation."""
        super().prepare_update(new, old)
        had = int((old["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION, 0))
        _number(new, had + (new["spec"]["template"] != old["spec"]["template"]))

    def validate_numbers(self, spec: dict) -> Iterator[Cause]:
        for field in ("minReadySeconds", "revisionHistoryLimit"):
            yield from not_negative(f"spec.{field}", spec.get(field))
        strategy, path = spec["updateStrategy"], "spec.updateStrategy"
        if strategy["type"] not in TYPES:
            yield unsupported(path, strategy, TYPES)
        elif strategy["type"] == "RollingUpdate":
            yield from _validate_rolling(strategy["rollingUpdate"], f"{path}.rollingUpdate")


def _number(obj: dict, number: int) -> None:
    obj["metadata"]["annotations"] = {**(obj["metadata"].get("annotations") or {}), TEMPLATE_GENERATION: str(number)}


def _validate_rolling(rolling: dict, path: str) -> Iterator[Cause]:
    for field in ("maxUnavailable", "maxSurge"):
        yield from validate_share(rolling[field], f"{path}.{field}")
        yield from at_most_all(rolling[field], f"{path}.{field}")
    still, apart = is_nothing(rolling["maxSurge"]), is_nothing(rolling["maxUnavailable"])
    if not still and not apart:
        yield invalid(f"{path}.maxSurge", rolling["maxSurge"], "may not be set when maxUnavailable is non-zero")
    elif still and apart:
        yield required(f"{path}.maxUnavailable", "cannot be 0 when maxSurge is 0")
