"""Taints that follow from a node's state, and pods that put up with them."""

import pytest

from lab.controllers.taints import seconds_tolerated, taints_of

from .build import a_node, a_pod


def names(taints: list[dict]) -> set[tuple[str, str]]:
    return {(taint["key"].removeprefix("node.kubernetes.io/"), taint["effect"]) for taint in taints}


@pytest.mark.parametrize(
    ("ready", "may_evict", "expected"),
    [
        ("True", True, set()),
        ("Unknown", True, {("unreachable", "NoSchedule"), ("unreachable", "NoExecute")}),
        ("False", True, {("not-ready", "NoSchedule"), ("not-ready", "NoExecute")}),
        ("Unknown", False, {("unreachable", "NoSchedule")}),
    ],
)
def test_a_node_in_trouble_is_tainted(ready, may_evict, expected):
    assert names(taints_of(a_node("n", ready), may_evict)) == expected


def test_taints_that_no_longer_fit_go_and_those_of_others_stay():
    theirs = {"key": "gpu", "value": "yes", "effect": "NoExecute"}
    stale = {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute", "timeAdded": "2026-05-20T20:00:00Z"}
    assert taints_of(a_node("n", taints=[theirs, stale]), True) == [theirs]
    known = taints_of(a_node("n", "Unknown"), True)
    assert taints_of(a_node("n", "Unknown", taints=known), True) == known


def test_a_cordoned_node_and_one_under_pressure_take_no_new_pods():
    node = a_node("n", unschedulable=True)
    node["status"]["conditions"].append({"type": "DiskPressure", "status": "True"})
    assert names(taints_of(node, True)) == {("unschedulable", "NoSchedule"), ("disk-pressure", "NoSchedule")}


@pytest.mark.parametrize(
    ("tolerations", "expected"),
    [
        ([], 0),
        ([{"operator": "Exists"}], None),
        ([{"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}], 300),
        ([{"key": "a", "value": "1", "tolerationSeconds": 30}], 30),
        ([{"key": "a", "value": "2"}], 0),
        ([{"key": "a", "operator": "Exists", "effect": "NoSchedule"}], 0),
        ([{"key": "b", "operator": "Exists"}], 0),
        # Of several that match the first counts, as they stand.
        ([{"operator": "Exists"}, {"key": "a", "operator": "Exists", "tolerationSeconds": 30}], None),
        ([{"key": "a", "operator": "Exists", "tolerationSeconds": 30}, {"operator": "Exists"}], 30),
        ([{"key": "a", "operator": "Exists", "tolerationSeconds": -5}], 0),
    ],
)
def test_how_long_a_pod_stays_beside_a_taint(tolerations, expected):
    pod = a_pod("p", "n")
    pod["spec"]["tolerations"] = tolerations
    assert seconds_tolerated(pod, [{"key": "a", "value": "1", "effect": "NoExecute"}]) == expected


def test_every_taint_must_be_tolerated():
    pod = a_pod("p", "n")
    pod["spec"]["tolerations"] = [{"key": "a", "operator": "Exists", "tolerationSeconds": 9}]
    taints = [{"key": "a", "effect": "NoExecute"}, {"key": "b", "effect": "NoExecute"}]
    assert seconds_tolerated(pod, taints[:1]) == 9
    assert seconds_tolerated(pod, taints) == 0
