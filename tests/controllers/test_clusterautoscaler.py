"""The cluster autoscaler on the real store, beside the real scheduler; the test plays the kubelets."""

import pytest

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import NODEPOOLS, NODES, PODDISRUPTIONBUDGETS
from lab.apimachinery.labels import BOOTS_UNTIL, NODEPOOL_LABEL, RUNTIME_LABEL
from lab.apimachinery.meta import condition, is_deleting, now
from lab.apimachinery.taints import CANDIDATE, TO_BE_DELETED
from lab.client import Client
from lab.client.reconcile import catch_up
from lab.controllers.clusterautoscaler import machines, selling
from lab.controllers.clusterautoscaler.controller import POOLS_KEY, ClusterAutoscalerController
from lab.controllers.nodelifecycle import NodeLifecycleController
from lab.controllers.stopwatch import Stopwatch
from lab.scheduler import Scheduler

from .cluster import WORKLOADS, Cluster


class Machines:
    """A cluster without room, and a pool of machines with room for two pods each."""

    def __init__(self, cluster: Cluster):
        self.cluster, self.client = cluster, cluster.client
        self.loop = ClusterAutoscalerController()

    def pool(self, most: int = 3, boot: float = 0, idle: float = 0, name: str = "pool", **spec) -> None:
        capacity = {"cpu": "2", "memory": "4Gi"}
        spec = {"maxNodes": most, "bootSeconds": boot, "idleSeconds": idle, "capacity": capacity, **spec}
        self.client.create(NODEPOOLS, {"metadata": {"name": name}, "spec": spec})

    def deploy(self, replicas: int, cpu: str = "1") -> None:
        container = {"name": "web", "image": "web", "resources": {"requests": {"cpu": cpu}}}
        self.cluster.deploy(
            replicas, template={"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
        )

    def schedule(self) -> None:
        """By one that has not tried any pod before, and so lets none wait."""
        self.cluster.settle(*WORKLOADS)
        catch_up(self.cluster.name, Scheduler())

    def turn(self) -> None:
        self.schedule()
        self.cluster.settle(self.loop)

    def register(self) -> None:
        """The kubelets of machines that have booted take them on."""
        for node in self.nodes().values():
            if RUNTIME_LABEL in node["metadata"]["labels"] and condition(node, "Ready")["status"] != "True":
                ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "lastHeartbeatTime": now()}
                status = {**node["status"], "conditions": [ready]}
                self.client.update_status(NODES, {**node, "status": status})
        self.cluster.settle(NodeLifecycleController(Stopwatch()))

    def nodes(self) -> dict[str, dict]:
        return {node["metadata"]["name"]: node for node in self.client.list(NODES)}

    def placed(self) -> list[str]:
        return sorted(pod["spec"].get("nodeName", "") for pod in self.cluster.pods())

    def kubelets_end_pods(self) -> None:
        self.cluster.end([pod for pod in self.cluster.pods() if is_deleting(pod)])


@pytest.fixture
def world(cluster) -> Machines:
    return Machines(cluster)


def test_pods_that_wait_buy_machines_that_boot_and_take_them(world):
    world.pool(boot=3600)
    world.deploy(3)
    world.turn()
    nodes = world.nodes()
    assert sorted(nodes) == ["pool-1", "pool-2"]
    booting = nodes["pool-1"]
    assert condition(booting, "Ready")["reason"] == "NodeBooting"
    assert booting["spec"]["taints"][0]["key"] == "node.kubernetes.io/not-ready"
    assert RUNTIME_LABEL not in booting["metadata"]["labels"]
    assert world.client.get(NODEPOOLS, "", "pool")["status"]["booting"] == 2
    world.client.patch(NODES, "", "pool-1", {"metadata": {"annotations": {BOOTS_UNTIL: now()}}})
    world.turn()
    assert RUNTIME_LABEL in world.nodes()["pool-1"]["metadata"]["labels"]
    world.register()
    world.turn()
    assert world.placed() == ["", "pool-1", "pool-1"]
    assert sorted(world.nodes()) == ["pool-1", "pool-2"]


