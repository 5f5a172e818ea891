"""Nodes that fall silent, pods that have to leave them, and pods that nobody will ever finish."""

import time
from types import SimpleNamespace

import pytest
from django.conf import settings

from lab.apimachinery.kinds import EVENTS, LEASES, NODES, PODS
from lab.apimachinery.meta import condition, is_deleting, is_true, micro_now, now
from lab.apimachinery.taints import OUT_OF_SERVICE
from lab.controllers import podgc, tainteviction
from lab.controllers.nodelifecycle import NODES_KEY, NodeLifecycleController
from lab.controllers.podgc import PodGCController, lost_pods
from lab.controllers.stopwatch import Stopwatch
from lab.controllers.tainteviction import TaintEvictionController
from lab.explain import thread

from .build import a_node, a_pod
from .cluster import Cluster

pytestmark = pytest.mark.django_db
GRACE = settings.CLOCK["node_grace"]


class Clock:
    """A steady clock that goes when it is told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lifecycle(clock) -> NodeLifecycleController:
    return NodeLifecycleController(Stopwatch(clock))


@pytest.fixture
def nodes(cluster) -> Cluster:
    for name in ("n1", "n2"):
        cluster.add_node(name)
        spec = {"holderIdentity": name, "renewTime": micro_now()}
        cluster.client.create(LEASES, {"metadata": {"name": name, "namespace": "kube-node-lease"}, "spec": spec})
    return cluster


def beat(cluster: Cluster, name: str) -> None:
    cluster.client.patch(LEASES, "kube-node-lease", name, {"spec": {"renewTime": micro_now()}})


def look(cluster: Cluster, lifecycle: NodeLifecycleController) -> float:
    return lifecycle.sync(cluster.client, NODES_KEY)


def taints(cluster: Cluster, name: str) -> set[tuple[str, str]]:
    found = cluster.client.get(NODES, "", name)["spec"].get("taints", [])
    return {(taint["key"].removeprefix("node.kubernetes.io/"), taint["effect"]) for taint in found}


def a_running_pod(cluster: Cluster, name: str, node: str, **spec) -> dict:
    containers = [{"name": "web", "image": "web"}]
    meta = {"name": name, "namespace": "default"}
    pod = cluster.client.create(PODS, {"metadata": meta, "spec": {"containers": containers, **spec}})
    cluster.client.bind([(pod, node, None)])
    cluster.run([cluster.client.get(PODS, "default", name)])
    return cluster.client.get(PODS, "default", name)


def root_of_event(cluster: Cluster, reason: str, kind: str) -> dict:
    """With what the thread of an Event begins: not with whoever made the object of which it tells."""
    (event,) = (
        one for one in cluster.client.list(EVENTS) if (one["reason"], one["involvedObject"]["kind"]) == (reason, kind)
    )
    return thread.of_revision(cluster.client, int(event["metadata"]["resourceVersion"]))["root"]


def test_a_node_that_misses_its_heartbeats_is_unknown_tainted_and_its_pods_not_ready(nodes, lifecycle, clock):
    a_running_pod(nodes, "p", "n1")
    assert look(nodes, lifecycle) == GRACE / 4
    clock.now += GRACE - 1
    look(nodes, lifecycle)
    assert is_true(nodes.client.get(NODES, "", "n1"), "Ready")
    beat(nodes, "n2")
    clock.now += 1
    look(nodes, lifecycle)
    ready = condition(nodes.client.get(NODES, "", "n1"), "Ready")
    assert (ready["status"], ready["reason"]) == ("Unknown", "NodeStatusUnknown")
    assert taints(nodes, "n1") == {("unreachable", "NoSchedule"), ("unreachable", "NoExecute")}
    assert taints(nodes, "n2") == set()
    pod = nodes.client.get(PODS, "default", "p")
    assert condition(pod, "Ready")["reason"] == "NodeNotReady" and not is_true(pod, "Ready")
    assert nodes.events("NodeNotReady") == ["Node is not ready", "Node n1 status is now: NodeNotReady"]
    assert root_of_event(nodes, "NodeNotReady", "Pod")["text"] == "node n1 fell silent"
    [marked, *_] = nodes.client.history(PODS, "default", "p", decided=True)
    assert marked["why"] == {"decision": "MarkPodNotReady", "node": "n1"}
    [tainted, *_] = nodes.client.history(NODES, "", "n1", decided=True)
    adds = ["node.kubernetes.io/unreachable:NoExecute", "node.kubernetes.io/unreachable:NoSchedule"]
    assert tainted["why"] == {"decision": "TaintNode", "adds": adds, "removes": [], "ready": "Unknown"}


def test_a_second_look_at_a_silent_node_writes_nothing(nodes, lifecycle, clock):
    look(nodes, lifecycle)
    clock.now += GRACE
    look(nodes, lifecycle)
    at_rest = nodes.revisions()
    look(nodes, lifecycle)
    assert nodes.revisions() == at_rest


def test_a_node_that_is_back_loses_its_taints(nodes, lifecycle, clock):
    look(nodes, lifecycle)
    clock.now += GRACE
    beat(nodes, "n2")
    look(nodes, lifecycle)
    beat(nodes, "n1")
    nodes.report_node("n1")
    look(nodes, lifecycle)
    assert taints(nodes, "n1") == set()


def test_a_heartbeat_counts_when_it_is_seen_whatever_time_it_bears(nodes, lifecycle, clock):
    """The node's clock is a day behind ours, then a day ahead: neither says anything about its health."""
    for stamp in ("2020-01-01T00:00:00.000000Z", "2050-01-01T00:00:00.000000Z", "2020-01-01T00:00:01.000000Z"):
        for name in ("n1", "n2"):
            nodes.client.patch(LEASES, "kube-node-lease", name, {"spec": {"renewTime": stamp}})
        look(nodes, lifecycle)
        assert is_true(nodes.client.get(NODES, "", "n1"), "Ready")
        clock.now += GRACE - 1


