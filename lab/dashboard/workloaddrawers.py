"""What the drawer shows of a workload, whichever kind it is: what is wanted, its pods and versions.

The kinds differ in their facts, and in what can be done to them; the fragment lays both out as they are listed here.
"""

from collections.abc import Callable

from lab.apimachinery.kinds import (
    BY_RESOURCE,
    CRONJOBS,
    DAEMONSETS,
    DEPLOYMENTS,
    JOBS,
    PERSISTENTVOLUMECLAIMS,
    PODS,
    REPLICASETS,
    STATEFULSETS,
)
from lab.apimachinery.meta import parse_time
from lab.apimachinery.selectors import selector_of
from lab.apiserver.tables.cells import age, human_duration, label_selector
from lab.client import Client

from .rows import BY_NAME, Row, owner_id, pod_row
from .storagedrawers import claims_told
from .workloadrows import ENDING, ROLLED, containers_of, workload_row
from .workloads import made_by, number_of, on, present, revisions_of, template_kept

MOST_LISTED = 50  # pods, and Jobs, that are listed; of more it is said how many
Ago = Callable[[str | None], str]
MAKES = {DEPLOYMENTS.kind: REPLICASETS, CRONJOBS.kind: JOBS}  # what some make, that makes the pods


def owners_of(client: Client, obj: dict | None) -> list[dict]:
    """`{"id", "words"}` of the workload that controls it, and of that one's: nearest first, each once."""
    found: dict[str, str] = {}
    while obj and (id_ := owner_id(obj)) and id_ not in found:
        resource, namespace, name = id_.split("/")
        found[id_] = f"{BY_RESOURCE[resource].kind} {name}"
        obj = client.find(BY_RESOURCE[resource], namespace, name)
    return [{"id": id_, "words": words} for id_, words in found.items()]


def workload_head(client: Client, obj: dict) -> dict:
    made = made_by(client, obj, MAKES[obj["kind"]]) if obj["kind"] in MAKES else []
    pods = [pod for maker in (obj, *made) for pod in made_by(client, maker, PODS)]
    kind, rows = BY_NAME[obj["kind"]], sorted(map(pod_row, pods), key=lambda row: row["name"])
    row = workload_row(obj, made if kind is DEPLOYMENTS else [], rows)
    head = {
        "template": "workload",
        "row": row,
        "state": row["state"],
        "headline": row["words"],
        "owners": owners_of(client, obj),
        "pods": rows[:MOST_LISTED],
        "more": max(0, len(rows) - MOST_LISTED),
        "revisions": _revisions(client, obj) if kind.kind in ROLLED else [],
    }
    if kind.kind in ROLLED:
        head["command"] = on(kind, row["name"], "rollout", "status", namespace=row["namespace"])
    return head


def workload_overview(client: Client, obj: dict) -> dict:
    return {
        "facts": [(label, words) for label, words in _facts(obj, client.now()) if words],
        "jobs": _jobs(client, obj) if obj["kind"] == CRONJOBS.kind else None,
        "claims": _claims(client, obj) if obj["kind"] == STATEFULSETS.kind else [],
        "conditions": obj.get("status", {}).get("conditions", ()),
    }


def _revisions(client: Client, obj: dict) -> list[dict]:
    revisions = revisions_of(client, obj)
    return [_revision(one, number_of(one) == present(obj, revisions), client.now()) for one in revisions]


def _revision(revision: dict, chosen: bool, now: float) -> dict:
    meta, status = revision["metadata"], revision.get("status", {})
    containers = (template_kept(revision).get("spec") or {}).get("containers") or ()
    return {
        "number": number_of(revision),
        "chosen": chosen,
        "hash": meta["name"].rpartition("-")[2],
        "images": ", ".join(container.get("image", "") for container in containers),
        "stands": f"{status.get('readyReplicas', 0)}/{revision['spec'].get('replicas', 0)}"
        if "spec" in revision
        else "",
        "age": age(revision, now),
    }


