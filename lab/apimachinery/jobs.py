"""What a Job's parts agree upon: the labels its pods carry, the indexes it counts by, when it has finished. Pure.

Source: k8s.io/api/batch/v1/types.go, and pkg/controller/job/indexed_job_utils.go.
"""

from collections.abc import Iterable

from .meta import is_true, parse_time

JOB_NAME = "batch.kubernetes.io/job-name"
CONTROLLER_UID = "batch.kubernetes.io/controller-uid"
# Each under its name of old too, which tools still select by.
OLD_JOB_NAME, OLD_CONTROLLER_UID = "job-name", "controller-uid"
TRACKING = "batch.kubernetes.io/job-tracking"  # the finalizer of a pod that its Job has not counted yet
COMPLETION_INDEX = "batch.kubernetes.io/job-completion-index"
MOST_PARALLEL_INDEXED = 100_000
MOST_INDEXES = 100_000  # in one list
MANAGER = "kubernetes.io/job-controller"  # who runs a Job that names nobody else


def generated_labels(job: dict) -> dict[str, str]:
    """The labels by which the pods of this Job, and no others, are told."""
    name, uid = job["metadata"]["name"], job["metadata"]["uid"]
    return {OLD_JOB_NAME: name, JOB_NAME: name, OLD_CONTROLLER_UID: uid, CONTROLLER_UID: uid}


def is_indexed(spec: dict) -> bool:
    return spec.get("completionMode") == "Indexed"


def is_elastic(spec: dict) -> bool:
    """An Indexed Job may be resized when it runs all its indexes at once."""
    return is_indexed(spec) and spec.get("completions") == spec.get("parallelism")


def finished_as(job: dict) -> str:
    """Complete or Failed; empty while it is neither."""
    return next((kind for kind in ("Complete", "Failed") if is_true(job, kind)), "")


def finished_at(job: dict) -> float:
    """When it became Complete or Failed, in seconds since the epoch."""
    kind = finished_as(job)
    return parse_time(next(c["lastTransitionTime"] for c in job["status"]["conditions"] if c["type"] == kind))


def parse_indexes(text: str) -> set[int]:
    """`{1, 3, 4, 5}` of "1,3-5". Raises ValueError for what is no such list, and for more than anybody works at: a few
    letters name more numbers than there is memory."""
    found: set[int] = set()
    left = MOST_INDEXES
    for part in text.split(",") if text else ():
        first, _, last = part.partition("-")
        named = range(int(first), int(last or first) + 1)
        left -= named.stop - named.start
        if left < 0:
            raise ValueError(f"more than {MOST_INDEXES} indexes")
        found.update(named)
    return found


def format_indexes(indexes: Iterable[int]) -> str:
    """ "1,3-5": what comes one after the other is told as a range."""
    ranges: list[list[int]] = []
    for index in sorted(indexes):
        if ranges and index == ranges[-1][1] + 1:
            ranges[-1][1] = index
        else:
            ranges.append([index, index])
    # Two in a row are two numbers, as Kubernetes writes them.
    return ",".join(
        f"{first}" if first == last else f"{first},{last}" if last == first + 1 else f"{first}-{last}"
        for first, last in ranges
    )
