"""A whole run: order, room, the decision as data, and the same verdicts as a plain model in clusters of any size."""

from unittest.mock import patch

import pytest
from hypothesis import given, settings

from lab.scheduler import batch, candidates, diagnosis, sampling
from lab.scheduler.batch import schedule
from lab.scheduler.sampling import enough_nodes
from lab.scheduler.scores import WEIGHTS

from .build import affinity, cache_of, node, places, pod, read, recorded, run, term
from .model import HOST, ZONE, Model
from .random_clusters import clusters, wishes


@pytest.mark.parametrize("exact_nodes", [100, 0], ids=["each pod anew", "from the heap"])
@given(clusters())
@settings(max_examples=300)
def test_it_finds_the_same_nodes_fit_as_a_plain_model(exact_nodes, cluster):
    nodes, pods = cluster
    model, waiting = Model(nodes, pods), {p["metadata"]["name"]: p for p in pods if not p["spec"].get("nodeName")}
    with patch.object(sampling, "EXACT_NODES", exact_nodes):
        outcome = run(nodes, pods)
    placed = {each["metadata"]["name"]: (name, why) for each, name, why in outcome.bindings}
    for name in sorted(waiting):  # of equal importance, and made in the order of their names
        feasible = model.feasible(waiting[name])
        if name not in placed:
            assert not feasible
            continue
        chosen, why = placed[name]
        assert chosen in feasible
        if exact_nodes:
            assert {verdict["node"] for verdict in why["nodes"] if verdict["fits"]} == feasible
        model.place(waiting[name], chosen)


@given(clusters())
@settings(max_examples=150)
def test_a_batch_decides_as_one_run_a_pod_would(cluster):
    nodes, pods = cluster
    cache = cache_of(nodes, pods)
    one_by_one = [each for key in list(cache.pending) for each in recorded(schedule(cache, [key])).bindings]
    assert run(nodes, pods).bindings == one_by_one


@given(clusters(all_bound=True), wishes())
@settings(max_examples=200)
def test_the_totals_of_the_nodes_are_the_sums_of_their_points_and_the_same_from_the_heap(cluster, wish):
    nodes, there = cluster
    decisions = []
    for exact in (True, False):
        with (
            patch.object(candidates, "is_exact", lambda nodes, exact=exact: exact),
            patch.object(diagnosis, "BEST_OF_MANY", 3),
        ):
            decisions += [why for _, _, why in run(nodes, [*there, pod("w", labels={"app": "a"}, **wish)]).bindings]
    if not decisions:
        return
    anew, from_heap = ({v["node"]: v["total"] for v in why["nodes"] if v["fits"]} for why in decisions)
    assert from_heap == pytest.approx({name: anew[name] for name in from_heap}, abs=0.11)
    assert list(from_heap.values()) == pytest.approx(list(anew.values())[:3], abs=0.11)
    assert list(anew.values()) == sorted(anew.values(), reverse=True)
    for verdict in (v for why in decisions for v in why["nodes"] if v["fits"]):
        assert verdict["total"] == pytest.approx(sum(verdict["scores"].values()), abs=0.3)
        assert all(0 <= points <= 100 * WEIGHTS[plugin] for plugin, points in verdict["scores"].items())


def many(count: int, **more) -> list[dict]:
    return [pod(f"p{number:04}", cpu="100m", memory="100Mi", **more) for number in range(count)]


def test_from_the_heap_it_chooses_what_it_would_choose_by_asking_every_node_anew():
    nodes = [node(f"n{n:03}", cpu=str(2 + n % 3), labels={ZONE: str(n % 3)}) for n in range(90)]
    exactly = places(run(nodes, many(300)))
    with patch.object(sampling, "EXACT_NODES", 0):
        assert places(run(nodes, many(300))) == exactly


def test_in_a_large_cluster_replicas_are_spread_evenly_over_hosts_and_zones():
    nodes = [node(f"n{n:03}", labels={ZONE: str(n % 3)}) for n in range(120)]
    hosts = list(places(run(nodes, many(300, owner="rs"))).values())
    zones = [int(name[1:]) % 3 for name in hosts]
    assert {hosts.count(name) for name in set(hosts)} == {2, 3}
    assert len(set(hosts[:120])) == 120
    assert max(zones.count(z) for z in range(3)) - min(zones.count(z) for z in range(3)) <= 3


