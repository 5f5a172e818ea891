"""What a Deployment does next, and what it says of itself meanwhile."""

import copy

from lab.apimachinery.meta import condition, parse_time
from lab.controllers.deployment.plan import make_plan
from lab.controllers.deployment.revisions import beyond_history, new_annotations, same_template, split, template_hash

from .build import a_deployment, a_replica_set, a_template, recreating

REVISION = "deployment.kubernetes.io/revision"
NOW = parse_time("2026-05-20T20:00:00Z")


def plan(deployment, *replica_sets, old_pods_remain=False, time=NOW):
    return make_plan(deployment, list(replica_sets), old_pods_remain, time)


def finished(deployment: dict, name: str = "web-v1", revision: int = 1) -> dict:
    """The ReplicaSet of a Deployment that has arrived."""
    replicas = deployment["spec"]["replicas"]
    return a_replica_set(
        name, replicas, replicas, 0, replicas, replicas, deployment["spec"]["template"], revision=revision
    )


def told(deployment: dict, reason: str, status: str = "True", at: str = "2026-05-20T20:00:00Z") -> dict:
    """The Deployment with a condition Progressing."""
    known = {"type": "Progressing", "status": status, "reason": reason, "lastUpdateTime": at, "lastTransitionTime": at}
    old = deployment.get("status", {})
    return {**deployment, "status": {**old, "conditions": [*old.get("conditions", []), known]}}


def progressing(plan) -> tuple[str, str]:
    found = condition({"status": plan.status}, "Progressing")
    return found["status"], found["reason"]


def test_a_new_deployment_makes_its_replica_set_at_full_size_in_one_step():
    made = plan(a_deployment(3))
    assert (made.create["spec"]["replicas"], made.create["spec"]["minReadySeconds"]) == (3, 0)
    name_hash = made.create["metadata"]["labels"]["pod-template-hash"]
    assert made.create["metadata"]["name"] == f"web-{name_hash}"
    assert made.create["spec"]["selector"]["matchLabels"] == {"app": "web", "pod-template-hash": name_hash}
    assert made.create["metadata"]["annotations"] == {
        REVISION: "1",
        "deployment.kubernetes.io/desired-replicas": "3",
        "deployment.kubernetes.io/max-replicas": "3",
    }
    assert made.revision == "1"
    assert made.events == [("Normal", "ScalingReplicaSet", f"Scaled up replica set web-{name_hash} from 0 to 3")]
    assert progressing(made) == ("True", "NewReplicaSetCreated")
    assert made.why["replicaSets"][f"web-{name_hash}"] == {"replicas": 0, "available": 0, "wanted": 3}


def test_a_deployment_that_has_arrived_writes_nothing_more():
    deployment = a_deployment(3)
    replica_set = finished(deployment)
    first = plan(deployment, replica_set)
    deployment["status"] = first.status
    second = plan(deployment, replica_set)
    assert (second.create, second.update, second.delete, second.events) == (None, [], [], [])
    assert second.status == first.status
    assert second.delay is None


def test_a_deployment_that_has_arrived_says_so():
    deployment = a_deployment(3)
    arrived = plan(deployment, finished(deployment))
    assert progressing(arrived) == ("True", "NewReplicaSetAvailable")
    assert condition({"status": arrived.status}, "Available")["reason"] == "MinimumReplicasAvailable"
    assert {key: arrived.status[key] for key in ("replicas", "updatedReplicas", "availableReplicas")} == {
        "replicas": 3,
        "updatedReplicas": 3,
        "availableReplicas": 3,
    }
    assert "unavailableReplicas" not in arrived.status


def test_a_changed_template_gets_the_next_revision_and_inherits_the_cause():
    deployment = a_deployment(4, surge=1)
    old = finished(deployment)
    deployment["spec"]["template"] = a_template("v2")
    deployment["metadata"]["annotations"] = {"kubernetes.io/change-cause": "v2!", REVISION: "1"}
    made = plan(deployment, old)
    assert made.create["spec"]["replicas"] == 1
    assert made.create["metadata"]["annotations"][REVISION] == "2"
    assert made.create["metadata"]["annotations"]["kubernetes.io/change-cause"] == "v2!"
    assert made.revision == "2"


