"""Workloads → rows of the board: the cards of the rail. Pure.

One row for all kinds: how many are wanted and how many stand, the state that this comes to, and the same in words. What
only some kinds have (a rollout of two versions, the next run) are fields that the others lack.
"""

from lab.apimachinery.jobs import finished_as
from lab.apimachinery.kinds import (
    CRONJOBS,
    DAEMONSETS,
    DEPLOYMENTS,
    JOBS,
    REPLICASETS,
    REPLICATIONCONTROLLERS,
    STATEFULSETS,
)
from lab.apimachinery.meta import condition, parse_time
from lab.apimachinery.schedules import Schedule, Unscheduled
from lab.apiserver.tables.cells import human_duration

from .rows import BY_NAME, Row, compact, head, owner_id, revision_of, version_name
from .schedulewords import schedule_words

SCALED = (DEPLOYMENTS.kind, STATEFULSETS.kind, REPLICASETS.kind, REPLICATIONCONTROLLERS.kind)
ROLLED = (DEPLOYMENTS.kind, STATEFULSETS.kind, DAEMONSETS.kind)  # have versions, and may go back to them
ENDING = (JOBS.kind, CRONJOBS.kind)


def workload_row(obj: dict, replicasets: list[dict], pods: list[Row]) -> Row:
    """The card of a workload: what is wanted of it, what stands, what is wrong. What another workload owns is a `part`,
    told on its owner's card.

    `pods` are the rows of its pods: the card says at a glance what the tiles say one by one.
    """
    what, owner = obj["kind"], owner_id(obj)
    told = _deployment(obj, replicasets) if what == DEPLOYMENTS.kind else TOLD[what](obj)
    refused, failing = refusal(obj), trouble(pods, ends=what in ENDING)
    row = {
        **head("part" if owner else "workload", BY_NAME[what].resource, obj),
        "what": what,
        "owner": owner,
        "image": (containers_of(obj) or [{}])[0].get("image", ""),
        "scales": what in SCALED and not owner,
        "acts": _acts(obj),
        "refused": bool(refused),
        "until": min((pod["until"] for pod in pods if pod.get("until")), default=None),
        **told,
    }
    return compact({**row, "trouble": " · ".join(filter(None, (refused, told.get("trouble"), failing)))})


def _acts(obj: dict) -> list[tuple[str, str]]:
    """What can be done to it at once, and how the button for it is called."""
    what, spec = obj["kind"], obj["spec"]
    if what in ROLLED:
        pause = [("pause", "Resume" if spec.get("paused") else "Pause")] if what == DEPLOYMENTS.kind else []
        return [*pause, ("undo", "Undo"), ("restart", "Restart")]
    if what not in ENDING or finished_as(obj):
        return []
    suspend = ("pause", "Resume" if spec.get("suspend") else "Suspend")
    return [("run-now", "Run now"), suspend] if what == CRONJOBS.kind else [suspend]


def template_of(obj: dict) -> dict:
    """The template of the pods that a workload makes, or that the Jobs make which it makes."""
    spec = obj["spec"]
    return (spec["jobTemplate"]["spec"] if "jobTemplate" in spec else spec).get("template") or {}


def containers_of(obj: dict) -> list[dict]:
    """Those of its template: a StatefulSet's may have none, and its pods are refused then."""
    return (template_of(obj).get("spec") or {}).get("containers") or []


def refusal(obj: dict) -> str:
    """Why the API server lets it have no more pods, if it does not: a quota mostly."""
    found = condition(obj, "ReplicaFailure")
    if found is None or found["status"] != "True":
        return ""
    message = found.get("message", "")
    return f"refused: {message.partition(' is forbidden: ')[2] or message}"


def _counts(ready: int, desired: int, also: str = "") -> Row:
    """Of what is to go on for ever, how much of it does."""
    whole = ready >= desired and not also
    words = f"{ready} of {desired} ready{also}"
    return {"desired": desired, "ready": ready, "state": "ready" if whole else "starting", "words": words}


def _deployment(deployment: dict, replicasets: list[dict]) -> Row:
    """How many replicas of the newest version stand, and how many of older ones."""
    spec, status, revision = deployment["spec"], deployment.get("status", {}), revision_of(deployment)
    standing = [rs for rs in replicasets if rs.get("status", {}).get("replicas") or rs["spec"].get("replicas")]
    old = [rs for rs in standing if revision_of(rs) != revision]
    new = [rs for rs in standing if revision_of(rs) == revision]
    halted = _halted(deployment)
    rollout = ", stopped" if halted.startswith("stopped") else ", rolling out"
    told = _counts(status.get("readyReplicas", 0), spec.get("replicas", 1), rollout if _total(old) else "")
    return {
        **told,
        "words": told["words"] + (", paused" if spec.get("paused") else ""),
        "container": (containers_of(deployment) or [{}])[0].get("name", ""),
        "unseen": status.get("observedGeneration", 0) < deployment["metadata"].get("generation", 0),
        "total": status.get("replicas", 0),
        "revision": revision,
        "newReady": _ready(new),
        "newTotal": _total(new),
        "oldReady": _ready(old),
        "oldTotal": _total(old),
        "paused": spec.get("paused", False),
        "trouble": halted,
        **(_rolling(spec, old, new) if old else {}),
    }


