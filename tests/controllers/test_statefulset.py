"""StatefulSets through the real store and the real loops; only the kubelets are played."""

import pytest

from lab.apimachinery.kinds import CONTROLLERREVISIONS, PERSISTENTVOLUMECLAIMS, PODS, RESOURCEQUOTAS, STATEFULSETS
from lab.apimachinery.meta import controller_of, is_deleting
from lab.controllers.persistentvolume.protection import VolumeProtectionController
from lab.controllers.resourcequota import ResourceQuotaController
from lab.controllers.statefulset.plan import next_step

from .cluster import WORKLOADS, Cluster

pytestmark = pytest.mark.django_db
CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
LOOPS = (*WORKLOADS, VolumeProtectionController())


@pytest.fixture
def cluster(cluster: Cluster) -> Cluster:
    cluster.add_node("n")
    return cluster


def make(cluster: Cluster, replicas: int = 3, version: str = "v1", **spec) -> dict:
    template = {
        "metadata": {"labels": {"app": "db"}},
        "spec": {"containers": [{"name": "db", "image": f"db:{version}"}]},
    }
    spec = {
        "replicas": replicas,
        "selector": {"matchLabels": {"app": "db"}},
        "serviceName": "peers",
        "template": template,
        **spec,
    }
    return cluster.client.create(STATEFULSETS, {"metadata": {"name": "db", "namespace": "default"}, "spec": spec})


def with_claims(**retention: str) -> dict:
    return {
        "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": CLAIM}],
        "persistentVolumeClaimRetentionPolicy": retention,
    }


def now(cluster: Cluster) -> dict:
    return cluster.client.get(STATEFULSETS, "default", "db")


def change(cluster: Cluster, **spec) -> dict:
    return cluster.client.patch(STATEFULSETS, "default", "db", {"spec": spec})


def release(cluster: Cluster, version: str, **spec) -> dict:
    return change(cluster, template={"spec": {"containers": [{"name": "db", "image": f"db:{version}"}]}}, **spec)


def step(cluster: Cluster) -> list[str]:
    """The loops turn, and the kubelet does what there is to do; the names of the pods before that."""
    cluster.settle(*LOOPS)
    cluster.bind("n")
    pods = cluster.pods()
    cluster.run([pod for pod in pods if not is_deleting(pod) and pod["status"].get("phase") != "Running"])
    cluster.end([pod for pod in pods if is_deleting(pod)])
    return [("-" if is_deleting(pod) else "") + pod["metadata"]["name"] for pod in pods]


def steps(cluster: Cluster) -> list[list[str]]:
    """What pods there were between one step and the next, until nothing moves."""
    seen = [step(cluster)]
    while (after := step(cluster)) != seen[-1]:
        seen.append(after)
    return seen


def images(cluster: Cluster) -> list[str]:
    return [pod["spec"]["containers"][0]["image"].removeprefix("db:") for pod in cluster.pods()]


def claims(cluster: Cluster) -> list[str]:
    return sorted(claim["metadata"]["name"] for claim in cluster.client.list(PERSISTENTVOLUMECLAIMS))


def revisions(cluster: Cluster) -> dict[str, int]:
    return {one["metadata"]["name"]: one["revision"] for one in cluster.client.list(CONTROLLERREVISIONS)}


def test_pods_come_one_by_one_and_go_in_reverse(cluster):
    make(cluster)
    assert steps(cluster) == [["db-0"], ["db-0", "db-1"], ["db-0", "db-1", "db-2"]]
    change(cluster, replicas=1)
    assert steps(cluster) == [["db-0", "db-1", "-db-2"], ["db-0", "-db-1"], ["db-0"]]
    assert cluster.events("SuccessfulDelete") == [f"delete Pod db-{n} in StatefulSet db successful" for n in (1, 2)]
    assert "create Pod db-2 in StatefulSet db successful" in cluster.events("SuccessfulCreate")


def test_nobody_follows_until_the_one_before_is_ready(cluster):
    make(cluster)
    cluster.settle()
    cluster.bind("n")
    cluster.run(cluster.pods(), ready=False)
    cluster.settle()
    assert [pod["metadata"]["name"] for pod in cluster.pods()] == ["db-0"]
    assert now(cluster)["status"]["replicas"] == 1 and "readyReplicas" not in now(cluster)["status"]


def test_nor_until_it_has_been_ready_for_long_enough(cluster):
    make(cluster, 2, minReadySeconds=3600)
    steps(cluster)
    assert [pod["metadata"]["name"] for pod in cluster.pods()] == ["db-0"]
    status = now(cluster)["status"]
    assert (status["readyReplicas"], status["availableReplicas"]) == (1, 0)
    assert 3000 < WORKLOADS[2].sync(cluster.client, "default/db") <= 3601


