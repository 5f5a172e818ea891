"""Deployments and ReplicaSets through the real store and the real loops; only the kubelets are played."""

import random

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import DEPLOYMENTS, PODS, REPLICASETS
from lab.apimachinery.meta import condition, controller_of, is_deleting
from lab.client import Put
from lab.client.clusters import delete_cluster
from lab.client.reconcile import catch_up
from lab.controllers.deployment.rollout import fenceposts
from lab.controllers.owners import claimed
from lab.controllers.pods import is_active, is_ready

from .cluster import WORKLOADS, Cluster

pytestmark = pytest.mark.django_db
REVISION = "deployment.kubernetes.io/revision"


def test_a_deployment_becomes_pods_in_two_syncs_and_two_transactions(cluster):
    cluster.deploy(0, name="first")
    cluster.settle()
    before = cluster.deploy(3)["metadata"]["resourceVersion"]
    for loop in WORKLOADS[:2]:
        catch_up(cluster.name, loop)
    assert len(cluster.pods()) == 3
    created = [c for c in cluster.client.changes_since(int(before)) if c.created and c.resource != "events"]
    assert [c.resource for c in created] == ["replicasets.apps", "pods", "pods", "pods"]
    assert created[0].cause == int(before)
    assert {c.cause for c in created[1:]} == {created[0].revision}
    assert cluster.replica_sets()[-1]["status"]["replicas"] == 3
    assert [text.split()[-4:] for text in cluster.events("ScalingReplicaSet")] == [["from", "0", "to", "3"]]
    assert len(cluster.events("SuccessfulCreate")) == 3


def test_a_rollout_ends_and_then_nothing_more_is_written(cluster):
    cluster.deploy(4)
    cluster.run_all()
    cluster.release("v2")
    cluster.run_all()
    assert {pod["spec"]["containers"][0]["image"] for pod in cluster.pods()} == {"web:v2"}
    status = cluster.deployment()["status"]
    assert (status["replicas"], status["updatedReplicas"], status["availableReplicas"]) == (4, 4, 4)
    assert condition(cluster.deployment(), "Progressing")["reason"] == "NewReplicaSetAvailable"
    assert status["observedGeneration"] == cluster.deployment()["metadata"]["generation"]
    at_rest = cluster.revisions()
    cluster.settle()
    for loop in WORKLOADS:
        for key in loop.all_keys(cluster.client):
            loop.sync(cluster.client, key)
    assert cluster.revisions() == at_rest


def test_an_undo_uses_the_old_replica_set_again(cluster):
    first = cluster.deploy(2)["spec"]["template"]
    cluster.run_all()
    cluster.release("v2")
    cluster.run_all()
    assert cluster.deployment()["metadata"]["annotations"][REVISION] == "2"
    cluster.patch(template=first)
    cluster.run_all()
    assert len(cluster.replica_sets()) == 2
    used = next(rs for rs in cluster.replica_sets() if rs["spec"]["replicas"])
    assert used["metadata"]["annotations"][REVISION] == "3"
    assert used["metadata"]["annotations"]["deployment.kubernetes.io/revision-history"] == "1"
    assert cluster.deployment()["metadata"]["annotations"][REVISION] == "3"


def test_history_is_kept_up_to_its_limit(cluster):
    cluster.deploy(1, revisionHistoryLimit=1)
    for version in ("v2", "v3", "v4"):
        cluster.run_all()
        cluster.release(version)
    cluster.run_all()
    numbers = sorted(rs["metadata"]["annotations"][REVISION] for rs in cluster.replica_sets())
    assert numbers == ["3", "4"]


def test_recreate_never_runs_two_versions(cluster):
    cluster.deploy(3, strategy={"type": "Recreate"})
    cluster.add_node("n1")
    cluster.settle()
    cluster.bind("n1")
    cluster.run_all()
    cluster.release("v2")
    cluster.settle()
    old = cluster.pods()
    assert len(old) == 3 and all(map(is_deleting, old))
    cluster.end(old[:2])
    cluster.settle()
    assert len(cluster.pods()) == 1
    cluster.end(old[2:])
    cluster.settle()
    assert len(cluster.pods()) == 3 and not any(map(is_deleting, cluster.pods()))


def test_a_deleted_pod_is_replaced_at_once(cluster):
    cluster.deploy(3)
    cluster.run_all()
    lost = cluster.pods()[0]["metadata"]["name"]
    cluster.client.delete(PODS, "default", lost)
    cluster.settle()
    names = {pod["metadata"]["name"] for pod in cluster.pods()}
    assert len(names) == 3 and lost not in names


