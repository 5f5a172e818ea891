"""Pod affinity and anti-affinity: near those, away from these."""

import pytest

from lab.scheduler.batch import schedule
from lab.scheduler.topology import EXISTING_ANTI_AFFINITY, Topology

from .build import affinity, cache_of, node, places, pod, run, term, words

ZONE, HOST = "topology.kubernetes.io/zone", "kubernetes.io/hostname"
DB = {"app": "db"}
NODES = [node("a1", labels={ZONE: "a"}), node("a2", labels={ZONE: "a"}), node("b1", labels={ZONE: "b"})]


def near(*terms: dict) -> dict:
    return affinity("podAffinity", *terms)


def away(*terms: dict) -> dict:
    return affinity("podAntiAffinity", *terms)


def test_affinity_leads_to_the_domain_of_those_it_wants():
    cpu = {"cpu": "3"}  # so that the other nodes would look better
    outcome = run(NODES, [pod("db", node="b1", labels=DB, **cpu), pod("w", affinity=near(term(ZONE, app="db")))])
    assert places(outcome) == {"w": "b1"}


def test_where_nobody_is_whom_it_wants_it_waits():
    outcome = run(NODES, [pod("w", affinity=near(term(ZONE, app="db")))])
    assert words(outcome)["w"] == (
        "0/3 nodes are available: 3 node(s) didn't match pod affinity rules. "
        "preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
    )


def test_the_first_of_a_group_that_wants_its_own_kind_may_start_anywhere():
    group = [pod(f"w{n}", labels=DB, affinity=near(term(ZONE, app="db"))) for n in range(3)]
    zones = {name[0] for name in places(run(NODES, group)).values()}
    assert len(zones) == 1


def test_the_first_of_a_group_may_start_only_where_the_label_is():
    outcome = run([node("bare")], [pod("w", labels=DB, affinity=near(term(ZONE, app="db")))])
    assert not places(outcome)


def test_one_pod_must_match_all_terms_for_any_to_count():
    both = near(term(ZONE, app="db"), term(ZONE, tier="data"))
    halves = [pod("x", node="a1", labels=DB), pod("y", node="a1", labels={"tier": "data"})]
    assert not places(run(NODES, [*halves, pod("w", affinity=both)]))
    whole = pod("z", node="b1", labels={**DB, "tier": "data"})
    assert places(run(NODES, [*halves, whole, pod("w", affinity=both)])) == {"w": "b1"}


def test_anti_affinity_keeps_away_from_the_domain():
    outcome = run(NODES, [pod("db", node="a1", labels=DB), pod("w", affinity=away(term(ZONE, app="db")))])
    assert places(outcome) == {"w": "b1"}


def test_replicas_that_avoid_each_other_get_a_host_each_and_the_last_one_waits():
    four = [pod(f"w{n}", labels=DB, affinity=away(term(HOST, app="db"))) for n in range(4)]
    outcome = run(NODES, four)
    assert sorted(places(outcome).values()) == ["a1", "a2", "b1"]
    assert words(outcome)["w3"] == (
        "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules. "
        "preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod."
    )


def test_a_node_without_the_label_is_in_nobodys_way():
    avoiding = away(term(ZONE, app="db"))
    outcome = run([node("bare")], [pod("db", node="bare", labels=DB), pod("w", affinity=avoiding)])
    assert places(outcome) == {"w": "bare"}


def test_pods_that_are_there_keep_away_those_they_do_not_want():
    there = pod("lonely", node="a1", affinity=away(term(ZONE, app="web")))
    outcome = run(NODES, [there, pod("w", labels={"app": "web"})])
    assert places(outcome) == {"w": "b1"}
    only_a = run(NODES[:2], [there, pod("w", labels={"app": "web"})])
    assert "2 node(s) didn't satisfy existing pods anti-affinity rules" in words(only_a)["w"]


