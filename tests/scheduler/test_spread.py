"""Topology spread: evenly over zones and hosts, as strictly as the pod asks."""

import pytest

from lab.scheduler.podinfo import SpreadConstraint
from lab.scheduler.scores import MOST_ALLOCATED
from lab.scheduler.spread import Spread

from .build import affinity, node, places, pod, run, term, words

ZONE, HOST = "topology.kubernetes.io/zone", "kubernetes.io/hostname"
WEB = {"app": "web"}
TOO_MANY = "node(s) didn't match pod topology spread constraints"
NO_LABEL = "node(s) didn't match pod topology spread constraints (missing required label)"


def zoned(name: str, zone: str, **more) -> dict:
    return node(name, labels={ZONE: zone} if zone else {}, **more)


def spread(key: str = ZONE, skew: int = 1, hard: bool = True, **more) -> dict:
    when = "DoNotSchedule" if hard else "ScheduleAnyway"
    selector = {"labelSelector": {"matchLabels": WEB}}
    return {"topologyKey": key, "maxSkew": skew, "whenUnsatisfiable": when, **selector, **more}


def web(name: str, *constraints: dict, labels: dict | None = None, **more) -> dict:
    return pod(name, labels=labels or WEB, topologySpreadConstraints=list(constraints or [spread()]), **more)


def there(name: str, on: str, **more) -> dict:
    return pod(name, node=on, **{"labels": WEB, **more})


A_B = [zoned("a1", "a"), zoned("a2", "a"), zoned("b1", "b")]


def test_no_zone_has_more_than_max_skew_above_the_emptiest():
    outcome = run(A_B, [web("w", nodeSelector={}), there("x", "a1")])
    assert places(outcome) == {"w": "b1"}


def test_where_only_the_fuller_zone_has_room_it_waits():
    outcome = run([zoned("a1", "a"), zoned("b1", "b", cpu="1")], [web("w", cpu="2"), there("x", "a1")])
    assert words(outcome)["w"].startswith(f"0/2 nodes are available: 1 Insufficient cpu, 1 {TOO_MANY}.")


def test_hosts_can_be_the_domains_too():
    nodes = [node("large", cpu="64", memory="64Gi"), node("small")]
    outcome = run(nodes, [web(f"w{number}", spread(HOST)) for number in range(4)])
    assert sorted(places(outcome).values()) == ["large", "large", "small", "small"]


def test_a_skew_of_two_allows_two_more():
    nodes = [zoned("a1", "a"), zoned("b1", "b", unschedulable=True)]
    four = [web(f"w{number}", spread(skew=2)) for number in range(4)]
    assert len(places(run(nodes, four))) == 2


def test_a_batch_comes_out_even():
    nodes = [zoned(f"{zone}{number}", zone) for zone in "abc" for number in range(4)]
    outcome = run(nodes, [web(f"w{number:02}") for number in range(12)])
    zones = [name[0] for name in places(outcome).values()]
    assert sorted(zones) == ["a"] * 4 + ["b"] * 4 + ["c"] * 4
    for count in range(1, 13):
        so_far = [zones[:count].count(zone) for zone in "abc"]
        assert max(so_far) - min(so_far) <= 1


@pytest.mark.parametrize(
    "other",
    [
        there("x", "a1", labels={"app": "other"}),
        there("x", "a1", namespace="other"),
        there("x", "a1", deleting=True),
        there("x", "a1", status={"phase": "Failed"}),
    ],
)
def test_pods_that_it_does_not_select_or_that_leave_are_not_counted(other):
    only_a = [zoned("a1", "a"), zoned("b1", "b", unschedulable=True)]
    assert places(run(only_a, [web("w"), other])) == {"w": "a1"}


def test_a_pod_that_does_not_select_itself_adds_nothing_to_the_skew():
    only_a = [zoned("a1", "a"), zoned("b1", "b", unschedulable=True)]
    alike = [web(f"w{number}", labels={"app": "guest"}) for number in range(3)]
    assert len(places(run(only_a, alike))) == 3


def test_a_node_without_the_label_is_no_place_for_it():
    outcome = run([zoned("bare", "")], [web("w")])
    assert words(outcome)["w"] == (
        f"0/1 nodes are available: 1 {NO_LABEL}. "
        "preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
    )


