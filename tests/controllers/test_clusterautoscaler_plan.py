"""Which machines to buy and to give back: decided on objects alone, by asking the scheduler what would be."""

from dataclasses import replace

from lab.apimachinery.budgets import Budget
from lab.apimachinery.labels import NODEPOOL_LABEL
from lab.apimachinery.meta import key_of, with_condition
from lab.apimachinery.selectors import EVERYTHING
from lab.apimachinery.taints import CANDIDATE, TO_BE_DELETED
from lab.controllers.clusterautoscaler import buying, machines, selling
from lab.controllers.clusterautoscaler.buying import State

from ..scheduler.build import affinity, node, pod, term

NOW = 1_800_000_000.0


def pool(name: str = "pool", cpu: str = "2", most: int = 3, least: int = 0, **labels: str) -> dict:
    capacity = {"cpu": cpu, "memory": "4Gi", "pods": "110"}
    spec = {"minNodes": least, "maxNodes": most, "bootSeconds": 5, "idleSeconds": 20, "capacity": capacity}
    return {"metadata": {"name": name}, "spec": {**spec, "labels": labels}}


def waiting(name: str, cpu: str = "1", **more) -> dict:
    conditions = with_condition([], "PodScheduled", "False", "Unschedulable")
    return pod(name, cpu=cpu, owner="web", status={"conditions": conditions}, **more)


def state(pools: list[dict], nodes: list[dict] = (), pods: list[dict] = (), now: float = NOW) -> State:
    return State(list(pools), list(nodes), list(pods), {"default": {}}, now, provision=60)


def bought(plan: buying.Plan) -> dict[str, list[str]]:
    return {
        name: [each["metadata"]["name"] for each in purchase.placed.get(name, ())]
        for purchase in plan.purchases
        for name in purchase.names
    }


def of_pool(name: str = "pool-1", cpu: str = "2", **more) -> dict:
    return node(name, cpu=cpu, memory="4Gi", labels={NODEPOOL_LABEL: "pool", **more.pop("labels", {})}, **more)


def test_pods_share_machines():
    plan = buying.plan(state([pool()], [node(cpu="0")], [waiting(f"web-{n}") for n in range(4)]))
    assert bought(plan) == {"pool-1": ["web-0", "web-1"], "pool-2": ["web-2", "web-3"]}
    assert not plan.refused


def test_the_pool_is_a_bound_and_who_remains_is_told_so():
    plan = buying.plan(state([pool(most=1)], [], [waiting(f"web-{n}") for n in range(3)]))
    assert bought(plan) == {"pool-1": ["web-0", "web-1"]}
    assert [(key_of(each), why) for each, why in plan.refused] == [("default/web-2", {buying.AT_MOST: 1})]


def test_nothing_is_bought_for_a_pod_that_would_not_fit_there_either():
    plan = buying.plan(state([pool()], [], [waiting("huge", cpu="3"), waiting("picky", nodeSelector={"disk": "ssd"})]))
    assert not plan.purchases
    assert dict((each["metadata"]["name"], why) for each, why in plan.refused) == {
        "huge": {"Insufficient cpu": 1},
        "picky": {"node(s) didn't match Pod's node affinity/selector": 1},
    }


def test_nothing_is_bought_for_a_daemon_which_is_for_its_own_node_alone():
    daemon = waiting("agent")
    daemon["metadata"]["ownerReferences"][0]["kind"] = "DaemonSet"
    plan = buying.plan(state([pool()], [node(cpu="0")], [daemon]))
    assert not plan.purchases and not plan.refused


def test_labels_of_the_pool_count():
    plan = buying.plan(state([pool(disk="ssd")], [], [waiting("picky", nodeSelector={"disk": "ssd"})]))
    assert bought(plan) == {"pool-1": ["picky"]}


def test_what_is_coming_already_is_not_bought_again():
    coming = machines.bought(pool(), "pool-1", NOW - 3)
    pods = [waiting(f"web-{n}") for n in range(3)]
    assert bought(buying.plan(state([pool()], [coming], pods))) == {"pool-2": ["web-2"]}
    assert not buying.plan(state([pool()], [coming], pods[:2])).purchases