def test_in_parallel_all_come_and_go_at_once(cluster):
    make(cluster, podManagementPolicy="Parallel")
    assert steps(cluster)[0] == ["db-0", "db-1", "db-2"]
    change(cluster, replicas=0)
    assert step(cluster) == ["-db-0", "-db-1", "-db-2"]


def test_in_parallel_no_more_are_counted_than_are_made_in_one_step(cluster):
    make(cluster, 2**31 - 1, podManagementPolicy="Parallel")
    assert next_step(now(cluster), [], "", 0.0).create == list(range(501))


def test_a_pod_says_who_it_is(cluster):
    make(cluster, 2, ordinals={"start": 5})
    steps(cluster)
    names = [pod["metadata"]["name"] for pod in cluster.pods()]
    assert names == ["db-5", "db-6"]
    pod = cluster.pods()[1]
    assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("db-6", "peers")
    labels = pod["metadata"]["labels"]
    assert labels["statefulset.kubernetes.io/pod-name"] == "db-6"
    assert labels["apps.kubernetes.io/pod-index"] == "6"
    assert labels["controller-revision-hash"] == now(cluster)["status"]["updateRevision"]
    assert controller_of(pod)["kind"] == "StatefulSet"
    cluster.client.patch(PODS, "default", "db-6", {"metadata": {"labels": {"apps.kubernetes.io/pod-index": None}}})
    cluster.settle()
    assert cluster.pods()[1]["metadata"]["labels"] == labels


def test_one_that_is_lost_or_has_ended_comes_back_under_its_name(cluster):
    make(cluster)
    steps(cluster)
    first = cluster.pods()[0]
    cluster.end([first])
    ended = cluster.pods()[0]
    cluster.client.update_status(PODS, {**ended, "status": {**ended["status"], "phase": "Succeeded"}})
    steps(cluster)
    names = [pod["metadata"]["name"] for pod in cluster.pods()]
    assert names == ["db-0", "db-1", "db-2"]
    assert cluster.pods()[0]["metadata"]["uid"] != first["metadata"]["uid"]
    assert {pod["status"]["phase"] for pod in cluster.pods()} == {"Running"}


def test_that_one_has_failed_is_told(cluster):
    make(cluster, 1)
    steps(cluster)
    (pod,) = cluster.pods()
    cluster.client.update_status(PODS, {**pod, "status": {**pod["status"], "phase": "Failed"}})
    cluster.settle()
    assert cluster.events("RecreatingFailedPod") == ["StatefulSet default/db is recreating failed Pod db-0"]


def test_each_has_its_claim_which_outlives_it_and_the_set(cluster):
    make(cluster, 2, **with_claims())
    steps(cluster)
    assert claims(cluster) == ["data-db-0", "data-db-1"]
    claim = cluster.client.get(PERSISTENTVOLUMECLAIMS, "default", "data-db-1")
    assert claim["metadata"]["labels"] == {"app": "db"} and not claim["metadata"].get("ownerReferences")
    assert cluster.pods()[1]["spec"]["volumes"][0] == {
        "name": "data",
        "persistentVolumeClaim": {"claimName": "data-db-1"},
    }
    assert "create Claim data-db-1 Pod db-1 in StatefulSet db success" in cluster.events("SuccessfulCreate")
    change(cluster, replicas=0)
    steps(cluster)
    cluster.client.delete(STATEFULSETS, "default", "db")
    steps(cluster)
    assert claims(cluster) == ["data-db-0", "data-db-1"]
    uid = claim["metadata"]["uid"]
    make(cluster, 2, **with_claims())
    steps(cluster)
    assert cluster.client.get(PERSISTENTVOLUMECLAIMS, "default", "data-db-1")["metadata"]["uid"] == uid


def test_claims_go_with_a_pod_that_is_scaled_away_if_so_asked(cluster):
    make(cluster, 2, **with_claims(whenScaled="Delete"))
    steps(cluster)
    before = cluster.client.get(PERSISTENTVOLUMECLAIMS, "default", "data-db-1")["metadata"]["uid"]
    cluster.end(cluster.pods()[1:])  # it is lost, not scaled away
    steps(cluster)
    assert cluster.client.get(PERSISTENTVOLUMECLAIMS, "default", "data-db-1")["metadata"]["uid"] == before
    change(cluster, replicas=1)
    steps(cluster)
    assert claims(cluster) == ["data-db-0"]
    cluster.client.delete(STATEFULSETS, "default", "db")
    steps(cluster)
    assert claims(cluster) == ["data-db-0"]


