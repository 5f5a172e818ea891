"""The scores: formulas and weights are kube-scheduler's."""

import pytest

from lab.scheduler import scores
from lab.scheduler.nodeinfo import image_name, parse_node
from lab.scheduler.podinfo import parse
from lab.scheduler.scores import LEAST_ALLOCATED, MOST_ALLOCATED

from .build import GI, cache_of, node, places, pod, run

MI = 1024 * 1024


def info(**more):
    return parse_node(node(**more))


@pytest.mark.parametrize(
    "cpu, memory, least, most",
    [
        ("2", "4Gi", 50, 50),
        ("1", "4Gi", 62, 37),  # (75 + 50) // 2, (25 + 50) // 2
        ("4", "8Gi", 0, 100),
        ("5", "9Gi", 0, 100),  # more than there is
    ],
)
def test_least_and_most_allocated(cpu, memory, least, most):
    asked, offered = parse(pod(cpu=cpu, memory=memory)), info(cpu="4", memory="8Gi")
    assert scores.least_allocated(asked, offered) == least
    assert scores.most_allocated(asked, offered) == most


def test_what_a_node_offers_none_of_has_no_say_in_its_average():
    asked = parse(pod(cpu="1", memory="2Gi"))
    for score, by_cpu, by_memory in ((scores.least_allocated, 75, 75), (scores.most_allocated, 25, 25)):
        assert score(asked, info(cpu="4", memory="0")) == by_cpu
        assert score(asked, info(cpu="0", memory="8Gi")) == by_memory
        assert score(asked, info(cpu="0", memory="0")) == 0


def test_what_is_there_counts_with_defaults_for_those_that_ask_for_nothing():
    cache = cache_of([node(cpu="1", memory="2000Mi")], [pod(f"p{n}", node="node-1") for n in range(4)])
    # Four pods of 100m and 200Mi and this one: half of the cores, half of the memory.
    assert scores.least_allocated(parse(pod()), cache.nodes["node-1"]) == 50


@pytest.mark.parametrize("cpu, memory, points", [("2", "4Gi", 100), ("4", "0", 50), ("2", "6Gi", 87), ("0", "8Gi", 50)])
def test_balanced_allocation(cpu, memory, points):
    assert scores.balanced_allocation(parse(pod(cpu=cpu, memory=memory)), info(cpu="4", memory="8Gi")) == points


def test_a_pod_that_asks_for_nothing_is_not_led_to_the_node_that_is_balanced():
    lopsided = pod("there", cpu="3", memory="1Gi", node="a")
    outcome = run([node("a"), node("b")], [lopsided, pod("w")])
    assert all("NodeResourcesBalancedAllocation" not in v["scores"] for v in outcome.bindings[0][2]["nodes"])
    assert scores.balanced_allocation(parse(pod()), info()) == 0


def test_a_score_is_a_whole_number_as_a_share_too():
    assert scores.scaled(1, 3) == 33
    assert scores.scaled(1, 3, reverse=True) == 67


def test_where_a_node_offers_none_of_one_of_them_nothing_is_out_of_balance():
    for nothing in ({"cpu": "0"}, {"memory": "0"}):
        assert scores.balanced_allocation(parse(pod(cpu="1", memory="1Gi")), info(**nothing)) == 100


def test_taints_that_only_prefer_are_counted_unless_tolerated():
    taints = [{"key": key, "effect": "PreferNoSchedule"} for key in "ab"]
    assert scores.prefer_no_schedule(parse(pod()), info(taints=taints)) == 2
    tolerant = parse(pod(tolerations=[{"key": "a", "operator": "Exists"}]))
    assert scores.prefer_no_schedule(tolerant, info(taints=taints)) == 1
    wrong_effect = parse(pod(tolerations=[{"key": "a", "operator": "Exists", "effect": "NoSchedule"}]))
    assert scores.prefer_no_schedule(wrong_effect, info(taints=taints)) == 2


def test_a_node_that_is_preferred_not_to_be_used_is_used_last():
    tainted = node("a", taints=[{"key": "x", "effect": "PreferNoSchedule"}])
    outcome = run([tainted, node("b", cpu="2")], [pod("w", cpu="1")])
    assert places(outcome) == {"w": "b"}
    points = {v["node"]: v["scores"]["TaintToleration"] for v in outcome.bindings[0][2]["nodes"]}
    assert points == {"a": 0, "b": 300}


def preferring(*terms: tuple[int, str]) -> dict:
    preferred = [
        {"weight": w, "preference": {"matchExpressions": [{"key": k, "operator": "Exists"}]}} for w, k in terms
    ]
    return {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}


