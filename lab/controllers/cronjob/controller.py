"""The CronJob controller's hands. A Job is named after its minute: made and not noted, it is not made twice."""

import copy
import time
from collections.abc import Iterable

from lab.apimachinery.errors import ApiError
from lab.apimachinery.jobs import finished_as
from lab.apimachinery.kinds import CRONJOBS, JOBS
from lab.apimachinery.meta import at, controller_of, key_of, owner_reference, split_key
from lab.client import Change, Client

from ..objects import ObjectController
from ..owners import dependents
from .plan import LIMITS, SCHEDULED, Plan, make_plan, scheduled_at, set_active


class CronJobController(ObjectController):
    """Keys are CronJobs."""

    name = "cronjob"
    kind = CRONJOBS
    watches = (CRONJOBS.resource, JOBS.resource)

    def keys(self, change: Change) -> Iterable[str]:
        if change.resource == CRONJOBS.resource:
            return super().keys(change)
        return () if change.author == self.author else self.keys_of_managed(change)

    def converge(self, client: Client, cronjob: dict) -> float | None:
        uid = cronjob["metadata"]["uid"]
        jobs = [job for job in dependents(client.view(), uid, JOBS) if (controller_of(job) or {}).get("uid") == uid]
        plan = make_plan(cronjob, jobs, time.time(), _edited(client, cronjob))
        leaving = [*plan.replaced, *plan.old]
        replaced = {"decision": "ReplaceJob", "due": at(plan.start or 0)}
        client.delete_these(
            JOBS, leaving, why=lambda job: replaced if job in plan.replaced else _outlived(cronjob, job)
        )
        plan.events += [("Normal", "SuccessfulDelete", f"Deleted job {job['metadata']['name']}") for job in leaving]
        gone = {job["metadata"]["uid"] for job in plan.replaced}
        set_active(plan.status, [ref for ref in plan.status.get("active", ()) if ref["uid"] not in gone])
        try:
            if plan.start is not None:
                self._start(client, cronjob, plan, plan.start)
        finally:
            if plan.status != cronjob.get("status", {}):
                client.update_status(CRONJOBS, {**cronjob, "status": plan.status})
            client.events([(cronjob, *event) for event in plan.events])
        return plan.delay

    def _start(self, client: Client, cronjob: dict, plan: Plan, due: float) -> None:
        """Make the Job that is due, or find that it has been made, and note it."""
        wanted = new_job(cronjob, due)
        namespace, name = wanted["metadata"]["namespace"], wanted["metadata"]["name"]
        job = client.find(JOBS, namespace, name)
        if job is None:
            try:
                when = {"schedule": cronjob["spec"]["schedule"], "due": at(due), "missed": plan.missed}
                job = client.create(JOBS, wanted, why={"decision": "StartJob", **when})
            except ApiError as error:
                plan.events.append(("Warning", "FailedCreate", f"Error creating job: {error.message}"))
                raise
            plan.events.append(("Normal", "SuccessfulCreate", f"Created job {name}"))
        elif (controller_of(job) or {"uid": ""})["uid"] != cronjob["metadata"]["uid"]:
            return  # a namesake of somebody else's: this time is theirs
        active = plan.status.get("active", [])
        if all(ref["uid"] != job["metadata"]["uid"] for ref in active):
            set_active(plan.status, [*active, _reference(job)])
        plan.status["lastScheduleTime"] = at(due)


def _edited(client: Client, cronjob: dict) -> float:
    """Since when it has its present schedule, which the log knows; 0 if it had no other one, or not lately."""
    since = 0.0
    for row in client.history(CRONJOBS, *split_key(key_of(cronjob))):
        if row["deleted"] or row["object"]["metadata"]["uid"] != cronjob["metadata"]["uid"]:
            break
        if _schedule(row["object"]) != _schedule(cronjob):
            return since
        since = row["time"]
    return 0.0


def _schedule(cronjob: dict) -> tuple[str, str | None]:
    return cronjob["spec"]["schedule"], cronjob["spec"].get("timeZone")


def _outlived(cronjob: dict, job: dict) -> dict:
    limit = LIMITS[finished_as(job)]
    return {"decision": "TrimHistory", "of": limit, "limit": cronjob["spec"][limit]}


def new_job(cronjob: dict, due: float) -> dict:
    """The Job for that time, named after its minute."""
    template, meta = cronjob["spec"]["jobTemplate"], cronjob["metadata"]
    asked = template.get("metadata") or {}
    return {
        "apiVersion": JOBS.api_version,
        "kind": JOBS.kind,
        "metadata": {
            "name": f"{meta['name']}-{int(due) // 60}",
            "namespace": meta["namespace"],
            "labels": dict(asked.get("labels") or {}),
            "annotations": {**(asked.get("annotations") or {}), SCHEDULED: scheduled_at(cronjob, due)},
            "ownerReferences": [owner_reference(cronjob)],
        },
        "spec": copy.deepcopy(template["spec"]),
    }


def _reference(job: dict) -> dict:
    meta = job["metadata"]
    place = {field: meta[field] for field in ("namespace", "name", "uid", "resourceVersion")}
    return {"kind": JOBS.kind, "apiVersion": JOBS.api_version, **place}
