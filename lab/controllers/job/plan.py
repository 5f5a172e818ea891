"""The next step of a Job: what is counted, which pods are made, which go, and what its status says then. Pure.

Source: syncJob, manageJob and trackJobStatusAndRemoveFinalizers in k8s.io/kubernetes/pkg/controller/job.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from lab.apimachinery.jobs import format_indexes, is_indexed
from lab.apimachinery.meta import at, is_deleting

from ..backoff import Backoff
from ..pods import is_ready
from ..ranking import first_to_go
from ..workload import BURST_REPLICAS
from .failures import (
    ended_at,
    has_failed,
    has_succeeded,
    index_failures,
    index_of,
    is_tracked,
    replaces_failed_only,
    seconds_to_wait,
)
from .newpod import job_pod
from .status import ending, suspension
from .tally import Tally, counts, counts_as_failure, tally
from .verdict import COMPLETED, FAILURE, Verdict, is_complete, seconds_to_deadline, verdict


@dataclass
class Plan:
    """`release`, `hold`: pods whose tracking finalizer goes or comes, in one transaction with the status and with
    those to `create`. `delete` comes after it, and `because` says of what. `ended`: for which reason it is over, or is
    to be. `delay`: seconds until time itself changes something."""

    status: dict = field(default_factory=dict)
    create: list[dict] = field(default_factory=list)
    delete: list[dict] = field(default_factory=list)
    because: str = ""
    ended: str = ""
    release: list[dict] = field(default_factory=list)
    hold: list[dict] = field(default_factory=list)
    events: list[tuple[str, str, str]] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)

    @property
    def delay(self) -> float | None:
        return min(self.delays, default=None)


def make_plan(job: dict, pods: list[dict], backoff: Backoff, time: float, most: int = BURST_REPLICAS) -> Plan:
    """`most`: how many pods may be made or deleted in this step. An unfinished Job's only."""
    found, plan = tally(job, pods), Plan()
    status = plan.status = {**job.get("status", {}), "uncountedTerminatedPods": {}}
    suspended = job["spec"].get("suspend", False)
    if "startTime" not in status and not suspended:
        status["startTime"] = at(time)
    end = verdict({**job, "status": status}, found, time)
    if end:
        plan.delete, plan.because = found.active, end.message
    elif not is_deleting(job):
        _manage(plan, job, found, backoff, time, most)
        plan.release += filter(is_tracked, plan.delete)  # one too many is neither a success nor a failure
        if is_complete(job, found, len(_staying(plan, found)) + len(plan.create)):
            end = COMPLETED
        else:
            plan.events += suspension(status, suspended, time)
    _count(plan, job, found, end)
    _describe(plan, found)
    if end:
        plan.ended = end.reason
        plan.events += ending(job, status, end, bool(found.active or found.terminating), time)
    elif (left := seconds_to_deadline({**job, "status": status}, time)) is not None:
        plan.delays.append(left)
    return plan


def _staying(plan: Plan, found: Tally) -> list[dict]:
    gone = _uids(plan.delete)
    return [pod for pod in found.active if pod["metadata"]["uid"] not in gone]


def _manage(plan: Plan, job: dict, found: Tally, backoff: Backoff, time: float, most: int) -> None:
    """As many pods as are wanted now. In one step pods are either deleted or made, and deleting comes first."""
    wanted = _wanted(job, found)
    surplus = _surplus(job, found, max(len(found.active) - wanted, 0), time)
    plan.delete = surplus[:most]
    plan.because = "the job is suspended" if job["spec"].get("suspend") else f"{wanted} wanted at once"
    if surplus:
        plan.delays += [0.0] if len(surplus) > most else []
        return
    plan.hold = [pod for pod in found.active if not is_tracked(pod)]
    going = len(found.terminating) if replaces_failed_only(job) else 0
    missing = wanted - len(found.active) - going
    if missing <= 0:
        return
    if is_indexed(job["spec"]) and job["spec"].get("backoffLimitPerIndex") is not None:
        indexes = list(islice(_pending(job, found), missing))
        pauses = {index: _index_pause(found.held.get(index), backoff, time) for index in indexes}
        ready = [index for index in indexes if not pauses[index]]
        plan.delays += [pause for pause in pauses.values() if pause]
        plan.create = [job_pod(job, index, found.held.get(index)) for index in ready[:most]]
    elif pause := seconds_to_wait(job, found.pods, backoff, time):
        plan.delays.append(pause)
        return
    elif is_indexed(job["spec"]):
        plan.create = [job_pod(job, index) for index in islice(_pending(job, found), min(missing, most))]
    else:
        plan.create = [job_pod(job) for _ in range(min(missing, most))]
    if most and len(plan.create) == most < missing:
        plan.delays.append(0.0)


