"""The scheduler's picture of a cluster: whatever comes and goes, in whichever order."""

from .build import cache_of, node, pod


def test_a_pod_that_came_before_its_node_is_on_it_when_it_comes():
    cache = cache_of([], [pod("w", cpu="1", node="a"), pod("gone", node="a")])
    cache.remove_pod("default/gone")
    cache.set_node(node("a"))
    assert (list(cache.nodes["a"].pods), cache.nodes["a"].used_cpu) == (["default/w"], 1000)


def test_a_node_that_comes_back_finds_its_pods_again():
    cache = cache_of([node("a")], [pod("w", cpu="1", node="a")])
    cache.remove_node("a")
    assert list(cache.placed_pods()) == []
    cache.set_node(node("a"))
    assert cache.nodes["a"].used_cpu == 1000


def test_a_node_that_is_described_anew_keeps_its_pods_and_promises():
    promised = pod("vip", status={"nominatedNodeName": "a"})
    cache = cache_of([node("a", cpu="4")], [pod("w", cpu="1", node="a"), promised])
    cache.set_node(node("a", cpu="8"))
    there = cache.nodes["a"]
    assert (there.cpu, there.used_cpu, cache.promise_to("default/vip")) == (8000, 1000, there)
    cache.remove_node("a")
    assert cache.promise_to("default/vip") is None


def test_the_domains_of_a_label_follow_the_nodes():
    cache = cache_of([node("a", labels={"zone": "1"})])
    assert cache.domains("zone") == {"1": 0}
    cache.set_node(node("a", labels={"zone": "2"}))
    cache.set_node(node("b", labels={"zone": "3"}))
    assert cache.domains("zone") == {"2": 0, "3": 0}
    cache.remove_node("a")
    assert cache.domains("zone") == {"3": 0}


def test_of_pods_that_are_gone_nothing_is_kept():
    cache = cache_of([node("a")])
    for number in range(101):
        cache.set_pod(pod("w", node="a", owner=f"rs-{number}"))
    cache.remove_pod("default/w")
    cache.tidy()
    assert (len(cache._infos), len(cache._owned)) == (0, 0)
