"""Wheel: whether one of the lab's control loops turns, and how (`lab/apimachinery/wheels.py`)."""

from collections.abc import Iterator

from lab.apimachinery import names
from lab.apimachinery.errors import Cause
from lab.apimachinery.wheels import KUBELET, LOOPS, MODES, RUNNING, SLOW, STEP

from .base import Strategy
from .causes import POSITIVE, invalid, not_negative, one_of, required


def wheel_name(name: str) -> names.Problems:
    """A loop's name, or a kubelet's."""
    if name in LOOPS:
        return ()
    if name.startswith(KUBELET):
        return names.dns_subdomain(name)
    return (f"must be the name of a loop ({', '.join(sorted(LOOPS))}) or {KUBELET}<node>",)


class WheelStrategy(Strategy):
    has_generation = True
    name_rule = staticmethod(wheel_name)

    def default(self, obj: dict) -> None:
        obj.setdefault("spec", {}).setdefault("mode", RUNNING)

    def validate(self, obj: dict) -> Iterator[Cause]:
        spec = obj["spec"]
        yield from one_of("spec.mode", spec["mode"], MODES)
        if spec["mode"] == SLOW and "seconds" not in spec:
            yield required("spec.seconds", "a slow wheel rests so many seconds after each key")
        if spec["mode"] == STEP and "steps" not in spec:
            yield required("spec.steps", "a wheel that is stepped takes so many keys in all")
        if "seconds" in spec and not spec["seconds"] > 0:
            yield invalid("spec.seconds", spec["seconds"], POSITIVE)
        yield from not_negative("spec.steps", spec.get("steps"))
