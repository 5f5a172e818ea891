"""PriorityClass: how important pods are, by name. Source: pkg/apis/scheduling/validation/validation.go."""

from collections.abc import Iterator

from lab.apimachinery.errors import Cause
from lab.apimachinery.priorities import HIGHEST, SYSTEM, SYSTEM_PREFIX

from .base import Strategy
from .causes import forbidden, one_of, unchanged
from .podspec.validation import PREEMPTION_POLICIES


class PriorityClassStrategy(Strategy):
    has_status = False
    has_generation = True

    def default(self, obj: dict) -> None:
        obj.setdefault("value", 0)
        obj.setdefault("preemptionPolicy", "PreemptLowerPriority")

    def validate(self, obj: dict) -> Iterator[Cause]:
        name = obj["metadata"].get("name", "")
        if name.startswith(SYSTEM_PREFIX):
            if wrong := _unlike_the_system(name, obj):
                reserved = f"priority class names with '{SYSTEM_PREFIX}' prefix are reserved for system use only"
                yield forbidden("metadata.name", f"{reserved}. error: {wrong}")
        elif obj["value"] > HIGHEST:
            yield forbidden("value", f"maximum allowed value of a user defined priority is {HIGHEST}")
        yield from one_of("preemptionPolicy", obj["preemptionPolicy"], PREEMPTION_POLICIES)

    def validate_change(self, new: dict, old: dict) -> Iterator[Cause]:
        """Pods have been given the old value: it stands."""
        if new["value"] != old["value"]:
            yield forbidden("value", "may not be changed in an update.")
        yield from unchanged("preemptionPolicy", new["preemptionPolicy"], old["preemptionPolicy"])


def _unlike_the_system(name: str, obj: dict) -> str:
    if name not in SYSTEM:
        return f"{name} is not a known system priority class"
    if obj["value"] != SYSTEM[name]["value"]:
        return f"value of {name} PriorityClass must be {SYSTEM[name]['value']}"
    return f"globalDefault of {name} PriorityClass must be false" if obj.get("globalDefault") else ""
