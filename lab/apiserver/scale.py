"""Scale: the one number that all workloads have in common, under one shape (`autoscaling/v1`).

So `kubectl scale` and an autoscaler need not know a Deployment from a ReplicaSet.
"""

from lab.apimachinery import errors
from lab.apimachinery.errors import Cause
from lab.apimachinery.kinds import Kind
from lab.apimachinery.selectors import format_label_selector, selector_of

from . import registry
from .request import Request

SCALE = Kind("Scale", "scales", "autoscaling")
MOST = 2**31 - 1


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


def update_scale(req: Request, kind: Kind, namespace: str, name: str, change) -> dict:
    """Write the number that `change` makes of the Scale. With a resourceVersion, only from that one (409)."""

    def resized(obj: dict) -> dict:
        scale = change(scale_of(obj))
        _check(kind, name, scale)
        meta = {key: value for key, value in obj["metadata"].items() if key != "resourceVersion"}
        asked = (scale.get("metadata") or {}).get("resourceVersion")
        if asked:
            meta["resourceVersion"] = asked
        return {**obj, "metadata": meta, "spec": {**obj["spec"], "replicas": scale["spec"].get("replicas", 0)}}

    return scale_of(registry.modify(req, kind, namespace, name, resized))


def _check(kind: Kind, name: str, scale: dict) -> None:
    if scale.get("kind", SCALE.kind) != SCALE.kind:
        raise errors.bad_request(f"expected a Scale in the body, not {scale['kind']!r}")
    spec = scale.get("spec")
    replicas = spec.get("replicas", 0) if isinstance(spec, dict) else None
    if not isinstance(replicas, int) or isinstance(replicas, bool) or replicas > MOST:
        raise errors.bad_request("spec.replicas of a Scale must be a whole number")
    if replicas < 0:
        message = f"Invalid value: {replicas}: must be greater than or equal to 0"
        raise errors.invalid(SCALE, name, [Cause("spec.replicas", message)])
