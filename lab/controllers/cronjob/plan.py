"""What a CronJob does now: which Jobs it forgets, which one it starts, which it removes. Pure.

Source: syncCronJob and cleanupFinishedJobs in k8s.io/kubernetes/pkg/controller/cronjob/cronjob_controllerv2.go.
"""

import datetime
import json
from dataclasses import dataclass, field

from lab.apimachinery.jobs import finished_as
from lab.apimachinery.meta import is_deleting, parse_time
from lab.apimachinery.schedules import Schedule, Unscheduled

MOST_MISSED = 100
LATE = 0.1  # seconds after the minute: nextScheduleDelta, so that a clock a little behind does not come too early
LIMITS = {"Complete": "successfulJobsHistoryLimit", "Failed": "failedJobsHistoryLimit"}
SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"


@dataclass
class Plan:
    """`start`: the time a Job is due for, if one is to be made; `replaced`: those that go first; `old`: those that
    have finished and go because there are too many. `missed`: times before `start` that were not kept, at most
    MOST_MISSED. `delay`: seconds until the next time."""

    status: dict
    start: float | None = None
    missed: int = 0
    replaced: list[dict] = field(default_factory=list)
    old: list[dict] = field(default_factory=list)
    events: list[tuple[str, str, str]] = field(default_factory=list)
    delay: float | None = None


def make_plan(cronjob: dict, jobs: list[dict], time: float, edited: float = 0.0) -> Plan:
    """`jobs` are all that this CronJob controls. `edited`: since when it has its present schedule, if it had another
    one before. Both are seconds since the epoch."""
    plan = Plan(dict(cronjob.get("status", {})))
    _take_stock(plan, jobs)
    plan.old = _beyond_history(cronjob["spec"], jobs)
    spec = cronjob["spec"]
    if is_deleting(cronjob) or spec.get("suspend"):
        return plan
    try:
        schedule = Schedule(spec["schedule"], spec.get("timeZone"))
    except Unscheduled as error:  # the rest was looked at when it was written
        words = f"invalid timeZone: {json.dumps(spec.get('timeZone'))}: {error}"
        plan.events.append(("Warning", "UnknownTimeZone", words))
        return plan
    due = _due(plan, cronjob, schedule, time, edited)
    upcoming = schedule.after(time)
    plan.delay = None if upcoming is None else upcoming + LATE - time
    if due is None:
        return plan
    active = {ref.get("uid") for ref in plan.status.get("active", ())}
    if active and spec["concurrencyPolicy"] == "Forbid":
        words = "Not starting job because prior execution is running and concurrency policy is Forbid"
        plan.events.append(("Normal", "JobAlreadyActive", words))
        return plan
    if spec["concurrencyPolicy"] == "Replace":
        plan.replaced = [job for job in jobs if job["metadata"]["uid"] in active]
    plan.start = due
    return plan


def _take_stock(plan: Plan, jobs: list[dict]) -> None:
    """Forget the active ones that are over or gone, and note when one last succeeded."""
    known, active = {job["metadata"]["uid"]: job for job in jobs}, []
    for ref in plan.status.get("active", ()):
        job = known.get(ref.get("uid"))
        if job is None:
            plan.events.append(("Normal", "MissingJob", f"Active job went missing: {ref.get('name', '')}"))
        elif finished_as(job):
            words = f"Saw completed job: {ref['name']}, condition: {finished_as(job)}"
            plan.events.append(("Normal", "SawCompletedJob", words))
        else:
            active.append(ref)
    set_active(plan.status, active)
    listed = {ref.get("uid") for ref in active}
    for job in jobs:
        if job["metadata"]["uid"] not in listed and not finished_as(job) and not is_deleting(job):
            words = f"Saw a job that the controller did not create or forgot: {job['metadata']['name']}"
            plan.events.append(("Warning", "UnexpectedJob", words))
    ends = [job["status"]["completionTime"] for job in jobs if finished_as(job) == "Complete"]
    latest = max([*ends, plan.status.get("lastSuccessfulTime", "")])
    if latest:
        plan.status["lastSuccessfulTime"] = latest


def set_active(status: dict, refs: list[dict]) -> None:
    """The list of Jobs at work is left out when it is empty."""
    status.pop("active", None)
    if refs:
        status["active"] = refs


def _due(plan: Plan, cronjob: dict, schedule: Schedule, time: float, edited: float) -> float | None:
    """The latest time that was to be kept and was not; None if none is open. Of several, only the last is made up.

    What the present schedule would have kept before it was there is not missed. (Kubernetes may take it for that,
    kubernetes#130838: it is started at the next time of the schedule before.)
    """
    spec = cronjob["spec"]
    since = parse_time(plan.status.get("lastScheduleTime") or cronjob["metadata"]["creationTimestamp"])
    since, deadline = max(since, edited), spec.get("startingDeadlineSeconds")
    if deadline is not None:
        since = max(since, time - deadline)
    last = schedule.last(time)
    if last is None or last <= since:
        return None
    plan.missed = schedule.missed(since, time, MOST_MISSED) - 1
    if plan.missed == MOST_MISSED:
        words = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
        plan.events.append(("Warning", "TooManyMissedTimes", words))
    return last


def _beyond_history(spec: dict, jobs: list[dict]) -> list[dict]:
    old: list[dict] = []
    for kind, limit in LIMITS.items():
        ended = [job for job in jobs if finished_as(job) == kind and not is_deleting(job)]
        ended.sort(key=lambda job: (job["status"].get("startTime", ""), job["metadata"]["name"]))
        old += ended[: max(len(ended) - spec[limit], 0)]
    return old


def scheduled_at(cronjob: dict, time: float) -> str:
    """The time as the Job's annotation has it: RFC 3339 in the CronJob's zone."""
    zone = Schedule("@daily", cronjob["spec"].get("timeZone")).zone
    text = datetime.datetime.fromtimestamp(time, zone).isoformat(timespec="seconds")
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text
