"""How far a Job is and why it failed, when a CronJob starts the next, what a claim waits for."""

import datetime

import pytest

from lab.apimachinery.kinds import CRONJOBS, JOBS, PERSISTENTVOLUMECLAIMS, PODS, RESOURCEQUOTAS, STORAGECLASSES, WHEELS
from lab.explain.why import of_object
from lab.scheduler.scheduler import Scheduler
from tests.controllers.test_volumes import claim, volume
from tests.controllers.test_volumes import pod as pod_with_claim
from tests.controllers.working import Workshop, job_template

from .asking import first

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(settings) -> Workshop:
    settings.CLOCK = {**settings.CLOCK, "job_backoff_first": 0.0}
    return Workshop("shop")


def test_a_job_counts_what_is_done_and_says_that_it_is_complete(shop):
    shop.submit(completions=2, parallelism=1)
    card = first(shop.client, JOBS, "work")
    assert (card["reason"], card["answer"]) == ("Progressing", "0 of 2 done, 1 at work.")
    assert card["because"][0]["decision"] == "SyncJob"
    shop.work()
    shop.work()
    card = first(shop.client, JOBS, "work")
    assert (card["question"], card["reason"]) == ("How did it end?", "CompletionsReached")
    assert card["answer"] == "It is complete: 2 of 2 done."
    assert card["because"][0]["name"] == "condition Complete"


def test_a_job_that_gave_up_says_by_which_limit(shop):
    shop.submit(backoffLimit=1)
    shop.work(code=3)
    shop.work(code=3)
    card = first(shop.client, JOBS, "work")
    assert (card["question"], card["reason"]) == ("Why has it failed?", "BackoffLimitExceeded")
    assert "more of its pods failed than its backoffLimit of 1 allows. 0 of 1 done, 2 failed." in card["answer"]
    assert (card["because"][0]["name"], card["because"][0]["decision"]) == ("condition Failed", "SyncJob")


def test_after_a_failure_a_job_waits_before_it_tries_again(shop, settings):
    settings.CLOCK = {**settings.CLOCK, "job_backoff_first": 60.0}
    shop.submit()
    shop.work(code=3)
    card = first(shop.client, JOBS, "work")
    assert (card["question"], card["reason"]) == ("How far is it?", "BackOff")
    assert card["answer"].startswith(
        "0 of 1 done, 1 failed. It waits before it tries again, longer after each failure;"
    )
    assert card["because"][0]["decision"] == "SyncJob"


def test_nobody_waits_for_a_wheel_to_act_on_what_is_over(shop):
    shop.submit()
    shop.client.create(WHEELS, {"metadata": {"name": "job"}, "spec": {"mode": "Paused"}})
    assert first(shop.client, JOBS, "work")["reason"] == "WheelPaused"
    shop.client.patch(WHEELS, "", "job", {"spec": {"mode": "Running"}})
    shop.work()
    shop.client.patch(WHEELS, "", "job", {"spec": {"mode": "Paused"}})
    assert first(shop.client, JOBS, "work")["reason"] == "CompletionsReached"


def test_who_suspended_it_and_what_its_quota_refuses(shop):
    shop.submit(suspend=True)
    card = first(shop.client, JOBS, "work")
    assert (card["reason"], card["answer"]) == (
        "Suspended",
        "tester has suspended it: until it is resumed it starts no pods.",
    )
    assert card["help"]["command"] == 'kubectl patch job work --type=merge -p \'{"spec":{"suspend":false}}\''
    few = {"metadata": {"name": "few", "namespace": "default"}, "spec": {"hard": {"pods": "0"}}}
    shop.client.create(RESOURCEQUOTAS, few)
    shop.change(suspend=False)
    card = first(shop.client, JOBS, "work")
    assert (card["reason"], card["because"][0]["name"]) == ("FailedCreate", "event FailedCreate")
    assert "quota few of namespace default allows pods=0" in card["answer"]


def test_a_cronjob_says_when_its_time_comes_then_as_now(shop):
    jobs = {"spec": {"template": job_template()}}
    spec = {"schedule": "0 12 * * *", "timeZone": "Etc/UTC", "jobTemplate": jobs}
    shop.client.create(CRONJOBS, {"metadata": {"name": "noon", "namespace": "default"}, "spec": spec})
    shop.settle()
    day = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
    at = day.replace(hour=11, minute=0, second=0, microsecond=0).timestamp()
    card = of_object(shop.client, CRONJOBS, "default", "noon", at)["cards"][0]
    assert card["reason"] == "WaitingForItsTime"
    assert card["answer"] == f"It waits for its time: 0 12 * * * is next at 12:00 UTC on {day:%d %B}, in 60m."
    assert card["help"]["command"] == "kubectl create job noon-manual --from=cronjob/noon"
    cronjob = shop.client.get(CRONJOBS, "default", "noon")
    shop.client.update_status(CRONJOBS, {**cronjob, "status": {"active": [{"name": "noon-1"}]}})
    shop.client.event(cronjob, "Normal", "JobAlreadyActive", "Not starting job because prior execution is running")
    card = first(shop.client, CRONJOBS, "noon")
    assert (card["question"], card["reason"]) == ("Why did it not start?", "JobAlreadyActive")
    assert card["because"][0]["name"] == "event JobAlreadyActive"
    shop.client.patch(CRONJOBS, "default", "noon", {"spec": {"suspend": True}})
    assert first(shop.client, CRONJOBS, "noon")["reason"] == "Suspended"


def test_a_claim_says_what_it_waits_for_and_which_volume_it_has(shop):
    claim(shop)
    card = first(shop.client, PERSISTENTVOLUMECLAIMS, "data")
    assert (card["question"], card["reason"]) == ("Why is it not bound?", "FailedBinding")
    assert card["because"][0]["name"] == "event FailedBinding"
    volume(shop)
    card = first(shop.client, PERSISTENTVOLUMECLAIMS, "data")
    assert (card["question"], card["reason"]) == ("Which volume has it?", "Bound")
    assert (card["because"][0]["decision"], card["because"][0]["name"]) == ("BindVolume", "PersistentVolume disk")
    late = {"provisioner": "orrery.io/volumes", "volumeBindingMode": "WaitForFirstConsumer"}
    shop.client.create(STORAGECLASSES, {"metadata": {"name": "late"}, **late})
    claim(shop, "waits", "late")
    card = first(shop.client, PERSISTENTVOLUMECLAIMS, "waits")
    assert card["reason"] == "WaitForFirstConsumer"
    assert card["answer"] == "Its class late gives it a volume when the first pod that mounts it has a node."
    assert card["help"]["text"] == "Create a pod that mounts it."


def test_a_claim_whose_pod_finds_no_node_quotes_it(shop):
    late = {"provisioner": "orrery.io/volumes", "volumeBindingMode": "WaitForFirstConsumer"}
    shop.client.create(STORAGECLASSES, {"metadata": {"name": "late"}, **late})
    claim(shop, "data", "late")
    pod_with_claim(shop, "")
    shop.settle(Scheduler())
    card, pod = first(shop.client, PERSISTENTVOLUMECLAIMS, "data"), first(shop.client, PODS, "p")
    assert (card["reason"], pod["reason"]) == ("WaitForFirstConsumer", "Unschedulable")
    assert card["answer"].endswith(f"Pod p mounts it: {pod['answer']}")
    assert card["because"][1:] == pod["because"]
