"""Requests and limits: what a container is promised, and what it may not exceed."""

from collections.abc import Iterator

from lab.apimachinery import names
from lab.apimachinery.errors import Cause
from lab.apimachinery.quantity import canonical, milli_value

from ..causes import NOT_NEGATIVE, invalid, required, unlike

STANDARD = ("cpu", "memory", "ephemeral-storage")
COMPUTE = ("cpu", "memory")
HUGE = "hugepages-"


def canonicalise(quantities: dict | None) -> None:
    """Write each quantity as Kubernetes stores it: `0.5` cores becomes `500m`, `1024Mi` becomes `1Gi`."""
    if quantities:
        quantities.update({name: canonical(quantity) for name, quantity in quantities.items()})


def default_resources(container: dict) -> None:
    resources = container.setdefault("resources", {})
    if resources:
        canonicalise(resources.get("limits"))
        canonicalise(resources.get("requests"))


def imply_requests(container: dict) -> None:
    """A limit without a request is a request too. Only in pods, not in templates."""
    resources = container.get("resources") or {}
    limits = resources.get("limits") or {}
    requests = resources.get("requests") or {}
    missing = {name: quantity for name, quantity in limits.items() if name not in requests}
    if missing:
        resources["requests"] = {**requests, **missing}


def validate_resources(resources: dict, path: str) -> Iterator[Cause]:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for name, quantity in limits.items():
        yield from _validate_quantity(name, quantity, f"{path}.limits[{name}]", f"{path}.limits")
    for name, quantity in requests.items():
        yield from _validate_quantity(name, quantity, f"{path}.requests[{name}]", f"{path}.requests")
        limit = limits.get(name)
        if limit is None:
            if not _overcommits(name):
                yield required(f"{path}.limits", "Limit must be set for non overcommitable resources")
        elif milli_value(quantity) != milli_value(limit) and not _overcommits(name):
            yield invalid(
                f"{path}.requests", canonical(quantity), f"must be equal to {name} limit of {canonical(limit)}"
            )
        elif milli_value(quantity) > milli_value(limit):
            words = f"must be less than or equal to {name} limit of {canonical(limit)}"
            yield invalid(f"{path}.requests", canonical(quantity), words)


def _overcommits(name: str) -> bool:
    """Cores and memory can be promised twice; GPUs and huge pages cannot."""
    return name in STANDARD or ("/" in name and name.partition("/")[0].endswith("kubernetes.io"))


def _validate_quantity(name: str, quantity: str, path: str, list_path: str) -> Iterator[Cause]:
    yield from unlike(list_path, name, names.qualified_name(name))
    if "/" not in name and name not in STANDARD and not name.startswith(HUGE):
        yield invalid(list_path, name, "must be a standard resource type or fully qualified")
        yield invalid(list_path, name, "must be a standard resource for containers")
    amount = milli_value(quantity)
    if amount < 0:
        yield invalid(path, canonical(quantity), NOT_NEGATIVE)
    elif not _overcommits(name) and amount % 1000:
        yield invalid(path, canonical(quantity), "must be an integer")


def qos_class(spec: dict) -> str:
    """Who goes first when memory runs out: BestEffort, then Burstable, then Guaranteed.

    Source: kubernetes/pkg/apis/core/v1/helper/qos. Zero counts as not said.
    """
    said, equal = False, True
    for container in [*spec.get("containers", ()), *spec.get("initContainers", ())]:
        resources = container.get("resources") or {}
        limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
        for name in COMPUTE:
            limit, request = milli_value(limits.get(name, 0)), milli_value(requests.get(name, limits.get(name, 0)))
            said = said or bool(limit or request)
            equal = equal and bool(limit) and limit == request
    if not said:
        return "BestEffort"
    return "Guaranteed" if equal else "Burstable"
