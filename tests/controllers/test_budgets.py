"""The disruption controller: whom it counts, how many it expects, and what it says when it cannot tell."""

import pytest

from lab.apimachinery.kinds import DEPLOYMENTS, PODDISRUPTIONBUDGETS, PODS, REPLICASETS
from lab.apimachinery.meta import condition, is_deleting
from lab.client.reconcile import Change
from lab.controllers.poddisruptionbudget import DELETION_TIMEOUT, DisruptionController, expected_to_go, next_status

from .cluster import WORKLOADS, Cluster

LOOPS = (*WORKLOADS, DisruptionController())
WEB = {"matchLabels": {"app": "web"}}


def budget(cluster: Cluster, name: str = "web", selector: dict | None = WEB, **spec) -> None:
    metadata = {"name": name, "namespace": "default"}
    cluster.client.create(PODDISRUPTIONBUDGETS, {"metadata": metadata, "spec": {"selector": selector, **spec}})
    cluster.settle(*LOOPS)


def said(cluster: Cluster, name: str = "web") -> dict:
    return cluster.client.get(PODDISRUPTIONBUDGETS, "default", name)["status"]


def figures(cluster: Cluster) -> tuple[int, int, int, int]:
    """healthy, desired, expected, allowed"""
    status = said(cluster)
    return tuple(status[f] for f in ("currentHealthy", "desiredHealthy", "expectedPods", "disruptionsAllowed"))


def deployed(cluster: Cluster, replicas: int, ready: int) -> None:
    cluster.deploy(replicas)
    cluster.settle(*LOOPS)
    cluster.run(cluster.pods()[:ready])
    cluster.settle(*LOOPS)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"minAvailable": 3}, (4, 3, 5, 1)),
        ({"minAvailable": "50%"}, (4, 3, 5, 1)),
        ({"minAvailable": 0}, (4, 0, 5, 4)),
        ({"maxUnavailable": 1}, (4, 4, 5, 0)),
        ({"maxUnavailable": 2}, (4, 3, 5, 1)),
        ({"maxUnavailable": "30%"}, (4, 3, 5, 1)),
        ({"maxUnavailable": "100%"}, (4, 0, 5, 4)),
        ({"minAvailable": "100%"}, (4, 5, 5, 0)),
    ],
)
def test_the_arithmetic_is_that_of_kubernetes(cluster, spec, expected):
    deployed(cluster, 5, ready=4)
    budget(cluster, **spec)
    assert figures(cluster) == expected
    told = condition({"status": said(cluster)}, "DisruptionAllowed")
    allowed = bool(expected[3])
    assert told["status"] == str(allowed)
    assert told["reason"] == ("SufficientPods" if allowed else "InsufficientPods")
    assert told["observedGeneration"] == said(cluster)["observedGeneration"] == 1


def test_it_goes_by_the_deployment_whatever_its_sets_have(cluster):
    deployed(cluster, 4, ready=4)
    budget(cluster, maxUnavailable=1)
    assert figures(cluster) == (4, 3, 4, 1)
    cluster.patch(replicas=6)
    cluster.settle(*LOOPS)
    assert figures(cluster) == (4, 5, 6, 0)
    cluster.run(cluster.pods())
    cluster.release("v2")
    cluster.settle(*LOOPS)
    assert len(cluster.pods()) > 6
    assert figures(cluster)[2] == 6


def test_pods_that_fail_and_come_back_are_counted_at_once(cluster):
    deployed(cluster, 3, ready=3)
    budget(cluster, minAvailable=2)
    assert figures(cluster) == (3, 2, 3, 1)
    cluster.run(cluster.pods()[:1], ready=False)
    cluster.settle(*LOOPS)
    assert figures(cluster) == (2, 2, 3, 0)
    cluster.run(cluster.pods()[:1])
    cluster.settle(*LOOPS)
    assert figures(cluster) == (3, 2, 3, 1)


def test_an_evicted_pod_is_paid_for_until_its_replacement_is_ready(cluster):
    cluster.add_node("a")
    deployed(cluster, 3, ready=3)
    cluster.bind("a")
    budget(cluster, minAvailable=2)
    first, second = cluster.pods()[:2]
    assert cluster.client.evict(first)
    assert not cluster.client.evict(second)
    cluster.settle(*LOOPS)
    assert figures(cluster)[3] == 0 and "disruptedPods" not in said(cluster)
    cluster.end([pod for pod in cluster.pods() if is_deleting(pod)])
    cluster.settle(*LOOPS)
    assert not cluster.client.evict(second)
    cluster.run(cluster.pods())
    cluster.settle(*LOOPS)
    assert figures(cluster) == (3, 2, 3, 1)
    assert cluster.client.evict(cluster.client.get(PODS, "default", second["metadata"]["name"]))