def test_each_pod_is_told_what_it_has_brought_about(world):
    world.pool(most=1, boot=3600)
    world.deploy(3)
    world.turn()
    assert world.cluster.events("TriggeredScaleUp") == ["pod triggered scale-up: [{pool 0->1 (max: 1)}]"] * 2
    assert world.cluster.events("NotTriggerScaleUp") == ["pod didn't trigger scale-up: 1 max node group size reached"]
    assert "max node group size reached" in world.client.get(NODEPOOLS, "", "pool")["status"]["message"]
    why = world.client.history(NODES, "", "pool-1")[-1]["why"]
    assert (why["pool"], len(why["for"])) == ("pool", 2)
    world.turn()
    assert len(world.cluster.events("NotTriggerScaleUp")) == 1


def test_a_worker_killed_in_the_middle_buys_nothing_twice(world, monkeypatch):
    world.pool(boot=3600)
    world.deploy(2)
    world.schedule()

    def killed(*_) -> None:
        raise SystemExit

    with monkeypatch.context() as patched, pytest.raises(SystemExit):
        patched.setattr(ClusterAutoscalerController, "_say", killed)  # after the write, before all else
        catch_up(world.cluster.name, world.loop)
    world.loop = ClusterAutoscalerController()
    world.turn()
    world.turn()
    assert list(world.nodes()) == ["pool-1"]


def test_a_machine_that_boots_is_not_taken_for_one_that_fell_silent(world):
    world.pool(boot=3600)
    world.deploy(1)
    world.turn()
    hours = iter(range(0, 10**6, 3600))
    lifecycle = NodeLifecycleController(Stopwatch(clock=lambda: next(hours)))
    for _ in range(3):
        lifecycle.sync(Client(world.cluster.name, lifecycle.author), "nodes")
    assert condition(world.nodes()["pool-1"], "Ready")["reason"] == "NodeBooting"


def test_a_machine_that_is_lost_while_it_boots_is_bought_again(world):
    world.pool(boot=3600, most=1)
    world.deploy(1)
    world.turn()
    first = world.nodes()["pool-1"]["metadata"]["uid"]
    world.client.delete(NODES, "", "pool-1")
    world.turn()
    world.turn()
    (second,) = world.nodes().values()
    assert second["metadata"]["uid"] != first and condition(second, "Ready")["reason"] == "NodeBooting"


def test_an_idle_machine_is_given_back(world):
    world.pool()
    world.deploy(1)
    for _ in range(2):
        world.turn()
        world.register()
    assert world.placed() == ["pool-1"]
    world.cluster.patch(replicas=0)
    world.turn()
    assert machines.stamp_of(world.nodes()["pool-1"], TO_BE_DELETED) is None  # it still has a pod that leaves
    world.kubelets_end_pods()
    world.turn()
    assert not world.nodes()
    assert world.cluster.events("ScaleDown")[-1] == "node removed by cluster autoscaler"
    assert world.client.get(NODEPOOLS, "", "pool")["status"]["nodes"] == 0


def test_idle_time_begins_anew_with_each_pod(world):
    world.pool(idle=3600)
    world.client.create(NODES, ready(machines.template(world.client.get(NODEPOOLS, "", "pool"), "pool-1")))
    world.turn()
    assert machines.stamp_of(world.nodes()["pool-1"], CANDIDATE)
    world.deploy(1)
    world.turn()
    assert world.placed() == ["pool-1"]
    assert machines.stamp_of(world.nodes()["pool-1"], CANDIDATE) is None


def ready(node: dict) -> dict:
    return {**node, "status": {**node["status"], "conditions": [{"type": "Ready", "status": "True"}]}}


@pytest.fixture
def movable(world) -> Machines:
    """Its one machine is little used, and its pod would fit elsewhere."""
    world.pool()
    world.client.create(NODES, ready(machines.template(world.client.get(NODEPOOLS, "", "pool"), "pool-1")))
    world.deploy(1, cpu="100m")
    world.schedule()
    other = ready(machines.template(world.client.get(NODEPOOLS, "", "pool"), "other"))
    del other["metadata"]["labels"][NODEPOOL_LABEL]
    world.client.create(NODES, other)
    return world


@pytest.fixture
def moving(movable) -> Machines:
    """The pod has been asked to go."""
    movable.turn()
    return movable


