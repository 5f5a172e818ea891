"""What a StatefulSet does next, and what it says of itself. Pure.

One walk through the numbers, upwards: what is missing is made, what has ended makes room for its successor, and in
order (`OrderedReady`) whatever is not available yet stops the walk. Only then pods go: first those that are too many,
then those of old revisions, the highest number first.
Source: updateStatefulSet in pkg/controller/statefulset/stateful_set_control.go of Kubernetes.
"""

from dataclasses import dataclass, field

from lab.apimachinery.meta import is_deleting

from ..deployment.rollout import scaled_value
from ..history import History
from ..pods import is_active, is_finished, is_ready, seconds_to_available
from ..workload import BURST_REPLICAS
from .identity import by_ordinal, ordinal_of, ordinals, revision_of


@dataclass
class Step:
    """The numbers of pods to make, and the pods to delete."""

    create: list[int] = field(default_factory=list)
    delete: list[dict] = field(default_factory=list)


def next_step(sts: dict, pods: list[dict], newest: str, time: float) -> Step:
    """`newest`: the name of the revision that the set's template is. `time` in seconds since the epoch."""
    step, in_order = Step(), sts["spec"].get("podManagementPolicy") != "Parallel"
    numbered = by_ordinal(sts, pods)
    wanted = ordinals(sts)
    for ordinal in wanted:
        pod = numbered.get(ordinal)
        if pod is None:
            step.create.append(ordinal)
        elif is_finished(pod) and not is_deleting(pod):
            step.delete.append(pod)
        if in_order and not _serves(sts, pod, time) or len(step.create) > BURST_REPLICAS:
            return step  # however many are wanted, of which there may be more than numbers in memory
    surplus = [numbered[ordinal] for ordinal in sorted(numbered, reverse=True) if ordinal not in wanted]
    step.delete += _surplus_to_go(sts, surplus, in_order, time)
    if not (in_order and surplus):
        step.delete += _outdated_to_go(sts, [numbered.get(ordinal) for ordinal in wanted], newest, time)
    return step


def why_it_goes(sts: dict, pod: dict, newest: str) -> str:
    """Of a pod that `next_step` deletes."""
    wanted = ordinals(sts)
    if ordinal_of(sts, pod) not in wanted:
        return f"{len(wanted)} wanted"
    return "it has ended" if is_finished(pod) else f"of revision {revision_of(pod)}, not {newest}"


def _surplus_to_go(sts: dict, surplus: list[dict], in_order: bool, time: float) -> list[dict]:
    """Of the pods beyond the wanted numbers, highest first: in order one at a time, while all others serve; one that
    does not may itself go."""
    if not in_order:
        return [pod for pod in surplus if not is_deleting(pod)]
    first_ailing = next((pod for pod in reversed(surplus) if not _serves(sts, pod, time)), None)
    return [
        pod for pod in surplus[:1] if not is_deleting(pod) and (is_available(sts, pod, time) or pod is first_ailing)
    ]


def _outdated_to_go(sts: dict, replicas: list[dict | None], newest: str, time: float) -> list[dict]:
    """Of the pods of old revisions, highest number first and none below the partition: as many as may be missed. Those
    that serve nobody go before and besides: a revision that never worked is in nobody's way. (In order there are none
    of them left here.)"""
    strategy = sts["spec"].get("updateStrategy") or {}
    if strategy.get("type") == "OnDelete":
        return []
    rolling = strategy.get("rollingUpdate") or {}
    most = max(1, scaled_value(rolling.get("maxUnavailable", 1), len(replicas), round_up=False))
    room = max(0, most - sum(not _serves(sts, pod, time) for pod in replicas))
    candidates = replicas[rolling.get("partition", 0) :][::-1]
    old = [pod for pod in candidates if pod and is_active(pod) and revision_of(pod) != newest]
    ailing = [pod for pod in old if not _serves(sts, pod, time)]
    return ailing + [pod for pod in old if pod not in ailing][:room]


def _serves(sts: dict, pod: dict | None, time: float) -> bool:
    return pod is not None and not is_deleting(pod) and is_available(sts, pod, time)


def is_available(sts: dict, pod: dict, time: float) -> bool:
    left = seconds_to_available(pod, sts["spec"].get("minReadySeconds", 0), time)
    return left is not None and left <= 0 and _runs(pod)


def _runs(pod: dict) -> bool:
    return pod.get("status", {}).get("phase") == "Running"


def is_pending(pod: dict) -> bool:
    return pod.get("status", {}).get("phase") == "Pending"


def revision_for(sts: dict, ordinal: int, current: dict, newest: dict) -> dict:
    """Of which revision a pod is made: below the partition the one that all had before."""
    strategy = sts["spec"].get("updateStrategy") or {}
    partition = (strategy.get("rollingUpdate") or {}).get("partition", 0)
    return current if ordinal < ordinals(sts).start + partition else newest


def current_revision(sts: dict, history: History) -> dict:
    """The revision before the one that is being rolled out; the newest if none is."""
    return history.named(sts.get("status", {}).get("currentRevision", "")) or history.newest


def next_status(sts: dict, pods: list[dict], history: History, time: float) -> dict:
    """The set's status, having these pods."""
    current, newest = (one["metadata"]["name"] for one in (current_revision(sts, history), history.newest))
    staying = [revision_of(pod) for pod in pods if not is_deleting(pod)]
    available = sum(is_available(sts, pod, time) for pod in pods)
    updated, replicas = staying.count(newest), sts["spec"].get("replicas", 1)
    rolling = (sts["spec"].get("updateStrategy") or {}).get("type") != "OnDelete"
    if rolling and updated == available == len(pods) == replicas:
        current = newest
    counts = {
        "observedGeneration": sts["metadata"].get("generation", 0),
        "readyReplicas": sum(_runs(pod) and is_ready(pod) for pod in pods),
        "currentReplicas": staying.count(current),
        "updatedReplicas": updated,
    }
    return {
        "replicas": len(pods),
        "availableReplicas": available,
        "currentRevision": current,
        "updateRevision": newest,
        "collisionCount": history.collisions,
        **{name: count for name, count in counts.items() if count},
    }