def test_an_undo_is_the_old_template_again_and_its_revision_moves_on():
    deployment = a_deployment(4, surge=1)
    first = a_replica_set("web-v1", 0, template=deployment["spec"]["template"], revision=1)
    second = a_replica_set("web-v2", 4, 4, 0, 4, 5, a_template("v2"), revision=2)
    undone = plan(deployment, first, second)
    assert undone.create is None
    grown = undone.update[0]
    assert (grown["metadata"]["name"], grown["spec"]["replicas"]) == ("web-v1", 1)
    assert grown["metadata"]["annotations"][REVISION] == "3"
    assert grown["metadata"]["annotations"]["deployment.kubernetes.io/revision-history"] == "1"
    assert undone.revision == "3"
    again = {**grown, "spec": {**grown["spec"], "template": a_template("v3")}}
    assert (
        new_annotations(
            deployment, grown, [again | {"metadata": {**grown["metadata"], "annotations": {REVISION: "4"}}}]
        )["deployment.kubernetes.io/revision-history"]
        == "1,3"
    )


def test_a_template_is_the_same_whatever_hash_it_was_labelled_with():
    labelled = a_template()
    labelled["metadata"]["labels"]["pod-template-hash"] = "abc"
    assert same_template(a_template(), labelled)
    assert not same_template(a_template(), a_template("v2"))
    labelled["metadata"]["annotations"] = {"kubectl.kubernetes.io/restartedAt": "2026-05-20T20:00:00Z"}
    assert not same_template(a_template(), labelled)  # kubectl rollout restart


