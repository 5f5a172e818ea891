"""Tolerations: which taints of a node a pod puts up with, and for how long."""

from collections.abc import Iterable, Iterator

from lab.apimachinery import names
from lab.apimachinery.errors import Cause
from lab.apimachinery.taints import EFFECTS, NOT_READY, UNREACHABLE

from ..causes import invalid, unlike, unsupported

OPERATORS = ("Equal", "Exists")


def tolerate_lost_nodes(spec: dict, seconds: int) -> None:
    """Give the pod the time it stays on a node that is not ready, unless it says so itself.

    In Kubernetes the admission plug-in DefaultTolerationSeconds does this, with 300 seconds.
    """
    tolerations = spec.get("tolerations") or []
    for key in (NOT_READY, UNREACHABLE):
        if not any(t.get("key") in (key, "", None) and t.get("effect") in ("NoExecute", "", None) for t in tolerations):
            added = {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": seconds}
            tolerations = [*tolerations, added]
            spec["tolerations"] = tolerations


def validate_tolerations(tolerations: Iterable[dict], path: str) -> Iterator[Cause]:
    for at, toleration in enumerate(tolerations):
        here = f"{path}[{at}]"
        key, operator = toleration.get("key", ""), toleration.get("operator", "")
        value, effect = toleration.get("value", ""), toleration.get("effect", "")
        if key:
            yield from unlike(f"{here}.key", key, names.qualified_name(key))
        elif operator != "Exists":
            words = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
            yield invalid(f"{here}.operator", operator, words)
        if "tolerationSeconds" in toleration and effect != "NoExecute":
            yield invalid(f"{here}.effect", effect, "effect must be 'NoExecute' when `tolerationSeconds` is set")
        if operator in ("", "Equal"):
            yield from unlike(f"{here}.operator", value, names.label_value(value))
        elif operator == "Exists":
            if value:
                yield invalid(f"{here}.operator", toleration, "value must be empty when `operator` is 'Exists'")
        else:
            yield unsupported(f"{here}.operator", operator, OPERATORS)
        if effect and effect not in EFFECTS:
            yield unsupported(f"{here}.effect", effect, EFFECTS)
