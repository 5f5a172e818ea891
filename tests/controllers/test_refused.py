"""Controllers that may not make what they want to: what they say then, and when they say nothing."""

import pytest

from lab.apimachinery.kinds import DEPLOYMENTS, NAMESPACES, RESOURCEQUOTAS
from lab.apimachinery.meta import condition

from .cluster import WORKLOADS, Cluster

pytestmark = pytest.mark.django_db
NO_DEADLINE = 2**31 - 1


def deploy(cluster: Cluster, namespace: str, **spec) -> None:
    labels = {"app": "web"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "web"}]}}
    meta = {"name": "web", "namespace": namespace}
    spec |= {"selector": {"matchLabels": labels}, "template": template}
    cluster.client.create(DEPLOYMENTS, {"metadata": meta, "spec": spec})


def progress(cluster: Cluster, namespace: str) -> dict | None:
    return condition(cluster.client.get(DEPLOYMENTS, namespace, "web"), "Progressing")


@pytest.mark.parametrize(("deadline", "told"), [(600, ("False", "ReplicaSetCreateError")), (NO_DEADLINE, None)])
def test_a_deployment_without_its_replica_set_says_so_where_progress_is_asked_for(cluster, deadline, told):
    hard = {"hard": {"count/replicasets.apps": "0"}}
    cluster.client.create(RESOURCEQUOTAS, {"metadata": {"name": "none", "namespace": "default"}, "spec": hard})
    deploy(cluster, "default", progressDeadlineSeconds=deadline)
    cluster.settle(WORKLOADS[0])
    said = progress(cluster, "default")
    assert (said and (said["status"], said["reason"])) == told
    (words,) = cluster.events("ReplicaSetCreateError")
    assert words.startswith('Failed to create new replica set "web-') and "exceeded quota" in words


def test_that_all_of_the_namespace_goes_is_no_failure_of_a_deployment(cluster):
    cluster.client.create(NAMESPACES, {"metadata": {"name": "going"}})
    deploy(cluster, "going")
    cluster.client.delete(NAMESPACES, "", "going")
    cluster.settle(WORKLOADS[0])
    assert progress(cluster, "going") is None