def test_a_budget_without_pods_lets_nobody_go_and_says_so(cluster):
    budget(cluster, minAvailable=0)
    assert figures(cluster) == (0, 0, 0, 0)
    assert cluster.events("NoPods") == ["No matching pods found"]


def lone(cluster: Cluster, **meta) -> None:
    spec = {"containers": [{"name": "web", "image": "web"}]}
    metadata = {"name": "lone", "namespace": "default", "labels": {"app": "web"}, **meta}
    cluster.run([cluster.client.create(PODS, {"metadata": metadata, "spec": spec})])


def test_the_size_of_a_workload_wakes_it_and_what_that_says_of_itself_does_not():
    def woken(old: dict, new: dict) -> bool:
        change = Change(7, DEPLOYMENTS.resource, "default", "web", new, old, False, False, 0.0, "somebody", 0)
        return bool(DisruptionController().keys(change))

    three = {"metadata": {}, "spec": {"replicas": 3}}
    assert woken(three, {**three, "spec": {"replicas": 5}})
    assert not woken(three, {**three, "status": {"replicas": 3}})


def test_a_pod_that_has_only_just_come_is_expected(cluster):
    budget(cluster, minAvailable=1)
    metadata = {"name": "new", "namespace": "default", "labels": {"app": "web"}}
    cluster.client.create(PODS, {"metadata": metadata, "spec": {"containers": [{"name": "web", "image": "web"}]}})
    cluster.settle(*LOOPS)
    assert figures(cluster) == (0, 1, 1, 0)


def test_pods_that_nobody_manages_can_only_be_counted(cluster):
    lone(cluster)
    budget(cluster, minAvailable=1)
    assert figures(cluster) == (1, 1, 1, 0)
    budget(cluster, "part", maxUnavailable=1)
    assert said(cluster, "part")["expectedPods"] == 0
    (words,) = cluster.events("UnmanagedPods")
    assert words.startswith("Pods selected by this PodDisruptionBudget (selector: app=web) were found to be unmanaged.")


def test_whose_manager_does_not_say_how_many_cannot_be_counted_in_parts(cluster):
    owner = {"apiVersion": "example.com/v1", "kind": "Herd", "name": "herd", "uid": "herd", "controller": True}
    lone(cluster, ownerReferences=[owner])
    budget(cluster, maxUnavailable=1)
    why = "Herd does not implement the scale subresource"
    told = condition({"status": said(cluster)}, "DisruptionAllowed")
    assert (told["status"], told["reason"], told["message"]) == ("False", "SyncFailed", why)
    # What could not be counted has not been acted on: who would evict is told to come back.
    assert "observedGeneration" not in told and "observedGeneration" not in said(cluster)
    assert cluster.events("CalculateExpectedPodCountFailed") == [
        f"Failed to calculate the number of expected pods: {why}"
    ]


def test_an_eviction_that_came_to_nothing_is_forgotten_after_a_while():
    evicted = {
        "disruptedPods": {"a": "2027-01-15T08:00:00Z", "b": "2027-01-15T08:01:00Z", "gone": "2027-01-15T08:01:00Z"}
    }
    of = {"metadata": {"name": "web", "generation": 1}, "spec": {"minAvailable": 1}, "status": evicted}
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    pods = [{"metadata": {"name": name}, "status": ready} for name in ("a", "b", "c")]
    going, overdue = expected_to_go(of, pods, 1_800_000_000.0 + DELETION_TIMEOUT + 1)
    assert list(going) == ["b"] and [pod["metadata"]["name"] for pod in overdue] == ["a"]
    status = next_status(of, pods, going, 0)
    assert (status["currentHealthy"], status["disruptionsAllowed"]) == (2, 1)
    assert list(status["disruptedPods"]) == ["b"]


def test_nothing_new_is_not_written_again(cluster):
    deployed(cluster, 3, ready=3)
    budget(cluster, minAvailable=2)
    before = cluster.revisions()
    assert cluster.settle(*LOOPS) == 0
    pod = cluster.pods()[0]
    cluster.client.patch(PODS, "default", pod["metadata"]["name"], {"metadata": {"annotations": {"a": "b"}}})
    cluster.settle(*LOOPS)
    assert cluster.revisions() == before + 1


def test_a_budget_is_no_owner_and_owned_by_nobody(cluster):
    """Its pods and those who make them outlive it, and it outlives them."""
    deployed(cluster, 2, ready=2)
    budget(cluster, minAvailable=1)
    cluster.client.delete(DEPLOYMENTS, "default", "web")
    cluster.run_all()
    assert not cluster.client.list(REPLICASETS)
    cluster.settle(*LOOPS)
    assert figures(cluster) == (0, 1, 0, 0)