def test_with_no_node_ready_at_all_nobody_is_driven_away(nodes, lifecycle, clock):
    look(nodes, lifecycle)
    clock.now += GRACE
    look(nodes, lifecycle)
    assert taints(nodes, "n1") == taints(nodes, "n2") == {("unreachable", "NoSchedule")}
    beat(nodes, "n2")
    nodes.report_node("n2")
    look(nodes, lifecycle)
    assert ("unreachable", "NoExecute") in taints(nodes, "n1")


def test_a_node_that_never_spoke_is_unknown_too(cluster, lifecycle, clock):
    cluster.client.create(NODES, {"metadata": {"name": "silent"}})
    look(cluster, lifecycle)
    clock.now += GRACE
    look(cluster, lifecycle)
    ready = condition(cluster.client.get(NODES, "", "silent"), "Ready")
    assert (ready["status"], ready["reason"]) == ("Unknown", "NodeStatusNeverUpdated")


def test_cordoning_taints_and_uncordoning_takes_the_taint_off(nodes, lifecycle):
    nodes.client.patch(NODES, "", "n1", {"spec": {"unschedulable": True}})
    look(nodes, lifecycle)
    assert taints(nodes, "n1") == {("unschedulable", "NoSchedule")}
    nodes.client.patch(NODES, "", "n1", {"spec": {"unschedulable": None}})
    look(nodes, lifecycle)
    assert taints(nodes, "n1") == set()