def _facts(obj: dict, now: float) -> list[tuple[str, str]]:
    images = [container.get("image", "") for container in containers_of(obj)]
    selector = label_selector(selector_of(obj)) if obj["kind"] not in ENDING else ""
    facts = FACTS[obj["kind"]](obj, lambda when: _ago(when, now)) if obj["kind"] in FACTS else []
    return [("image", ", ".join(images)), *facts, ("selector", selector)]


def _strategy(obj: dict, _ago: Ago) -> list[tuple[str, str]]:
    strategy = obj["spec"].get("strategy") or obj["spec"].get("updateStrategy") or {}
    pace, words = strategy.get("rollingUpdate") or {}, strategy.get("type", "")
    if "maxSurge" in pace:
        words += f": at most {pace['maxSurge']} more, {pace.get('maxUnavailable', 0)} fewer"
    if pace.get("partition"):
        words += f": from number {pace['partition']} on"
    return [("strategy", words), ("service", obj["spec"].get("serviceName", ""))]


def _job_facts(job: dict, ago: Ago) -> list[tuple[str, str]]:
    spec, status = job["spec"], job.get("status", {})
    deadline = spec.get("activeDeadlineSeconds")
    return [
        ("completions", str(spec.get("completions") or "as soon as one succeeds")),
        ("parallelism", str(spec.get("parallelism", 1))),
        ("backoff limit", str(spec.get("backoffLimit", 6))),
        ("deadline", f"{deadline} s" if deadline else ""),
        ("indexes done", status.get("completedIndexes", "")),
        ("started", ago(status.get("startTime"))),
        ("ended", ago(status.get("completionTime"))),
    ]


def _cronjob_facts(cronjob: dict, ago: Ago) -> list[tuple[str, str]]:
    spec, status = cronjob["spec"], cronjob.get("status", {})
    limits = f"{spec.get('successfulJobsHistoryLimit')} complete, {spec.get('failedJobsHistoryLimit')} failed"
    return [
        ("schedule", " ".join(filter(None, (spec["schedule"], spec.get("timeZone"))))),
        ("if one still runs", CONCURRENCY.get(spec.get("concurrencyPolicy"), "")),
        ("last run", ago(status.get("lastScheduleTime"))),
        ("last success", ago(status.get("lastSuccessfulTime"))),
        ("keeps", limits),
    ]


CONCURRENCY = {
    "Allow": "another starts beside it (Allow)",
    "Forbid": "the next waits (Forbid)",
    "Replace": "it makes room for the next (Replace)",
}
FACTS = {
    DEPLOYMENTS.kind: _strategy,
    STATEFULSETS.kind: _strategy,
    DAEMONSETS.kind: _strategy,
    JOBS.kind: _job_facts,
    CRONJOBS.kind: _cronjob_facts,
}


def _ago(when: str | None, now: float) -> str:
    return f"{human_duration(now - parse_time(when))} ago" if when else ""


def _jobs(client: Client, cronjob: dict) -> list[Row]:
    """The Jobs that it has made, the newest first."""
    jobs = sorted(made_by(client, cronjob, JOBS), key=lambda job: job["metadata"]["creationTimestamp"], reverse=True)
    return [workload_row(job, [], []) for job in jobs[:MOST_LISTED]]


def _claims(client: Client, statefulset: dict) -> list[dict]:
    """The claims made of its templates, those of pods that are gone too."""
    namespace, name = statefulset["metadata"]["namespace"], statefulset["metadata"]["name"]
    begins = [f"{one['metadata']['name']}-{name}-" for one in statefulset["spec"].get("volumeClaimTemplates") or ()]
    names = [claim["metadata"]["name"] for claim in client.list(PERSISTENTVOLUMECLAIMS, namespace)]
    mine = [one for one in names for begin in begins if one.removeprefix(begin).isdecimal() and one.startswith(begin)]
    return claims_told(client, namespace, sorted(mine), made_by(client, statefulset, PODS))