def test_a_machine_from_which_pods_are_still_kept_off_is_coming():
    """Its kubelet has reported, and the node controller has not yet taken the taint away."""
    there = machines.bought(pool(), "pool-1", NOW - 6)
    there["status"]["conditions"][0]["status"] = "True"
    there["spec"]["taints"] = [{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]
    now = state([pool()], [there], [waiting("web-0")])
    assert not buying.plan(now).purchases
    assert not selling.verdicts(now)


def test_what_does_not_come_is_given_up():
    late = machines.bought(pool(), "pool-1", NOW - 100)
    late["spec"]["taints"] = [{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]
    assert bought(buying.plan(state([pool()], [late], [waiting("web-0")]))) == {"pool-2": ["web-0"]}


def test_a_machine_that_was_there_and_is_silent_is_not_coming():
    silent = machines.bought(pool(), "pool-1", NOW - 10)
    silent["status"]["conditions"][0]["status"] = "Unknown"
    silent["spec"]["taints"] = [{"key": "node.kubernetes.io/unreachable", "effect": "NoSchedule"}]
    assert bought(buying.plan(state([pool()], [silent], [waiting("web-0")]))) == {"pool-2": ["web-0"]}


def test_room_that_is_there_by_now_is_taken_first():
    assert not buying.plan(state([pool()], [node(cpu="1")], [waiting("web-0")])).purchases
    assert not buying.plan(state([pool()], [], [pod("not-looked-at-yet", cpu="1")])).purchases


def test_pods_that_keep_apart_get_a_machine_each():
    apart = affinity("podAntiAffinity", term("kubernetes.io/hostname", app="web"))
    pods = [waiting(f"web-{n}", cpu="100m", labels={"app": "web"}, affinity=apart) for n in range(2)]
    assert bought(buying.plan(state([pool()], [], pods))) == {"pool-1": ["web-0"], "pool-2": ["web-1"]}


def test_the_pool_that_helps_most_with_fewest_machines_is_taken():
    pools = [pool("small", cpu="1", most=2), pool("large", cpu="4")]
    plan = buying.plan(state(pools, [], [waiting(f"web-{n}") for n in range(4)]))
    assert list(bought(plan)) == ["large-1"]


def test_a_pool_below_its_least_is_filled_up():
    plan = buying.plan(state([pool(least=2)], [of_pool("pool-2")], [waiting("web-0"), waiting("web-1")]))
    assert bought(plan) == {"pool-1": []}


def test_names_are_used_again():
    assert machines.names("pool", {"pool-1", "pool-3"}, 2) == ["pool-2", "pool-4"]


def verdict_of(nodes: list[dict], pods: list[dict], name: str = "pool-1") -> selling.Verdict:
    return next(each for each in selling.verdicts(state([pool()], nodes, pods)) if each.name == name)


def test_an_empty_node_is_not_needed():
    daemon = pod("daemon", node="pool-1", cpu="1", owner="daemons")
    daemon["metadata"]["ownerReferences"][0]["kind"] = "DaemonSet"
    ended = pod("ended", node="pool-1", cpu="1", status={"phase": "Succeeded"})
    assert not verdict_of([of_pool()], [daemon, ended]).needed


def test_a_node_that_waiting_pods_will_take_is_needed():
    now = state([pool()], [of_pool()], [waiting("web-0")])
    plan = buying.plan(now)
    assert not plan.purchases
    assert "wait" in selling.verdicts(now, plan.awaited)[0].needed


def test_a_node_half_used_is_needed():
    there = [of_pool(), node("other")]
    assert "50%" in verdict_of(there, [pod("web", node="pool-1", cpu="1", owner="web")]).needed


def test_a_node_little_used_is_not_needed_if_its_pods_fit_elsewhere():
    little = pod("web", node="pool-1", cpu="500m", owner="web")
    assert verdict_of([of_pool(), node("other")], [little]).moves == {"default/web": "other"}
    full = pod("full", node="other", cpu="4", owner="web")
    assert "fit nowhere else" in verdict_of([of_pool(), node("other")], [little, full]).needed
    assert (
        "fit nowhere else" in verdict_of([of_pool(), of_pool("pool-2")], [little]).needed
    )  # that one is empty: it goes


def test_what_would_be_if_one_went_changes_nothing_for_the_next():
    """Both are asked about in one look; each has the same room elsewhere, which is enough for one of them."""
    pods = [pod(f"web-{n}", node=f"pool-{n}", cpu="900m", owner="web") for n in (1, 2)]
    found = selling.verdicts(state([pool()], [of_pool("pool-1"), of_pool("pool-2"), node("other", cpu="1")], pods))
    assert [(each.name, each.moves) for each in found] == [
        ("pool-1", {"default/web-1": "pool-2"}),
        ("pool-2", {"default/web-2": "pool-1"}),
    ]


def test_some_pods_hold_their_node():
    there = [of_pool(), node("other")]
    unsafe = {selling.SAFE_TO_EVICT: "false"}
    scratch = [{"name": "scratch", "emptyDir": {}}]
    held = {
        "is not replicated": pod("web", node="pool-1", cpu="100m"),
        "is not safe to evict": pod("web", node="pool-1", cpu="100m", owner="web", annotations=unsafe),
        "has local storage": pod("web", node="pool-1", cpu="100m", owner="web", volumes=scratch),
    }
    for words, each in held.items():
        assert words in verdict_of(there, [each]).needed
    each["metadata"]["annotations"] = {selling.SAFE_TO_EVICT: "true"}
    assert not verdict_of(there, [each]).needed


def test_a_node_whose_pods_a_disruption_budget_keeps_is_needed():
    pods = [pod(name, node="pool-1", cpu="100m", owner="web") for name in ("web-1", "web-2")]
    now = state([pool()], [of_pool(), node("other")], pods)
    for allowed, kept in ((2, ""), (1, "default/web-2 may not go now: its disruption budget default/web")):
        budgets = [Budget("default/web", "default", EVERYTHING, allowed, frozenset())]
        (verdict,) = selling.verdicts(replace(now, budgets=budgets))
        assert verdict.needed.startswith(kept) and bool(verdict.needed) is bool(kept)


def test_a_node_may_be_kept_by_its_annotation():
    kept = of_pool()
    kept["metadata"]["annotations"] = {machines.NO_SCALE_DOWN: "true"}
    assert machines.NO_SCALE_DOWN in verdict_of([kept], []).needed


def idle(each: dict, seconds: float) -> dict:
    return machines.with_taint(each, CANDIDATE, "PreferNoSchedule", NOW - seconds)


def due(pools: list[dict], nodes: list[dict], pods: list[dict] = ()) -> list[str]:
    now = state(pools, nodes, pods)
    return [each.name for each in selling.due(selling.verdicts(now), now)]


def test_only_who_was_idle_for_long_enough_goes():
    nodes = [idle(of_pool("pool-1"), 21), idle(of_pool("pool-2"), 5), of_pool("pool-3")]
    assert due([pool()], nodes) == ["pool-1"]


def test_a_clock_set_back_keeps_no_machine_for_ever():
    assert due([pool()], [idle(of_pool(), -1000)]) == ["pool-1"]


def test_the_least_of_a_pool_stays():
    nodes = [idle(of_pool(f"pool-{n}"), 60) for n in (1, 2, 3)]
    assert due([pool(least=2)], nodes) == ["pool-1"]


def test_empty_nodes_go_together_and_others_one_by_one():
    pods = [pod(f"web-{n}", node=f"pool-{n}", cpu="100m", owner="web") for n in (1, 2)]
    nodes = [idle(of_pool(f"pool-{n}"), 60) for n in (1, 2, 3, 4)]
    assert due([pool(most=9)], [*nodes, node("other")], pods) == ["pool-3", "pool-4", "pool-1"]
    going = machines.with_taint(nodes[0], TO_BE_DELETED, "NoSchedule", NOW)
    assert due([pool(most=9)], [going, *nodes[1:], node("other")], pods) == ["pool-3", "pool-4"]
