"""From a pod's priorityClassName to the number that the scheduler goes by. Source: plugin/pkg/admission/priority."""

from lab.apimachinery import errors
from lab.apimachinery.kinds import PODS, PRIORITYCLASSES
from lab.store import View

DEFAULT = {"value": 0, "preemptionPolicy": "PreemptLowerPriority"}  # of pods without a class, where none is the default


def resolve(view: View, pod: dict) -> None:
    """Nobody gives himself a number: it is his class's, or that of the class for all who name none."""
    spec = pod["spec"]
    if not spec.get("priorityClassName") and (default := _default_class(view)):
        spec["priorityClassName"] = default["metadata"]["name"]
    name = spec.get("priorityClassName", "")
    found = view.get(PRIORITYCLASSES.resource, "", name) if name else DEFAULT
    if found is None:
        raise _refused(pod, f"no PriorityClass with name {name} was found")
    if spec.get("priority") not in (None, found["value"]):
        raise _refused(
            pod,
            f"the integer value of priority ({spec['priority']}) must not be provided in pod spec; "
            f"priority admission controller computed {found['value']} from the given PriorityClass name",
        )
    policy = found["preemptionPolicy"]
    if spec.get("preemptionPolicy") not in (None, policy):
        raise _refused(
            pod,
            f"the string value of PreemptionPolicy ({spec['preemptionPolicy']}) must not be provided in pod spec; "
            f"priority admission controller computed {policy} from the given PriorityClass name",
        )
    spec["priority"], spec["preemptionPolicy"] = found["value"], policy


def _default_class(view: View) -> dict | None:
    """The least of those that say so: usually there is one at most."""
    defaults = [each for each in view.list(PRIORITYCLASSES.resource) if each.get("globalDefault")]
    return min(defaults, key=lambda each: each["value"], default=None)


def _refused(pod: dict, why: str) -> errors.ApiError:
    return errors.forbidden(PODS, pod["metadata"].get("name", ""), why)


def check_default(view: View, priority_class: dict) -> None:
    """Only one class can be that of all who name none."""
    name, other = priority_class["metadata"].get("name", ""), _default_class(view)
    if priority_class.get("globalDefault") and other and other["metadata"]["name"] != name:
        why = f"PriorityClass {other['metadata']['name']} is already marked as default. Only one default can exist"
        raise errors.forbidden(PRIORITYCLASSES, name, why)
