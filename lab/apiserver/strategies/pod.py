"""Pod: containers that live and die together on one node. Source: kubernetes/pkg/registry/core/pod/strategy.go."""

import copy
from collections.abc import Iterator

from django.conf import settings

from lab.apimachinery import meta
from lab.apimachinery.errors import Cause
from lab.apimachinery.pods import is_finished

from .base import Strategy
from .causes import forbidden, invalid, shown
from .podspec.defaults import default_pod_only, default_pod_spec
from .podspec.ephemeral import validate_ephemeral_containers
from .podspec.resources import qos_class
from .podspec.tolerations import tolerate_lost_nodes
from .podspec.validation import validate_pod_spec

MAY_CHANGE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
MOST_DIFFERENCES = 10


class PodStrategy(Strategy):
    has_generation = True
    status_may_label = True

    def default(self, obj: dict) -> None:
        spec = obj.setdefault("spec", {})
        default_pod_spec(spec, int(settings.CLOCK["termination_grace"]))
        default_pod_only(spec)
        tolerate_lost_nodes(spec, int(settings.CLOCK["default_toleration"]))

    def prepare_create(self, obj: dict) -> None:
        super().prepare_create(obj)
        obj["status"] = {"phase": "Pending", "qosClass": qos_class(obj["spec"])}
        if obj["spec"].get("schedulingGates"):
            words = "Scheduling is blocked due to non-empty scheduling gates"
            obj["status"]["conditions"] = meta.with_condition([], "PodScheduled", "False", "SchedulingGated", words)

    def prepare_update(self, new: dict, old: dict) -> None:
        """Keep the priority that it was given, if a manifest that never named it is sent again."""
        super().prepare_update(new, old)
        for field in ("priority", "preemptionPolicy"):
            if field in old["spec"]:
                new["spec"].setdefault(field, old["spec"][field])

    def prepare_debug_update(self, new: dict, old: dict) -> None:
        """Take back what a write of `…/ephemeralcontainers` may not change: all but these."""
        given = new["spec"].get("ephemeralContainers") or []
        version = new["metadata"]["resourceVersion"]
        new.clear()
        new.update(old, spec={**old["spec"], "ephemeralContainers": given})
        new["metadata"] = {**old["metadata"], "resourceVersion": version}
        self.prepare_update(new, old)

    def validate_debug_update(self, new: dict, old: dict) -> list[Cause]:
        return list(validate_ephemeral_containers(new["spec"], old["spec"]))

    def validate_create(self, obj: dict) -> list[Cause]:
        early = obj["spec"].get("ephemeralContainers")
        words = "cannot be set on create"
        return [*super().validate_create(obj), *([forbidden("spec.ephemeralContainers", words)] if early else [])]

    def validate(self, obj: dict) -> Iterator[Cause]:
        yield from validate_pod_spec(obj["spec"])

    def validate_change(self, new: dict, old: dict) -> Iterator[Cause]:
        """A pod is not changed but replaced: that is what a Deployment is for. A few fields apart."""
        if new["spec"] == old["spec"]:
            return
        yield from validate_pod_spec(new["spec"])
        yield from _validate_spec_change(new["spec"], old["spec"])

    def grace_seconds(self, obj: dict, requested: int | None) -> int:
        """The time its containers have to end. None where none can be running.

        Source: CheckGracefulDelete in kubernetes/pkg/registry/core/pod/strategy.go.
        """
        spec = obj["spec"]
        if not spec.get("nodeName") or is_finished(obj):
            return 0
        if requested is None:
            requested = spec.get("terminationGracePeriodSeconds", int(settings.CLOCK["termination_grace"]))
        return 1 if requested < 0 else requested


def _validate_spec_change(new: dict, old: dict) -> Iterator[Cause]:
    for field in ("containers", "initContainers"):
        if len(new.get(field) or ()) != len(old.get(field) or ()):
            yield forbidden(f"spec.{field}", "pod updates may not add or remove containers")
            return
    yield from _validate_deadline(new.get("activeDeadlineSeconds"), old.get("activeDeadlineSeconds"))
    tolerations = new.get("tolerations") or []
    for toleration in old.get("tolerations") or ():
        if not any(_same_but_shorter(one, toleration) for one in tolerations):
            yield forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds")
            break
    added = {gate.get("name") for gate in new.get("schedulingGates") or ()}
    for name in sorted(added - {gate.get("name") for gate in old.get("schedulingGates") or ()}, key=str):
        yield forbidden("spec.schedulingGates", f"only deletion is allowed, but found new scheduling gate '{name}'")
    differences = list(_differences(_as_it_may_be(new, old), old, "spec"))
    if differences:
        yield forbidden("spec", "\n".join((MAY_CHANGE, *differences[:MOST_DIFFERENCES])))


def _validate_deadline(new: int | None, old: int | None) -> Iterator[Cause]:
    path = "spec.activeDeadlineSeconds"
    if old is not None and new is None:
        yield invalid(path, None, "must not update from a positive integer to nil value")
    elif old is not None and new is not None and new > old:
        yield invalid(path, new, "must be less than or equal to previous value")


def _same_but_shorter(one: dict, other: dict) -> bool:
    return {**one, "tolerationSeconds": None} == {**other, "tolerationSeconds": None}


def _as_it_may_be(new: dict, old: dict) -> dict:
    """The new specification with everything that may change set back: what is still different may not."""
    spec = copy.deepcopy(new)
    for field in ("containers", "initContainers"):
        for container, was in zip(spec.get(field) or (), old.get(field) or (), strict=True):
            container["image"] = was.get("image", "")
    restored = ["activeDeadlineSeconds", "tolerations", "schedulingGates"]
    if (old.get("terminationGracePeriodSeconds") or 0) < 0 and new.get("terminationGracePeriodSeconds") == 1:
        restored.append("terminationGracePeriodSeconds")
    if old.get("schedulingGates"):
        # A gated pod has not been considered yet: whoever holds the gate may still say where it can go.
        restored += ["nodeSelector", "affinity"]
    for field in restored:
        spec.pop(field, None)
        if field in old:
            spec[field] = old[field]
    return spec


def _differences(new: object, old: object, path: str) -> Iterator[str]:
    """Lines of what was (-) and what is (+), as deep as they differ."""
    if isinstance(new, dict) and isinstance(old, dict):
        for field in sorted(new.keys() | old.keys()):
            yield from _differences(new.get(field), old.get(field), f"{path}.{field}")
    elif isinstance(new, list) and isinstance(old, list) and len(new) == len(old):
        for at, pair in enumerate(zip(new, old, strict=True)):
            yield from _differences(*pair, f"{path}[{at}]")
    elif new != old:
        if old is not None:
            yield f"- {path}: {shown(old)}"
        if new is not None:
            yield f"+ {path}: {shown(new)}"