def test_pods_leave_a_tainted_node_when_their_toleration_is_over(nodes, clock):
    tolerant = [{"key": "broken", "operator": "Exists"}]
    patient = [{"key": "broken", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 30}]
    a_running_pod(nodes, "fussy", "n1")
    a_running_pod(nodes, "patient", "n1", tolerations=patient)
    a_running_pod(nodes, "tolerant", "n1", tolerations=tolerant)
    a_running_pod(nodes, "elsewhere", "n2")
    eviction = TaintEvictionController(Stopwatch(clock))
    assert eviction.sync(nodes.client, "n1") is None
    broken = [{"key": "broken", "effect": "NoExecute"}]
    tainted = nodes.client.patch(NODES, "", "n1", {"spec": {"taints": broken}})
    assert eviction.sync(nodes.client, "n1") == 30
    root = root_of_event(nodes, "TaintManagerEviction", "Pod")
    assert (root["kind"], root["revision"]) == ("person", int(tainted["metadata"]["resourceVersion"]))
    assert [pod["metadata"]["name"] for pod in nodes.pods() if is_deleting(pod)] == ["fussy"]
    assert nodes.events("TaintManagerEviction") == ["Marking for deletion Pod default/fussy"]
    clock.now += 29
    assert eviction.sync(nodes.client, "n1") == 1
    clock.now += 1
    assert eviction.sync(nodes.client, "n1") is None
    assert [pod["metadata"]["name"] for pod in nodes.pods() if is_deleting(pod)] == ["fussy", "patient"]


def test_a_taint_that_goes_in_time_evicts_nobody_and_the_next_one_counts_anew(nodes, clock):
    patient = [{"key": "broken", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 30}]
    a_running_pod(nodes, "patient", "n1", tolerations=patient)
    eviction = TaintEvictionController(Stopwatch(clock))
    nodes.client.patch(NODES, "", "n1", {"spec": {"taints": [{"key": "broken", "effect": "NoExecute"}]}})
    assert eviction.sync(nodes.client, "n1") == 30
    nodes.client.patch(NODES, "", "n1", {"spec": {"taints": None}})
    clock.now += 20
    assert eviction.sync(nodes.client, "n1") is None
    nodes.client.patch(NODES, "", "n1", {"spec": {"taints": [{"key": "broken", "effect": "NoExecute"}]}})
    assert eviction.sync(nodes.client, "n1") == 30


def test_a_worker_that_takes_over_does_not_begin_to_count_anew(nodes, clock, monkeypatch):
    """Of several workers none may see the taint often enough; but it says itself since when it is there."""
    patient = [{"key": "broken", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 30}]
    spec = {"containers": [{"name": "web", "image": "web"}], "tolerations": patient}
    pod = nodes.client.create(PODS, {"metadata": {"name": "patient", "namespace": "default"}, "spec": spec})
    nodes.client.bind([(pod, "n1", None)])
    wall = Clock()
    wall.now = time.time()
    monkeypatch.setattr(tainteviction, "time", SimpleNamespace(time=wall))
    taint = {"key": "broken", "effect": "NoExecute", "timeAdded": now()}
    nodes.client.patch(NODES, "", "n1", {"spec": {"taints": [taint]}})
    assert 29 <= TaintEvictionController(Stopwatch(clock)).sync(nodes.client, "n1") <= 30
    wall.now += 20
    assert 8 <= TaintEvictionController(Stopwatch(clock)).sync(nodes.client, "n1") <= 10
    wall.now -= 3600  # and a clock that steps back only makes it count anew
    assert TaintEvictionController(Stopwatch(clock)).sync(nodes.client, "n1") == 30
    wall.now += 3700
    assert TaintEvictionController(Stopwatch(clock)).sync(nodes.client, "n1") is None
    assert is_deleting(nodes.client.get(PODS, "default", "patient"))


