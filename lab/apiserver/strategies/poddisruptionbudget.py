"""PodDisruptionBudget: how many of some pods may be missing at once because somebody wants them gone.

Source: ValidatePodDisruptionBudgetSpec in pkg/apis/policy/validation/validation.go.
"""

from collections.abc import Iterator

from lab.apimachinery.errors import Cause

from .base import Strategy
from .causes import invalid, one_of
from .podspec.selectors import validate_label_selector
from .shares import at_most_all, validate_share

UNHEALTHY_POLICIES = ("AlwaysAllow", "IfHealthyBudget")
UNKNOWN = {"currentHealthy": 0, "desiredHealthy": 0, "disruptionsAllowed": 0, "expectedPods": 0}


class PodDisruptionBudgetStrategy(Strategy):
    has_generation = True

    def default(self, obj: dict) -> None:
        obj.setdefault("spec", {})

    def prepare_create(self, obj: dict) -> None:
        """Until its controller has counted, it lets nobody go."""
        super().prepare_create(obj)
        obj["status"] = dict(UNKNOWN)

    def prepare_status_update(self, new: dict, old: dict) -> None:
        """Its figures are always there: whoever reads them need not ask."""
        super().prepare_status_update(new, old)
        if not UNKNOWN.keys() <= new.setdefault("status", {}).keys():
            new["status"] = UNKNOWN | new["status"]

    def validate(self, obj: dict) -> Iterator[Cause]:
        spec = obj["spec"]
        shares = [field for field in ("minAvailable", "maxUnavailable") if spec.get(field) is not None]
        if len(shares) > 1:
            yield invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set")
        for field in shares:
            yield from validate_share(spec[field], f"spec.{field}")
            yield from at_most_all(spec[field], f"spec.{field}")
        yield from validate_label_selector(spec.get("selector"), "spec.selector")
        if policy := spec.get("unhealthyPodEvictionPolicy"):
            yield from one_of("spec.unhealthyPodEvictionPolicy", policy, UNHEALTHY_POLICIES)
