"""One wheel stops while the rest turns, and what was missed is made up."""

import pytest

from lab.apimachinery.kinds import DEPLOYMENTS, NODES, PODS, WHEELS
from lab.client.clusters import furnish
from lab.client.locks import Lock
from lab.client.reconcile import behind, catch_up
from lab.models import Cursor, Requeue
from lab.scheduler import SCHEDULER

from .cluster import WORKLOADS, Cluster

pytestmark = pytest.mark.django_db
REPLICASET = WORKLOADS[1]


def turn(cluster: Cluster, name: str, **spec: object) -> None:
    cluster.client.patch(WHEELS, "", name, {"spec": spec})


def test_a_paused_replica_set_makes_up_for_all_though_a_worker_dies_on_the_way(cluster):
    furnish(cluster.name)
    cluster.deploy(3)
    cluster.run_all()
    turn(cluster, "replicaset", mode="Paused")
    for pod in cluster.pods()[:2]:
        cluster.client.delete(PODS, "default", pod["metadata"]["name"], grace_seconds=0)
    cluster.client.patch(DEPLOYMENTS, "default", "web", {"spec": {"replicas": 5}})
    cluster.settle()
    (rs,) = cluster.replica_sets()
    assert (len(cluster.pods()), rs["spec"]["replicas"], behind(cluster.name, [REPLICASET])) == (1, 5, [])
    turn(cluster, "replicaset", mode="Running")
    dying = Lock(f"{cluster.client.view().uid}/replicaset")  # a worker takes the turn and is killed
    assert dying.acquire() and catch_up(cluster.name, REPLICASET) == 0
    Cursor.objects.filter(name=dying.name).update(expires=0)
    cluster.settle()
    assert len(cluster.pods()) == 5


def test_a_step_of_the_scheduler_is_one_pod(cluster):
    furnish(cluster.name)
    node = cluster.add_node("node-1")
    room = {"cpu": "4", "memory": "8Gi", "pods": "10"}
    cluster.client.update_status(NODES, {**node, "status": {**node["status"], "capacity": room, "allocatable": room}})
    cluster.client.patch(NODES, "", "node-1", {"spec": {"taints": None}})
    turn(cluster, "scheduler", mode="Step", steps=0)
    cluster.deploy(3)
    cluster.settle()
    for steps in (1, 2):
        turn(cluster, "scheduler", steps=steps)
        cluster.settle(*WORKLOADS, SCHEDULER)
        assert sum("nodeName" in pod["spec"] for pod in cluster.pods()) == steps
    turn(cluster, "scheduler", mode="Running")
    cluster.settle(*WORKLOADS, SCHEDULER)
    assert all("nodeName" in pod["spec"] for pod in cluster.pods())


def test_a_broken_deployment_controller_says_so_of_each_key_and_the_others_go_on(cluster):
    furnish(cluster.name)
    cluster.deploy(2)
    cluster.run_all()
    turn(cluster, "deployment", mode="Broken")
    cluster.client.patch(DEPLOYMENTS, "default", "web", {"spec": {"replicas": 4}})
    cluster.client.delete(PODS, "default", cluster.pods()[0]["metadata"]["name"], grace_seconds=0)
    cluster.settle()
    assert len(cluster.pods()) == 2
    assert Requeue.objects.get(controller="deployment").error == "broken on purpose: wheel deployment"
    turn(cluster, "deployment", mode="Running")
    cluster.settle()
    assert len(cluster.pods()) == 4


def test_a_kubelets_wheel_goes_with_its_node_and_not_before(cluster):
    cluster.client.create(WHEELS, {"metadata": {"name": "kubelet.later"}, "spec": {"mode": "Running"}})
    for node in ("n1", "later"):
        cluster.add_node(node)
    cluster.client.create(WHEELS, {"metadata": {"name": "kubelet.n1"}, "spec": {"mode": "Paused"}})
    cluster.client.patch(WHEELS, "", "kubelet.later", {"spec": {"mode": "Paused"}})  # now there is whose it can be
    cluster.settle()
    assert {wheel["metadata"]["name"] for wheel in cluster.client.list(WHEELS)} >= {"kubelet.n1", "kubelet.later"}
    for node in ("n1", "later"):
        cluster.client.delete(NODES, "", node)
    cluster.settle()
    assert not [name for it in cluster.client.list(WHEELS) if (name := it["metadata"]["name"]).startswith("kubelet")]
