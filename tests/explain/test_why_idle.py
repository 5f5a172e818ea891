"""Why nothing happens: who stopped the wheel that would have to turn, and what took the leader away."""

import pytest

from lab.apimachinery.controlplane import CONTROL_PLANE, PARTITIONED, POWER
from lab.apimachinery.kinds import (
    BUILDS,
    CONFIGMAPS,
    DEPLOYMENTS,
    NODEPOOLS,
    NODES,
    PERSISTENTVOLUMECLAIMS,
    PODS,
    SERVICEACCOUNTS,
    SERVICES,
    WHEELS,
)
from lab.apimachinery.taints import CANDIDATE
from lab.client import Client
from lab.client.clusters import ensure_cluster
from lab.client.election import hold_elections
from lab.explain.past import PastClient
from tests.controllers.cluster import Cluster

from .asking import asked, first

pytestmark = pytest.mark.django_db
MODES = {
    "Paused": "The deployment controller is paused, so nobody acts on web: operator did so 0s ago.",
    "Slow": "The deployment controller is slowed down to one object in 7 s: operator did so 0s ago.",
    "Step": "The deployment controller goes by single steps, and has taken 0 of 2: operator did so 0s ago.",
    "Broken": "The deployment controller is broken on purpose, and fails at whatever it takes up: operator did so",
}


@pytest.fixture
def web():
    cluster = Cluster("idle")
    cluster.add_node("n1")
    cluster.deploy(1)
    cluster.settle()
    return cluster


def turn(cluster: Cluster, loop: str, **spec) -> int:
    operator = Client(cluster.name, "operator")
    return int(operator.create(WHEELS, {"metadata": {"name": loop}, "spec": spec})["metadata"]["resourceVersion"])


@pytest.mark.parametrize("mode", MODES)
def test_a_stopped_wheel_comes_first_and_says_who_stopped_it(web, mode):
    revision = turn(web, "deployment", mode=mode, seconds=7, steps=2)
    card = first(web.client, DEPLOYMENTS, "web")
    assert (card["question"], card["reason"]) == ("Why does nothing happen?", f"Wheel{mode}")
    assert card["answer"].startswith(MODES[mode])
    assert [(one["revision"], one["name"]) for one in card["because"]] == [(revision, "wheel deployment")]
    command = 'kubectl patch wheel deployment --type=merge -p \'{"spec":{"mode":"Running"}}\''
    assert card["help"] == {"text": "Let the deployment controller run again.", "command": command}
    web.client.patch(WHEELS, "", "deployment", {"spec": {"mode": "Running"}})
    assert first(web.client, DEPLOYMENTS, "web")["reason"] == "Progressing"


def test_a_pod_waits_for_the_scheduler_and_then_for_its_nodes_kubelet(web):
    turn(web, "scheduler", mode="Paused")
    turn(web, "kubelet.n1", mode="Paused")
    (pod,) = web.pods()
    name = pod["metadata"]["name"]
    card = first(web.client, PODS, name)
    assert card["answer"].startswith(f"The scheduler is paused, so nobody acts on {name}")
    # Said of the deployment as of its pod.
    assert card["answer"] in first(web.client, DEPLOYMENTS, "web")["answer"]
    web.bind("n1")
    card = first(web.client, PODS, name)
    assert card["answer"].startswith(f"The kubelet of node n1 is paused, so nobody acts on {name}")
    assert first(web.client, NODES, "n1")["because"][0]["name"] == "wheel kubelet.n1"


def waits_for(cluster: Cluster, kind, name: str) -> list[str]:
    """The wheels that its cards name."""
    said = [card for card in asked(cluster.client, kind, name) if card["question"] == "Why does nothing happen?"]
    return [card["because"][0]["name"].removeprefix("wheel ") for card in said]


def test_who_else_would_have_to_act_is_named_only_where_they_would(web):
    for loop in ("tainteviction", "nodelifecycle", "loadbalancer", "persistentvolume-binder", "serviceaccount"):
        turn(web, loop, mode="Paused")
    (pod,) = web.pods()
    name = pod["metadata"]["name"]
    assert waits_for(web, PODS, name) == []
    about = {"name": "disk", "namespace": "default"}
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    web.client.create(PERSISTENTVOLUMECLAIMS, {"metadata": about, "spec": claim})
    volume = {"name": "disk", "persistentVolumeClaim": {"claimName": "disk"}}
    mounting = {"containers": [{"name": "c", "image": "web:1"}], "volumes": [volume]}
    web.client.create(PODS, {"metadata": {"name": "mounts", "namespace": "default"}, "spec": mounting})
    assert waits_for(web, PODS, "mounts") == ["persistentvolume-binder"]
    web.bind("n1")
    assert waits_for(web, NODES, "n1") == ["nodelifecycle"]
    web.client.patch(NODES, "", "n1", {"spec": {"taints": [{"key": "x", "effect": "NoExecute"}]}})
    assert waits_for(web, NODES, "n1") == ["nodelifecycle", "tainteviction"]
    assert waits_for(web, PODS, name) == ["tainteviction"]
    for kind in ("LoadBalancer", "ClusterIP"):
        spec = {"type": kind, "ports": [{"port": 80}]}
        web.client.create(SERVICES, {"metadata": {**about, "name": kind.lower()}, "spec": spec})
    assert (waits_for(web, SERVICES, "loadbalancer"), waits_for(web, SERVICES, "clusterip")) == (["loadbalancer"], [])
    if web.client.find(SERVICEACCOUNTS, "default", "default"):
        web.client.delete(SERVICEACCOUNTS, "default", "default")
    assert waits_for(web, DEPLOYMENTS, "web") == ["serviceaccount"]


