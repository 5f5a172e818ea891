"""Preemption: who may push out whom, where the least is lost, and to whom the room belongs afterwards."""

from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.apimachinery.budgets import Budget
from lab.apimachinery.selectors import parse_label_selector
from lab.scheduler import batch
from lab.scheduler.batch import Outcome, schedule

from .build import affinity, cache_of, node, places, pod, run, term, words
from .model import Model
from .random_clusters import clusters, wishes

HOST = "kubernetes.io/hostname"


def there(name: str, on: str, priority: int = 0, cpu: str = "4", **more) -> dict:
    return pod(name, cpu=cpu, node=on, priority=priority, **more)


def vip(name: str = "vip", cpu: str = "4", priority: int = 100, **more) -> dict:
    return pod(name, cpu=cpu, priority=priority, **more)


def decided(outcome: Outcome, name: str = "vip") -> tuple[str, list[str]]:
    """The node that is promised to the pod, and who has to leave it."""
    missed = next(each for each in outcome.unschedulable if each.pod["metadata"]["name"] == name)
    return missed.nominated, [victim.key.partition("/")[2] for victim in missed.victims]


def test_a_more_important_pod_pushes_out_a_lesser_one_and_is_promised_the_room():
    outcome = run([node("a")], [there("x", "a"), vip()])
    assert decided(outcome) == ("a", ["x"])
    assert words(outcome)["vip"] == "0/1 nodes are available: 1 Insufficient cpu."
    why = outcome.unschedulable[0].why
    assert (why["decision"], why["chosen"]) == ("Preempt", None)
    assert (why["nominated"], why["victims"]) == ("a", ["default/x"])


@pytest.mark.parametrize("priority", [100, 101])
def test_it_pushes_out_nobody_of_its_own_importance(priority):
    outcome = run([node("a")], [there("x", "a", priority), vip()])
    assert decided(outcome) == ("", [])
    assert words(outcome)["vip"] == (
        "0/1 nodes are available: 1 Insufficient cpu. "
        "preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
    )


def test_preemption_policy_never_means_never():
    outcome = run([node("a")], [there("x", "a"), vip(preemptionPolicy="Never")])
    assert decided(outcome) == ("", [])
    assert words(outcome)["vip"].endswith(" preemption: not eligible due to preemptionPolicy=Never.")


def test_a_node_that_could_never_hold_it_is_not_emptied_for_it():
    nodes = [node("small", cpu="2"), node("full", cpu="8")]
    outcome = run(nodes, [there("x", "small", cpu="1"), there("y", "full", priority=100, cpu="8"), vip()])
    assert words(outcome)["vip"] == (
        "0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2 nodes are available: "
        "1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling."
    )


def test_a_node_without_what_it_asks_for_is_not_emptied_for_it():
    outcome = run([node("a")], [there("x", "a"), vip(requests={"gpu": "1"})])
    assert words(outcome)["vip"].endswith(" 1 Preemption is not helpful for scheduling.")


def test_a_pod_that_asks_for_all_of_a_node_can_have_it_emptied():
    asked = vip(cpu="4", memory="8Gi", requests={"gpu": "2"})
    lesser = there("x", "a", cpu="1", memory="1Gi", requests={"gpu": "1"})
    assert decided(run([node("a", cpu="4", memory="8Gi", gpu="2")], [lesser, asked])) == ("a", ["x"])


@pytest.mark.parametrize(
    "spoilt",
    [
        {"unschedulable": True},
        {"taints": [{"key": "x", "effect": "NoSchedule"}]},
        {"labels": {"disk": "hdd"}},
    ],
)
def test_nor_is_one_that_objects_for_another_reason(spoilt):
    outcome = run([node("a", **spoilt)], [there("x", "a"), vip(nodeSelector={"disk": "ssd"})])
    assert decided(outcome) == ("", [])
    assert words(outcome)["vip"].endswith("1 Preemption is not helpful for scheduling.")


