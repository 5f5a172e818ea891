"""Where a pod may run: affinity to nodes and to other pods, and spreading over topologies."""

from collections.abc import Iterable, Iterator

from lab.apimachinery import names
from lab.apimachinery.errors import Cause

from ..causes import POSITIVE, duplicate, invalid, must_be_named, required, unlike, unsupported
from .selectors import validate_label_selector, validate_node_term

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
WHEN_UNSATISFIABLE = ("DoNotSchedule", "ScheduleAnyway")
EMPTY = "can not be empty"
INCLUSION = ("Honor", "Ignore")


def validate_affinity(affinity: dict, path: str) -> Iterator[Cause]:
    if affinity.get("nodeAffinity"):
        yield from _validate_node_affinity(affinity["nodeAffinity"], f"{path}.nodeAffinity")
    for field in ("podAffinity", "podAntiAffinity"):
        if affinity.get(field):
            yield from _validate_pod_affinity(affinity[field], f"{path}.{field}")


def _validate_node_affinity(affinity: dict, path: str) -> Iterator[Cause]:
    if affinity.get(REQUIRED) is not None:
        yield from validate_node_selector(affinity[REQUIRED], f"{path}.{REQUIRED}")
    for at, preferred in enumerate(affinity.get(PREFERRED) or ()):
        here = f"{path}.{PREFERRED}[{at}]"
        yield from _validate_weight(preferred.get("weight", 0), f"{here}.weight")
        yield from validate_node_term(preferred.get("preference") or {}, f"{here}.preference")


def validate_node_selector(selector: dict, path: str) -> Iterator[Cause]:
    """Of a pod, or of a volume that is not to be had on every node."""
    terms = selector.get("nodeSelectorTerms") or ()
    if not terms:
        yield required(f"{path}.nodeSelectorTerms", "must have at least one node selector term")
    for at, term in enumerate(terms):
        yield from validate_node_term(term, f"{path}.nodeSelectorTerms[{at}]")


def _validate_pod_affinity(affinity: dict, path: str) -> Iterator[Cause]:
    for at, term in enumerate(affinity.get(REQUIRED) or ()):
        yield from _validate_pod_term(term, f"{path}.{REQUIRED}[{at}]")
    for at, preferred in enumerate(affinity.get(PREFERRED) or ()):
        here = f"{path}.{PREFERRED}[{at}]"
        yield from _validate_weight(preferred.get("weight", 0), f"{here}.weight")
        yield from _validate_pod_term(preferred.get("podAffinityTerm") or {}, f"{here}.podAffinityTerm")


def _validate_weight(weight: int, path: str) -> Iterator[Cause]:
    if not 1 <= weight <= 100:
        yield invalid(path, weight, "must be in the range 1-100")


def _validate_pod_term(term: dict, path: str) -> Iterator[Cause]:
    yield from validate_label_selector(term.get("labelSelector"), f"{path}.labelSelector")
    yield from validate_label_selector(term.get("namespaceSelector"), f"{path}.namespaceSelector")
    for at, namespace in enumerate(term.get("namespaces") or ()):
        yield from unlike(f"{path}.namespaces[{at}]", namespace, names.dns_label(namespace))
    yield from must_be_named(f"{path}.topologyKey", term.get("topologyKey"), names.qualified_name, EMPTY)


def validate_spreading(constraints: Iterable[dict], path: str) -> Iterator[Cause]:
    seen = set()
    for at, constraint in enumerate(constraints):
        here = f"{path}[{at}]"
        skew, when = constraint.get("maxSkew", 0), constraint.get("whenUnsatisfiable", "")
        if skew <= 0:
            yield invalid(f"{here}.maxSkew", skew, POSITIVE)
        key = constraint.get("topologyKey", "")
        yield from must_be_named(f"{here}.topologyKey", key, names.qualified_name, EMPTY)
        if when not in WHEN_UNSATISFIABLE:
            yield unsupported(f"{here}.whenUnsatisfiable", when, WHEN_UNSATISFIABLE)
        if (key, when) in seen:
            yield duplicate(f"{here}.{{topologyKey, whenUnsatisfiable}}", f"{{{key}, {when}}}")
        seen.add((key, when))
        domains = constraint.get("minDomains")
        if domains is not None and domains <= 0:
            yield invalid(f"{here}.minDomains", domains, POSITIVE)
        elif domains is not None and when != "DoNotSchedule":
            words = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {when}"
            yield invalid(f"{here}.minDomains", domains, words)
        for field in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            if constraint.get(field) and constraint[field] not in INCLUSION:
                yield unsupported(f"{here}.{field}", constraint[field], INCLUSION)
        yield from validate_label_selector(constraint.get("labelSelector"), f"{here}.labelSelector")
