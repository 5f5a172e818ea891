"""Deployment: a template that may change while it runs. Source: kubernetes/pkg/apis/apps/validation/validation.go."""

from collections.abc import Iterator

from lab.apimachinery.errors import Cause

from .causes import forbidden, invalid, not_negative, one_of
from .shares import at_most_all, is_nothing, validate_share
from .workload import WorkloadStrategy, default_rolling, default_template

TYPES = ("Recreate", "RollingUpdate")
STEP = "25%"


class DeploymentStrategy(WorkloadStrategy):
    def default(self, obj: dict) -> None:
        spec = obj.setdefault("spec", {})
        spec.setdefault("replicas", 1)
        spec.setdefault("revisionHistoryLimit", 10)
        spec.setdefault("progressDeadlineSeconds", 600)
        default_rolling(spec, "strategy", maxUnavailable=STEP, maxSurge=STEP)
        default_template(spec)

    def validate_numbers(self, spec: dict) -> Iterator[Cause]:
        yield from super().validate_numbers(spec)
        yield from not_negative("spec.revisionHistoryLimit", spec["revisionHistoryLimit"])
        deadline, ready = spec["progressDeadlineSeconds"], spec.get("minReadySeconds", 0)
        yield from not_negative("spec.progressDeadlineSeconds", deadline)
        if deadline <= ready:
            yield invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")
        yield from _validate_strategy(spec["strategy"])


def _validate_strategy(strategy: dict) -> Iterator[Cause]:
    path, rolling = "spec.strategy", strategy.get("rollingUpdate")
    yield from one_of(f"{path}.type", strategy["type"], TYPES)
    if strategy["type"] == "Recreate" and rolling is not None:
        words = "may not be specified when strategy `type` is 'Recreate'"
        yield forbidden(f"{path}.rollingUpdate", words)
    elif strategy["type"] == "RollingUpdate" and rolling is not None:  # its defaults have seen to it
        unavailable, surge = rolling["maxUnavailable"], rolling["maxSurge"]
        yield from validate_share(unavailable, f"{path}.rollingUpdate.maxUnavailable")
        yield from validate_share(surge, f"{path}.rollingUpdate.maxSurge")
        if is_nothing(unavailable) and is_nothing(surge):
            # Then no pod could go before a new one came, and none come before an old one went.
            words = "may not be 0 when `maxSurge` is 0"
            yield invalid(f"{path}.rollingUpdate.maxUnavailable", unavailable, words)
        yield from at_most_all(unavailable, f"{path}.rollingUpdate.maxUnavailable")