def test_a_pod_placed_in_the_same_run_keeps_others_away_too():
    first = pod("a-lonely", priority=1, affinity=away(term(ZONE, app="web")))
    outcome = run(NODES, [first, *(pod(f"w{n}", labels={"app": "web"}) for n in range(3))])
    zone = places(outcome)["a-lonely"][0]
    assert all(name[0] != zone for who, name in places(outcome).items() if who != "a-lonely")


def test_other_namespaces_are_another_matter():
    there = pod("db", node="a1", labels=DB, namespace="other")
    everywhere = {**term(ZONE, app="db"), "namespaceSelector": {}}
    assert len(places(run(NODES, [there, pod("w", affinity=near(everywhere))]))) == 1
    assert not places(run(NODES, [there, pod("w", affinity=near(term(ZONE, app="db")))]))


def test_a_selector_of_namespaces_goes_by_their_labels():
    cache = cache_of([])
    cache.namespaces = {"data": {"team": "x"}, "default": {}}
    for each in NODES:
        cache.set_node(each)
    cache.set_pod(pod("db", node="b1", labels=DB, namespace="data"))
    wanted = {**term(ZONE, app="db"), "namespaceSelector": {"matchLabels": {"team": "x"}}}
    cache.set_pod(pod("w", affinity=near(wanted)))
    assert places(schedule(cache, list(cache.pending))) == {"w": "b1"}


@pytest.mark.parametrize(("key", "beside"), [(ZONE, "b1"), (HOST, "a2")])
def test_a_preference_for_company_outweighs_an_emptier_node(key, beside):
    there = pod("db", node=beside, labels=DB, cpu="1")
    outcome = run(NODES, [there, pod("w", affinity=near(term(key, weight=100, app="db")))])
    assert places(outcome) == {"w": beside}
    points = {v["node"]: v["scores"]["InterPodAffinity"] for v in outcome.bindings[0][2]["nodes"]}
    assert points == {"a1": 0, "a2": 0, "b1": 0, beside: 200}


def test_pods_that_are_only_supposed_to_be_there_are_forgotten_again():
    cache = cache_of(NODES, [pod("w", labels={"app": "web"}), pod("x", affinity=away(term(HOST, app="web")))])
    (_, w), (_, lonely) = (cache.pending[key] for key in ("default/w", "default/x"))
    topology, on = Topology(w.info, cache), cache.nodes["a1"]
    with topology.counting([lonely], on):
        assert topology.reasons(on.labels, wide=False) == (EXISTING_ANTI_AFFINITY,)
    assert topology.reasons(on.labels, wide=False) == ()


def test_a_preference_against_company_is_the_reverse():
    # Alone it would go to a1, the first by name of those that are equal.
    there = [pod("x", node="b1", cpu="1"), pod("db", node="a2", labels=DB)]
    assert places(run(NODES, [*there, pod("w", affinity=away(term(ZONE, weight=100, app="db")))])) == {"w": "b1"}


def test_what_pods_that_are_there_prefer_counts_too():
    there = pod("db", node="b1", cpu="1", affinity=near(term(ZONE, weight=50, app="web")))
    assert places(run(NODES, [there, pod("w", labels={"app": "web"})])) == {"w": "b1"}


def test_what_pods_that_are_there_prefer_of_others_does_not_count():
    there = pod("db", node="b1", cpu="1", affinity=near(term(ZONE, weight=50, app="web")))
    outcome = run(NODES, [there, pod("w", labels={"app": "other"})])
    assert places(outcome) == {"w": "a1"}
    assert all("InterPodAffinity" not in verdict["scores"] for verdict in outcome.bindings[0][2]["nodes"])


def test_what_they_insisted_on_counts_as_a_slight_preference():
    group = {"labels": DB, "affinity": near(term(ZONE, app="db"))}
    outcome = run(NODES, [pod("x", node="b1", cpu="1", **group), pod("w", labels=DB)])
    points = {v["node"]: v["scores"]["InterPodAffinity"] for v in outcome.bindings[0][2]["nodes"]}
    assert points == {"b1": 200, "a1": 0, "a2": 0}
