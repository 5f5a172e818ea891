"""CronJobs: what is due at which moment, and what becomes of the Jobs."""

import datetime
import time

import pytest

from lab.apimachinery.kinds import CRONJOBS, JOBS
from lab.apimachinery.meta import at, new_uid, owner_reference, parse_time
from lab.controllers.cronjob.plan import make_plan

from .working import Workshop, job_template

NOON = parse_time("2026-05-20T12:00:00Z")


def a_cronjob(schedule: str = "*/10 * * * *", since: str = "2026-05-20T11:55:00Z", **spec) -> dict:
    defaults = {"concurrencyPolicy": "Allow", "successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 1}
    return {
        "metadata": {"name": "tick", "namespace": "default", "uid": new_uid(), "creationTimestamp": since},
        "spec": {"schedule": schedule, **defaults, "jobTemplate": {"spec": {"template": job_template()}}, **spec},
    }


def a_job(name: str, ended: str = "", at: str = "2026-05-20T11:00:00Z") -> dict:
    status = {"startTime": at}
    if ended:
        status["conditions"] = [{"type": ended, "status": "True", "lastTransitionTime": at}]
    if ended == "Complete":
        status["completionTime"] = at
    return {"metadata": {"name": name, "namespace": "default", "uid": new_uid()}, "status": status}


def running(cronjob: dict, *jobs: dict) -> dict:
    refs = [{"name": job["metadata"]["name"], "uid": job["metadata"]["uid"]} for job in jobs]
    return {**cronjob, "status": {"active": refs}}


def test_it_starts_when_it_is_due_and_sleeps_until_the_next_time():
    before = make_plan(a_cronjob(), [], NOON - 60)
    assert before.start is None and before.delay == pytest.approx(60.1)
    due = make_plan(a_cronjob(), [], NOON + 1)
    assert due.start == NOON and due.delay == pytest.approx(599.1)


def test_a_time_that_was_kept_is_not_kept_again():
    cronjob = a_cronjob() | {"status": {"lastScheduleTime": "2026-05-20T12:00:00Z"}}
    assert make_plan(cronjob, [], NOON + 1).start is None


def test_of_several_missed_times_only_the_last_is_made_up():
    plan = make_plan(a_cronjob(since="2026-05-20T11:15:00Z"), [], NOON + 1)
    assert plan.start == NOON and not plan.events


def test_what_was_before_the_schedule_is_not_missed():
    cronjob = a_cronjob("50 * * * *") | {"status": {"lastScheduleTime": "2026-05-20T11:30:00Z"}}
    assert make_plan(cronjob, [], NOON, edited=NOON - 300).start is None
    assert make_plan(cronjob, [], NOON, edited=NOON - 900).start == NOON - 600


def test_more_than_a_hundred_missed_times_are_told():
    plan = make_plan(a_cronjob("* * * * *", since="2026-05-20T08:00:00Z"), [], NOON + 1)
    assert plan.start == NOON and [reason for _, reason, _ in plan.events] == ["TooManyMissedTimes"]
    bounded = a_cronjob("* * * * *", since="2026-05-20T08:00:00Z", startingDeadlineSeconds=600)
    assert not make_plan(bounded, [], NOON + 1).events


def test_too_late_is_not_at_all():
    cronjob = a_cronjob(startingDeadlineSeconds=30)
    assert make_plan(cronjob, [], NOON + 29).start == NOON
    assert make_plan(cronjob, [], NOON + 31).start is None


def test_suspended_it_starts_nothing():
    plan = make_plan(a_cronjob(suspend=True), [], NOON + 1)
    assert plan.start is None and plan.delay is None


def test_a_time_zone_says_which_noon_is_meant():
    cronjob = a_cronjob("0 12 * * *", timeZone="Asia/Tokyo")
    assert make_plan(cronjob, [], NOON).delay == pytest.approx(15 * 3600 + 0.1)


def test_forbid_waits_for_the_one_before_and_replace_ends_it():
    job = a_job("tick-1")
    forbidding = make_plan(running(a_cronjob(concurrencyPolicy="Forbid"), job), [job], NOON + 1)
    assert forbidding.start is None and [reason for _, reason, _ in forbidding.events] == ["JobAlreadyActive"]
    replacing = make_plan(running(a_cronjob(concurrencyPolicy="Replace"), job), [job], NOON + 1)
    assert replacing.start == NOON and replacing.replaced == [job]
    allowing = make_plan(running(a_cronjob(), job), [job], NOON + 1)
    assert allowing.start == NOON and not allowing.replaced


def test_jobs_that_are_over_or_gone_are_no_longer_active():
    done, gone, at_work = a_job("tick-1", "Complete"), a_job("tick-2"), a_job("tick-3")
    plan = make_plan(running(a_cronjob(), done, gone, at_work), [done, at_work], NOON - 60)
    assert [ref["name"] for ref in plan.status["active"]] == ["tick-3"]
    assert plan.status["lastSuccessfulTime"] == "2026-05-20T11:00:00Z"
    assert [words for _, _, words in plan.events] == [
        "Saw completed job: tick-1, condition: Complete",
        "Active job went missing: tick-2",
    ]


def test_of_those_that_are_over_only_the_newest_are_kept():
    hours = [f"2026-05-20T{hour:02}:00:00Z" for hour in range(5)]
    good = [a_job(f"good-{at}", "Complete", at) for at in hours]
    bad = [a_job(f"bad-{at}", "Failed", at) for at in hours]
    plan = make_plan(a_cronjob(), [*reversed(good), *bad], NOON - 60)
    assert plan.old == good[:2] + bad[:4]


@pytest.fixture
def shop(db) -> Workshop:
    return Workshop()


def schedule(shop: Workshop, **spec) -> dict:
    """One that was last kept an hour ago, so that it is due now."""
    meta = {"name": "tick", "namespace": "default"}
    template = {"metadata": {"labels": {"app": "tick"}}, "spec": {"template": job_template()}}
    full = {"schedule": "* * * * *", "jobTemplate": template, **spec}
    shop.client.create(CRONJOBS, {"metadata": meta, "spec": full})
    return overdue(shop)


def overdue(shop: Workshop) -> dict:
    status = {"lastScheduleTime": at(time.time() - 3600)}
    shop.client.patch(CRONJOBS, "default", "tick", {"status": status}, "status")
    shop.settle()
    return shop.client.get(CRONJOBS, "default", "tick")


def test_its_jobs_are_named_after_the_minute_and_noted(shop):
    cronjob = schedule(shop, timeZone="Europe/Berlin")
    (job,) = shop.client.list(JOBS)
    due = parse_time(cronjob["status"]["lastScheduleTime"])
    assert due % 60 == 0 and time.time() - due < 120
    assert job["metadata"]["name"] == f"tick-{int(due) // 60}"
    assert job["metadata"]["labels"] == {"app": "tick"}
    noted = job["metadata"]["annotations"]["batch.kubernetes.io/cronjob-scheduled-timestamp"]
    assert datetime.datetime.fromisoformat(noted).timestamp() == due and not noted.endswith("Z")
    (ref,) = cronjob["status"]["active"]
    assert ref.items() >= {"kind": "Job", "name": job["metadata"]["name"], "uid": job["metadata"]["uid"]}.items()
    assert shop.events("SuccessfulCreate")[-1] == f"Created pod: {shop.pods()[0]['metadata']['name']}"
    assert f"Created job {ref['name']}" in shop.events("SuccessfulCreate")


def test_a_job_that_was_made_and_not_noted_is_not_made_twice(shop):
    schedule(shop)
    cronjob = shop.client.get(CRONJOBS, "default", "tick")
    (before,) = shop.client.list(JOBS)
    lost = {"active": None, "lastScheduleTime": at(parse_time(cronjob["status"]["lastScheduleTime"]) - 60)}
    shop.client.patch(CRONJOBS, "default", "tick", {"status": lost}, "status")
    shop.settle()
    jobs = {job["metadata"]["uid"] for job in shop.client.list(JOBS)}
    noted = {ref["uid"] for ref in shop.client.get(CRONJOBS, "default", "tick")["status"]["active"]}
    assert before["metadata"]["uid"] in noted == jobs


def test_a_job_that_only_goes_with_it_does_not_keep_it_from_its_own(shop):
    cronjob = schedule(shop, suspend=True)
    meta = {"name": "by-hand", "namespace": "default", "ownerReferences": [owner_reference(cronjob, controller=False)]}
    shop.client.create(JOBS, {"metadata": meta, "spec": {"template": job_template()}})
    shop.client.patch(CRONJOBS, "default", "tick", {"spec": {"suspend": False}})
    cronjob = overdue(shop)
    (ref,) = cronjob["status"]["active"]
    assert {ref["name"], "by-hand"} == {job["metadata"]["name"] for job in shop.client.list(JOBS)}


def test_another_schedule_makes_up_for_nothing_that_it_would_have_kept(shop):
    schedule(shop, schedule="0 0 29 2 *")
    lately = datetime.datetime.fromtimestamp(time.time() - 300, datetime.UTC)
    hourly = {"schedule": f"{lately.minute} * * * *", "timeZone": "UTC"}
    shop.client.patch(CRONJOBS, "default", "tick", {"spec": {"suspend": True, **hourly}})
    shop.client.patch(CRONJOBS, "default", "tick", {"spec": {"suspend": False}})
    shop.settle()
    assert not shop.client.list(JOBS)


def test_when_a_job_has_ended_it_is_told_and_another_may_come(shop):
    cronjob = schedule(shop, concurrencyPolicy="Forbid")
    name = cronjob["status"]["active"][0]["name"]
    shop.work(name=name)
    cronjob = shop.client.get(CRONJOBS, "default", "tick")
    assert name not in {ref["name"] for ref in cronjob["status"].get("active", ())}
    assert cronjob["status"]["lastSuccessfulTime"] == shop.status(name)["completionTime"]
    assert shop.events("SawCompletedJob") == [f"Saw completed job: {name}, condition: Complete"]


def test_deleting_it_deletes_its_jobs_and_their_pods(shop):
    schedule(shop)
    shop.client.delete(CRONJOBS, "default", "tick")
    shop.settle()
    assert not shop.client.list(JOBS) and not shop.pods()