def test_a_node_that_objects_by_itself_is_counted_under_that_alone():
    outcome = run([zoned("bare", "", unschedulable=True)], [web("w")])
    assert words(outcome)["w"].startswith("0/1 nodes are available: 1 node(s) were unschedulable. preemption: ")


def test_every_constraint_must_hold():
    nodes = [zoned("a1", "a"), zoned("b1", "b"), zoned("b2", "b")]
    asked = [spread(ZONE), spread(HOST)]
    outcome = run(nodes, [there("x", "a1"), there("y", "b1"), web("w", *asked)])
    assert places(outcome) == {"w": "b2"}


def test_nodes_that_lack_a_label_of_another_constraint_make_no_domain():
    # Zone c has a node only without the rack, so that it cannot be filled: it must not hold the others at 0.
    nodes = [zoned("a1", "a"), zoned("b1", "b"), zoned("c1", "c")]
    for each in nodes[:2]:
        each["metadata"]["labels"]["rack"] = "r"
    asked = [spread(ZONE), spread("rack", skew=10)]
    assert len(places(run(nodes, [web(f"w{number}", *asked) for number in range(4)]))) == 4


def test_with_fewer_zones_than_min_domains_none_may_have_more_than_max_skew():
    nodes = [zoned("a1", "a"), zoned("b1", "b")]
    six = [web(f"w{number}", spread(minDomains=3)) for number in range(6)]
    assert len(places(run(nodes, six))) == 2
    assert len(places(run([*nodes, zoned("c1", "c")], six))) == 6


def test_zones_that_its_node_selector_rules_out_do_not_count():
    nodes = [zoned("a1", "a"), zoned("b1", "b")]
    nodes[0]["metadata"]["labels"]["disk"] = "ssd"
    three = [web(f"w{number}", nodeSelector={"disk": "ssd"}) for number in range(3)]
    assert len(places(run(nodes, three))) == 3


def test_pods_on_nodes_that_its_node_selector_rules_out_do_not_count():
    nodes = [zoned("a1", "a"), zoned("a2", "a"), zoned("b1", "b")]
    for each in (nodes[0], nodes[2]):
        each["metadata"]["labels"]["disk"] = "ssd"
    pods = [there("x", "a2"), there("y", "a2"), there("z", "b1"), web("w", nodeSelector={"disk": "ssd"})]
    assert places(run(nodes, pods)) == {"w": "a1"}


def test_zones_that_it_cannot_use_count_if_node_affinity_policy_is_ignore():
    nodes = [zoned("a1", "a"), zoned("b1", "b")]
    nodes[0]["metadata"]["labels"]["disk"] = "ssd"
    three = [web(f"w{n}", spread(nodeAffinityPolicy="Ignore"), nodeSelector={"disk": "ssd"}) for n in range(3)]
    assert len(places(run(nodes, three))) == 1


TAINTED = {"taints": [{"key": "gpu", "effect": "NoSchedule"}]}


def test_tainted_zones_count_although_it_cannot_go_there():
    nodes = [zoned("a1", "a"), zoned("b1", "b", **TAINTED)]
    assert len(places(run(nodes, [web(f"w{n}") for n in range(3)]))) == 1


def test_tainted_zones_do_not_count_if_node_taints_policy_is_honor():
    nodes = [zoned("a1", "a"), zoned("b1", "b", **TAINTED)]
    assert len(places(run(nodes, [web(f"w{n}", spread(nodeTaintsPolicy="Honor")) for n in range(3)]))) == 3


def test_match_label_keys_spread_each_rollout_by_itself():
    nodes = [zoned("a1", "a"), zoned("b1", "b", unschedulable=True)]
    old = there("x", "a1", labels={**WEB, "pod-template-hash": "1"})
    new = {**WEB, "pod-template-hash": "2"}
    assert not places(run(nodes, [old, web("w", labels=new)]))
    asked = spread(matchLabelKeys=["pod-template-hash"])
    assert places(run(nodes, [old, web("w", asked, labels=new)])) == {"w": "a1"}


def test_an_empty_selector_counts_all_pods_of_the_namespace():
    nodes = [zoned("a1", "a"), zoned("b1", "b")]
    outcome = run(nodes, [there("x", "a1", labels={}), web("w", spread(labelSelector={}))])
    assert places(outcome) == {"w": "b1"}