def _wanted(job: dict, found: Tally) -> int:
    spec = job["spec"]
    if spec.get("suspend"):
        return 0
    if spec.get("completions") is None:
        # After the first success nobody new is sent, and who is at work may finish.
        return len(found.active) if found.successes else spec["parallelism"]
    return max(min(spec["completions"] - found.successes, spec["parallelism"]), 0)


def _surplus(job: dict, found: Tally, least: int, time: float) -> list[dict]:
    """At least so many active pods: first those whose index another one has, or the Job has not."""
    spare, seen = [], set()
    for pod in found.active if is_indexed(job["spec"]) else ():
        if not counts(job, pod) or index_of(pod) in seen:
            spare.append(pod)
        seen.add(index_of(pod))
    chosen = _uids(spare)
    rest = [pod for pod in found.active if pod["metadata"]["uid"] not in chosen]
    return spare + first_to_go(rest, max(least - len(spare), 0), found.active, time)


def _pending(job: dict, found: Tally) -> Iterator[int]:
    """The indexes that nobody is at, lowest first."""
    busy = found.active + (found.terminating if replaces_failed_only(job) else [])
    settled = found.succeeded_indexes | found.failed_indexes | {index_of(pod) for pod in busy}
    return (index for index in range(job["spec"]["completions"]) if index not in settled)


def _index_pause(before: dict | None, backoff: Backoff, time: float) -> float:
    return backoff.left(sum(index_failures(before)) + 1, ended_at(before), time) if before else 0.0


def _count(plan: Plan, job: dict, found: Tally, end: Verdict | None) -> None:
    """Count what has ended, and let go of it. When the Job has failed, so has what still runs; when it has succeeded
    that is nobody's failure."""
    status, failed, over = plan.status, 0, bool(end) or is_deleting(job)
    given_up = end is not None and end.kind == FAILURE
    held, surplus = _uids(found.held.values()), _uids(plan.release)
    for pod in filter(is_tracked, found.pods):
        uid, lost = pod["metadata"]["uid"], has_failed(pod, job)
        ended = has_succeeded(pod) or (lost and uid not in held)
        if uid in surplus or not (ended or over):
            continue
        plan.release.append(pod)
        if not has_succeeded(pod) and (lost or given_up) and counts(job, pod) and counts_as_failure(job, pod):
            failed += 1
    _set(status, "failed", status.get("failed", 0) + failed)
    _set(status, "succeeded", found.successes)
    if is_indexed(job["spec"]):
        _set(status, "completedIndexes", format_indexes(found.succeeded_indexes))
        if job["spec"].get("backoffLimitPerIndex") is not None:
            status["failedIndexes"] = format_indexes(found.failed_indexes)


def _describe(plan: Plan, found: Tally) -> None:
    stay, status = _staying(plan, found), plan.status
    _set(status, "active", len(stay) + len(plan.create))
    status["ready"] = sum(map(is_ready, stay))
    status["terminating"] = len(found.terminating) + len(plan.delete)


def _uids(pods: Iterable[dict]) -> set[str]:
    return {pod["metadata"]["uid"] for pod in pods}


def _set(status: dict, field_: str, value: int | str) -> None:
    """Counts of nothing are left out, as on Kubernetes' wire."""
    if value:
        status[field_] = value
    else:
        status.pop(field_, None)