def test_in_a_large_cluster_with_a_preference_the_spread_stays_even():
    nodes = [node(f"n{n:03}", labels={ZONE: str(n % 3)}) for n in range(300)]
    soft = {"topologyKey": ZONE, "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway"}
    asked = {
        "labels": {"app": "w"},
        "topologySpreadConstraints": [{**soft, "labelSelector": {"matchLabels": {"app": "w"}}}],
    }
    zones = [int(name[1:]) % 3 for name in places(run(nodes, many(600, **asked))).values()]
    assert max(zones.count(z) for z in range(3)) - min(zones.count(z) for z in range(3)) <= 3


def test_large_nodes_in_one_zone_do_not_draw_all_of_them_there():
    size = {True: {"cpu": "64", "memory": "512Gi"}, False: {"cpu": "4", "memory": "8Gi"}}
    nodes = [node(f"n{n:03}", labels={ZONE: str(n % 3)}, **size[n % 3 == 0]) for n in range(120)]
    evenly = {"topologyKey": ZONE, "maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway"}
    asked = {
        "labels": {"app": "w"},
        "topologySpreadConstraints": [{**evenly, "labelSelector": {"matchLabels": {"app": "w"}}}],
    }
    zones = [int(name[1:]) % 3 for name in places(run(nodes, many(300, **asked))).values()]
    assert max(zones.count(z) for z in range(3)) - min(zones.count(z) for z in range(3)) <= 30


def test_a_full_cluster_is_filled_to_the_last_place():
    nodes = [node(f"n{n:03}", cpu="1", memory="64Gi") for n in range(150)]
    outcome = run(nodes, many(1501))
    assert len(outcome.bindings) == 1500
    assert outcome.unschedulable[0].message.startswith("0/150 nodes are available: 150 Insufficient cpu.")


def test_each_pod_sees_the_room_that_those_before_it_have_left():
    outcome = run([node("a", cpu="2")], [pod(f"p{n}", cpu="1") for n in range(3)])
    assert places(outcome) == {"p0": "a", "p1": "a"}


def test_the_oldest_comes_first_and_of_those_as_old_as_each_other_like_and_like_together():
    when = [f"2026-01-01T00:00:0{second}Z" for second in (1, 2)]
    young, old = pod("a", created=when[1]), pod("z", created=when[0])
    mixed = [pod(f"p{n}", created=when[1], labels={"kind": str(n % 2)}) for n in range(4)]
    assert list(places(run([node()], [young, *mixed, old]))) == ["z", "a", "p0", "p2", "p1", "p3"]


def test_pods_that_are_not_its_business_are_left_alone():
    others = [
        pod("custom", schedulerName="mine"),
        pod("gated", schedulingGates=[{"name": "wait"}]),
        pod("leaving", deleting=True),
        pod("done", status={"phase": "Succeeded"}),
    ]
    cache = cache_of([node()], others)
    assert not cache.pending


@pytest.mark.parametrize("exact", [True, False], ids=["each pod anew", "from the heap"])
@given(clusters(), wishes())
@settings(max_examples=100)
def test_what_is_kept_of_the_last_decision_is_what_would_be_said_anew(exact, cluster, wish):
    """Pods of one kind, others between them: each decision of theirs compared with one for which nothing was kept."""
    nodes, pods = cluster
    pods += [pod(f"w{n}", labels={"app": "a"}, **wish) for n in range(6)]

    def said_twice(seen, chosen):
        said = diagnosis.explain(seen, chosen)
        kept, kept_of_alike, kept_of_all = seen.said, seen.scale.said, seen.said_of_all
        seen.said, seen.scale.said, seen.said_of_all = {}, {}, None
        assert read(said) == read(diagnosis.explain(seen, chosen))
        seen.said, seen.scale.said, seen.said_of_all = kept, kept_of_alike, kept_of_all
        return said

    with (
        patch.object(candidates, "is_exact", lambda nodes: exact),
        patch.object(batch, "explain", side_effect=said_twice) as explain,
    ):
        outcome = run(nodes, pods)
    assert explain.call_count == len(outcome.bindings) + len(outcome.unschedulable)


