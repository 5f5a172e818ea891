"""The Job controller's hands: what it reads and writes, and which Jobs a change concerns. Plans are made in `plan`."""

import time
from collections.abc import Iterable

from django.conf import settings

from lab.apimachinery.errors import ApiError
from lab.apimachinery.jobs import MANAGER, TRACKING, finished_as
from lab.apimachinery.kinds import JOBS, PODS
from lab.apimachinery.meta import controller_of, is_deleting, split_key
from lab.apimachinery.selectors import parse_label_selector
from lab.client import Change, Client, Put

from ..backoff import Backoff
from ..finalizers import held, let_go, released
from ..owners import claimed
from ..pods import restarts
from ..workload import BURST_REPLICAS, WorkloadController, is_worth_telling
from .failures import is_tracked
from .plan import Plan, make_plan

STRAYS = "?"  # in the place of a name stands for all pods of a namespace that no Job will count any more


class JobController(WorkloadController):
    """Keys are Jobs, and STRAYS."""

    name = "job"
    kind = JOBS
    watches = (JOBS.resource, PODS.resource)

    def keys(self, change: Change) -> Iterable[str]:
        strays = f"{change.namespace}/{STRAYS}"
        if change.resource == JOBS.resource and change.deleted:
            return (strays,)
        found = set(super().keys(change))
        pod = change.object
        if change.resource == JOBS.resource or change.deleted or not is_tracked(pod):
            return found
        # Of one that leaves, the Job may be gone, and the one that has its name now another.
        stray = controller_of(pod) is None or (found and is_deleting(pod))
        return found | {strays} if stray else found

    def all_keys(self, client: Client) -> Iterable[str]:
        spaces = {pod["metadata"]["namespace"] for pod in client.list(PODS) if is_tracked(pod)}
        return [*super().all_keys(client), *(f"{namespace}/{STRAYS}" for namespace in spaces)]

    def counted(self, pod: dict) -> tuple:
        phase, finalizers = pod.get("status", {}).get("phase"), pod["metadata"].get("finalizers")
        return *super().counted(pod), phase, finalizers, restarts(pod)

    def sync(self, client: Client, key: str) -> float | None:
        namespace, name = split_key(key)
        if name == STRAYS:
            _let_go_of_strays(client, namespace)
            return None
        return super().sync(client, key)

    def converge(self, client: Client, job: dict) -> float | None:
        # What it has counted, it has counted; and one that somebody else manages is theirs, its status included.
        if finished_as(job) or job["spec"].get("managedBy") not in (None, MANAGER):
            return None
        selector = parse_label_selector(job["spec"]["selector"])
        pods = claimed(client, job, PODS, lambda pod: selector.matches(pod["metadata"].get("labels")))
        plan, made = self._step(client, job, pods)
        client.delete_these(PODS, plan.delete, why=lambda pod: {"decision": "DeleteJobPods", "because": plan.because})
        events = [("Normal", "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}") for pod in made]
        events += [("Normal", "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}") for pod in plan.delete]
        client.events([(job, *event) for event in (*events, *plan.events)])
        return 0.0 if plan.delete else plan.delay

    def _step(self, client: Client, job: dict, pods: list[dict], most: int = BURST_REPLICAS) -> tuple[Plan, list[dict]]:
        """Write what there is to write, and the pods that were made. If they are too many for what the namespace may
        have, half as many; if not even one may be made, what has ended is counted all the same."""
        clock = settings.CLOCK
        plan = make_plan(job, pods, Backoff(clock["job_backoff_first"], clock["job_backoff_most"]), time.time(), most)
        try:
            return plan, self._write(client, job, plan)
        except ApiError as error:
            if error.code == 403 and len(plan.create) > 1:
                return self._step(client, job, pods, len(plan.create) // 2)
            if plan.create and error.code != 409:
                self._step(client, job, pods, 0)
            if plan.create and is_worth_telling(error):
                client.event(job, "Warning", "FailedCreate", f"Error creating: {error.message}")
            raise

    def _write(self, client: Client, job: dict, plan: Plan) -> list[dict]:
        """The counts, and all that they stand for, in one transaction. Returns the pods that were made."""
        why = {"decision": "SyncJob"} | {field: job["spec"].get(field) for field in ("completions", "parallelism")}
        why |= {field: plan.status.get(field, 0) for field in ("active", "succeeded", "failed")}
        why |= {"ended": plan.ended} if plan.ended else {}
        puts = [Put(PODS, pod, why=why) for pod in plan.create]
        puts += [Put(PODS, released(pod, TRACKING), why=why) for pod in plan.release]
        puts += [Put(PODS, held(pod, TRACKING)) for pod in plan.hold]
        if plan.status != job.get("status"):
            puts.append(Put(JOBS, {**job, "status": plan.status}, "status", why=why))
        return client.write(puts)[: len(plan.create)]


def _let_go_of_strays(client: Client, namespace: str) -> None:
    """Whose Job is gone is counted by nobody: without this it could never be removed."""
    jobs = {job["metadata"]["uid"] for job in client.list(JOBS, namespace)}
    strays = [
        pod
        for pod in filter(is_tracked, client.list(PODS, namespace))
        if (controller_of(pod) or {"uid": ""})["uid"] not in jobs
    ]
    why = let_go(TRACKING, "its Job is gone, and counts it no more")
    client.write([Put(PODS, released(pod, TRACKING), why=why) for pod in strays])
