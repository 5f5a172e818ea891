"""What a Deployment says of itself: its counts, and the conditions Available, Progressing and ReplicaFailure.

Pure. Reasons and sentences are Kubernetes' own (pkg/controller/deployment/sync.go and progress.go), since
`kubectl rollout status` and people read them. A condition of a Deployment has a `lastUpdateTime` of its own beside
`lastTransitionTime`: it moves with every sign of progress, and the progress deadline is counted from it. Whoever reads
a status looks at `observedGeneration` first: if it is behind `metadata.generation`, this speaks of an earlier spec.
"""

from lab.apimachinery.meta import condition, now, parse_time

from .rollout import fenceposts, name_of

# What "no deadline" is written as: the largest 32-bit number.
NO_DEADLINE = 2**31 - 1
DONE = "NewReplicaSetAvailable"
TIMED_OUT = "ProgressDeadlineExceeded"
STEERED = "ReleaseInControl"  # ours: a release has the new pods that it asked for, and takes its time


def set_condition(conditions: list[dict], kind: str, status: str, reason: str, message: str) -> list[dict]:
    """The conditions with one set anew; one that already says so, in status and reason, is left as it is."""
    old = next((c for c in conditions if c["type"] == kind), None)
    if old and (old["status"], old["reason"]) == (status, reason):
        return conditions
    return renew_condition(conditions, kind, status, reason, message)


def renew_condition(conditions: list[dict], kind: str, status: str, reason: str, message: str) -> list[dict]:
    """As `set_condition`, but its `lastUpdateTime` moves even if nothing else does."""
    old = next((c for c in conditions if c["type"] == kind), None)
    time = now()
    new = {
        "type": kind,
        "status": status,
        "lastUpdateTime": time,
        "lastTransitionTime": old["lastTransitionTime"] if old and old["status"] == status else time,
        "reason": reason,
        "message": message,
    }
    return [*(c for c in conditions if c["type"] != kind), new]


def without(conditions: list[dict], kind: str) -> list[dict]:
    return [c for c in conditions if c["type"] != kind]


def has_deadline(deployment: dict) -> bool:
    return deployment["spec"].get("progressDeadlineSeconds", NO_DEADLINE) != NO_DEADLINE


def counts(deployment: dict, new: dict | None, replica_sets: list[dict]) -> dict:
    """The status with its numbers and the condition Available; the other conditions as they were."""

    def total(field: str) -> int:
        return sum(rs.get("status", {}).get(field, 0) for rs in replica_sets)

    old = deployment.get("status", {})
    replicas = deployment["spec"].get("replicas", 1)
    _, max_unavailable = fenceposts(deployment)
    available = total("availableReplicas")
    status = {
        "observedGeneration": deployment["metadata"].get("generation", 0),
        "replicas": total("replicas"),
        "updatedReplicas": new.get("status", {}).get("replicas", 0) if new else 0,
        "readyReplicas": total("readyReplicas"),
        "availableReplicas": available,
        "terminatingReplicas": total("terminatingReplicas"),
        "unavailableReplicas": max(0, sum(rs["spec"].get("replicas", 1) for rs in replica_sets) - available),
        "conditions": old.get("conditions", []),
    }
    if old.get("collisionCount"):
        status["collisionCount"] = old["collisionCount"]
    enough = available >= replicas - max_unavailable
    verdict = (
        ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
        if enough
        else ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    )
    status["conditions"] = set_condition(status["conditions"], "Available", *verdict)
    return status


def without_zeros(status: dict) -> dict:
    """Counts of nothing are left out on the wire, as Kubernetes' `omitempty` does, but for the one that is a pointer
    there; clients take them for 0."""
    return {key: value for key, value in status.items() if value != 0 or key == "terminatingReplicas"}