def test_the_decision_names_every_node_of_a_small_cluster_best_first():
    nodes = [node("a", cpu="2"), node("b"), node("c", unschedulable=True)]
    ((_, chosen, why),) = run(nodes, [pod(cpu="1", memory="1Gi")]).bindings
    assert (why["decision"], why["chosen"], chosen) == ("Schedule", "b", "b")
    assert (why["evaluated"], why["feasible"]) == (3, 2)
    assert why["counts"] == {"node(s) were unschedulable": 1}
    best, second, out = why["nodes"]
    assert (best["node"], second["node"]) == ("b", "a")
    assert best["total"] == pytest.approx(sum(best["scores"].values()), abs=0.2)
    assert best["scores"] == {"NodeResourcesFit": 81, "NodeResourcesBalancedAllocation": 93}
    assert out == {"node": "c", "fits": False, "reasons": ["node(s) were unschedulable"]}


def test_of_more_than_ten_it_names_the_best_and_some_that_object_alike_and_counts_them_all():
    roomy = [node(f"n{n:02}", cpu=str(n + 1)) for n in range(16)]
    cordoned = [node(f"x{n:02}", unschedulable=True) for n in range(12)]
    ((_, chosen, why),) = run([*roomy, *cordoned], [pod(cpu="3")]).bindings
    assert (chosen, why["evaluated"], why["feasible"]) == ("n15", 28, 14)
    assert [v["node"] for v in why["nodes"] if v["fits"]] == [f"n{n:02}" for n in range(15, 5, -1)]
    assert [v["node"] for v in why["nodes"] if not v["fits"]] == ["n00", "n01", *(f"x{n:02}" for n in range(10))]
    assert why["counts"] == {"Insufficient cpu": 2, "node(s) were unschedulable": 12}


def test_in_a_large_one_it_names_the_chosen_and_the_runner_up_and_counts_the_rest():
    nodes = [
        *(node(f"n{n:03}", labels={ZONE: "z"}) for n in range(120)),
        *(node(f"x{n}", unschedulable=True) for n in range(5)),
    ]
    outcome = run(nodes, many(3, owner="rs"))
    for _, chosen, why in outcome.bindings:
        assert why["nodes"][0]["node"] == why["chosen"] == chosen
        best, runner_up = why["nodes"]
        assert best["total"] >= runner_up["total"]
        assert best["scores"].keys() == runner_up["scores"].keys() != set()
    refused = run(nodes, [pod("huge", cpu="64")]).unschedulable[0].why
    assert refused["counts"] == {"Insufficient cpu": 120, "node(s) were unschedulable": 5}
    assert (refused["decision"], refused["chosen"], refused["nodes"]) == ("Unschedulable", None, [])


@pytest.mark.parametrize("nodes, enough", [(3, 3), (100, 100), (101, 100), (1000, 420), (5000, 500), (10000, 500)])
def test_of_many_nodes_a_part_is_enough_to_choose_from(nodes, enough):
    assert enough_nodes(nodes) == enough


def test_searches_take_turns_through_a_large_cluster():
    cache = cache_of([node(f"n{n:04}") for n in range(1000)])
    seen = set()
    for number in range(3):
        cache.set_pod(pod(f"p{number}", cpu="100m"))
        outcome = schedule(cache, [f"default/p{number}"])
        seen.add(outcome.bindings[0][1])
        assert outcome.bindings[0][2]["evaluated"] == 420
    assert len(seen) == 3


