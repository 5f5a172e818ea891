"""What a Job's pods amount to at this moment. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from lab.apimachinery.jobs import is_indexed, parse_indexes

from ..pods import is_active, is_terminating
from .failures import has_failed, has_succeeded, index_failures, index_of, is_tracked, judged


@dataclass
class Tally:
    """Pods of one Job, and what its status will count if all that ended is counted now.

    `succeeded` and `failed` hold the pods that have not been counted yet. `held` is, by index, the failed pod that
    stays uncounted until its successor exists, for that one has to be told how often its index has failed.
    """

    pods: list[dict]
    active: list[dict] = field(default_factory=list)
    terminating: list[dict] = field(default_factory=list)
    succeeded: list[dict] = field(default_factory=list)
    failed: list[dict] = field(default_factory=list)
    succeeded_indexes: set[int] = field(default_factory=set)
    failed_indexes: set[int] = field(default_factory=set)
    held: dict[int, dict] = field(default_factory=dict)
    successes: int = 0
    failures: int = 0


def tally(job: dict, pods: Iterable[dict]) -> Tally:
    spec, status = job["spec"], job.get("status", {})
    found = Tally(sorted(pods, key=lambda pod: pod["metadata"]["name"]))
    found.active = [pod for pod in found.pods if is_active(pod)]
    found.terminating = [pod for pod in found.pods if is_terminating(pod)]
    new = [pod for pod in found.pods if is_tracked(pod) and counts(job, pod)]
    found.succeeded = [pod for pod in new if has_succeeded(pod)]
    found.failed = [pod for pod in new if has_failed(pod, job)]
    found.failures = status.get("failed", 0) + sum(counts_as_failure(job, pod) for pod in found.failed)
    if not is_indexed(spec):
        found.successes = status.get("succeeded", 0) + len(found.succeeded)
        return found
    found.succeeded_indexes = _known(job, "completedIndexes") | _indexes(found.succeeded)
    found.successes = len(found.succeeded_indexes)
    if spec.get("backoffLimitPerIndex") is not None:
        given_up = _indexes(pod for pod in found.failed if _gives_up_index(job, pod))
        found.failed_indexes = _known(job, "failedIndexes") | given_up
        found.held = _held(found)
    return found


def counts(job: dict, pod: dict) -> bool:
    """Of an Indexed Job, only pods with an index that it has."""
    index = index_of(pod)
    return not is_indexed(job["spec"]) or (index is not None and index < job["spec"]["completions"])


def counts_as_failure(job: dict, pod: dict) -> bool:
    return judged(job, pod)[0] != "Ignore"


def _known(job: dict, field_: str) -> set[int]:
    """Without those beyond the completions of a Job that was made smaller."""
    return {i for i in parse_indexes(job.get("status", {}).get(field_, "")) if i < job["spec"]["completions"]}


def _indexes(pods: Iterable[dict]) -> set[int]:
    return {index for pod in pods if (index := index_of(pod)) is not None}


def _gives_up_index(job: dict, pod: dict) -> bool:
    action = judged(job, pod)[0]
    if action in ("Ignore", "FailIndex"):
        return action == "FailIndex"
    return index_failures(pod)[0] >= job["spec"]["backoffLimitPerIndex"]


def _held(found: Tally) -> dict[int, dict]:
    settled = found.succeeded_indexes | found.failed_indexes | _indexes(found.active)
    last: dict[int, dict] = {}
    for pod in sorted(found.failed, key=lambda pod: sum(index_failures(pod)), reverse=True):
        index = index_of(pod)
        if index is not None and index not in settled:
            last.setdefault(index, pod)
    return last
