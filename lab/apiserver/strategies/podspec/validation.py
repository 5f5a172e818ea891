"""The rules for a whole pod specification.

Source: ValidatePodSpec in kubernetes/pkg/apis/core/validation/validation.go.
"""

from collections.abc import Iterable, Iterator

from lab.apimachinery import names
from lab.apimachinery.errors import Cause

from ..causes import duplicate, forbidden, invalid, named, not_negative, one_of, required, unlike, unsupported
from ..metadata import validate_annotations, validate_labels
from .containers import validate_containers
from .dns import validate_address, validate_dns
from .placement import validate_affinity, validate_spreading
from .security import validate_pod_security
from .tolerations import validate_tolerations
from .volumes import validate_parts, validate_volumes

RESTART_POLICIES = ("Always", "OnFailure", "Never")
PREEMPTION_POLICIES = ("PreemptLowerPriority", "Never")
MOST_INT32 = 2**31 - 1


def validate_pod_spec(spec: dict, path: str = "spec") -> Iterator[Cause]:
    yield from validate_volumes(spec.get("volumes") or (), f"{path}.volumes")
    yield from validate_containers(spec, path)
    yield from validate_parts(spec, path)
    yield from one_of(f"{path}.restartPolicy", spec.get("restartPolicy"), RESTART_POLICIES)
    yield from validate_dns(spec, path)
    yield from _validate_times(spec, path)
    yield from _validate_names(spec, path)
    yield from validate_labels(spec.get("nodeSelector"), f"{path}.nodeSelector")
    yield from validate_tolerations(spec.get("tolerations") or (), f"{path}.tolerations")
    if spec.get("affinity"):
        yield from validate_affinity(spec["affinity"], f"{path}.affinity")
    yield from validate_spreading(spec.get("topologySpreadConstraints") or (), f"{path}.topologySpreadConstraints")
    if spec.get("preemptionPolicy"):
        yield from one_of(f"{path}.preemptionPolicy", spec["preemptionPolicy"], PREEMPTION_POLICIES)
    yield from _validate_gates(spec.get("schedulingGates") or (), f"{path}.schedulingGates")
    for at, gate in enumerate(spec.get("readinessGates") or ()):
        awaited = gate.get("conditionType", "")
        yield from unlike(f"{path}.readinessGates[{at}].conditionType", awaited, names.qualified_name(awaited))
    yield from validate_pod_security(spec, path)


def validate_template(template: dict, path: str) -> Iterator[Cause]:
    """A pod template: labels, annotations and a specification that may become many pods."""
    meta, spec = template.get("metadata") or {}, template.get("spec") or {}
    yield from validate_labels(meta.get("labels"), f"{path}.metadata.labels")
    yield from validate_annotations(meta.get("annotations"), f"{path}.metadata.annotations")
    yield from validate_pod_spec(spec, f"{path}.spec")
    if spec.get("ephemeralContainers"):
        yield forbidden(f"{path}.spec.ephemeralContainers", "ephemeral containers not allowed in pod template")


def validate_lasting_template(template: dict, of: str) -> Iterator[Cause]:
    """A template of what is meant to run for ever: its owner, of the kind `of`, would start anew whatever ends."""
    path = "spec.template"
    yield from validate_template(template, path)
    spec = template.get("spec") or {}
    if spec.get("restartPolicy") in ("OnFailure", "Never"):
        yield unsupported(f"{path}.spec.restartPolicy", spec["restartPolicy"], ("Always",))
    if spec.get("activeDeadlineSeconds") is not None:
        words = f"activeDeadlineSeconds in {of} is not Supported"
        yield forbidden(f"{path}.spec.activeDeadlineSeconds", words)


def _validate_times(spec: dict, path: str) -> Iterator[Cause]:
    yield from not_negative(f"{path}.terminationGracePeriodSeconds", spec.get("terminationGracePeriodSeconds"))
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= MOST_INT32:
        yield invalid(f"{path}.activeDeadlineSeconds", deadline, names.out_of_range(1, MOST_INT32))


def _validate_names(spec: dict, path: str) -> Iterator[Cause]:
    for field in ("nodeName", "serviceAccountName", "schedulerName", "priorityClassName", "runtimeClassName"):
        yield from named(f"{path}.{field}", spec.get(field), names.dns_subdomain)
    for field in ("hostname", "subdomain"):
        yield from named(f"{path}.{field}", spec.get(field), names.dns_label)
    for at, secret in enumerate(spec.get("imagePullSecrets") or ()):
        if not secret.get("name"):
            yield required(f"{path}.imagePullSecrets[{at}].name")
    for at, alias in enumerate(spec.get("hostAliases") or ()):
        yield from validate_address(alias.get("ip", ""), f"{path}.hostAliases[{at}].ip")


def _validate_gates(gates: Iterable[dict], path: str) -> Iterator[Cause]:
    seen = set()
    for at, gate in enumerate(gates):
        name = gate.get("name", "")
        yield from unlike(f"{path}[{at}].name", name, names.qualified_name(name))
        if name in seen:
            yield duplicate(f"{path}[{at}].name", name)
        seen.add(name)
