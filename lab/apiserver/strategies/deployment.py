"""Deployment: a template that may change while it runs. Source: kubernetes/pkg/apis/apps/validation/validation.go."""

from collections.abc import Iterator

from lab.apimachinery.errors import Cause

from .base import Strategy
from .causes import forbidden, invalid, not_negative, one_of
from .podspec.validation import validate_lasting_template
from .replicaset import (
    default_rolling,
    default_template,
    validate_replicas,
    validate_selection,
    validate_workload_change,
)
from .shares import at_most_all, is_nothing, validate_share

TYPES = ("Recreate", "RollingUpdate")
STEP = "25%"


class DeploymentStrategy(Strategy):
    has_generation = True

    def default(self, obj: dict) -> None:
        spec = obj.setdefault("spec", {})
        spec.setdefault("replicas", 1)
        spec.setdefault("revisionHistoryLimit", 10)
        spec.setdefault("progressDeadlineSeconds", 600)
        default_rolling(spec, "strategy", maxUnavailable=STEP, maxSurge=STEP)
        default_template(spec)

    def validate(self, obj: dict) -> Iterator[Cause]:
        yield from self._validate_numbers(obj["spec"])
        yield from validate_selection(obj["spec"])
        yield from validate_lasting_template(obj["spec"]["template"], "spec.template")

    def validate_change(self, new: dict, old: dict) -> Iterator[Cause]:
        yield from self._validate_numbers(new["spec"])
        yield from validate_workload_change(new["spec"], old["spec"])

    def _validate_numbers(self, spec: dict) -> Iterator[Cause]:
        yield from validate_replicas(spec)
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
