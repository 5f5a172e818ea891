"""Nodes whose heartbeats go together: each is alive for as long as the Lease that its own is renewed with."""

import pytest
from django.conf import settings

from lab.apimachinery.kinds import LEASES, NODES
from lab.apimachinery.leases import LEASE_NAMESPACE, RENEWED_WITH
from lab.apimachinery.meta import is_true, micro_now
from lab.controllers.nodelifecycle import NODES_KEY, NodeLifecycleController
from lab.controllers.stopwatch import Stopwatch

pytestmark = pytest.mark.django_db
GRACE = settings.CLOCK["node_grace"]


class Steps:
    """A clock, a controller that goes by it, and two nodes that one kubelet speaks for."""

    def __init__(self, cluster):
        self.cluster, self.now = cluster, 1000.0
        self.controller = NodeLifecycleController(Stopwatch(lambda: self.now))
        self.put("kubelet-simulated")
        for name in ("n1", "n2"):
            cluster.add_node(name)
            self.put(name, {RENEWED_WITH: "kubelet-simulated"})

    def put(self, name: str, annotations: dict | None = None) -> None:
        meta = {"name": name, "namespace": LEASE_NAMESPACE, "annotations": annotations or {}}
        self.cluster.client.create(LEASES, {"metadata": meta, "spec": {"renewTime": micro_now()}})

    def beat(self) -> None:
        patch = {"spec": {"renewTime": micro_now()}}
        self.cluster.client.patch(LEASES, LEASE_NAMESPACE, "kubelet-simulated", patch)

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.controller.sync(self.cluster.client, NODES_KEY)

    def ready(self) -> list[str]:
        return [name for name in ("n1", "n2") if is_true(self.cluster.client.get(NODES, "", name), "Ready")]


@pytest.fixture
def steps(cluster) -> Steps:
    return Steps(cluster)


def test_one_renewal_keeps_all_of_them_alive(steps):
    for _ in range(4):
        steps.wait(GRACE / 2)
        steps.beat()
    assert steps.ready() == ["n1", "n2"]


def test_all_of_them_are_lost_with_their_kubelet(steps):
    steps.wait(0)
    steps.wait(GRACE)
    assert steps.ready() == []


def test_one_that_was_taken_out_is_lost_alone(steps):
    steps.wait(0)
    leaves = {"metadata": {"annotations": {RENEWED_WITH: None}}}
    steps.cluster.client.patch(LEASES, LEASE_NAMESPACE, "n1", leaves)
    for _ in range(3):
        steps.wait(GRACE / 2)
        steps.beat()
    assert steps.ready() == ["n2"]
