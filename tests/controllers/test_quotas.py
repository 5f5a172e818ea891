"""Quotas beside the controllers: what they say is used, and what becomes of a Deployment that they stop."""

from lab.apimachinery.kinds import LIMITRANGES, PODS, RESOURCEQUOTAS
from lab.apimachinery.meta import condition
from lab.controllers.resourcequota import ResourceQuotaController
from lab.models import Requeue

from .cluster import WORKLOADS, Cluster

LOOPS = (*WORKLOADS, ResourceQuotaController())


def quota(cluster: Cluster, **hard: str) -> None:
    spec = {"hard": {name.replace("_", "."): text for name, text in hard.items()}}
    cluster.client.create(RESOURCEQUOTAS, {"metadata": {"name": "quota", "namespace": "default"}, "spec": spec})


def allow(cluster: Cluster, **hard: str) -> None:
    cluster.client.patch(RESOURCEQUOTAS, "default", "quota", {"spec": {"hard": hard}})


def said(cluster: Cluster) -> dict:
    return cluster.client.get(RESOURCEQUOTAS, "default", "quota")["status"]


def try_again(cluster: Cluster) -> None:
    """Let the time be over after which who was refused tries again."""
    Requeue.objects.update(due=0)
    cluster.settle(*LOOPS)


def test_the_status_says_what_is_used_and_follows(cluster):
    quota(cluster, pods="5", requests_cpu="1500m")
    cluster.settle(*LOOPS)
    assert said(cluster) == {
        "hard": {"pods": "5", "requests.cpu": "1500m"},
        "used": {"pods": "0", "requests.cpu": "0"},
    }
    containers = [{"name": "web", "image": "x", "resources": {"requests": {"cpu": "500m"}}}]
    for name in "ab":
        metadata = {"name": name, "namespace": "default"}
        cluster.client.create(PODS, {"metadata": metadata, "spec": {"containers": containers}})
    cluster.settle(*LOOPS)
    assert said(cluster)["used"] == {"pods": "2", "requests.cpu": "1"}
    cluster.client.patch(PODS, "default", "a", {"status": {"phase": "Failed"}}, "status")
    cluster.client.delete(PODS, "default", "b", grace_seconds=0)
    cluster.settle(*LOOPS)
    assert said(cluster)["used"] == {"pods": "0", "requests.cpu": "0"}


def test_what_a_quota_does_not_count_makes_no_new_revision(cluster):
    quota(cluster, services="5")
    cluster.settle(*LOOPS)
    cluster.deploy(1)
    cluster.settle()
    before = cluster.revisions()
    cluster.settle(*LOOPS)
    assert cluster.revisions() == before


def test_a_deployment_gets_as_many_pods_as_there_is_room_for_and_says_why_not_more(cluster):
    quota(cluster, pods="2")
    cluster.deploy(5)
    cluster.settle(*LOOPS)
    assert len(cluster.pods()) == 2
    (rs,) = cluster.replica_sets()
    assert rs["status"]["replicas"] == 2
    told = condition(rs, "ReplicaFailure")
    assert (told["status"], told["reason"]) == ("True", "FailedCreate")
    words = "exceeded quota: quota, requested: pods=1, used: pods=2, limited: pods=2"
    assert told["message"].startswith(f'pods "{rs["metadata"]["name"]}-') and told["message"].endswith(words)
    # Each try is of another name, and the Deployment may not have heard of the last one.
    assert condition(cluster.deployment(), "ReplicaFailure")["message"].endswith(words)
    assert cluster.events("FailedCreate")[0].startswith("Error creating: pods ")
    assert len(cluster.events("SuccessfulCreate")) == 2


def test_it_recovers_when_room_is_made(cluster):
    quota(cluster, pods="1")
    cluster.deploy(3)
    cluster.settle(*LOOPS)
    assert len(cluster.pods()) == 1
    allow(cluster, pods="10")
    try_again(cluster)
    cluster.run_all()
    assert len(cluster.pods()) == 3
    assert condition(cluster.deployment(), "ReplicaFailure") is None
    assert condition(cluster.deployment(), "Available")["status"] == "True"
    assert said(cluster)["used"] == {"pods": "3"}


def test_pods_that_say_nothing_are_let_in_once_a_limit_range_speaks_for_them(cluster):
    quota(cluster, requests_cpu="1")
    cluster.deploy(2)
    cluster.settle(*LOOPS)
    assert not cluster.pods()
    words = "failed quota: quota: must specify requests.cpu for: web"
    assert condition(cluster.deployment(), "ReplicaFailure")["message"].endswith(words)
    spec = {"limits": [{"type": "Container", "defaultRequest": {"cpu": "500m"}}]}
    cluster.client.create(LIMITRANGES, {"metadata": {"name": "limits", "namespace": "default"}, "spec": spec})
    try_again(cluster)
    assert len(cluster.pods()) == 2
    assert said(cluster)["used"] == {"requests.cpu": "1"}