def test_a_claim_goes_too_if_its_pod_was_leaving_already_when_the_set_was_made_smaller(cluster):
    make(cluster, 2, **with_claims(whenScaled="Delete"))
    steps(cluster)
    cluster.client.delete(PODS, "default", "db-1")
    change(cluster, replicas=1)
    steps(cluster)
    assert claims(cluster) == ["data-db-0"] and len(cluster.pods()) == 1


def test_claims_go_with_the_set_if_so_asked_and_that_may_be_asked_later(cluster):
    make(cluster, 2, **with_claims())
    steps(cluster)
    change(cluster, persistentVolumeClaimRetentionPolicy={"whenDeleted": "Delete"})
    cluster.settle(*LOOPS)
    owner = controller_of(cluster.client.get(PERSISTENTVOLUMECLAIMS, "default", "data-db-0"))
    assert (owner["kind"], owner["name"]) == ("StatefulSet", "db")
    cluster.client.delete(STATEFULSETS, "default", "db")
    steps(cluster)
    assert cluster.pods() == [] and claims(cluster) == []


def test_a_pod_waits_for_the_claim_of_an_earlier_one_to_be_gone(cluster):
    make(cluster, 1, **with_claims(whenScaled="Delete"))
    steps(cluster)
    change(cluster, replicas=0)
    cluster.settle(*LOOPS[:3])
    cluster.end(cluster.pods())
    change(cluster, replicas=1)
    cluster.settle(*LOOPS[:3])
    assert cluster.pods() == []
    cluster.settle(*LOOPS[5:])  # without the set
    assert claims(cluster) == []
    assert WORKLOADS[2].sync(cluster.client, "default/db") is None
    assert claims(cluster) == ["data-db-0"] and len(cluster.pods()) == 1


def test_an_update_begins_with_the_highest_number_one_at_a_time(cluster):
    make(cluster)
    steps(cluster)
    first = now(cluster)["status"]["currentRevision"]
    release(cluster, "v2")
    seen = []
    while images(cluster) != ["v2", "v2", "v2"]:
        step(cluster)
        seen.append(sorted(images(cluster)))
        assert len(images(cluster)) >= 2
    assert ["v1", "v1", "v2"] in seen and ["v1", "v2", "v2"] in seen
    steps(cluster)
    status = now(cluster)["status"]
    assert status["currentRevision"] == status["updateRevision"] != first
    counts = ("replicas", "readyReplicas", "availableReplicas", "currentReplicas", "updatedReplicas")
    assert [status[count] for count in counts] == [3] * 5
    assert status["observedGeneration"] == now(cluster)["metadata"]["generation"] and status["collisionCount"] == 0


def test_below_the_partition_all_stays_even_what_is_lost(cluster):
    make(cluster)
    steps(cluster)
    release(cluster, "v2", updateStrategy={"rollingUpdate": {"partition": 2}})
    steps(cluster)
    assert images(cluster) == ["v1", "v1", "v2"]
    cluster.end(cluster.pods()[:1])
    steps(cluster)
    assert images(cluster) == ["v1", "v1", "v2"]
    status = now(cluster)["status"]
    assert status["currentRevision"] != status["updateRevision"]
    assert (status["currentReplicas"], status["updatedReplicas"]) == (2, 1)
    change(cluster, updateStrategy={"rollingUpdate": {"partition": 0}})
    steps(cluster)
    assert images(cluster) == ["v2", "v2", "v2"]


def test_as_many_are_updated_at_once_as_may_be_missed(cluster):
    make(cluster, 4, updateStrategy={"rollingUpdate": {"maxUnavailable": "50%"}})
    steps(cluster)
    release(cluster, "v2")
    assert step(cluster) == ["db-0", "db-1", "-db-2", "-db-3"]


def test_in_parallel_a_version_that_never_worked_is_replaced_and_of_those_that_work_no_more_than_allowed(cluster):
    make(cluster, 4, podManagementPolicy="Parallel")
    cluster.settle()
    cluster.bind("n")
    serving, ailing = cluster.pods()[:3], cluster.pods()[3:]
    cluster.run(serving)
    cluster.run(ailing, ready=False)
    release(cluster, "v2")
    assert step(cluster) == ["db-0", "db-1", "db-2", "-db-3"]
    cluster.run(cluster.pods(), ready=False)
    release(cluster, "v3", updateStrategy={"rollingUpdate": {"partition": 1}})
    assert step(cluster) == ["db-0", "-db-1", "-db-2", "db-3"]


