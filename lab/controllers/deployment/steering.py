"""A Deployment that a Release steers: two numbers on it say how many pods of the new and of the old version there are.

While both are there the Deployment does not roll by itself; when they go, it rolls on from what there is. Kubernetes
leaves this to others (Argo Rollouts replaces the Deployment altogether). Pure.
"""

from lab.apimachinery.meta import condition

from . import revisions, rollout, status
from .revisions import RELEASE, REPLICAS_NEW, REPLICAS_OLD
from .rollout import Sizes, name_of, size


def steered(deployment: dict) -> tuple[int, int] | None:
    """(new, old) in pods, if a Release sizes this Deployment."""
    annotations = deployment["metadata"].get("annotations", {})
    new, old = annotations.get(REPLICAS_NEW, ""), annotations.get(REPLICAS_OLD, "")
    return (int(new), int(old)) if new.isdecimal() and old.isdecimal() else None


def sizes(wanted: tuple[int, int], new: dict, old: list[dict]) -> Sizes:
    """The sizes that the two numbers ask for. With several old versions alive, for the template was changed in the
    middle, none of them is touched: which of them serves the visitors, only the Release knows."""
    found = {name_of(new): wanted[0]} if size(new) != wanted[0] else {}
    alive = rollout.active(old) or sorted(old, key=revisions.revision_of)[-1:]
    if len(alive) == 1 and size(alive[0]) != wanted[1]:
        found[name_of(alive[0])] = wanted[1]
    return found


def progress(deployment: dict, wanted: int, now: dict, new: dict, time: float) -> list[dict]:
    """The conditions: the deadline runs only while the new pods, of which so many are `wanted`, are not there. How long
    a release then looks at them is no lack of progress."""
    conditions = now["conditions"]
    known = condition({"status": now}, "Progressing")
    if not status.has_deadline(deployment):
        return status.without(conditions, "Progressing")
    if rollout.available(new) >= wanted:
        words = f'Release "{deployment["metadata"]["annotations"].get(RELEASE, "")}" has its new pods.'
        return status.set_condition(conditions, "Progressing", "True", status.STEERED, words)
    if known and known["reason"] in (status.STEERED, status.DONE):
        words = f'ReplicaSet "{name_of(new)}" is progressing.'
        return status.set_condition(conditions, "Progressing", "True", "ReplicaSetUpdated", words)
    return status.progress(deployment, now, new, time)
