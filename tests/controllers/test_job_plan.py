"""When a Job makes its next pod, and when its time is over: told from data and a time alone."""

import pytest

from lab.apimachinery.jobs import format_indexes, parse_indexes
from lab.apimachinery.meta import condition, new_uid, parse_time
from lab.controllers.backoff import Backoff
from lab.controllers.job.plan import make_plan

from .build import a_pod
from .working import job_template

NOON = parse_time("2026-05-20T12:00:00Z")
BACKOFF = Backoff(10.0, 600.0)
TRACKING = "batch.kubernetes.io/job-tracking"


def a_job(**spec) -> dict:
    defaults = {"completions": 1, "parallelism": 1, "backoffLimit": 6, "suspend": False}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "work", "namespace": "default", "uid": new_uid()},
        "spec": {**defaults, "template": job_template(), **spec},
        "status": {"startTime": "2026-05-20T11:59:00Z"},
    }


def ended(code: int = 1, at: str = "2026-05-20T12:00:00Z", tracked: bool = False) -> dict:
    pod = a_pod(f"work-{new_uid()}", phase="Failed" if code else "Succeeded", finalizers=[TRACKING] if tracked else [])
    state = {"terminated": {"exitCode": code, "finishedAt": at}}
    pod["status"]["containerStatuses"] = [{"name": "work", "restartCount": 0, "state": state}]
    return pod


@pytest.mark.parametrize(("failures", "pause"), [(1, 10), (2, 20), (3, 40), (6, 320), (7, 600), (60, 600)])
def test_each_failure_doubles_the_pause(failures, pause):
    pods = [ended() for _ in range(failures)]
    early = make_plan(a_job(), pods, BACKOFF, NOON + pause - 1)
    assert not early.create and early.delay == pytest.approx(1)
    assert len(make_plan(a_job(), pods, BACKOFF, NOON + pause).create) == 1


def test_what_a_pod_that_leaves_was_restarted_counts_too():
    job = a_job(backoffLimit=2, parallelism=2, completions=2, template=job_template("OnFailure"))
    leaving, other = a_pod("work-1", deletionTimestamp="2026-05-20T12:00:00Z"), a_pod("work-2")
    for pod in (leaving, other):
        pod["status"]["containerStatuses"] = [{"name": "work", "restartCount": 1, "state": {"running": {}}}]
    told = condition({"status": make_plan(job, [leaving, other], BACKOFF, NOON).status}, "FailureTarget")
    assert told["reason"] == "BackoffLimitExceeded"


def test_a_success_ends_the_pauses():
    failed, good = ended(at="2026-05-20T11:59:54Z"), ended(0, at="2026-05-20T11:59:55Z")
    job = a_job(completions=2)
    job["status"]["succeeded"] = 1
    assert len(make_plan(job, [failed, good], BACKOFF, NOON).create) == 1
    assert not make_plan(job, [failed, good, ended()], BACKOFF, NOON + 9).create


def test_a_failure_from_a_time_to_come_is_not_waited_for_longer_than_its_pause():
    plan = make_plan(a_job(), [ended(at="2026-05-20T18:00:00Z")], BACKOFF, NOON)
    assert plan.delay == 10


def test_after_one_that_had_only_to_make_room_there_is_no_pause():
    leaving = a_pod("work-1", deletionTimestamp="2026-05-20T12:00:00Z", finalizers=[TRACKING])
    assert not make_plan(a_job(), [leaving], BACKOFF, NOON + 1).create
    del leaving["metadata"]["finalizers"]
    assert len(make_plan(a_job(), [leaving], BACKOFF, NOON + 1).create) == 1


def test_each_index_has_pauses_of_its_own():
    job = a_job(completions=2, parallelism=2, completionMode="Indexed", backoffLimitPerIndex=5, backoffLimit=100)
    failed = ended(tracked=True)
    note = "batch.kubernetes.io/job-"
    failed["metadata"]["annotations"] = {f"{note}completion-index": "0", f"{note}index-failure-count": "2"}
    plan = make_plan(job, [failed], BACKOFF, NOON + 1)
    assert [pod["metadata"]["labels"][f"{note}completion-index"] for pod in plan.create] == ["1"]
    assert plan.delay == 39 and not plan.release
    later = make_plan(job, [failed], BACKOFF, NOON + 40)
    assert [pod["metadata"]["annotations"][f"{note}index-failure-count"] for pod in later.create] == ["3", "0"]


def test_the_deadline_ends_it_whatever_it_is_at():
    job, pod = a_job(activeDeadlineSeconds=90), a_pod("work-1", finalizers=[TRACKING])
    running = make_plan(job, [pod], BACKOFF, NOON)
    assert running.delay == 30 and not running.delete
    over = make_plan(job, [pod], BACKOFF, NOON + 30)
    assert over.delete == [pod] == over.release
    told = condition({"status": over.status}, "FailureTarget")
    assert (told["reason"], told["message"]) == ("DeadlineExceeded", "Job was active longer than specified deadline")
    assert condition({"status": over.status}, "Failed") is None and over.status["failed"] == 1


def test_many_pods_are_made_in_several_steps():
    plan = make_plan(a_job(completions=700, parallelism=700), [], BACKOFF, NOON)
    assert len(plan.create) == 500 and plan.delay == 0


@pytest.mark.parametrize(
    ("text", "indexes"), [("", set()), ("3", {3}), ("0,1", {0, 1}), ("0-2,5,7-9", {0, 1, 2, 5, 7, 8, 9})]
)
def test_indexes_are_written_as_ranges(text, indexes):
    assert parse_indexes(text) == indexes
    assert format_indexes(indexes) == text


@pytest.mark.parametrize("text", ["0-2000000000", "1,5-99999999999999999999", "0-60000,60000-99999", "x", "1,,2"])
def test_a_list_that_names_more_indexes_than_anybody_has_is_none(text):
    with pytest.raises(ValueError):
        parse_indexes(text)
