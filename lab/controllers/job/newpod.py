"""A Job's pod: what its template describes, and what tells the Jobs and their indexes apart. Pure."""

from lab.apimachinery.jobs import COMPLETION_INDEX, TRACKING
from lab.apimachinery.meta import LONGEST_GENERATED_BASE, generated_name

from ..finalizers import held
from ..workload import new_pod
from .failures import FAILURES, IGNORED_FAILURES, index_failures
from .tally import counts_as_failure

INDEX_VARIABLE = {
    "name": "JOB_COMPLETION_INDEX",
    "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": f"metadata.labels['{COMPLETION_INDEX}']"}},
}


def job_pod(job: dict, index: int | None = None, before: dict | None = None) -> dict:
    """A pod to create. `index` where the Job is Indexed; `before` is the failed pod that it replaces there, if the
    Job counts failures by index."""
    name = job["metadata"]["name"]
    base = f"{name}-"
    if index is not None:
        tail = f"-{index}-"
        base = name[: LONGEST_GENERATED_BASE - len(tail)] + tail
    pod = held(new_pod(job, generated_name(base)), TRACKING)
    meta = pod["metadata"]
    meta["generateName"] = base
    if index is not None:
        _mark(pod, index, f"{name}-{index}")
    if job["spec"].get("backoffLimitPerIndex") is not None:
        _note_failures(job, meta["annotations"], before)
    return pod


def _mark(pod: dict, index: int, hostname: str) -> None:
    meta, spec = pod["metadata"], pod["spec"]
    meta["labels"] = {**meta.get("labels", {}), COMPLETION_INDEX: str(index)}
    meta["annotations"] = {**meta.get("annotations", {}), COMPLETION_INDEX: str(index)}
    spec["hostname"] = hostname
    for field in ("initContainers", "containers"):
        for container in spec.get(field) or ():
            known = {variable["name"] for variable in container.get("env") or ()}
            if INDEX_VARIABLE["name"] not in known:
                container["env"] = [*(container.get("env") or ()), INDEX_VARIABLE]


def _note_failures(job: dict, notes: dict[str, str], before: dict | None) -> None:
    counted, ignored = index_failures(before) if before else (0, 0)
    if before and counts_as_failure(job, before):
        counted += 1
    elif before:
        ignored += 1
    notes[FAILURES] = str(counted)
    if ignored:
        notes[IGNORED_FAILURES] = str(ignored)