def test_a_machine_little_used_is_cordoned_drained_and_given_back(moving):
    assert moving.nodes()["pool-1"]["spec"]["unschedulable"]
    sold = next(row["why"] for row in moving.client.history(NODES, "", "pool-1") if "sold" in (row["why"] or {}))
    assert list(sold["moves"].values()) == ["other"]
    assert [is_deleting(pod) for pod in moving.cluster.pods()] == [True]
    moving.turn()
    moving.kubelets_end_pods()
    moving.turn()
    assert (list(moving.nodes()), moving.placed()) == (["other"], ["other"])


def test_a_machine_that_goes_waits_for_the_disruption_budget_of_its_pods(movable):
    world, client = movable, movable.client
    world.cluster.run(world.cluster.pods())
    budget = {"metadata": {"name": "web", "namespace": "default"}, "spec": {"selector": {}, "maxUnavailable": 1}}
    status = {"disruptionsAllowed": 1, "currentHealthy": 1, "desiredHealthy": 0, "expectedPods": 1}
    made = client.update_status(PODDISRUPTIONBUDGETS, {**client.create(PODDISRUPTIONBUDGETS, budget), "status": status})
    world.turn()  # the budget would allow it, but what it says is out of date
    assert world.nodes()["pool-1"]["spec"]["unschedulable"]
    assert [is_deleting(pod) for pod in world.cluster.pods()] == [False]
    client.update_status(PODDISRUPTIONBUDGETS, {**made, "status": status | {"observedGeneration": 1}})
    world.loop.sync(Client(world.cluster.name, world.loop.author), POOLS_KEY)
    assert [is_deleting(pod) for pod in world.cluster.pods()] == [True]


def test_a_machine_whose_kubelet_never_says_that_its_pods_have_ended_is_given_back_all_the_same(moving, monkeypatch):
    client = Client(moving.cluster.name, moving.loop.author)
    moving.turn()
    assert moving.loop.sync(client, POOLS_KEY) and "pool-1" in moving.nodes()  # it will look again by itself
    monkeypatch.setattr(selling, "HEADROOM_SECONDS", -3600)
    moving.loop.sync(client, POOLS_KEY)
    assert list(moving.nodes()) == ["other"]


def test_without_pools_nothing_is_looked_at(world):
    world.deploy(3)
    world.turn()
    client = Client(world.cluster.name, world.loop.author)
    before = world.cluster.revisions()
    assert world.loop.sync(client, POOLS_KEY) is None
    assert world.cluster.revisions() == before


def test_a_machine_whose_pool_is_gone_is_a_node_like_any_other(world):
    world.pool(boot=3600)
    world.deploy(1)
    world.turn()
    world.client.delete(NODEPOOLS, "", "pool")
    world.client.patch(NODES, "", "pool-1", {"metadata": {"annotations": {BOOTS_UNTIL: now()}}})
    for _ in range(2):
        world.turn()
        world.register()
    world.turn()
    assert world.placed() == ["pool-1"]


def test_what_makes_no_sense_is_refused(world):
    for spec in (
        {"most": 1, "minNodes": 2},
        {"boot": -1},
        {"runtime": "cloud"},
        {"most": 1000},
        {"labels": {"a b": "c"}},
        {"boot": 1e18},
        {"boot": 24 * 3600 + 1},
        {"idle": 1e300},
        {"name": "p" * 60},
    ):
        with pytest.raises(ApiError) as refused:
            world.pool(**spec)
        assert refused.value.code == 422


def test_a_pool_may_take_its_time(world):
    world.pool(boot=24 * 3600, idle=30 * 24 * 3600, name="p" * 59)


@pytest.mark.parametrize("until", ["soon", "0001-01-01T00:00:00"])
def test_a_node_that_says_anything_of_its_boot_stops_no_pool(world, until):
    world.client.create(NODES, {"metadata": {"name": "stray", "annotations": {BOOTS_UNTIL: until}}})
    world.pool()
    world.deploy(2)
    world.turn()
    assert {"stray", "pool-1"} <= world.nodes().keys()
    assert RUNTIME_LABEL in world.nodes()["stray"]["metadata"]["labels"]


def test_a_pool_that_says_little_is_filled_in(world, settings):
    made = world.client.create(NODEPOOLS, {"metadata": {"name": "pool"}})["spec"]
    assert (made["minNodes"], made["maxNodes"], made["bootSeconds"]) == (0, 3, settings.CLOCK["node_boot"])
    assert made["capacity"] == {"cpu": "4", "memory": "8Gi", "pods": "110", "ephemeral-storage": "20Gi"}