def test_nodes_that_fall_silent_together_are_given_up_one_after_the_other(nodes, lifecycle, clock, monkeypatch):
    monkeypatch.setitem(settings.CLOCK, "node_eviction", 1000.0)
    nodes.add_node("n3")
    look(nodes, lifecycle)
    clock.now += GRACE
    nodes.client.patch(NODES, "", "n3", {"metadata": {"labels": {"topology.kubernetes.io/zone": "other"}}})
    nodes.report_node("n3", "False")
    nodes.report_node("n3", "True")
    lease = {"metadata": {"name": "n3", "namespace": "kube-node-lease"}, "spec": {"renewTime": micro_now()}}
    nodes.client.create(LEASES, lease)
    assert look(nodes, lifecycle) == GRACE / 4
    driven = {name for name in ("n1", "n2") if ("unreachable", "NoExecute") in taints(nodes, name)}
    assert driven == {"n1"}
    assert ("unreachable", "NoSchedule") in taints(nodes, "n2")
    monkeypatch.setitem(settings.CLOCK, "node_eviction", 0.001)
    time.sleep(0.01)
    look(nodes, lifecycle)
    assert ("unreachable", "NoExecute") in taints(nodes, "n2")


def test_pods_of_a_removed_node_are_removed_without_asking_its_kubelet(nodes):
    a_running_pod(nodes, "p", "n1")
    a_running_pod(nodes, "q", "n2")
    nodes.client.delete(NODES, "", "n1")
    nodes.settle(PodGCController())
    assert [pod["metadata"]["name"] for pod in nodes.pods()] == ["q"]


def test_of_a_removed_pod_that_somebody_holds_only_a_missing_node_is_said_to_be_missing(nodes):
    for name, node in (("p", "n1"), ("q", "n2")):
        a_running_pod(nodes, name, node)
        nodes.client.patch(PODS, "default", name, {"metadata": {"finalizers": ["example.com/held"]}})
    nodes.client.delete(NODES, "", "n1")
    nodes.client.patch(NODES, "", "n2", {"spec": {"taints": [{"key": OUT_OF_SERVICE, "effect": "NoExecute"}]}})
    nodes.report_node("n2", "Unknown")
    nodes.client.delete(PODS, "default", "q")
    nodes.settle(PodGCController())
    gone, there = (nodes.client.get(PODS, "default", name) for name in "pq")
    assert (gone["status"]["phase"], there["status"]["phase"]) == ("Failed", "Failed")
    assert condition(gone, "DisruptionTarget")["message"] == "PodGC: node no longer exists"
    assert condition(there, "DisruptionTarget") is None


def test_a_terminating_pod_on_a_dead_node_stays_until_somebody_says_that_the_node_is_out_of_service():
    leaving = a_pod("leaving", "n1", deletionTimestamp="2026-05-20T20:00:00Z")
    staying = a_pod("staying", "n1")
    assert lost_pods([leaving, staying], [a_node("n1", "Unknown")]) == []
    declared = [{"key": OUT_OF_SERVICE, "effect": "NoExecute"}]
    [(gone, why)] = lost_pods([leaving, staying], [a_node("n1", "Unknown", taints=declared)])
    because = "its node n1 has the taint node.kubernetes.io/out-of-service"
    assert gone is leaving and why == {"decision": "DeletionByPodGC", "because": because}
    assert lost_pods([leaving, staying], [a_node("n1", "True", taints=declared)]) == []


def test_of_those_that_have_ended_the_oldest_go_beyond_what_is_kept(monkeypatch):
    monkeypatch.setattr(podgc, "MOST_FINISHED", 1)
    hours = ("11", "10")
    ended = [a_pod(f"p{h}", "n1", phase="Succeeded", creationTimestamp=f"2026-05-20T{h}:00:00Z") for h in hours]
    why = {"decision": "TrimHistory", "of": "terminated-pod-gc-threshold", "limit": 1}
    assert lost_pods(ended, [a_node("n1")]) == [(ended[1], why)]


def test_a_new_node_takes_no_pods_before_its_kubelet_has_said_that_it_is_ready(cluster, lifecycle):
    cluster.client.create(NODES, {"metadata": {"name": "new"}})
    look(cluster, lifecycle)
    assert taints(cluster, "new") == {("not-ready", "NoSchedule")}
    cluster.report_node("new")
    look(cluster, lifecycle)
    assert taints(cluster, "new") == set()