def test_of_two_replica_sets_with_the_template_the_older_is_the_new_one():
    deployment = a_deployment()
    older, younger = finished(deployment, "older"), finished(deployment, "younger")
    older["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
    assert split(deployment, [younger, older])[0] is older


def test_a_hash_is_stable_spells_no_word_and_changes_with_a_collision():
    assert template_hash(a_template()) == template_hash(copy.deepcopy(a_template()))
    assert set(template_hash(a_template())) <= set("bcdfghjklmnpqrstvwxz2456789")
    assert template_hash(a_template(), 1) != template_hash(a_template()) != template_hash(a_template("v2"))


def test_recreate_lets_every_old_pod_end_before_it_makes_a_new_one():
    deployment = recreating(a_deployment(3))
    old = a_replica_set("web-v0", 3, 3, 1, template=a_template("v0"), revision=1)
    first = plan(deployment, old, old_pods_remain=True)
    assert first.create is None
    assert [(rs["metadata"]["name"], rs["spec"]["replicas"]) for rs in first.update] == [("web-v0", 0)]
    empty = a_replica_set("web-v0", 0, age=1, template=a_template("v0"), revision=1)
    assert plan(deployment, empty, old_pods_remain=True).create is None
    assert plan(deployment, empty).create["spec"]["replicas"] == 3


def test_a_paused_deployment_rolls_nothing_out_but_can_be_resized():
    deployment = a_deployment(4, surge=1, paused=True)
    old = a_replica_set("web-v0", 4, 4, 1, 4, 5, a_template("v0"), revision=1)
    paused = plan(deployment, old)
    assert (paused.create, paused.update) == (None, [])
    assert progressing(paused) == ("Unknown", "DeploymentPaused")
    deployment["spec"]["replicas"] = 6
    assert [rs["spec"]["replicas"] for rs in plan(deployment, old).update] == [6]


def test_that_two_templates_have_met_in_one_name_is_not_forgotten():
    deployment = a_deployment(3)
    named = plan(deployment).create["metadata"]["name"]
    deployment["status"] = {"collisionCount": 1}
    again = plan(deployment)
    assert again.status["collisionCount"] == 1
    assert again.create["metadata"]["name"] != named


def test_a_pause_is_not_noted_over_a_rollout_that_has_failed_nor_where_there_is_no_deadline():
    old = a_replica_set("web-v0", 4, 4, 1, 4, 5, a_template("v0"), revision=1)
    failed = told(a_deployment(4, surge=1, paused=True), "ProgressDeadlineExceeded", "False")
    assert progressing(plan(failed, old)) == ("False", "ProgressDeadlineExceeded")
    endless = a_deployment(4, surge=1, paused=True, progressDeadlineSeconds=2**31 - 1)
    assert condition({"status": plan(endless, old).status}, "Progressing") is None


def test_a_resumed_deployment_goes_on_and_its_deadline_begins_anew():
    deployment = a_deployment(4, surge=1)
    deployment["status"] = {"replicas": 4, "readyReplicas": 4, "availableReplicas": 4}
    deployment = told(deployment, "DeploymentPaused", "Unknown")
    old = a_replica_set("web-v0", 4, 4, 1, 4, 5, a_template("v0"), revision=1)
    assert progressing(plan(deployment, old)) == ("True", "NewReplicaSetCreated")
    new = a_replica_set("web-v1", 1, 0, 0, 4, 5, deployment["spec"]["template"], revision=2)
    deployment["status"] |= {"replicas": 5, "updatedReplicas": 1, "readyReplicas": 4, "availableReplicas": 4}
    assert progressing(plan(deployment, old, new)) == ("Unknown", "DeploymentResumed")


def test_a_rollout_without_progress_for_too_long_has_failed_but_is_not_stopped():
    deployment = a_deployment(4, surge=1, progressDeadlineSeconds=60)
    old = a_replica_set("web-v0", 4, 4, 1, 4, 5, a_template("v0"), revision=1)
    new = a_replica_set("web-v1", 1, 0, 0, 4, 5, deployment["spec"]["template"], revision=2)
    deployment["status"] = {"replicas": 5, "updatedReplicas": 1, "readyReplicas": 4, "availableReplicas": 4}
    deployment = told(deployment, "ReplicaSetUpdated")
    waiting = plan(deployment, old, new, time=NOW + 20)
    assert progressing(waiting) == ("True", "ReplicaSetUpdated")
    assert waiting.delay == 40
    late = plan(deployment, old, new, time=NOW + 61)
    assert progressing(late) == ("False", "ProgressDeadlineExceeded")
    assert late.delay is None
    deployment["status"] = late.status
    new["status"] |= {"readyReplicas": 1, "availableReplicas": 1}
    assert progressing(plan(deployment, old, new, time=NOW + 70)) == ("True", "ReplicaSetUpdated")


def test_what_keeps_a_replica_set_from_making_pods_is_told_by_the_deployment():
    deployment = a_deployment(3)
    stuck = finished(deployment)
    stuck["status"] = {
        "replicas": 0,
        "conditions": [{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "quota"}],
    }
    failing = plan(deployment, stuck)
    assert condition({"status": failing.status}, "ReplicaFailure")["message"] == "quota"
    deployment["status"] = failing.status
    assert condition({"status": plan(deployment, finished(deployment)).status}, "ReplicaFailure") is None


def test_history_beyond_the_limit_is_forgotten_oldest_first_if_it_is_empty():
    old = [a_replica_set(f"v{n}", 0, revision=n) for n in (3, 1, 2)]
    assert [rs["metadata"]["name"] for rs in beyond_history(a_deployment(revisionHistoryLimit=1), old)] == ["v1", "v2"]
    asked, there, unseen, gone = (a_replica_set(name, 0) for name in ("asked", "there", "unseen", "gone"))
    asked["spec"]["replicas"] = 1
    there["status"]["replicas"] = 1
    unseen["metadata"]["generation"] = 2
    gone["metadata"]["deletionTimestamp"] = "2026-05-20T20:00:00Z"
    assert beyond_history(a_deployment(revisionHistoryLimit=0), [asked, there, unseen, gone]) == []


def test_resizing_marks_every_replica_set_so_that_it_is_done_once():
    deployment = a_deployment(10)
    new = a_replica_set("v2", 2, 2, 0, 5, 5, deployment["spec"]["template"], revision=2)
    old = a_replica_set("v1", 3, 3, 1, 5, 5, a_template("v0"), revision=1)
    resized = plan(deployment, new, old)
    assert {rs["metadata"]["name"]: rs["spec"]["replicas"] for rs in resized.update} == {"v2": 4, "v1": 6}
    notes = {rs["metadata"]["annotations"]["deployment.kubernetes.io/desired-replicas"] for rs in resized.update}
    assert notes == {"10"}
    assert resized.delay == 0.0


def test_a_deployment_on_its_way_out_only_tells_its_status():
    deployment = a_deployment(3)
    deployment["metadata"]["deletionTimestamp"] = "2026-05-20T20:00:00Z"
    leaving = plan(deployment)
    assert (leaving.create, leaving.update) == (None, [])
    assert leaving.status["observedGeneration"] == 1