def test_no_more_leave_than_must_and_the_most_important_are_spared():
    pods = [there("low", "a", 1, "2"), there("mid", "a", 2, "1"), there("high", "a", 3, "1")]
    assert decided(run([node("a")], [*pods, vip(cpu="2")])) == ("a", ["low"])
    assert decided(run([node("a")], [*pods, vip(cpu="3")])) == ("a", ["mid", "low"])


def test_of_equals_those_who_started_last_leave():
    old, new = (there(n, "a", 1, "2", status={"startTime": f"2026-01-01T00:00:0{s}Z"}) for n, s in (("o", 1), ("n", 2)))
    assert decided(run([node("a")], [new, old, vip(cpu="2")])) == ("a", ["n"])


@pytest.mark.parametrize(
    "on_a, on_b",
    [
        ([(50, "4")], [(10, "4")]),  # the least important of the highest victims
        ([(10, "2"), (10, "2")], [(10, "2"), (5, "2")]),  # then the lowest sum
        ([(10, "2"), (10, "2")], [(10, "4")]),  # one victim more counts for more, whatever its priority
    ],
)
def test_it_chooses_the_node_where_the_least_is_lost(on_a, on_b):
    pods = [
        there(f"{name}{at}", name, priority, cpu)
        for name, group in (("a", on_a), ("b", on_b))
        for at, (priority, cpu) in enumerate(group)
    ]
    assert decided(run([node("a"), node("b")], [*pods, vip()]))[0] == "b"


def test_of_equal_losses_it_chooses_the_one_that_started_last():
    started = {"a": "2026-01-01T00:00:01Z", "b": "2026-01-01T00:00:02Z"}
    pods = [there(f"x{name}", name, status={"startTime": when}) for name, when in started.items()]
    assert decided(run([node("a"), node("b")], [*pods, vip()])) == ("b", ["xb"])


def test_of_each_loss_only_when_the_most_important_started_matters():
    pods = [
        there(f"{priority}{name}", name, priority, "2", status={"startTime": f"2026-01-01T00:00:0{second}Z"})
        for name, priority, second in (("a", 10, 5), ("a", 1, 1), ("b", 10, 4), ("b", 1, 9))
    ]
    assert decided(run([node("a"), node("b")], [*pods, vip()])) == ("a", ["10a", "1a"])


def test_nobody_is_asked_to_leave_where_somebody_is_leaving_anyway():
    nodes, leaving = [node("a"), node("b")], there("x", "b", priority=50, deleting=True)
    assert decided(run(nodes, [there("y", "a"), leaving, vip()])) == ("b", [])


def test_while_its_victims_are_on_their_way_out_it_waits():
    promised = vip(status={"nominatedNodeName": "b"})
    outcome = run([node("a"), node("b")], [there("x", "a"), there("y", "b", deleting=True), promised])
    assert decided(outcome) == ("b", [])
    assert words(outcome)["vip"].endswith(" preemption: not eligible due to a terminating pod on the nominated node.")


def test_it_does_not_wait_for_a_nominated_node_that_is_no_use_to_it_any_more():
    promised = vip(status={"nominatedNodeName": "b"})
    nodes = [node("a"), node("b", unschedulable=True)]
    assert decided(run(nodes, [there("x", "a"), there("y", "b", deleting=True), promised])) == ("a", ["x"])


def test_it_does_not_wait_where_nobody_is_on_the_way_out():
    promised = vip(status={"nominatedNodeName": "a"})
    assert decided(run([node("a")], [there("late", "a"), promised])) == ("a", ["late"])


def test_it_does_not_wait_for_one_on_its_way_out_that_is_as_important_as_itself():
    promised = vip(status={"nominatedNodeName": "a"})
    outcome = run([node("a")], [there("peer", "a", priority=100, deleting=True), promised])
    assert words(outcome)["vip"].endswith(": 1 No preemption victims found for incoming pod.")


def test_one_run_makes_room_for_so_many_pods_and_no_more():
    nodes, pods = [node("a"), node("b")], [there("x", "a"), there("y", "b"), vip("v1"), vip("v2")]
    with patch.object(batch, "PREEMPTIONS_A_RUN", 1):
        outcome = run(nodes, pods)
    assert (decided(outcome, "v1"), decided(outcome, "v2")) == (("a", ["x"]), ("", []))