def test_somebody_elses_pod_of_that_name_keeps_no_other_away_and_is_told_of(cluster):
    other = {
        "metadata": {"name": "db-1", "namespace": "default"},
        "spec": {"containers": [{"name": "c", "image": "c"}]},
    }
    cluster.client.create(PODS, other)
    make(cluster, 4, podManagementPolicy="Parallel")
    cluster.settle()
    assert [pod["metadata"]["name"] for pod in cluster.pods()] == ["db-0", "db-1", "db-2", "db-3"]
    told = 'create Pod db-1 in StatefulSet db failed error: pods "db-1" already exists'
    assert cluster.events("FailedCreate") == [told] and now(cluster)["status"]["replicas"] == 3
    cluster.end(cluster.pods()[1:2])
    change(cluster, replicas=5)
    cluster.settle()
    assert all(controller_of(pod) for pod in cluster.pods()) and len(cluster.pods()) == 5


def test_on_delete_waits_for_a_hand(cluster):
    make(cluster, 2, updateStrategy={"type": "OnDelete"})
    steps(cluster)
    release(cluster, "v2")
    steps(cluster)
    assert images(cluster) == ["v1", "v1"]
    cluster.end(cluster.pods()[:1])
    steps(cluster)
    assert images(cluster) == ["v2", "v1"]
    cluster.end(cluster.pods())
    steps(cluster)
    assert images(cluster) == ["v2", "v2"]
    said = now(cluster)["status"]
    assert said["currentRevision"] != said["updateRevision"]  # as in Kubernetes: nobody but a hand completes it


def test_versions_are_kept_and_going_back_makes_no_new_one(cluster):
    first = make(cluster, 1, revisionHistoryLimit=1)
    steps(cluster)
    (name,) = revisions(cluster)
    held = cluster.client.get(CONTROLLERREVISIONS, "default", name)["data"]
    assert held == {"spec": {"template": {**first["spec"]["template"], "$patch": "replace"}}}
    release(cluster, "v2")
    steps(cluster)
    strategic = "application/strategic-merge-patch+json"
    cluster.client.patch(STATEFULSETS, "default", "db", held, patch_type=strategic)
    steps(cluster)
    assert images(cluster) == ["v1"]
    assert sorted(revisions(cluster).values()) == [2, 3] and revisions(cluster)[name] == 3
    for version in ("v3", "v4"):
        release(cluster, version)
        steps(cluster)
    assert sorted(revisions(cluster).values()) == [4, 5]


def test_a_name_of_a_version_that_is_taken_makes_another_one(cluster):
    make(cluster, 1)
    steps(cluster)
    (name,) = revisions(cluster)
    cluster.client.delete(STATEFULSETS, "default", "db")
    steps(cluster)
    assert revisions(cluster) == {}
    taken = {"metadata": {"name": name, "namespace": "default"}, "data": {"of": "somebody else"}, "revision": 1}
    cluster.client.create(CONTROLLERREVISIONS, taken)
    make(cluster, 1)
    steps(cluster)
    assert len(revisions(cluster)) == 2 and images(cluster) == ["v1"]
    assert now(cluster)["status"]["collisionCount"] == 1


def test_a_new_set_takes_up_the_pods_that_an_orphaning_one_left(cluster):
    make(cluster)
    steps(cluster)
    before = {pod["metadata"]["uid"] for pod in cluster.pods()}
    cluster.client.delete(STATEFULSETS, "default", "db", propagation="Orphan")
    steps(cluster)
    assert [controller_of(pod) for pod in cluster.pods()] == [None] * 3
    made = make(cluster)
    steps(cluster)
    assert {pod["metadata"]["uid"] for pod in cluster.pods()} == before
    assert {controller_of(pod)["uid"] for pod in cluster.pods()} == {made["metadata"]["uid"]}


def test_what_cannot_be_made_is_told(cluster):
    make(cluster, 1, template={"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "db"}]}})
    cluster.settle()
    (told,) = cluster.events("FailedCreate")
    assert told.startswith("create Pod db-0 in StatefulSet db failed error: ") and "image" in told
    assert now(cluster)["status"]["observedGeneration"] == 1


def test_as_many_are_made_as_the_namespace_may_have(cluster):
    quota = {"metadata": {"name": "few", "namespace": "default"}, "spec": {"hard": {"pods": "2"}}}
    cluster.client.create(RESOURCEQUOTAS, quota)
    cluster.settle(ResourceQuotaController())
    make(cluster, 5, podManagementPolicy="Parallel", **with_claims())
    cluster.settle()
    assert [pod["metadata"]["name"] for pod in cluster.pods()] == ["db-0", "db-1"]
    assert claims(cluster) == ["data-db-0", "data-db-1"]
    (told,) = cluster.events("FailedCreate")
    assert told.startswith("create Pod db-2 in StatefulSet db failed error: ") and "exceeded quota: few" in told


def test_at_rest_nothing_is_written(cluster):
    make(cluster, 2, **with_claims(whenDeleted="Delete"))
    steps(cluster)
    at_rest = cluster.revisions()
    WORKLOADS[2].sync(cluster.client, "default/db")
    assert cluster.revisions() == at_rest
