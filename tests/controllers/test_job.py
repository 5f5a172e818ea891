"""Jobs over the real store: pods made, counted once, and told of."""

import pytest

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import JOBS, NAMESPACES, NODES, PODS, RESOURCEQUOTAS
from lab.controllers.job.controller import JobController
from lab.controllers.namespace import NamespaceController
from lab.controllers.podgc import PodGCController
from lab.controllers.resourcequota import ResourceQuotaController

from .working import BATCH, Workshop, job_template, kinds, told

TRACKING = "batch.kubernetes.io/job-tracking"


@pytest.fixture
def shop(db, settings) -> Workshop:
    """Without a pause after a failure: how long it is, is tested where nothing waits for it."""
    settings.CLOCK = {**settings.CLOCK, "job_backoff_first": 0.0}
    return Workshop()


def indexes(pods: list[dict]) -> list[int]:
    return sorted(int(pod["metadata"]["annotations"]["batch.kubernetes.io/job-completion-index"]) for pod in pods)


def test_a_job_makes_one_pod_counts_it_and_is_complete(shop):
    shop.submit()
    (pod,) = shop.pods()
    job = shop.job()
    uid = job["metadata"]["uid"]
    assert pod["metadata"]["name"].startswith("work-")
    assert pod["metadata"]["finalizers"] == [TRACKING]
    assert pod["metadata"]["labels"] == {
        "batch.kubernetes.io/controller-uid": uid,
        "batch.kubernetes.io/job-name": "work",
        "controller-uid": uid,
        "job-name": "work",
    }
    assert job["status"].items() >= {"active": 1, "ready": 0, "terminating": 0, "uncountedTerminatedPods": {}}.items()
    shop.run(shop.pods())
    shop.settle()
    assert shop.status()["ready"] == 1

    status = shop.work()
    assert kinds(status) == ["SuccessCriteriaMet", "Complete"]
    done = ("True", "CompletionsReached", "Reached expected number of succeeded pods")
    assert told(status, "Complete") == told(status, "SuccessCriteriaMet") == done
    assert status["succeeded"] == 1 and "active" not in status and "failed" not in status
    assert status["completionTime"] >= status["startTime"]
    assert "finalizers" not in shop.pods()[0]["metadata"]
    assert shop.events("SuccessfulCreate") == [f"Created pod: {pod['metadata']['name']}"]
    assert shop.events("Completed") == ["Job completed"]


def test_no_more_work_at_a_time_than_allowed_and_no_more_than_is_left(shop):
    shop.submit(completions=5, parallelism=3)
    assert len(shop.at_work()) == 3
    assert shop.finish(shop.at_work()[:1])["active"] == 3
    status = shop.work()
    assert (status["succeeded"], status["active"], len(shop.at_work())) == (4, 1, 1)
    assert told(shop.work(), "Complete")


def test_without_completions_the_first_success_ends_it_once_the_others_have_ended(shop):
    shop.submit(parallelism=3)
    assert "completions" not in shop.job()["spec"]
    status = shop.finish(shop.at_work()[:1])
    assert (status["succeeded"], status["active"]) == (1, 2) and not kinds(status)
    status = shop.work(code=1)
    assert told(status, "Complete") and (status["succeeded"], status["failed"]) == (1, 2)