def test_once_there_is_room_it_goes_to_its_nominated_node():
    promised = vip(status={"nominatedNodeName": "b"})
    outcome = run([node("a", cpu="64"), node("b")], [promised])
    assert places(outcome) == {"vip": "b"}
    why = outcome.bindings[0][2]
    assert (why["chosen"], why["promised"]) == ("b", "b")
    assert all(verdict["fits"] for verdict in why["nodes"])


def test_nobody_less_important_takes_room_that_was_promised():
    promised = vip(status={"nominatedNodeName": "a"}, preemptionPolicy="Never", schedulingGates=[])
    cache = cache_of([node("a", cpu="8")], [there("x", "a", deleting=True, cpu="6"), promised, pod("small", cpu="2")])
    outcome = schedule(cache, ["default/small"])
    assert words(outcome)["small"].startswith("0/1 nodes are available: 1 Insufficient cpu.")


def test_nobody_less_important_comes_whom_one_that_was_promised_room_cannot_stand():
    alone = affinity("podAntiAffinity", term(HOST, app="web"))
    promised = vip(cpu="1", status={"nominatedNodeName": "a"}, affinity=alone)
    for priority, where in ((0, {}), (200, {"w": "a"})):
        cache = cache_of([node("a")], [promised, pod("w", labels={"app": "web"}, priority=priority)])
        assert places(schedule(cache, ["default/w"])) == where


def test_somebody_more_important_takes_room_that_was_promised():
    promised = vip(status={"nominatedNodeName": "a"})
    cache = cache_of([node("a", cpu="8")], [there("x", "a", deleting=True, cpu="6"), promised, vip("top", "2", 200)])
    assert places(schedule(cache, ["default/top"])) == {"top": "a"}


def test_two_that_preempt_in_one_run_do_not_count_on_the_same_room():
    outcome = run([node("a"), node("b")], [there("x", "a"), there("y", "b"), vip("v1"), vip("v2")])
    assert sorted([decided(outcome, "v1"), decided(outcome, "v2")]) == [("a", ["x"]), ("b", ["y"])]


def test_two_that_avoid_each_other_make_room_on_different_nodes():
    alike = {"labels": {"app": "v"}, "affinity": affinity("podAntiAffinity", term(HOST, app="v")), "cpu": "2"}
    pods = [there("x1", "a", cpu="2"), there("x2", "a", cpu="2"), there("y1", "b", cpu="2"), there("y2", "b", cpu="2")]
    outcome = run([node("a"), node("b")], [*pods, vip("v1", **alike), vip("v2", **alike)])
    assert {decided(outcome, "v1")[0], decided(outcome, "v2")[0]} == {"a", "b"}


def test_the_room_goes_to_a_more_important_one_and_the_first_looks_elsewhere():
    lesser = vip("lesser", priority=50, status={"nominatedNodeName": "a"})
    cache = cache_of([node("a")], [there("x", "a", priority=10), lesser, vip()])
    outcome = schedule(cache, ["default/vip"])
    assert decided(outcome) == ("a", ["x"])
    assert outcome.displaced == ["default/lesser"]
    assert cache.promise_to("default/lesser") is None


def test_it_pushes_out_whom_it_cannot_stand():
    outcome = run(
        [node("a")],
        [
            there("x", "a", cpu="1", labels={"app": "x"}),
            vip(cpu="1", affinity=affinity("podAntiAffinity", term(HOST, app="x"))),
        ],
    )
    assert decided(outcome) == ("a", ["x"])


def test_a_promise_is_forgotten_with_its_node():
    cache = cache_of([node("a"), node("b")], [vip(status={"nominatedNodeName": "a"})])
    cache.remove_node("a")
    assert places(schedule(cache, ["default/vip"])) == {"vip": "b"}


def test_the_more_important_is_placed_first_whenever_it_came():
    outcome = run([node("a")], [pod("early", cpu="4"), vip(created="2026-02-02T00:00:00Z")])
    assert places(outcome) == {"vip": "a"}


