"""Scale: the one number that all workloads have in common, under one shape (`autoscaling/v1`).

So `kubectl scale` and an autoscaler need not know a Deployment from a ReplicaSet.
"""

from collections.abc import Callable

from lab.apimachinery import errors
from lab.apimachinery.kinds import Kind
from lab.apimachinery.selectors import format_label_selector, selector_of

from . import registry
from .apply import apply
from .bodies import at_address, check_kind
from .request import Request
from .schemas.check import check_object
from .strategies.causes import not_negative

SCALE = Kind("Scale", "scales", "autoscaling")


def scale_of(obj: dict) -> dict:
    """The Scale of a workload."""
    meta = obj["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    return {
        "kind": SCALE.kind,
        "apiVersion": SCALE.api_version,
        "metadata": {field: meta[field] for field in kept if field in meta},
        "spec": {"replicas": obj["spec"].get("replicas", 0)},
        "status": {
            "replicas": obj.get("status", {}).get("replicas", 0),
            "selector": format_label_selector(selector_of(obj)),
        },
    }


def get_scale(req: Request, kind: Kind, namespace: str, name: str) -> dict:
    return scale_of(registry.get(req, kind, namespace, name))


def update_scale(req: Request, kind: Kind, namespace: str, name: str, change: Callable[[dict], dict]) -> dict:
    """Write the number that `change` makes of the Scale. With a resourceVersion, only from that one (409)."""

    def resized(obj: dict) -> dict:
        scale = change(scale_of(obj))
        replicas = checked(req, name, scale)
        meta = {key: value for key, value in obj["metadata"].items() if key != "resourceVersion"}
        asked = (scale.get("metadata") or {}).get("resourceVersion")
        if asked:
            meta["resourceVersion"] = asked
        return {**obj, "metadata": meta, "spec": {**obj["spec"], "replicas": replicas}}

    return scale_of(registry.modify(req, kind, namespace, name, resized, "scale"))


def apply_scale(req: Request, kind: Kind, namespace: str, name: str, config: dict, force: bool) -> dict:
    """The Scale once a configuration of it is applied: who applies it owns the number."""
    at_address(SCALE, namespace, config, name)
    spec = {"replicas": checked(req, name, config)}
    whole = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": config["metadata"], "spec": spec}
    return scale_of(apply(req, kind, namespace, name, whole, force, "scale")[0])


def checked(req: Request, name: str, scale: dict) -> int:
    """The number of a Scale. Raises ApiError 400 for what is none, 422 for less than nothing."""
    check_kind(SCALE, scale)
    req.warnings.extend(check_object(scale, SCALE.api_version, SCALE.kind, req.field_validation, req.doubled))
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    causes = list(not_negative("spec.replicas", replicas))
    if causes:
        raise errors.invalid(SCALE, name, causes)
    return replicas
