"""LimitRange: what a single pod, container or claim of a namespace may ask for, and gets if it does not say.

Source: ValidateLimitRange in pkg/apis/core/validation/validation.go, SetDefaults_LimitRangeItem in
pkg/apis/core/v1/defaults.go.
"""

from collections.abc import Iterator

from lab.apimachinery import names
from lab.apimachinery.errors import Cause
from lab.apimachinery.quantity import canonical, parse_quantity

from .base import Strategy
from .causes import duplicate, forbidden, invalid, required, unlike
from .podspec.resources import HUGE, STANDARD, canonicalise

TYPES = ("Container", "PersistentVolumeClaim", "Pod")
BOUNDS = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")
# Of each resource the smaller may not be greater than the larger: (where that is said, and of which of the two).
ORDER = (
    ("min", "min", "min", "max"),
    ("defaultRequest", "defaultRequest", "min", "defaultRequest"),
    ("defaultRequest", "defaultRequest", "defaultRequest", "max"),
    ("defaultRequest", "defaultRequest", "defaultRequest", "default"),
    ("default", "min", "min", "default"),
    ("default", "max", "default", "max"),
)
CALLED = {"defaultRequest": "default request"}


class LimitRangeStrategy(Strategy):
    has_status = False

    def default(self, obj: dict) -> None:
        """A container that names no limit gets the greatest that it may have, and what has a limit asks for as much."""
        for item in obj.setdefault("spec", {}).setdefault("limits", []) or ():
            for bound in BOUNDS:
                canonicalise(item.get(bound))
            if item.get("type") == "Container":
                limits = {**(item.get("max") or {}), **(item.get("default") or {})}
                requests = {**(item.get("min") or {}), **limits, **(item.get("defaultRequest") or {})}
                for field, filled in (("default", limits), ("defaultRequest", requests)):
                    if filled and filled != item.get(field):
                        item[field] = filled

    def validate(self, obj: dict) -> Iterator[Cause]:
        seen: set[str] = set()
        for at, item in enumerate(obj["spec"]["limits"]):
            path, kind = f"spec.limits[{at}]", item.get("type", "")
            yield from unlike(f"{path}.type", kind, names.qualified_name(kind))
            if "/" not in kind and kind not in TYPES:
                yield invalid(f"{path}.type", kind, "must be a standard limit type or fully qualified")
            if kind in seen:
                yield duplicate(f"{path}.type", kind)
            seen.add(kind)
            yield from _validate_names(item, path)
            if kind == "PersistentVolumeClaim" and not any("storage" in (item.get(b) or {}) for b in ("min", "max")):
                words = "either minimum or maximum storage value is required, but neither was provided"
                yield required(f"{path}.limits", words)
            yield from _validate_order(item, path)


def _validate_names(item: dict, path: str) -> Iterator[Cause]:
    of_pods = item.get("type") in ("Pod", "Container")
    for bound in BOUNDS:
        if bound.startswith("default") and item.get("type") == "Pod":
            if item.get(bound):
                yield forbidden(f"{path}.{bound}", "may not be specified when `type` is 'Pod'")
            continue
        for name in item.get(bound) or ():
            here = f"{path}.{bound}[{name}]"
            yield from unlike(here, name, names.qualified_name(name))
            if of_pods and "/" not in name and name not in STANDARD and not name.startswith(HUGE):
                yield invalid(here, name, "must be a standard resource for containers")


def _validate_order(item: dict, path: str) -> Iterator[Cause]:
    bounds = {bound: item.get(bound) or {} for bound in BOUNDS}
    for name in sorted({name for bound in BOUNDS for name in bounds[bound]}):
        said = {bound: bounds[bound][name] for bound in BOUNDS if name in bounds[bound]}
        for where, shown, smaller, larger in ORDER:
            if smaller in said and larger in said and parse_quantity(said[smaller]) > parse_quantity(said[larger]):
                less, more = (f"{CALLED.get(bound, bound)} value {said[bound]}" for bound in (smaller, larger))
                if (smaller, larger) == ("defaultRequest", "default"):
                    more = f"default limit value {said[larger]}"
                yield invalid(f"{path}.{where}[{name}]", said[shown], f"{less} is greater than {more}")
        if "maxLimitRequestRatio" in said:
            yield from _validate_ratio(said, f"{path}.maxLimitRequestRatio[{name}]")


def _validate_ratio(said: dict[str, str], path: str) -> Iterator[Cause]:
    ratio = parse_quantity(said["maxLimitRequestRatio"])
    shown = canonical(said["maxLimitRequestRatio"])
    if ratio < 1:
        yield invalid(path, shown, f"ratio {shown} is less than 1")
    if "min" in said and "max" in said and (least := parse_quantity(said["min"])):
        most = parse_quantity(said["max"]) / least
        if ratio > most:
            yield invalid(path, shown, f"ratio {shown} is greater than max/min = {most:.6f}")