@given(clusters(all_bound=True, most_important=2), wishes(affinity_to_pods=False), st.integers(0, 2))
@settings(max_examples=200)
def test_victims_are_lesser_and_enough_and_none_too_many(cluster, wish, importance):
    nodes, there = cluster
    me = vip(cpu="1", priority=importance, labels={"app": "a"}, **wish)
    outcome = run(nodes, [*there, me])
    lesser = [each for each in there if each["spec"]["priority"] < importance]
    if places(outcome):
        assert places(outcome)["vip"] in Model(nodes, there).feasible(me)
        return
    name, names = decided(outcome)
    if not name:
        for each in nodes:
            on = each["metadata"]["name"]
            rest = [p for p in there if p not in lesser or p["spec"]["nodeName"] != on]
            assert len(rest) == len(there) or not Model(nodes, rest).fits(me, on)
        return
    victims = [each for each in lesser if each["metadata"]["name"] in names]
    assert len(victims) == len(names) and {each["spec"]["nodeName"] for each in victims} == {name}
    rest = [each for each in there if each not in victims]
    assert Model(nodes, rest).fits(me, name)
    for spared in victims:
        assert not Model(nodes, [*rest, spared]).fits(me, name)


def budgeted(allowed: int, *going: str) -> list[Budget]:
    selects = parse_label_selector({"matchLabels": {"app": "kept"}})
    return [Budget("default/kept", "default", selects, allowed, frozenset(f"default/{name}" for name in going))]


def decided_under(budgets: list[Budget], nodes: list[dict], pods: list[dict], name: str = "vip") -> tuple:
    cache = cache_of(nodes, pods)
    cache.budgets = budgets
    return decided(schedule(cache, list(cache.pending)), name)


def test_who_is_on_the_way_out_uses_up_no_budget():
    going, kept = (there(name, "a", 1, "2", labels={"app": "kept"}) for name in ("going", "kept"))
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:30Z"
    pods = [going, kept, there("free", "b", 50), vip()]
    assert decided_under(budgeted(1), [node("a"), node("b")], pods) == ("a", ["kept"])


def test_whom_a_budget_keeps_stays_though_others_are_more_important():
    pods = [there("kept", "a", 1, "2", labels={"app": "kept"}), there("free", "a", 50, "2"), vip(cpu="2")]
    assert decided_under([], [node("a")], pods) == ("a", ["kept"])
    assert decided_under(budgeted(1), [node("a")], pods) == ("a", ["kept"])
    assert decided_under(budgeted(0), [node("a")], pods) == ("a", ["free"])
    assert decided_under(budgeted(0, "kept"), [node("a")], pods) == ("a", ["kept"])


def test_a_budget_is_broken_only_where_there_is_no_other_way():
    kept, free = there("kept", "a", 1, labels={"app": "kept"}), there("free", "b", 50)
    assert decided_under(budgeted(0), [node("a"), node("b")], [kept, free, vip()]) == ("b", ["free"])
    assert decided_under(budgeted(0), [node("a")], [kept, vip()]) == ("a", ["kept"])


def test_it_does_not_stop_looking_while_every_node_found_breaks_a_budget(monkeypatch):
    monkeypatch.setattr("lab.scheduler.preemption.LEAST_CANDIDATES", 1)
    kept, free = there("kept", "a", 1, labels={"app": "kept"}), there("free", "b", 50)
    assert decided_under(budgeted(0), [node("a"), node("b")], [kept, free, vip()]) == ("b", ["free"])


def test_two_that_preempt_in_one_run_share_what_a_budget_allows():
    kept = [there(f"kept-{name}", name, 1, labels={"app": "kept"}) for name in "ab"]
    pods = [*kept, there("free", "c", 50), vip("vip-1"), vip("vip-2")]
    budgets, nodes = budgeted(1), [node(name) for name in "abc"]
    assert decided_under(budgets, nodes, pods, "vip-1") == ("a", ["kept-a"])
    assert decided_under(budgeted(1), nodes, pods, "vip-2") == ("c", ["free"])
    assert budgets[0].allowed == 0
