"""The disruption controller: counts the healthy pods of each PodDisruptionBudget, and says how many may go.

It removes nothing and keeps nobody from anything itself: the eviction API, the scheduler and the cluster autoscaler go
by what stands in the budget's status. Source: k8s.io/kubernetes/pkg/controller/disruption.
"""

import time
from collections.abc import Iterable

from lab.apimachinery.kinds import BY_GVK, DEPLOYMENTS, KINDS, PODDISRUPTIONBUDGETS, PODS, REPLICASETS
from lab.apimachinery.meta import controller_of, is_deleting, key_of, parse_time, with_condition
from lab.apimachinery.selectors import format_label_selector, parse_label_selector
from lab.client import Change, Client, View

from .deployment.rollout import scaled_value
from .objects import EVERY, ObjectController
from .owners import index_of
from .pods import is_ready

# After so long an evicted pod that is still there is taken for one that stays: DeletionTimeout.
DELETION_TIMEOUT = 120.0
SCALABLE = {kind.resource: kind for kind in KINDS if "scale" in kind.subresources}
UNMANAGED = (
    "Pods selected by this PodDisruptionBudget (selector: {}) were found to be unmanaged. As a result, the status of"
    " the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please"
    ' set ".spec.minAvailable" field of the PDB to an integer value.'
)


class NoScale(Exception):
    """Whoever manages a pod does not say how many of them there should be."""


class DisruptionController(ObjectController):
    """Keys are budgets."""

    name = "disruption"
    kind = PODDISRUPTIONBUDGETS
    watches = (PODDISRUPTIONBUDGETS.resource, PODS.resource, *SCALABLE)

    def keys(self, change: Change) -> Iterable[str]:
        if change.resource == PODDISRUPTIONBUDGETS.resource:
            return () if change.deleted or change.author == self.author else (f"{change.namespace}/{change.name}",)
        before = _counted(change.resource, change.old) if change.old else None
        after = None if change.deleted else _counted(change.resource, change.object)
        return (f"{change.namespace}/{EVERY}",) if before != after else ()

    def wants(self, change: Change) -> bool:
        """What makes a budget larger can wait for the tick; that a pod is missing cannot."""
        lost = change.old is not None and is_ready(change.old) and (change.deleted or not is_ready(change.object))
        return (change.resource == PODDISRUPTIONBUDGETS.resource or lost) and super().wants(change)

    def converge(self, client: Client, budget: dict) -> float | None:
        selector, now = parse_label_selector(budget["spec"].get("selector")), time.time()
        pods = [
            pod
            for pod in client.list(PODS, budget["metadata"]["namespace"])
            if selector.matches(pod["metadata"].get("labels"))
        ]
        happened = [] if pods else [(budget, "Normal", "NoPods", "No matching pods found")]
        going, overdue = expected_to_go(budget, pods, now)
        try:
            scales, unmanaged = scales_of(client.view(), pods) if _asks_for_scale(budget) else ({}, False)
            status = next_status(budget, pods, going, sum(scales.values()))
        except NoScale as error:
            status, unmanaged = failed_status(budget, str(error)), False
            words = f"Failed to calculate the number of expected pods: {error}"
            happened.append((budget, "Warning", "CalculateExpectedPodCountFailed", words))
        if unmanaged:
            words = UNMANAGED.format(format_label_selector(budget["spec"].get("selector")))
            happened.append((budget, "Warning", "UnmanagedPods", words))
        words = f"Pod was expected by PDB {key_of(budget)} to be deleted but it wasn't"
        happened += [(pod, "Warning", "NotDeleted", words) for pod in overdue]
        if status != budget.get("status"):
            client.update_status(PODDISRUPTIONBUDGETS, {**budget, "status": status})
            client.events(happened)
        return min((DELETION_TIMEOUT - (now - parse_time(at)) for at in going.values()), default=None)


def _counted(resource: str, obj: dict) -> tuple:
    """All that a budget goes by: of pods whether they are well, and whose; of those who make them, how many."""
    if resource != PODS.resource:
        return (obj["spec"].get("replicas"),)
    meta = obj["metadata"]
    return is_ready(obj), is_deleting(obj), meta.get("labels"), meta.get("ownerReferences")