def pause_condition(deployment: dict, conditions: list[dict]) -> list[dict]:
    """Note when a rollout is paused and when it goes on, so that the time between is no lack of progress."""
    known = next((c for c in conditions if c["type"] == "Progressing"), None)
    if not has_deadline(deployment) or (known and known["reason"] == TIMED_OUT):
        return conditions
    paused = deployment["spec"].get("paused", False)
    noted = known is not None and known["reason"] == "DeploymentPaused"
    if paused and not noted:
        return set_condition(conditions, "Progressing", "Unknown", "DeploymentPaused", "Deployment is paused")
    if noted and not paused:
        return set_condition(conditions, "Progressing", "Unknown", "DeploymentResumed", "Deployment is resumed")
    return conditions


def is_complete(deployment: dict, status: dict) -> bool:
    """All pods are of the new revision, all are available, and no old one is left."""
    replicas = deployment["spec"].get("replicas", 1)
    fields = ("updatedReplicas", "replicas", "availableReplicas")
    return all(status.get(field, 0) == replicas for field in fields)


def has_progressed(old: dict, new: dict) -> bool:
    """More pods of the new revision, fewer of the old, or more that are ready or available, than at the last look."""

    def outdated(status: dict) -> int:
        return status.get("replicas", 0) - status.get("updatedReplicas", 0)

    grew = any(new.get(f, 0) > old.get(f, 0) for f in ("updatedReplicas", "readyReplicas", "availableReplicas"))
    return grew or outdated(new) < outdated(old)


def progress(deployment: dict, status: dict, new: dict | None, time: float) -> list[dict]:
    """The conditions after a look at a rollout, at `time` in seconds since the epoch."""
    conditions = status["conditions"]
    if not has_deadline(deployment):
        return without(conditions, "Progressing")
    known = condition({"status": status}, "Progressing")
    if known and known["reason"] == DONE and status["replicas"] == status["updatedReplicas"]:
        return conditions
    what = f'ReplicaSet "{name_of(new)}"' if new else f'Deployment "{name_of(deployment)}"'
    if is_complete(deployment, status):
        return set_condition(conditions, "Progressing", "True", DONE, f"{what} has successfully progressed.")
    if has_progressed(deployment.get("status", {}), status):
        return renew_condition(conditions, "Progressing", "True", "ReplicaSetUpdated", f"{what} is progressing.")
    left = seconds_left(deployment, conditions, time)
    if left is not None and left <= 0:
        return set_condition(conditions, "Progressing", "False", TIMED_OUT, f"{what} has timed out progressing.")
    return conditions


def seconds_left(deployment: dict, conditions: list[dict], time: float) -> float | None:
    """Until the progress deadline; None if no deadline is running."""
    known = next((c for c in conditions if c["type"] == "Progressing"), None)
    at_rest = (DONE, TIMED_OUT, STEERED, "DeploymentPaused")
    if not has_deadline(deployment) or known is None or known["reason"] in at_rest:
        return None
    return parse_time(known["lastUpdateTime"]) + deployment["spec"]["progressDeadlineSeconds"] - time


def is_late(deployment: dict, time: float) -> bool:
    """Is the progress deadline over, at the last look?"""
    left = seconds_left(deployment, deployment.get("status", {}).get("conditions", []), time)
    return left is not None and left <= 0


def judgement(deployment: dict, status: dict) -> dict | None:
    """The decision of how its rollout stands, where that is another than before."""
    known, told = condition(deployment, "Progressing") or {}, condition({"status": status}, "Progressing")
    if told is None or told["reason"] == known.get("reason"):
        return None
    seconds = deployment["spec"].get("progressDeadlineSeconds")
    return {
        "decision": "JudgeRollout",
        "reason": told["reason"],
        "message": told["message"],
        "progressDeadlineSeconds": seconds,
    }


def failure(conditions: list[dict], new: dict | None, old: list[dict]) -> list[dict]:
    """Pass on that a ReplicaSet cannot make its pods (quota, admission): the new one's trouble before the old ones'."""
    for rs in [*([new] if new else []), *old]:
        found = condition(rs, "ReplicaFailure")
        if found:
            rest = (found["status"], found["reason"], found.get("message", ""))
            return set_condition(conditions, "ReplicaFailure", *rest)
    return without(conditions, "ReplicaFailure")
