"""Release: a new version of a Deployment brought to its visitors by a chosen strategy."""

from collections.abc import Iterator

from lab.apimachinery.errors import Cause

from .base import Strategy
from .causes import forbidden, invalid, not_negative, one_of, required, unchanged

TYPES = ("BlueGreen", "Canary", "RollingUpdate")
VERDICTS = ("Abort", "Promote")
STEPS: list[dict] = [
    {"setWeight": 10},
    {"pause": {"seconds": 10}},
    {"setWeight": 50},
    {"pause": {"seconds": 10}},
]
ANALYSIS = {"maxErrorPercent": 5, "maxLatencyRatio": 2, "minRequests": 50, "intervalSeconds": 1}
SCALE_DOWN_SECONDS = 60
# What a release is of: to change it under way would be another release.
FIXED = ("deployment", "service", "image", "container", "template")


class ReleaseStrategy(Strategy):
    has_generation = True

    def default(self, obj: dict) -> None:
        strategy = obj.setdefault("spec", {}).setdefault("strategy", {})
        strategy.setdefault("type", "RollingUpdate")
        if strategy["type"] == "Canary":
            canary = strategy.setdefault("canary", {})
            if not canary.get("steps"):
                canary["steps"] = [dict(step) for step in STEPS]
            if "analysis" in canary:
                canary["analysis"] = {**ANALYSIS, **canary["analysis"]}
        if strategy["type"] == "BlueGreen":
            strategy.setdefault("blueGreen", {}).setdefault("scaleDownDelaySeconds", SCALE_DOWN_SECONDS)

    def validate(self, obj: dict) -> Iterator[Cause]:
        spec = obj["spec"]
        strategy = spec["strategy"]
        if not spec.get("deployment"):
            yield required("spec.deployment")
        if not spec.get("image") and not spec.get("template"):
            yield required("spec.image", "or spec.template: what is new")
        if spec.get("verdict"):
            yield from one_of("spec.verdict", spec["verdict"], VERDICTS)
        if "weight" in spec:
            yield from _percentage("spec.weight", spec["weight"])
            if strategy["type"] != "Canary":
                yield forbidden("spec.weight", f"may not be used when `strategy.type` is '{strategy['type']}'")
        yield from one_of("spec.strategy.type", strategy["type"], TYPES)
        canary, blue_green = strategy.get("canary", {}), strategy.get("blueGreen", {})
        for at, step in enumerate(canary.get("steps", ())):
            yield from _validate_step(step, f"spec.strategy.canary.steps[{at}]")
        for field, value in canary.get("analysis", {}).items():
            yield from not_negative(f"spec.strategy.canary.analysis.{field}", value)
        for field, value in blue_green.items():
            yield from not_negative(f"spec.strategy.blueGreen.{field}", value)

    def validate_change(self, new: dict, old: dict) -> Iterator[Cause]:
        for field in FIXED:
            yield from unchanged(f"spec.{field}", new["spec"].get(field), old["spec"].get(field))
        yield from unchanged("spec.strategy.type", new["spec"]["strategy"]["type"], old["spec"]["strategy"]["type"])
        if "finishedAt" in old.get("status", {}) and new["spec"] != old["spec"]:
            words = "the release is over; `kubectl rollout undo deployment/{}` brings back the version before"
            yield forbidden("spec", words.format(old["spec"]["deployment"]))
        yield from self.validate(new)


def _validate_step(step: dict, path: str) -> Iterator[Cause]:
    if ("setWeight" in step) == ("pause" in step):
        yield required(path, "setWeight or pause, one of them")
    if "setWeight" in step:
        yield from _percentage(f"{path}.setWeight", step["setWeight"])
    yield from not_negative(f"{path}.pause.seconds", (step.get("pause") or {}).get("seconds"))


def _percentage(path: str, value: int) -> Iterator[Cause]:
    if not 0 <= value <= 100:
        yield invalid(path, value, "must be between 0 and 100")
