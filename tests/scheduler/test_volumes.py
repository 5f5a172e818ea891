"""Pods that mount claims: when they wait, what is said of them, and where they may go."""

import pytest

from lab.apimachinery.kinds import PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES, PODS, STORAGECLASSES
from lab.apimachinery.volumes import SELECTED_NODE, annotation
from lab.controllers.persistentvolume.controller import PersistentVolumeController
from tests.loops import run_until_quiet

from ..labs import wait_until
from .build import node, pod
from .test_flow import Cluster

pytestmark = pytest.mark.django_db
BINDER = PersistentVolumeController()
NOT_HELPFUL = "preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling."


@pytest.fixture
def cluster() -> Cluster:
    cluster = Cluster()
    cluster.nodes(*(node(name, labels={"orrery.io/runtime": on}) for name, on in (("a", "docker"), ("b", "process"))))
    return cluster


def user(name: str = "web", *claims: str, **more) -> dict:
    named = [{"name": claim, "persistentVolumeClaim": {"claimName": claim}} for claim in claims or ("data",)]
    return pod(name, volumes=named, **more)


def claim(cluster: Cluster, name: str = "data", class_name: str = "standard", **spec) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "storageClassName": class_name, **spec}
    spec["resources"] = {"requests": {"storage": "1Gi"}}
    cluster.client.create(PERSISTENTVOLUMECLAIMS, {"metadata": {"name": name, "namespace": "default"}, "spec": spec})


def bind(cluster: Cluster) -> int:
    """The controllers' part of it."""
    return run_until_quiet(cluster.name, [BINDER])


def message(cluster: Cluster) -> str:
    return cluster.messages()[0]


def test_a_pod_waits_for_a_claim_that_does_not_exist_and_goes_on_when_it_does(cluster):
    cluster.pods(user())
    cluster.turn()
    assert message(cluster) == f'0/2 nodes are available: persistentvolumeclaim "data" not found. {NOT_HELPFUL}'
    claim(cluster)
    wait_until(
        "a volume", lambda: (cluster.turn(), bind(cluster)) and cluster.client.list(PERSISTENTVOLUMES), step=0.02
    )
    cluster.settle()
    assert cluster.where("web") == ["a"]


def test_a_pod_waits_for_a_claim_that_is_not_bound(cluster):
    cluster.client.create(STORAGECLASSES, {"metadata": {"name": "fast"}, "provisioner": "orrery.io/volumes"})
    claim(cluster, class_name="fast")
    cluster.pods(user())
    cluster.turn()
    said = f"0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims. {NOT_HELPFUL}"
    assert message(cluster) == said
    assert cluster.newest_why("web")["counts"] == {"pod has unbound immediate PersistentVolumeClaims": 2}
    bind(cluster)
    cluster.settle()
    assert cluster.events("FailedScheduling")[0]["message"] == said


def test_a_claim_that_waits_is_told_the_node_and_its_pod_is_bound_when_the_volume_is_there(cluster):
    claim(cluster)
    cluster.pods(user(nodeSelector={"orrery.io/runtime": "process"}))
    cluster.turn()
    told = cluster.client.get(PERSISTENTVOLUMECLAIMS, "default", "data")
    assert annotation(told, SELECTED_NODE) == "b"
    assert cluster.where("web") == [None] and not cluster.events("FailedScheduling")
    bind(cluster)
    cluster.settle()
    assert cluster.where("web") == ["b"]


def test_a_pod_goes_where_its_volume_is(cluster):
    claim(cluster)
    cluster.pods(user("first", nodeSelector={"orrery.io/runtime": "process"}))
    cluster.turn()
    bind(cluster)
    cluster.settle()
    cluster.pods(user("second"), pod("without"))
    cluster.settle()
    assert cluster.where("second", "without") == ["b", "a"]
    cluster.pods(user("never", nodeSelector={"orrery.io/runtime": "docker"}))
    cluster.turn()
    said = cluster.events("FailedScheduling")[0]["message"]
    assert "1 node(s) didn't match PersistentVolume's node affinity" in said
    assert "1 node(s) didn't match Pod's node affinity/selector" in said


def test_of_two_pods_with_one_claim_the_first_decides(cluster):
    claim(cluster)
    cluster.pods(user("one"), user("two"))
    cluster.turn()
    bind(cluster)
    cluster.settle()
    assert cluster.where("one", "two") == ["a", "a"]


def test_a_claim_that_is_going_takes_no_new_pod(cluster):
    claim(cluster)
    cluster.client.delete(PERSISTENTVOLUMECLAIMS, "default", "data")
    cluster.pods(user())
    cluster.turn()
    assert 'persistentvolumeclaim "data" is being deleted' in message(cluster)
    cluster.client.delete(PODS, "default", "web", grace_seconds=0)


def test_a_claim_for_one_pod_alone_keeps_the_others_waiting_until_that_pod_is_gone(cluster):
    claim(cluster, accessModes=["ReadWriteOncePod"])
    cluster.pods(user("one"), user("two"))
    cluster.turn()
    bind(cluster)
    wait_until("one to have it", lambda: (cluster.turn(), cluster.where("one", "two") == ["a", None])[1], step=0.02)
    said = "2 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode."
    assert said in cluster.events("FailedScheduling")[0]["message"]
    cluster.client.delete(PODS, "default", "one", grace_seconds=0)
    wait_until("the other to have its turn", lambda: (cluster.turn(), cluster.where("two") == ["a"])[1], step=0.02)