def test_a_failed_pod_is_replaced_and_left_for_people_to_look_at(cluster):
    cluster.deploy(2)
    cluster.run_all()
    failed = cluster.pods()[0]
    cluster.client.update_status(PODS, {**failed, "status": {"phase": "Failed"}})
    cluster.settle()
    assert len(cluster.pods()) == 3
    assert sum(map(is_active, cluster.pods())) == 2


def test_scaling_down_takes_the_pods_that_serve_nobody(cluster):
    cluster.deploy(4)
    cluster.settle()
    ready = cluster.pods()[:2]
    cluster.run(ready)
    cluster.settle()
    cluster.patch(replicas=2)
    cluster.settle()
    assert {pod["metadata"]["name"] for pod in cluster.pods()} == {pod["metadata"]["name"] for pod in ready}


def test_a_ready_pod_counts_as_available_only_after_a_while(cluster):
    cluster.deploy(1, minReadySeconds=30)
    cluster.settle()
    cluster.run(cluster.pods())
    rs = cluster.replica_sets()[0]
    cluster.settle()
    status = cluster.replica_sets()[0]["status"]
    assert status["readyReplicas"] == 1 and not status.get("availableReplicas")
    assert 25 < WORKLOADS[1].sync(cluster.client, f"default/{rs['metadata']['name']}") <= 30


def test_a_relabelled_pod_is_let_go_and_replaced_and_an_orphan_is_adopted(cluster):
    cluster.deploy(2)
    cluster.run_all()
    pod = cluster.pods()[0]["metadata"]
    labels = dict(pod["labels"])
    cluster.client.patch(PODS, "default", pod["name"], {"metadata": {"labels": {"app": "debug"}}})
    cluster.settle()
    assert len(cluster.pods()) == 3
    assert controller_of(cluster.client.get(PODS, "default", pod["name"])) is None
    cluster.client.patch(PODS, "default", pod["name"], {"metadata": {"labels": labels}})
    cluster.settle()
    assert len(cluster.pods()) == 2


def test_one_that_is_gone_since_it_was_read_adopts_nothing(cluster):
    cluster.deploy(1)
    cluster.settle()
    cluster.client.delete(DEPLOYMENTS, "default", "web", propagation="Orphan")
    cluster.settle()
    (rs,) = cluster.replica_sets()
    cluster.client.delete(REPLICASETS, "default", rs["metadata"]["name"], propagation="Orphan")
    cluster.settle()
    assert claimed(cluster.client, rs, PODS, lambda pod: True) == []
    assert controller_of(cluster.pods()[0]) is None


def test_a_deployment_adopts_the_replica_sets_that_a_deleted_one_left(cluster):
    cluster.deploy(2)
    cluster.run_all()
    pods = {pod["metadata"]["uid"] for pod in cluster.pods()}
    cluster.client.delete(DEPLOYMENTS, "default", "web", propagation="Orphan")
    cluster.settle()
    assert cluster.client.find(DEPLOYMENTS, "default", "web") is None
    assert controller_of(cluster.replica_sets()[0]) is None
    cluster.deploy(2)
    cluster.run_all()
    assert {pod["metadata"]["uid"] for pod in cluster.pods()} == pods
    assert controller_of(cluster.replica_sets()[0])["uid"] == cluster.deployment()["metadata"]["uid"]


def test_a_name_that_is_taken_makes_the_deployment_try_another(cluster):
    cluster.deploy(1)
    cluster.settle()
    taken = cluster.replica_sets()[0]
    cluster.client.delete(DEPLOYMENTS, "default", "web")
    cluster.settle()
    assert cluster.replica_sets() == [] and cluster.pods() == []
    other = {"matchLabels": {"app": "other"}}
    template = {"metadata": {"labels": {"app": "other"}}, "spec": taken["spec"]["template"]["spec"]}
    spec = {"replicas": 0, "selector": other, "template": template}
    meta = {"name": taken["metadata"]["name"], "namespace": "default"}
    cluster.client.create(REPLICASETS, {"metadata": meta, "spec": spec})
    cluster.deploy(1)
    cluster.settle()
    assert cluster.deployment()["status"]["collisionCount"] == 1
    assert len(cluster.pods()) == 1