def _asks_for_scale(budget: dict) -> bool:
    """Whether it says how many in parts of a whole: then one has to know how many pods there should be."""
    spec = budget["spec"]
    return spec.get("maxUnavailable") is not None or isinstance(spec.get("minAvailable"), str)


def scales_of(view: View, pods: list[dict]) -> tuple[dict[str, int], bool]:
    """How many pods each of those who manage these wants to have, by its uid; and whether any of them has nobody."""
    scales: dict[str, int] = {}
    for pod in pods:
        owner = _owner_of(view, pod)
        if owner is not None:
            scales[owner["metadata"]["uid"]] = owner["spec"].get("replicas", 1)
    return scales, any(controller_of(pod) is None for pod in pods)


def _owner_of(view: View, pod: dict) -> dict | None:
    """Who says how many such pods there should be: of a ReplicaSet with a Deployment, the Deployment. None if nobody
    manages the pod."""
    ref = controller_of(pod)
    if ref is None:
        return None
    kind = BY_GVK.get((ref["apiVersion"], ref["kind"]))
    if kind is None or kind.resource not in SCALABLE:
        raise NoScale(f"{kind.resource if kind else ref['kind']} does not implement the scale subresource")
    place = index_of(view).place(ref["uid"])
    owner = view.get(*place) if place else None
    if owner is None:
        raise NoScale(f'found no controllers for pod "{pod["metadata"]["name"]}"')
    above = controller_of(owner) if kind is REPLICASETS else None
    if above and above["kind"] == DEPLOYMENTS.kind and (place := index_of(view).place(above["uid"])):
        return view.get(*place) or owner
    return owner


def expected_to_go(budget: dict, pods: list[dict], now: float) -> tuple[dict[str, str], list[dict]]:
    """Of the pods that were evicted and are not marked yet: name → when that was; and those of which it has been too
    long."""
    evicted, going, overdue = budget.get("status", {}).get("disruptedPods", {}), {}, []
    for pod in pods:
        name = pod["metadata"]["name"]
        if name in evicted and not is_deleting(pod):
            if now - parse_time(evicted[name]) < DELETION_TIMEOUT:
                going[name] = evicted[name]
            else:
                overdue.append(pod)
    return going, overdue


def next_status(budget: dict, pods: list[dict], going: dict[str, str], scale: int) -> dict:
    """The budget's status, having these pods; `scale`: how many there should be, where the budget asks for a part."""
    spec = budget["spec"]
    expected, desired = len(pods), 0
    if spec.get("maxUnavailable") is not None:
        expected = scale
        desired = max(0, expected - scaled_value(spec["maxUnavailable"], expected, round_up=True))
    elif spec.get("minAvailable") is not None:
        expected = scale if _asks_for_scale(budget) else expected
        desired = scaled_value(spec["minAvailable"], expected, round_up=True)
    healthy = sum(is_ready(p) and not is_deleting(p) and p["metadata"]["name"] not in going for p in pods)
    status = {
        "observedGeneration": budget["metadata"]["generation"],
        "currentHealthy": healthy,
        "desiredHealthy": desired,
        "expectedPods": expected,
        # Nothing is expected: then pods that come later are safe until they are counted.
        "disruptionsAllowed": max(0, healthy - desired) if expected else 0,
    }
    verdict = ("True", "SufficientPods") if status["disruptionsAllowed"] else ("False", "InsufficientPods")
    told = _conditions(budget.get("status", {}), status["observedGeneration"], *verdict)
    return status | told | ({"disruptedPods": going} if going else {})


def failed_status(budget: dict, why: str) -> dict:
    """What cannot be counted lets nobody go, and has not been observed."""
    kept, seen = budget["status"], budget["status"].get("observedGeneration", 0)
    return {**kept, "disruptionsAllowed": 0} | _conditions(kept, seen, "False", "SyncFailed", why)


def _conditions(old: dict, seen: int, status: str, reason: str, message: str = "") -> dict:
    """Of the `old` status, with the verdict on the generation that was `seen`."""
    told = with_condition(old.get("conditions", []), "DisruptionAllowed", status, reason, message)
    return {"conditions": [{**one, "observedGeneration": seen} if seen else one for one in told]}