def test_a_soft_constraint_prefers_the_emptier_zone_but_does_not_insist():
    soft = spread(hard=False)
    assert places(run(A_B, [web("w", soft), there("x", "a1"), there("y", "a2")])) == {"w": "b1"}
    nodes = [zoned("a1", "a"), zoned("b1", "b", unschedulable=True)]
    assert len(places(run(nodes, [web(f"w{number}", soft) for number in range(3)]))) == 3


def test_a_node_outside_all_zones_gets_no_points_for_being_empty():
    # It is also the emptiest by far, but not by enough to make up for what the others get.
    nodes = [zoned("bare", ""), zoned("a1", "a"), zoned("b1", "b")]
    outcome = run(nodes, [there("x", "a1", cpu="1"), there("y", "b1", cpu="1"), web("w", spread(hard=False))])
    why = outcome.bindings[0][2]
    points = {verdict["node"]: verdict["scores"]["PodTopologySpread"] for verdict in why["nodes"]}
    assert points == {"a1": 200, "b1": 200, "bare": 0}
    assert why["chosen"] == "a1"


def test_replicas_of_one_owner_crowd_no_zone_on_a_node_outside_all_zones():
    by_zone = Spread(SpreadConstraint(ZONE, max_skew=5, hard=False, selects=None), own=True, domains={"a": 3})
    assert by_zone.crowd({}) == 0.0 < by_zone.crowd({ZONE: "a"})


def test_replicas_of_one_owner_are_spread_over_hosts_and_zones_without_being_asked():
    nodes = [zoned(f"{zone}{number}", zone) for zone in "ab" for number in (1, 2)]
    outcome = run(nodes, [pod(f"w{number}", owner="rs") for number in range(4)])
    assert sorted(places(outcome).values()) == ["a1", "a2", "b1", "b2"]
    assert {name[0] for name in list(places(outcome).values())[:2]} == {"a", "b"}


def test_only_domains_of_nodes_that_would_do_give_a_constraint_its_weight():
    elsewhere = [zoned(f"c{number}", "c", unschedulable=True) for number in range(8)]
    nodes = [zoned("a1", "a"), zoned("b1", "b"), zoned("b2", "b", unschedulable=True), *elsewhere]
    there = [pod("x", owner="rs", node="a1"), *(pod(f"y{n}", owner="rs", node="b2") for n in range(2))]
    outcome = run(nodes, [*there, pod("w", owner="rs")])
    # One more on the host weighs as much as one more in the zone: there are two of either to choose from.
    points = {v["node"]: v["scores"]["PodTopologySpread"] for v in outcome.bindings[0][2]["nodes"] if v["fits"]}
    assert points == {"a1": 200, "b1": 200}


def test_the_pods_of_a_job_are_not_spread_without_being_asked():
    jobs = [pod(f"p{n}", owner="job", owner_kind="Job") for n in range(2)]
    outcome = run([node(name) for name in "ab"], jobs)
    assert all("PodTopologySpread" not in v["scores"] for _, _, why in outcome.bindings for v in why["nodes"])


def test_the_replicas_that_are_there_count():
    nodes = [zoned("a1", "a", cpu="64", memory="64Gi"), zoned("b1", "b")]
    there = pod("x", owner="rs", node="a1")
    assert places(run(nodes, [there, pod("w", owner="rs")])) == {"w": "b1"}
    assert places(run(nodes, [there, pod("w", owner="another")])) == {"w": "a1"}


def test_a_replica_of_an_older_revision_counts_once_whatever_it_asks_for():
    nodes = [zoned("a1", "a"), zoned("b1", "b")]
    older = pod("x", owner="rs", node="a1", affinity=affinity("podAntiAffinity", term(HOST, app="nobody")))
    assert places(run(nodes, [older, pod("y", owner="rs", node="b1"), pod("w", owner="rs")])) == {"w": "a1"}


def test_a_pod_that_is_to_be_packed_is_not_spread():
    nodes = [zoned(f"a{number}", "a") for number in (1, 2, 3)]
    outcome = run(nodes, [pod(f"w{n}", cpu="1", memory="2Gi", owner="rs") for n in range(4)], MOST_ALLOCATED)
    assert set(places(outcome).values()) == {"a1"}


def test_where_no_usable_node_has_the_label_none_is_a_place_for_it():
    nodes = [zoned("a1", "a"), node("bare", labels={"disk": "ssd"})]
    outcome = run(nodes, [web("w", nodeSelector={"disk": "ssd"})])
    assert f": 1 node(s) didn't match Pod's node affinity/selector, 1 {NO_LABEL}." in words(outcome)["w"]