def test_more_failures_than_the_limit_end_it(shop):
    shop.submit(backoffLimit=2)
    for failures in (1, 2):
        status = shop.work(code=1)
        assert (status["failed"], status["active"]) == (failures, 1)
    status = shop.work(code=1)
    assert kinds(status) == ["FailureTarget", "Failed"]
    words = ("True", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    assert told(status, "Failed") == words
    assert status["failed"] == 3 and "completionTime" not in status
    assert shop.events("BackoffLimitExceeded") == [words[2]]
    assert len(shop.pods()) == 3


def test_a_job_that_has_failed_takes_down_what_still_works_and_says_so_when_it_is_gone(shop):
    shop.submit(completions=3, parallelism=3, backoffLimit=0)
    shop.add_node("n1")
    shop.bind("n1")
    shop.run(shop.pods())
    status = shop.finish(shop.at_work()[:1], code=1)
    assert kinds(status) == ["FailureTarget"]
    assert status["terminating"] == 2 and "active" not in status and status["failed"] == 3
    leaving = [pod for pod in shop.pods() if "deletionTimestamp" in pod["metadata"]]
    assert len(leaving) == 2 and all("finalizers" not in pod["metadata"] for pod in leaving)
    shop.end(leaving)
    shop.settle()
    assert kinds(shop.status()) == ["FailureTarget", "Failed"]
    assert (shop.status()["failed"], shop.status()["terminating"]) == (3, 0)


@pytest.mark.parametrize("of", ["initContainerStatuses", "containerStatuses"])
def test_restarts_count_against_the_limit_where_the_kubelet_restarts(shop, of):
    shop.submit(policy="OnFailure", backoffLimit=2)
    (pod,) = shop.pods()
    statuses = [{"name": "work", "restartCount": 2, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]
    status = {**pod["status"], "phase": "Pending", of: statuses}
    shop.client.update_status(PODS, {**pod, "status": status})
    shop.settle()
    assert told(shop.status(), "Failed")[1] == "BackoffLimitExceeded"


def test_a_pod_is_counted_once_however_often_it_is_looked_at(shop):
    shop.submit(completions=2, parallelism=2)
    shop.finish(shop.at_work()[:1])
    for _ in range(3):
        shop.client.patch(JOBS, "default", "work", {"metadata": {"labels": {"looked": str(shop.revisions())}}})
        shop.settle(JobController())
    assert shop.status()["succeeded"] == 1


def test_a_count_and_the_finalizers_it_stands_for_are_one_write(shop):
    shop.submit(completions=2, parallelism=2)
    before = shop.revisions()
    shop.work()
    changes = shop.client.changes_since(before)
    written = [(change.resource, change.revision) for change in changes if change.author == "job-controller"]
    counted = next(revision for resource, revision in written if resource == JOBS.resource)
    freed = [revision for resource, revision in written if resource == PODS.resource]
    assert freed == [counted - 2, counted - 1]


def test_a_deleted_pod_counts_as_failed_and_is_replaced(shop):
    shop.submit()
    (pod,) = shop.pods()
    shop.client.delete(PODS, "default", pod["metadata"]["name"])
    shop.settle()
    (other,) = shop.pods()
    assert other["metadata"]["uid"] != pod["metadata"]["uid"]
    assert shop.status()["failed"] == 1


def test_one_that_wants_to_know_how_pods_end_waits_with_the_replacement(shop):
    shop.submit(podReplacementPolicy="Failed")
    shop.add_node("n1")
    shop.bind("n1")
    shop.run(shop.pods())
    (pod,) = shop.pods()
    shop.client.delete(PODS, "default", pod["metadata"]["name"])
    shop.settle()
    assert len(shop.pods()) == 1
    assert shop.status()["terminating"] == 1 and "failed" not in shop.status() and "active" not in shop.status()
    shop.finish(shop.pods(), code=143)
    shop.end([pod for pod in shop.pods() if "deletionTimestamp" in pod["metadata"]])
    shop.settle()
    assert (shop.status()["failed"], shop.status()["active"]) == (1, 1)


def test_indexed_pods_know_their_index(shop):
    shop.submit(completions=3, parallelism=2, completionMode="Indexed")
    first, second = shop.pods()
    assert first["metadata"]["name"].startswith("work-0-") and second["metadata"]["name"].startswith("work-1-")
    assert first["metadata"]["labels"]["batch.kubernetes.io/job-completion-index"] == "0"
    assert first["spec"]["hostname"] == "work-0"
    (variable,) = first["spec"]["containers"][0]["env"]
    assert variable["name"] == "JOB_COMPLETION_INDEX"
    path = "metadata.labels['batch.kubernetes.io/job-completion-index']"
    assert variable["valueFrom"] == {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}
    status = shop.finish([second])
    assert status["completedIndexes"] == "1" and indexes(shop.at_work()) == [0, 2]
    shop.finish([first], code=1)
    assert indexes(shop.at_work()) == [0, 2]
    status = shop.work()
    assert status["completedIndexes"] == "0-2" and (status["succeeded"], status["failed"]) == (3, 1)


def test_an_index_that_fails_too_often_is_given_up_and_the_others_go_on(shop):
    shop.submit(completions=3, parallelism=3, completionMode="Indexed", backoffLimitPerIndex=1)
    shop.finish([pod for pod in shop.at_work() if indexes([pod]) == [1]], code=1)
    (again,) = [pod for pod in shop.at_work() if indexes([pod]) == [1]]
    assert again["metadata"]["annotations"]["batch.kubernetes.io/job-index-failure-count"] == "1"
    status = shop.finish([again], code=1)
    assert status["failedIndexes"] == "1" and indexes(shop.at_work()) == [0, 2]
    status = shop.work()
    assert status["completedIndexes"] == "0,2" and status["failed"] == 2
    assert told(status, "Failed") == ("True", "FailedIndexes", "Job has failed indexes")


def test_too_many_failed_indexes_end_it(shop):
    shop.submit(
        completions=3, parallelism=3, completionMode="Indexed", backoffLimitPerIndex=0, maxFailedIndexes=1
    )  # fmt: skip
    first, second, _ = shop.pods()
    assert not kinds(shop.finish([first], code=1))
    status = shop.finish([second], code=1)
    assert told(status, "Failed")[1] == "MaxFailedIndexesExceeded"
    assert status["failedIndexes"] == "0,1"


def test_enough_successes_by_the_policy_end_it(shop):
    shop.submit(
        completions=3, parallelism=3, completionMode="Indexed", successPolicy={"rules": [{"succeededIndexes": "0"}]}
    )
    status = shop.finish([pod for pod in shop.pods() if indexes([pod]) == [0]])
    assert told(status, "Complete") == ("True", "SuccessPolicy", "Matched rules at index 0")
    assert not shop.at_work() and "failed" not in status and status["succeeded"] == 1


def rule(action: str, **what) -> dict:
    return {"rules": [{"action": action, **what}]}


def test_an_exit_code_may_end_it_at_once(shop):
    policy = rule("FailJob", onExitCodes={"operator": "In", "values": [42]})
    shop.submit(completions=2, parallelism=2, podFailurePolicy=policy)
    assert shop.job()["spec"]["podReplacementPolicy"] == "Failed"
    shop.finish(shop.at_work()[:1], code=1)
    assert not kinds(shop.status())
    (pod, _) = shop.at_work()
    status = shop.finish([pod], code=42)
    name = pod["metadata"]["name"]
    words = f"Container work for pod default/{name} failed with exit code 42 matching FailJob rule at index 0"
    assert told(status, "FailureTarget") == ("True", "PodFailurePolicy", words)


def test_a_pod_lost_with_its_node_may_be_ignored(shop):
    policy = rule("Ignore", onPodConditions=[{"type": "DisruptionTarget"}])
    shop.submit(podFailurePolicy=policy, backoffLimit=0)
    shop.add_node("n1")
    shop.bind("n1")
    shop.run(shop.pods())
    (lost,) = shop.pods()
    shop.client.delete(NODES, "", "n1")
    shop.settle(PodGCController(), *BATCH)
    (pod,) = shop.pods()
    assert pod["metadata"]["uid"] != lost["metadata"]["uid"]
    assert "failed" not in shop.status() and not kinds(shop.status())


def test_suspended_it_has_no_pods_and_resumed_it_begins_anew(shop):
    status = shop.submit(suspend=True, completions=2, parallelism=2)["status"]
    assert not shop.pods() and "startTime" not in status
    assert told(status, "Suspended") == ("True", "JobSuspended", "Job suspended")
    status = shop.change(suspend=False)["status"]
    assert len(shop.pods()) == 2 and status["startTime"]
    assert told(status, "Suspended") == ("False", "JobResumed", "Job resumed")
    shop.change(suspend=True)
    assert not shop.pods() and "failed" not in shop.status() and "active" not in shop.status()
    assert shop.events("Suspended") == ["Job suspended"] and shop.events("Resumed") == ["Job resumed"]


def test_fewer_at_a_time_is_no_failure_of_those_who_go(shop):
    shop.submit(completions=4, parallelism=3)
    status = shop.change(parallelism=1)["status"]
    assert status["active"] == 1 and "failed" not in status and len(shop.pods()) == 1


def test_one_that_is_over_goes_when_its_time_is_up_and_its_pods_with_it(shop):
    shop.submit(ttlSecondsAfterFinished=0)
    (pod,) = shop.pods()
    shop.client.patch(PODS, "default", pod["metadata"]["name"], {"status": {"phase": "Succeeded"}}, "status")
    shop.settle()
    assert shop.client.find(JOBS, "default", "work") is None and not shop.pods()


@pytest.mark.parametrize("propagation", ["Background", "Foreground"])
def test_deleting_it_deletes_its_pods_and_no_finalizer_keeps_them(shop, propagation):
    shop.submit(completions=2, parallelism=2)
    shop.client.delete(JOBS, "default", "work", propagation=propagation)
    shop.settle()
    assert shop.client.find(JOBS, "default", "work") is None and not shop.pods()


def test_pods_that_it_leaves_behind_are_nobodys(shop):
    shop.submit()
    shop.client.delete(JOBS, "default", "work", propagation="Orphan")
    shop.settle()
    (pod,) = shop.pods()
    assert not pod["metadata"].get("ownerReferences") and not pod["metadata"].get("finalizers")


def test_a_pod_whose_labels_are_taken_away_is_let_go_of_and_replaced(shop):
    shop.submit()
    (pod,) = shop.pods()
    none = {label: None for label in pod["metadata"]["labels"]}
    shop.client.patch(PODS, "default", pod["metadata"]["name"], {"metadata": {"labels": none}})
    shop.settle()
    loose = shop.client.get(PODS, "default", pod["metadata"]["name"])
    assert not {"ownerReferences", "finalizers"} & set(loose["metadata"])
    assert len(shop.pods()) == 2 and shop.status()["active"] == 1 and "failed" not in shop.status()


def test_a_namesake_does_not_keep_the_pods_of_the_job_before_it(shop):
    shop.submit()
    (before,) = shop.pods()
    shop.client.delete(JOBS, "default", "work")
    meta = {"name": "work", "namespace": "default"}
    shop.client.create(JOBS, {"metadata": meta, "spec": {"template": job_template()}})
    shop.settle()
    (pod,) = shop.pods()
    assert pod["metadata"]["uid"] != before["metadata"]["uid"]


def test_a_job_in_a_namespace_that_goes_does_not_hold_it(shop):
    shop.client.create(NAMESPACES, {"metadata": {"name": "dev"}})
    meta = {"name": "work", "namespace": "dev"}
    shop.client.create(JOBS, {"metadata": meta, "spec": {"template": job_template()}})
    shop.settle()
    shop.client.delete(NAMESPACES, "", "dev")
    shop.settle(NamespaceController(), *BATCH)
    assert shop.client.find(NAMESPACES, "", "dev") is None


def test_as_many_pods_are_made_as_the_namespace_may_have(shop):
    meta = {"name": "few", "namespace": "default"}
    shop.client.create(RESOURCEQUOTAS, {"metadata": meta, "spec": {"hard": {"pods": "3"}}})
    shop.settle(ResourceQuotaController())
    shop.submit(completions=8, parallelism=5)
    assert len(shop.at_work()) == 3 and shop.status()["active"] == 3
    assert all("exceeded quota: few" in words for words in shop.events("FailedCreate"))
    assert shop.events("FailedCreate")
    assert shop.finish(shop.at_work()[:1])["succeeded"] == 1


def test_one_with_a_selector_of_its_own_adopts_what_matches(shop):
    labels = {"app": "work"}
    pod = {"metadata": {"name": "loose", "namespace": "default", "labels": labels}, **job_template()}
    shop.client.create(PODS, pod)
    template = {"metadata": {"labels": labels}, **job_template()}
    shop.submit(manualSelector=True, selector={"matchLabels": labels}, template=template)
    (pod,) = shop.pods()
    assert pod["metadata"]["name"] == "loose" and pod["metadata"]["finalizers"] == [TRACKING]
    assert told(shop.work(), "Complete")


def test_a_job_that_is_done_with_writes_nothing_more(shop):
    shop.submit()
    shop.work()
    before = shop.revisions()
    shop.client.delete(PODS, "default", shop.pods()[0]["metadata"]["name"])
    shop.settle()
    assert shop.revisions() == before + 1


def test_one_that_somebody_else_manages_is_left_to_them(shop):
    shop.submit("theirs", managedBy="example.com/queue")
    assert shop.pods() == [] and "status" not in shop.job("theirs")
    shop.submit("ours", managedBy="kubernetes.io/job-controller")
    assert len(shop.pods()) == 1


@pytest.mark.parametrize(
    "manager", ["", "queue", "/queue", "example.com/", "No_Domain/queue", f"example.com/{'q' * 60}"]
)
def test_who_manages_one_is_named_by_a_domain(shop, manager):
    with pytest.raises(ApiError, match="spec.managedBy: "):
        shop.submit(managedBy=manager)


def test_what_may_not_change_is_refused(shop):
    shop.submit(completions=2)
    for field, value in (("completions", 3), ("completionMode", "Indexed")):
        with pytest.raises(ApiError) as caught:
            shop.client.patch(JOBS, "default", "work", {"spec": {field: value}})
        assert "field is immutable" in caught.value.message