def test_preferred_node_affinity_adds_up_the_weights_of_terms_that_hold():
    asked = parse(pod(affinity=preferring((10, "ssd"), (5, "gpu"), (1, "none"))))
    assert scores.preferred_node_affinity(asked, info(labels={"ssd": "", "gpu": ""})) == 15


def test_preferred_node_affinity_leads_to_the_preferred_node():
    nodes = [node("a"), node("b", labels={"ssd": ""}, cpu="2"), node("c", labels={"ssd": "", "gpu": ""}, cpu="2")]
    outcome = run(nodes, [pod("w", cpu="1", affinity=preferring((10, "ssd"), (10, "gpu")))])
    assert places(outcome) == {"w": "c"}
    points = {v["node"]: v["scores"]["NodeAffinity"] for v in outcome.bindings[0][2]["nodes"]}
    assert points == {"a": 0, "b": 100, "c": 200}


@pytest.mark.parametrize(
    "size, containers, points",
    [
        (10 * MI, 1, 0),  # too small to matter
        (1000 * MI, 1, 100),
        (2000 * MI, 1, 100),
        (511 * MI, 1, 49),  # 100 * (511 - 23) / (1000 - 23)
        (1000 * MI, 2, 49),  # 100 * (1000 - 23) / (2000 - 23)
    ],
)
def test_an_image_that_is_there_already_counts_by_its_size(size, containers, points):
    asked = pod(image="big:1")
    asked["spec"]["containers"] += [{"name": f"c{n}", "image": f"other:{n}"} for n in range(containers - 1)]
    assert scores.image_locality(parse(asked), info(images={"big:1": size}), {"big:1": 1.0}) == points


def test_an_image_that_few_nodes_have_counts_for_less_and_that_of_an_init_container_counts_too():
    asked = pod(image="small", initContainers=[{"name": "i", "image": "big:1"}])
    offered = info(images={"big:1": 1000 * MI})
    assert scores.image_locality(parse(asked), offered, {"big:1": 1.0}) == 49
    assert scores.image_locality(parse(asked), offered, {"big:1": 0.5}) == 24


@pytest.mark.parametrize(
    "written, name",
    [
        ("nginx", "nginx:latest"),
        ("docker.io/library/nginx:1.25", "nginx:1.25"),
        ("docker.io/bitnami/redis", "bitnami/redis:latest"),
        ("registry:5000/web", "registry:5000/web:latest"),
        ("web@sha256:abc", "web@sha256:abc"),
    ],
)
def test_an_image_has_one_name_however_it_is_written(written, name):
    assert image_name(written) == name


def test_a_node_that_has_the_image_wins_over_its_equal():
    outcome = run([node("a"), node("b", images={"web:1": GI})], [pod("w", image="web:1")])
    assert places(outcome) == {"w": "b"}
    points = {v["node"]: v["scores"]["ImageLocality"] for v in outcome.bindings[0][2]["nodes"]}
    assert points == {"a": 0, "b": 50}  # half of the nodes have it


def test_balancing_takes_the_emptiest_node_and_packing_the_fullest_that_has_room():
    nodes = [node("full", cpu="2"), node("half"), node("empty")]
    there = [pod("x", cpu="2", memory="8Gi", node="full"), pod("y", cpu="2", memory="4Gi", node="half")]
    waiting = pod("w", cpu="1", memory="2Gi")
    assert places(run(nodes, [*there, waiting], LEAST_ALLOCATED)) == {"w": "empty"}
    assert places(run(nodes, [*there, waiting], MOST_ALLOCATED)) == {"w": "half"}


def test_a_pod_may_choose_to_be_packed_for_itself():
    nodes = [node("half"), node("empty")]
    there = pod("y", cpu="2", memory="4Gi", node="half")
    packed = pod("w", cpu="1", memory="2Gi", annotations={"orrery.io/scoring-strategy": "MostAllocated"})
    assert places(run(nodes, [there, packed])) == {"w": "half"}


def test_among_equals_the_node_with_fewer_pods_and_then_the_first_by_name_is_taken():
    assert places(run([node("b"), node("a")], [pod("w")])) == {"w": "a"}
    idle = pod("x", node="a")
    for container in idle["spec"]["containers"]:
        container["resources"] = {"requests": {"cpu": "0", "memory": "0"}}
    assert places(run([node("b"), node("a")], [idle, pod("w")])) == {"w": "b"}