def test_in_a_large_one_the_points_stay_right_while_one_pod_after_the_other_comes():
    nodes = [node(f"n{n}", labels={ZONE: str(n % 2)}) for n in range(6)]
    evenly = {"topologyKey": ZONE, "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}
    alike = {
        "labels": {"app": "w"},
        "topologySpreadConstraints": [{**evenly, "labelSelector": {"matchLabels": {"app": "w"}}}],
        "affinity": affinity("podAffinity", term(ZONE, weight=10, app="w"), term(HOST, weight=1, app="w")),
    }
    there = [pod("x", node="n0", labels={"app": "w"}), pod("y", node="n2", labels={"app": "w"})]
    with patch.object(candidates, "is_exact", lambda nodes: False):
        outcome = run(nodes, [*there, pod("z", node="n1", labels={"app": "w"}), *many(8, **alike)])
    assert len(outcome.bindings) == 8
    for _, _, why in outcome.bindings:
        best = why["nodes"][0]
        assert best["total"] == pytest.approx(sum(best["scores"].values()), abs=0.3)


@pytest.mark.parametrize("kind", ["podAffinity", "podAntiAffinity"])
@pytest.mark.parametrize("key", ["", HOST, ZONE])
def test_in_a_large_one_company_on_a_host_counts_for_what_it_may_however_many_come(kind, key):
    """Up to the tolerance: else a host that has drawn many would count for more than its room."""
    strictly = {"maxSkew": 3, "topologyKey": key, "whenUnsatisfiable": "DoNotSchedule"}
    spread = [{**strictly, "labelSelector": {"matchLabels": {"app": "w"}}}] if key else []
    wish = affinity(kind, term(HOST, weight=10, app="w"))
    pods = many(60, labels={"app": "w"}, affinity=wish, topologySpreadConstraints=spread)
    with patch.object(candidates, "is_exact", lambda nodes: False):
        outcome = run([node(f"n{n:02}", labels={ZONE: "abc"[n % 3]}) for n in range(20)], pods)
    verdicts = [verdict for _, _, why in outcome.bindings for verdict in why["nodes"] if "scores" in verdict]
    points = [verdict["scores"].get("InterPodAffinity", 0) for verdict in verdicts]
    assert len(outcome.bindings) == 60 and any(points)
    assert max(map(abs, points)) <= 100 * WEIGHTS["InterPodAffinity"] * candidates.TOLERANCE


def test_in_a_large_one_each_host_has_its_turn_again_when_all_have_had_theirs():
    strictly = {"topologyKey": HOST, "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}
    selector = {"labelSelector": {"matchLabels": {"app": "w"}}}
    pods = many(6, labels={"app": "w"}, topologySpreadConstraints=[{**strictly, **selector}])
    with patch.object(candidates, "is_exact", lambda nodes: False):
        outcome = run([node(name) for name in "abc"], pods)
    assert sorted(places(outcome).values()) == ["a", "a", "b", "b", "c", "c"]


def test_when_the_nodes_of_the_sample_are_full_it_asks_the_others():
    kinds = [("a", "0"), ("b", "1"), ("a", "2"), ("b", "3"), ("b", "3"), ("b", "3")]
    pods = [
        pod(f"p{n}", cpu="4", labels={"kind": kind}, created=f"2026-01-01T00:00:0{second}Z")
        for n, (kind, second) in enumerate(kinds)
    ]
    with patch.object(sampling, "EXACT_NODES", 0):
        outcome = run([node(f"n{n}") for n in range(5)], pods)
    # Of five nodes the first kind has asked two, and the first of the other kind has taken the second of them.
    assert list(places(outcome).items())[:3] == [("p0", "n0"), ("p1", "n1"), ("p2", "n2")]


def test_in_a_large_one_room_that_was_promised_is_taken_on_a_node_that_was_not_in_the_sample():
    nodes = [node(f"n{n:03}") for n in range(150)]
    ((_, chosen, why),) = run(nodes, [pod(status={"nominatedNodeName": "n149"})]).bindings
    assert (chosen, why["evaluated"], why["counts"]) == ("n149", 101, {})


def test_of_more_kinds_of_pods_than_it_can_keep_in_mind_it_forgets_the_oldest():
    cache = cache_of([node("a")], [pod(f"p{n}", labels={"kind": str(n % 3)}) for n in range(6)])
    with patch.object(batch, "KINDS_IN_MEMORY", 2):
        a_run = batch.Run(cache)
        outcome = a_run.place(batch.in_order(list(cache.pending.values())), until=float("inf"))
    assert len(outcome.bindings) == 6
    assert [info.labels["kind"] for info in a_run._candidates] == ["1", "2"]


def test_when_its_time_is_over_it_leaves_the_rest_for_another_run():
    cache = cache_of([node("a")], many(3))
    for left in (2, 1, 0):
        outcome = schedule(cache, list(cache.pending), seconds=0.0)
        assert len(outcome.bindings) == 1
        assert (outcome.unfinished, len(cache.pending)) == (left > 0, left)