def test_who_buys_and_sells_machines_is_named_where_there_is_something_to_trade(web):
    turn(web, "clusterautoscaler", mode="Paused")
    spec = {"containers": [{"name": "c", "image": "web:1", "resources": {"requests": {"cpu": "99"}}}]}
    refused = [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no room"}]
    web.client.create(PODS, {"metadata": {"name": "large", "namespace": "default"}, "spec": spec})
    web.client.patch(PODS, "default", "large", {"status": {"conditions": refused}}, subresource="status")
    assert waits_for(web, PODS, "large") == []
    room = {"maxNodes": 2, "capacity": {"cpu": "100", "memory": "1Gi"}}
    web.client.create(NODEPOOLS, {"metadata": {"name": "pool"}, "spec": room})
    assert waits_for(web, PODS, "large") == waits_for(web, NODEPOOLS, "pool") == ["clusterautoscaler"]
    assert waits_for(web, NODES, "n1") == []
    taint = {"key": CANDIDATE, "value": "1", "effect": "PreferNoSchedule"}
    web.client.patch(NODES, "", "n1", {"spec": {"taints": [taint]}})
    assert waits_for(web, NODES, "n1") == ["clusterautoscaler"]


def test_a_build_that_has_begun_waits_for_no_loop_until_there_is_an_image(web):
    turn(web, "build", mode="Paused")
    spec = {"deployment": "web", "files": {"Dockerfile": "FROM web:1"}}
    build = web.client.create(BUILDS, {"metadata": {"name": "one", "namespace": "default"}, "spec": spec})
    assert waits_for(web, BUILDS, "one") == ["build"]
    for phase, loops in (("Building", []), ("RollingOut", ["build"])):
        status = {"phase": phase, "message": "so far", "image": "web:2"}
        build = web.client.update_status(BUILDS, {**build, "status": status})
        assert waits_for(web, BUILDS, "one") == loops


def test_what_no_loop_looks_after_never_waits_for_one(web):
    turn(web, "deployment", mode="Paused")
    web.client.create(CONFIGMAPS, {"metadata": {"name": "words", "namespace": "default"}})
    assert [card["reason"] for card in asked(web.client, CONFIGMAPS, "words")] == ["Created"]


class TestControlPlane:
    @pytest.fixture
    def three(self):
        ensure_cluster("headless")
        hardware = Client("headless", "operator", hardware=True)
        for name in ("cp-1", "cp-2"):
            hardware.create(NODES, {"metadata": {"name": name, "labels": {CONTROL_PLANE: ""}}})
        service = {"metadata": {"name": "web", "namespace": "default"}, "spec": {"ports": [{"port": 80}]}}
        hardware.create(SERVICES, service)
        hold_elections("headless")
        return hardware

    def test_while_no_member_is_up_each_of_them_is_named(self, three):
        rows = [three.patch(NODES, "", "cp-1", {"metadata": {"annotations": {POWER: "off"}}})]
        rows += [three.patch(NODES, "", "cp-2", {"metadata": {"annotations": {PARTITIONED: "true"}}})]
        card = first(three, SERVICES, "web")
        assert (card["question"], card["reason"]) == ("Why does nothing happen?", "NoControlPlane")
        assert card["answer"] == "No control-plane node is up (cp-1, cp-2), so nothing can be changed and nobody acts."
        assert [(one["text"], one["revision"]) for one in card["because"]] == [
            ("cp-1 was switched off", int(rows[0]["metadata"]["resourceVersion"])),
            ("cp-2 was cut off its network", int(rows[1]["metadata"]["resourceVersion"])),
        ]
        assert card["help"]["text"].startswith("Bring back cp-1")

    def test_until_another_leads_the_one_that_fell_is_named(self, three):
        three.patch(NODES, "", "cp-1", {"metadata": {"annotations": {POWER: "off"}}})
        card = first(three, SERVICES, "web")
        assert (card["reason"], [one["text"] for one in card["because"]]) == ("NoLeader", ["cp-1 was switched off"])
        assert card["answer"].startswith("cp-1 leads the kube-controller-manager, and is down")
        assert card["help"]["text"].startswith("Wait: within ")


def test_what_was_is_explained_by_what_was_known_then(web):
    before = web.client.view().revision
    paused = turn(web, "deployment", mode="Paused")
    web.client.patch(WHEELS, "", "deployment", {"spec": {"mode": "Running"}})
    asked_at = {revision: first(PastClient(web.name, revision), DEPLOYMENTS, "web") for revision in (before, paused)}
    assert (asked_at[before]["reason"], asked_at[paused]["reason"]) == ("Progressing", "WheelPaused")
    assert max(one["revision"] for one in asked_at[before]["because"]) <= before


def test_what_is_told_to_end_waits_for_who_has_to_let_it_go(web):
    turn(web, "deployment", mode="Paused")
    turn(web, "garbagecollector", mode="Paused")
    web.client.delete(DEPLOYMENTS, "default", "web", propagation="Foreground")
    idle, leaving = asked(web.client, DEPLOYMENTS, "web")[:2]
    assert [one["name"] for one in idle["because"]] == ["wheel garbagecollector"]
    assert (leaving["question"], leaving["reason"]) == ("Why is it leaving?", "Deleted")
    assert leaving["answer"].endswith("It stays until its finalizers are taken off: foregroundDeletion.")
