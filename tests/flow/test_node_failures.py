"""Nodes that fail, on a real engine: powered off, cut off, and back; mixed with others; beside another lab's."""

from collections.abc import Iterator

import pytest

from tests.labs import LabUnderTest, is_ready, manage, processes_of, wait_until

from .audit import engine_of, wait_until_as_declared
from .nodes import NODES, a_node, add_node, annotate, left_as_found, nodes_of
from .steps import scale

UNREACHABLE = ("node.kubernetes.io/unreachable", "NoExecute")


@pytest.fixture
def lab(docker_lab) -> Iterator[LabUnderTest]:
    with left_as_found(docker_lab):
        yield docker_lab


def ready(lab: LabUnderTest, name: str) -> str:
    conditions = lab.get(f"{NODES}/{name}")["status"]["conditions"]
    return next(c["status"] for c in conditions if c["type"] == "Ready")


def taints(lab: LabUnderTest, name: str) -> set[tuple[str, str]]:
    return {(taint["key"], taint["effect"]) for taint in lab.get(f"{NODES}/{name}")["spec"].get("taints", ())}


def running(lab: LabUnderTest, node: str) -> set[str]:
    """The pods of a node of which any container really runs."""
    boxes = [box for box in engine_of(lab).list_pods() if box.node == node]
    return {box.uid for box in boxes if any(container.state == "running" for container in box.containers)}


def reasons(lab: LabUnderTest) -> set[str]:
    return {event["reason"] for event in lab.get("/api/v1/events")["items"]}


@pytest.mark.timeout(240)
def test_pods_leave_a_node_without_power_and_one_that_is_cut_off_and_both_come_back_empty(lab):
    scale(lab, 6)
    wait_until_as_declared(lab)
    on_a, on_b = running(lab, "node-a"), running(lab, "node-b")
    assert on_a and on_b
    annotate(lab, "node-a", power="off")
    annotate(lab, "node-b", partitioned="true")
    wait_until("its containers to die", lambda: not running(lab, "node-a"))
    wait_until("both to be given up", lambda: [ready(lab, n) for n in ("node-a", "node-b")] == ["Unknown"] * 2, 60)
    wait_until(
        "the taint that evicts", lambda: ("node.kubernetes.io/unreachable", "NoExecute") in taints(lab, "node-a")
    )
    wait_until("six pods where there is power", lambda: ready_on(lab, "node-c") == 6, 90)
    # Nobody can know whether a node that does not answer still runs them: so they stay, marked, as in Kubernetes.
    leaving = {pod["metadata"]["uid"] for pod in lab.pods() if "deletionTimestamp" in pod["metadata"]}
    assert leaving == on_a | on_b
    assert running(lab, "node-b") == on_b
    assert {"NodeNotReady", "TaintManagerEviction"} <= reasons(lab)

    annotate(lab, "node-a", power=None)
    annotate(lab, "node-b", partitioned=None)
    wait_until_as_declared(lab)
    assert nodes_of(lab) == {"node-c"}
    assert running(lab, "node-a") == running(lab, "node-b") == set()
    assert taints(lab, "node-a") == taints(lab, "node-b") == set()


def ready_on(lab: LabUnderTest, node: str) -> int:
    return len([pod for pod in lab.ready_pods() if pod["spec"].get("nodeName") == node])


def test_a_short_power_cut_moves_nobody(lab):
    before = {pod["metadata"]["uid"]: pod["spec"]["nodeName"] for pod in lab.pods()}
    annotate(lab, "node-a", power="off")
    wait_until("its containers to die", lambda: not running(lab, "node-a"))
    annotate(lab, "node-a", power=None)
    wait_until_as_declared(lab)
    assert {pod["metadata"]["uid"]: pod["spec"]["nodeName"] for pod in lab.pods()} == before


def test_nodes_of_three_runtimes_make_one_cluster(lab):
    for runtime in ("process", "simulated"):
        add_node(lab, a_node(f"of-{runtime}", runtime))
    versions = {n["metadata"]["name"]: n["status"]["nodeInfo"] for n in lab.get(NODES)["items"]}
    kinds = {name: info["containerRuntimeVersion"].partition(":")[0] for name, info in versions.items()}
    assert (kinds["node-a"], kinds["of-process"], kinds["of-simulated"]) == ("docker", "process", "simulated")
    scale(lab, 9)
    wait_until_as_declared(lab)
    assert {"of-process", "of-simulated"} < nodes_of(lab)
    for runtime in ("process", "simulated"):
        lab.api("DELETE", f"{NODES}/of-{runtime}")
    wait_until("all to be on Docker", lambda: nodes_of(lab) <= {"node-a", "node-b", "node-c"})
    wait_until_as_declared(lab)
    assert engine_of(lab, "process").list_pods() == []


@pytest.mark.timeout(240)
def test_two_labs_on_one_engine_each_touch_only_their_own(lab, own_docker_lab):
    before = {box.id: box.containers for box in engine_of(lab).list_pods()}
    own_docker_lab.start()
    own_docker_lab.wait_for_ready_pods(3, seconds=90)
    add_node(own_docker_lab, a_node("of-process", "process"))
    wait_until_as_declared(own_docker_lab)
    theirs = {box.id for box in engine_of(own_docker_lab).list_pods()}
    assert theirs and not theirs & before.keys()
    for box in engine_of(own_docker_lab).list_pods():
        engine_of(own_docker_lab).kill_container(box.containers[0].id)
    wait_until_as_declared(own_docker_lab)
    own_docker_lab.stop()
    manage("down", data=own_docker_lab.data)
    assert engine_of(own_docker_lab).list_pods() == []
    assert processes_of(own_docker_lab.data) == []
    assert {box.id: box.containers for box in engine_of(lab).list_pods()} == before
    assert all(map(is_ready, lab.pods()))
