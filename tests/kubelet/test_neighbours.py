"""Who shares a cluster's network, and in which range: pure."""

import pytest

from lab.apimachinery.engines import labels_of
from lab.apimachinery.labels import KUBELET
from lab.kubelet.neighbours import End, Neighbours


def node(name: str, engine: str, cidr: str = "", url: str = "") -> dict:
    annotations = {KUBELET: url} if url else {}
    return {
        "metadata": {"name": name, "labels": labels_of(engine), "annotations": annotations},
        "spec": {"podCIDR": cidr} if cidr else {},
    }


def seen_from(engine: str, *nodes: dict) -> Neighbours:
    neighbours = Neighbours(engine)
    for each in nodes:
        neighbours.put("c", each)
    return neighbours


A, B = node("a", "docker", "10.64.1.0/24", "http://a:1"), node("b", "docker.b", "10.64.2.0/24", "http://b:1")


def test_both_engines_are_joined_and_know_each_others_ranges():
    ours = seen_from("docker", A, B)
    assert ours.joined() == ["c"] and ours.own("c").ranges == ("10.64.1.0/24",)
    assert ours.others("c") == [End("docker.b", "http://b:1", ("10.64.2.0/24",))]
    assert seen_from("docker.b", A, B).others("c") == [End("docker", "http://a:1", ("10.64.1.0/24",))]


def test_a_cluster_by_itself_is_joined_with_nobody():
    assert seen_from("docker", A).joined() == [] and seen_from("docker.b", B).joined() == []
    assert seen_from("docker", A, node("s", "simulated")).joined() == []


def test_the_labs_own_engine_has_a_part_in_all_and_another_only_where_it_has_nodes():
    assert seen_from("docker", B).joined() == ["c"]
    assert seen_from("docker.d", A, B).joined() == []


@pytest.mark.parametrize("engine", ["docker", "docker.b", "docker.d"])
def test_the_first_engine_with_a_range_says_which_network_it_is(engine):
    stale = node("b2", "docker.b", "10.99.1.0/24")
    assert seen_from(engine, A, B, stale, node("new", "docker.d")).network("c") == "10.64.0.0/16"


def test_nobody_else_says_which_network_it_is_where_nobody_else_is():
    assert seen_from("docker", A).network("c") == ""
    assert seen_from("docker.b", node("a", "docker"), B).network("c") == ""


def test_only_the_first_engine_chooses_a_range():
    both = node("a", "docker"), node("b", "docker.b")
    assert seen_from("docker", *both).waits_for("c") == ""
    assert seen_from("docker.b", *both).waits_for("c") == "docker"
    assert seen_from("docker.b", node("a", "docker"), B).waits_for("c") == ""
    assert seen_from("docker.b", node("b", "docker.b")).waits_for("c") == ""


def test_a_node_that_moves_or_goes_takes_its_range_along():
    ours = seen_from("docker", A, B)
    ours.put("c", node("b", "docker", "10.64.2.0/24"))
    assert ours.joined() == [] and ours.own("c").ranges == ("10.64.1.0/24", "10.64.2.0/24")
    ours.put("c", B)
    ours.remove("c", "b")
    assert ours.joined() == []
    ours.put("c", node("a", "process"))
    assert ours.own("c").ranges == ()