def test_a_paused_deployment_waits_and_a_resumed_one_goes_on(cluster):
    cluster.deploy(2)
    cluster.run_all()
    cluster.patch(paused=True)
    cluster.release("v2")
    cluster.run_all()
    assert len(cluster.replica_sets()) == 1
    assert condition(cluster.deployment(), "Progressing")["reason"] == "DeploymentPaused"
    cluster.patch(paused=None)
    cluster.run_all()
    assert {pod["spec"]["containers"][0]["image"] for pod in cluster.pods()} == {"web:v2"}


def test_a_thousand_pods_are_made_in_bursts_with_a_name_each(cluster):
    cluster.deploy(1200)
    cluster.settle()
    assert len(cluster.pods()) == 1200
    cluster.patch(replicas=0)
    cluster.settle()
    assert cluster.pods() == []


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(
    replicas=st.integers(1, 8),
    surge=st.one_of(st.integers(0, 4), st.sampled_from(["0%", "25%", "50%", "100%"])),
    unavailable=st.one_of(st.integers(0, 4), st.sampled_from(["0%", "25%", "50%", "100%"])),
    seed=st.integers(0, 1_000_000),
)
def test_in_whatever_order_things_happen_neither_promise_of_a_rollout_is_broken(db, replicas, surge, unavailable, seed):
    assume(surge not in (0, "0%") or unavailable not in (0, "0%"))  # refused: neither may a pod be made nor one go
    chance = random.Random(seed)
    cluster = Cluster("chance")
    try:
        rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
        cluster.deploy(replicas, strategy=rolling)
        cluster.run_all()
        max_surge, max_unavailable = fenceposts(cluster.deployment())
        cluster.release("v2")
        for _ in range(400):
            catch_up(cluster.name, chance.choice(WORKLOADS[:2]))
            active = [pod for pod in cluster.pods() if is_active(pod)]
            assert len(active) <= replicas + max_surge
            assert sum(map(is_ready, active)) >= replicas - max_unavailable
            unready = [pod for pod in active if not is_ready(pod)]
            if unready and chance.random() < 0.3:
                cluster.run([chance.choice(unready)])
        cluster.run_all()
        assert {pod["spec"]["containers"][0]["image"] for pod in cluster.pods()} == {"web:v2"}
        assert len(cluster.pods()) == replicas
    finally:
        delete_cluster("chance")


@pytest.mark.parametrize(
    ("surge", "unavailable", "words"),
    [
        (0, 0, "may not be 0 when `maxSurge` is 0"),
        ("0%", "0%", "may not be 0 when `maxSurge` is 0"),
        (1, "101%", "must not be greater than 100%"),
        ("ten", 1, "a valid percent string"),
        (-1, 1, "must be greater than or equal to 0"),
    ],
)
def test_a_rolling_update_that_could_never_move_or_makes_no_sense_is_refused(cluster, surge, unavailable, words):
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
    with pytest.raises(ApiError) as refused:
        cluster.deploy(strategy=rolling)
    assert refused.value.code == 422 and words in refused.value.message


def test_pods_that_end_are_told_of_until_they_have_ended(cluster):
    cluster.add_node("n")
    cluster.deploy(3)
    cluster.settle()
    cluster.bind("n")
    cluster.run_all()

    def terminating() -> list[int]:
        cluster.settle()
        return [obj["status"]["terminatingReplicas"] for obj in (cluster.deployment(), *cluster.replica_sets())]

    assert terminating() == [0, 0]
    cluster.patch(replicas=1)
    assert terminating() == [2, 2]
    ended, gone = filter(is_deleting, cluster.pods())
    cluster.client.write([Put(PODS, {**ended, "status": {**ended["status"], "phase": "Failed"}}, "status")])
    assert terminating() == [1, 1]
    cluster.end([gone])
    assert terminating() == [0, 0]


def test_a_replica_set_that_nobody_manages_is_news_only_when_it_appears_or_has_other_labels(cluster):
    cluster.deploy(1)
    cluster.settle()
    cluster.client.delete(DEPLOYMENTS, "default", "web", propagation="Orphan")
    cluster.settle()
    (alone,) = cluster.replica_sets()
    before = cluster.revisions()
    alone = cluster.client.update_status(REPLICASETS, {**alone, "status": {**alone["status"], "readyReplicas": 1}})
    labels = {"metadata": {"labels": {"tier": "front"}}}
    cluster.client.patch(REPLICASETS, "default", alone["metadata"]["name"], labels)
    assert [list(WORKLOADS[0].keys(change)) for change in cluster.client.changes_since(before)] == [[], ["default/*"]]
