"""Whether a Job is over, and why. Pure.

Reasons and messages, and the order in which they are looked for, are those of syncJob in
k8s.io/kubernetes/pkg/controller/job/job_controller.go.
"""

from dataclasses import dataclass

from lab.apimachinery.jobs import is_indexed, parse_indexes
from lab.apimachinery.meta import condition, parse_time

from ..pods import restarts
from .failures import has_failed, judged
from .tally import Tally

FAILURE, SUCCESS = "FailureTarget", "SuccessCriteriaMet"
FINAL = {FAILURE: "Failed", SUCCESS: "Complete"}


@dataclass(frozen=True)
class Verdict:
    """`kind` is the condition that is set first, FailureTarget or SuccessCriteriaMet. Failed or Complete follows when
    no pod of the Job is left."""

    kind: str
    reason: str
    message: str


COMPLETED = Verdict(SUCCESS, "CompletionsReached", "Reached expected number of succeeded pods")


def verdict(job: dict, found: Tally, time: float) -> Verdict | None:
    """What ends the Job though not all is done; what was once decided stays."""
    for kind in (SUCCESS, FAILURE):
        told = condition(job, kind)
        if told and told["status"] == "True":
            return Verdict(kind, told.get("reason", ""), told.get("message", ""))
    return _failure(job, found, time) or _too_many_indexes(job, found) or _enough(job, found)


def _failure(job: dict, found: Tally, time: float) -> Verdict | None:
    for pod in found.pods:
        if has_failed(pod, job):
            action, why = judged(job, pod)
            if action == "FailJob":
                return Verdict(FAILURE, "PodFailurePolicy", why)
    if found.failures > job["spec"]["backoffLimit"] or _restarted_too_often(job, found):
        return Verdict(FAILURE, "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    left = seconds_to_deadline(job, time)
    if left is not None and left <= 0:
        return Verdict(FAILURE, "DeadlineExceeded", "Job was active longer than specified deadline")
    return None


def _restarted_too_often(job: dict, found: Tally) -> bool:
    """Where the kubelet restarts what fails, no pod ever fails: its restarts are counted instead."""
    if job["spec"]["template"]["spec"].get("restartPolicy") != "OnFailure":
        return False
    limit, count = job["spec"]["backoffLimit"], sum(map(restarts, found.active + found.terminating))
    return count > 0 if limit == 0 else count >= limit


def seconds_to_deadline(job: dict, time: float) -> float | None:
    """What is left of `activeDeadlineSeconds`; None where it does not run."""
    seconds, start = job["spec"].get("activeDeadlineSeconds"), job.get("status", {}).get("startTime")
    if seconds is None or start is None or job["spec"].get("suspend"):
        return None
    return min(parse_time(start) + seconds - time, seconds)


def _too_many_indexes(job: dict, found: Tally) -> Verdict | None:
    failed, most = len(found.failed_indexes), job["spec"].get("maxFailedIndexes")
    if most is not None and failed > most:
        words = "Job has exceeded the specified maximal number of failed indexes"
        return Verdict(FAILURE, "MaxFailedIndexesExceeded", words)
    if failed and failed + found.successes >= job["spec"]["completions"]:
        return Verdict(FAILURE, "FailedIndexes", "Job has failed indexes")
    return None


def _enough(job: dict, found: Tally) -> Verdict | None:
    """Whether a rule of the success policy is met."""
    rules = (job["spec"].get("successPolicy") or {}).get("rules") or ()
    for at, rule in enumerate(rules):
        wanted, enough = rule.get("succeededIndexes"), rule.get("succeededCount")
        named = parse_indexes(wanted) if wanted is not None else found.succeeded_indexes
        least = len(named) if enough is None else enough
        if is_indexed(job["spec"]) and len(named & found.succeeded_indexes) >= least:
            return Verdict(SUCCESS, "SuccessPolicy", f"Matched rules at index {at}")
    return None


def is_complete(job: dict, found: Tally, active: int) -> bool:
    """With a number of completions, when so many have succeeded. Without one, one success says that there is no more
    to do, and the others are waited for."""
    completions = job["spec"].get("completions")
    return found.successes > 0 and not active if completions is None else found.successes >= completions