def _rolling(spec: dict, old: list[dict], new: list[dict]) -> Row:
    """The line below the bar of a rollout: `v1 2`, `at most +1 −0`, `v2 3 of 5`."""
    was, is_ = version_name(max(old, key=revision_of)), version_name(new[0]) if new else "new"
    if was == is_:
        was, is_ = f"old {was}", f"new {is_}"
    pace = spec.get("strategy", {}).get("rollingUpdate")
    return {
        "was": f"{was} {_ready(old)}",
        "pace": f"at most +{pace.get('maxSurge', 0)} −{pace.get('maxUnavailable', 0)}" if pace else "recreate",
        "is": f"{is_} {_ready(new)} of {spec.get('replicas', 1)}",
    }


def _ready(replicasets: list[dict]) -> int:
    return sum(rs.get("status", {}).get("readyReplicas", 0) for rs in replicasets)


def _total(replicasets: list[dict]) -> int:
    return sum(rs.get("status", {}).get("replicas", 0) for rs in replicasets)


def _halted(deployment: dict) -> str:
    """Why a rollout does not go on, if it does not."""
    progressing = condition(deployment, "Progressing") or {}
    late = "stopped: the new pods did not get ready in time" if progressing.get("status") == "False" else ""
    return "paused" if deployment["spec"].get("paused") else late


def _set(obj: dict) -> Row:
    spec, status = obj["spec"], obj.get("status", {})
    desired, updated = spec.get("replicas", 1), status.get("updatedReplicas", 0)
    rolls = status.get("updateRevision") and status["updateRevision"] != status.get("currentRevision")
    also = f", {updated} of {desired} updated" if rolls and updated < desired else ""
    return _counts(status.get("readyReplicas", 0), desired, also)


def _daemonset(daemonset: dict) -> Row:
    status = daemonset.get("status", {})
    ready, desired = status.get("numberReady", 0), status.get("desiredNumberScheduled", 0)
    updated = status.get("updatedNumberScheduled", 0)
    also = f", {updated} of {desired} updated" if updated < desired else ""
    return {**_counts(ready, desired, also), "words": f"ready on {ready} of {desired} nodes{also}"}


def _job(job: dict) -> Row:
    spec, status, ended = job["spec"], job.get("status", {}), finished_as(job)
    succeeded, desired = status.get("succeeded", 0), spec.get("completions") or spec.get("parallelism", 1)
    counted = [f"{succeeded} of {spec['completions']} done" if spec.get("completions") else f"{succeeded} done"]
    counted += [f"{count} {words}" for key, words in JOB_COUNTS.items() if (count := status.get(key, 0))]
    also = "suspended" if spec.get("suspend") and not ended else ended.lower()
    failed = condition(job, "Failed") if ended == "Failed" else None
    return {
        "desired": desired,
        "ready": succeeded,
        "state": {"Complete": "done", "Failed": "failed"}.get(ended) or ("unready" if also else "starting"),
        "mark": {"Complete": "✓", "Failed": "✗"}.get(ended, "‖" if also else ""),
        "paused": also == "suspended",
        "words": ", ".join(filter(None, (also, *counted, _took(status)))),
        "trouble": failed.get("reason", "") if failed else "",
    }


JOB_COUNTS = {"failed": "failed", "active": "at work"}


def _took(status: dict) -> str:
    """Of one that was complete before it began (suspended, and nothing to do) there is nothing to say."""
    if not (status.get("startTime") and status.get("completionTime")):
        return ""
    return f"in {human_duration(parse_time(status['completionTime']) - parse_time(status['startTime']))}"


def _cronjob(cronjob: dict) -> Row:
    """`next`: when the next run is due, counted from the last: in the past it is overdue, because one still goes on."""
    spec, status = cronjob["spec"], cronjob.get("status", {})
    active, last = len(status.get("active") or ()), status.get("lastScheduleTime")
    suspended = spec.get("suspend", False)
    return {
        "state": "unready" if suspended else "starting" if active else "ready",
        "mark": "‖" if suspended else str(active) if active else "↻",
        "paused": suspended,
        "words": schedule_words(spec["schedule"]) + (", suspended" if suspended else ""),
        "last": parse_time(last) if last else 0,
        "next": 0 if suspended else _next(spec, last or cronjob["metadata"]["creationTimestamp"]),
    }


def _next(spec: dict, since: str) -> float:
    try:
        return Schedule(spec["schedule"], spec.get("timeZone")).after(parse_time(since)) or 0
    except Unscheduled:
        return 0


TOLD = {
    STATEFULSETS.kind: _set,
    DAEMONSETS.kind: _daemonset,
    REPLICASETS.kind: _set,
    REPLICATIONCONTROLLERS.kind: _set,
    CRONJOBS.kind: _cronjob,
    JOBS.kind: _job,
}
TROUBLES = {"failed": "failing", "backoff": "in back-off", "pending": "without a node", "unready": "not ready"}
NO_IMAGE = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName")


def trouble(pods: list[Row], ends: bool = False) -> str:
    """What is wrong with these pods, worst first: "1 in back-off, 2 without a node"; empty if nothing is. `ends`: they
    are of a Job, which counts itself how many have failed."""
    bare = sum(row.get("status") in NO_IMAGE for row in pods)
    counts = [(bare, "whose image cannot be had")]
    counts += [
        (sum(row["state"] == state and row.get("status") not in NO_IMAGE for row in pods), words)
        for state, words in TROUBLES.items()
        if not (ends and state == "failed")
    ]
    return ", ".join(f"{count} {words}" for count, words in counts if count)
