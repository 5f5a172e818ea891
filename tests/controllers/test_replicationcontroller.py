"""ReplicationControllers: what ReplicaSets do, by plain labels."""

import pytest

from lab.apimachinery.kinds import PODS, REPLICATIONCONTROLLERS
from lab.apimachinery.meta import controller_of

pytestmark = pytest.mark.django_db


def test_it_keeps_as_many_pods_as_asked_for_and_takes_up_those_that_nobody_manages(cluster):
    template = {"metadata": {"labels": {"app": "old"}}, "spec": {"containers": [{"name": "web", "image": "web"}]}}
    stray = {"metadata": {"name": "stray", "namespace": "default", "labels": {"app": "old"}}, "spec": template["spec"]}
    cluster.client.create(PODS, stray)
    meta = {"name": "old", "namespace": "default"}
    cluster.client.create(REPLICATIONCONTROLLERS, {"metadata": meta, "spec": {"replicas": 3, "template": template}})
    cluster.run_all()
    assert len(cluster.pods()) == 3 and "stray" in [pod["metadata"]["name"] for pod in cluster.pods()]
    assert {controller_of(pod)["kind"] for pod in cluster.pods()} == {"ReplicationController"}
    cluster.client.patch(REPLICATIONCONTROLLERS, "default", "old", {"spec": {"replicas": 1}})
    cluster.run_all()
    assert len(cluster.pods()) == 1
    status = cluster.client.get(REPLICATIONCONTROLLERS, "default", "old")["status"]
    assert (status["replicas"], status["readyReplicas"], status["availableReplicas"]) == (1, 1, 1)
    cluster.client.delete(REPLICATIONCONTROLLERS, "default", "old")
    cluster.run_all()
    assert cluster.pods() == []
