"""What a failed pod means for its Job, and how long to wait before the next one is made. Pure.

Source: pod_failure_policy.go, backoff_utils.go and indexed_job_utils.go in k8s.io/kubernetes/pkg/controller/job.
"""

from collections.abc import Iterable

from lab.apimachinery.jobs import COMPLETION_INDEX, TRACKING
from lab.apimachinery.meta import condition, is_deleting, parse_time

from ..backoff import Backoff

FAILURES = "batch.kubernetes.io/job-index-failure-count"
IGNORED_FAILURES = "batch.kubernetes.io/job-index-ignored-failure-count"


def is_tracked(pod: dict) -> bool:
    """Its Job has not counted it yet."""
    return TRACKING in pod["metadata"].get("finalizers", ())


def has_succeeded(pod: dict) -> bool:
    return pod.get("status", {}).get("phase") == "Succeeded"


def replaces_failed_only(job: dict) -> bool:
    """Whether a pod that is on its way out keeps its place until it has ended."""
    return job["spec"].get("podReplacementPolicy") == "Failed"


def has_failed(pod: dict, job: dict) -> bool:
    """A pod that is being deleted counts as failed at once, unless the Job wants to know how it ends; one that never
    began will not tell."""
    phase = pod.get("status", {}).get("phase", "Pending")
    if phase == "Failed":
        return True
    if not is_deleting(pod) or phase == "Succeeded":
        return False
    return phase == "Pending" or not replaces_failed_only(job)


def index_of(pod: dict) -> int | None:
    text = (pod["metadata"].get("annotations") or {}).get(COMPLETION_INDEX, "")
    return int(text) if text.isdecimal() else None


def index_failures(pod: dict) -> tuple[int, int]:
    """How often this pod's index had failed before it: those that count, those that were ignored."""
    notes = pod["metadata"].get("annotations") or {}
    counted, ignored = notes.get(FAILURES, ""), notes.get(IGNORED_FAILURES, "")
    return int(counted) if counted.isdecimal() else 0, int(ignored) if ignored.isdecimal() else 0


def judged(job: dict, pod: dict) -> tuple[str, str]:
    """The action of the failure policy's first rule that matches, and why it does; Count where none matches."""
    rules = (job["spec"].get("podFailurePolicy") or {}).get("rules") or ()
    for at, rule in enumerate(rules):
        found = _matching(pod, rule)
        if found:
            return rule["action"], f"{found} matching {rule['action']} rule at index {at}"
    return "Count", ""


def _matching(pod: dict, rule: dict) -> str:
    """What of the pod the rule matches, in words; empty if nothing."""
    name = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
    if rule.get("onExitCodes"):
        status = _matching_exit(pod, rule["onExitCodes"])
        code = status["state"]["terminated"]["exitCode"] if status else 0
        return f"Container {status['name']} for pod {name} failed with exit code {code}" if status else ""
    for pattern in rule.get("onPodConditions") or ():
        found = condition(pod, pattern["type"])
        if found and found["status"] == pattern["status"]:
            return f"Pod {name} has condition {pattern['type']}"
    return ""


def _statuses(pod: dict) -> list[dict]:
    status = pod.get("status", {})
    return [*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())]


def _matching_exit(pod: dict, asked: dict) -> dict | None:
    for status in _statuses(pod):
        ended = status.get("state", {}).get("terminated")
        if ended and ended["exitCode"] and asked.get("containerName") in (None, status["name"]):
            listed = ended["exitCode"] in asked["values"]
            if listed == (asked["operator"] == "In"):
                return status
    return None


def ended_at(pod: dict) -> float:
    """When its last container ended; else when it stopped being ready, or was deleted. Seconds since the epoch."""
    ends = [status.get("state", {}).get("terminated", {}).get("finishedAt") for status in _statuses(pod)]
    if ends and all(ends):
        return max(map(parse_time, ends))
    ready, meta = condition(pod, "Ready"), pod["metadata"]
    if ready and ready["status"] == "False" and ready.get("lastTransitionTime"):
        return parse_time(ready["lastTransitionTime"])
    if is_deleting(pod):
        return parse_time(meta["deletionTimestamp"]) - meta.get("deletionGracePeriodSeconds", 0)
    return parse_time(meta["creationTimestamp"])


def seconds_to_wait(job: dict, pods: Iterable[dict], backoff: Backoff, time: float) -> float:
    """How long to wait before another pod is made: by the failures since the last success, told from the pods that
    are still there. (Kubernetes keeps the number in memory, so a new controller starts without waiting.)"""
    pods = list(pods)
    success = max((ended_at(pod) for pod in pods if has_succeeded(pod)), default=0.0)
    # What was deleted only because there was one too many has been let go of, and is no failure.
    failed = [p for p in pods if has_failed(p, job) and (is_tracked(p) or not is_deleting(p))]
    ends = [end for end in map(ended_at, failed) if end > success]
    return backoff.left(len(ends), max(ends, default=0.0), time)
