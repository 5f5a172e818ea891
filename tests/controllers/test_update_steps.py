"""One step of a StatefulSet or a DaemonSet, told from the objects alone: what goes, and what is put beside it."""

import pytest

from lab.apimachinery.labels import REVISION_LABEL
from lab.apimachinery.meta import parse_time
from lab.controllers.daemonset.plan import Look
from lab.controllers.daemonset.plan import next_step as daemons_next
from lab.controllers.statefulset.plan import next_step as replicas_next

from .build import a_node, a_pod

NOW = parse_time("2026-05-20T20:00:00Z")
EARLY, LATE = "2026-05-20T10:00:00Z", "2026-05-20T19:00:00Z"


def replica(number: int, revision: str = "old", ready: bool = True) -> dict:
    return a_pod(f"db-{number}", "n", ready=ready, labels={REVISION_LABEL: revision}, creationTimestamp=EARLY)


def replicas_to_go(pods: list[dict], policy: str = "Parallel", **rolling) -> list[str]:
    spec = {"replicas": len(pods), "podManagementPolicy": policy, "updateStrategy": {"rollingUpdate": rolling}}
    step = replicas_next({"metadata": {"name": "db"}, "spec": spec}, pods, "new", NOW)
    return [pod["metadata"]["name"] for pod in step.delete]


def test_in_parallel_those_that_serve_nobody_go_besides_and_none_goes_twice():
    pods = [replica(0), replica(1), replica(2), replica(3, ready=False)]
    assert replicas_to_go(pods, maxUnavailable=1) == ["db-3"]
    assert replicas_to_go(pods, maxUnavailable=2) == ["db-3", "db-2"]


@pytest.mark.parametrize(
    ("unavailable", "gone"),
    [(1, ["db-4"]), ("10%", ["db-4"]), ("50%", ["db-4", "db-3"]), (9, ["db-4", "db-3", "db-2", "db-1", "db-0"])],
)
def test_a_share_that_may_be_missed_is_rounded_down_but_never_to_nothing(unavailable, gone):
    pods = [replica(number) for number in range(5)]
    for policy in ("OrderedReady", "Parallel"):
        assert replicas_to_go(pods, policy, maxUnavailable=unavailable) == gone


def test_what_is_new_already_and_what_is_below_the_partition_stays():
    pods = [replica(0), replica(1), replica(2), replica(3, "new")]
    assert replicas_to_go(pods, maxUnavailable=9, partition=1) == ["db-2", "db-1"]
    assert replicas_to_go(pods, "OrderedReady", partition=3) == []


def daemon(name: str, node: str, revision: str = "new", ready: bool = True, created: str = EARLY, bound: bool = True):
    pod = a_pod(name, node if bound else "", ready=ready, labels={REVISION_LABEL: revision}, creationTimestamp=created)
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    pod["spec"]["affinity"] = {"nodeAffinity": required}
    return pod


def daemons_step(pods: list[dict], nodes: str = "ab", **rolling) -> tuple[list[str], list[str]]:
    """Where one is made; and which go."""
    template = {"metadata": {}, "spec": {"containers": []}}
    ds = {"metadata": {"name": "agent"}, "spec": {"template": template, "updateStrategy": {"rollingUpdate": rolling}}}
    step = daemons_next(Look(ds, [a_node(name) for name in nodes], pods, "new", NOW))
    return list(step.create), [pod["metadata"]["name"] for pod in step.delete]


def test_of_two_daemons_of_a_node_the_older_stays_and_one_that_is_there_before_one_that_waits():
    older, younger = daemon("older", "a"), daemon("younger", "a", created=LATE)
    waiting = daemon("waiting", "a", bound=False)
    assert daemons_step([younger, older], "a") == ([], ["younger"])
    assert daemons_step([waiting, younger], "a") == ([], ["waiting"])


@pytest.mark.parametrize(
    ("unavailable", "gone"), [(1, ["a"]), (2, ["a", "b"]), ("1%", ["a"]), ("50%", ["a", "b"]), ("100%", list("abc"))]
)
def test_daemons_that_may_be_missed_are_a_share_of_the_nodes_rounded_up(unavailable, gone):
    pods = [daemon(node, node, "old") for node in "abc"]
    assert daemons_step(pods, "abc", maxUnavailable=unavailable) == ([], gone)


def test_a_new_daemon_that_serves_nobody_yet_holds_up_the_others_and_an_old_one_goes_besides():
    others = [daemon(node, node, "old") for node in "bc"]
    assert daemons_step([daemon("a", "a", "new", ready=False), *others], "abc", maxUnavailable=1) == ([], [])
    assert daemons_step([daemon("a", "a", "old", ready=False), *others], "abc", maxUnavailable=1) == ([], ["a", "b"])


def test_with_surge_the_old_one_goes_when_the_new_one_serves_or_when_it_serves_nobody_itself():
    def both(old_ready: bool, new_ready: bool) -> tuple:
        pods = [daemon("old", "a", "old", old_ready), daemon("new", "a", "new", new_ready), daemon("b", "b", "old")]
        return daemons_step(pods, maxSurge=1, maxUnavailable=0)

    assert both(old_ready=True, new_ready=False) == ([], [])
    assert both(old_ready=True, new_ready=True) == ([], ["old"])
    assert both(old_ready=False, new_ready=False) == ([], ["old"])
    assert daemons_step([daemon("a", "a", "old"), daemon("b", "b", "old")], maxSurge=1) == (["a"], [])
