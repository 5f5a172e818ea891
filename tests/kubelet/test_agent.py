"""A whole kubelet in this process, on the real store and real local processes; and what goes wrong around it."""

import os
import signal
import threading
import time

import pytest

from lab.apimachinery.controlplane import CONTROL_PLANE, POWER
from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import NODES, PODS
from lab.apiserver.strategies import node as node_strategy
from lab.client import Client
from lab.client.clusters import ensure_cluster
from lab.client.election import hold_elections
from lab.kubelet.podsync import SUCCESSION_SECONDS
from lab.runtime import ContainerSpec, SandboxSpec
from tests.labs import wait_until
from tests.runtime.test_process import engine_pid

from .test_status import conditions
from .world import NODE

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_node_is_registered_and_its_pods_run(world):
    world.start()
    world.pod()
    ready = world.running()
    assert conditions(ready["status"])["Ready"] == "True"
    wait_until("the node to be ready", world.node_is_ready, 5)
    node = world.client.get(NODES, "", "node-a")
    assert ready["status"]["podIP"].startswith(node["spec"]["podCIDR"].rpartition(".")[0])


def test_a_node_is_labelled_with_its_machine_for_node_selectors_ask_for_it(world):
    world.start()
    wait_until("the node to be ready", world.node_is_ready, 5)
    node = world.client.get(NODES, "", "node-a")
    info, labels = node["status"]["nodeInfo"], node["metadata"]["labels"]
    assert labels["kubernetes.io/os"] == info["operatingSystem"]
    assert labels["kubernetes.io/arch"] == info["architecture"]
    assert labels["kubernetes.io/hostname"] == "node-a"


def test_a_node_that_comes_from_another_network_is_given_a_range_of_this_one_and_its_pods_new_addresses(world):
    """As after a restore on another machine. Nobody else may change what a node has."""
    world.client.patch(NODES, "", "node-a", {"spec": {"podCIDR": "172.31.7.0/24"}})
    world.pod()
    pod = world.client.get(PODS, "default", "web")
    world.client.update_status(PODS, {**pod, "status": {**pod["status"], "podIP": "172.31.7.2"}})
    with pytest.raises(ApiError, match="may not change podCIDRs"):
        world.client.patch(NODES, "", "node-a", {"spec": {"podCIDR": "10.1.1.0/24", "podCIDRs": ["10.1.1.0/24"]}})
    with pytest.raises(ApiError, match="may not change podCIDRs"):
        world.client.patch(NODES, "", "node-a", {"spec": {"podCIDR": "10.1.1.0/24"}})
    world.start()
    ready = world.running()
    node = world.client.get(NODES, "", "node-a")
    assert not node["spec"]["podCIDR"].startswith("172.31.")
    assert node["spec"]["podCIDRs"] == [node["spec"]["podCIDR"]]
    assert ready["status"]["podIP"].startswith(node["spec"]["podCIDR"].rpartition(".")[0])


def test_a_node_that_moves_to_another_engine_leaves_nothing_here(world, monkeypatch):
    monkeypatch.setattr("lab.kubelet.nodeagent.PRUNE_SECONDS", 0.5)
    world.start()
    world.pod()
    before = world.running()
    there = world.client.get(NODES, "", "node-a")["metadata"]["labels"] | {"orrery.io/runtime": "simulated"}
    world.client.patch(NODES, "", "node-a", {"metadata": {"labels": there}})
    assert len(world.runtime.networks()) == 1
    wait_until("the containers to go", lambda: not world.runtime.list_pods(), 20)
    wait_until("their network to go", lambda: not world.runtime.networks(), 20)
    now = world.client.get(PODS, "default", "web")
    said = [(pod["metadata"]["uid"], pod["status"]["phase"], pod["status"]["podIP"]) for pod in (before, now)]
    assert said[0] == said[1] == (said[0][0], "Running", before["status"]["podIP"])


def test_a_node_that_cannot_be_understood_is_no_reason_to_leave_the_others(world, monkeypatch):
    """Somebody has written it, in a cluster of theirs. Here its range is one that no check would let in any more."""
    monkeypatch.setattr(node_strategy, "_validate_cidr", lambda *_: ())
    ensure_cluster("odd")
    node = {"metadata": {"name": "odd", "labels": NODE["metadata"]["labels"]}, "spec": {"podCIDR": "fd00::/64"}}
    client = Client("odd", "kubectl")
    client.create(NODES, node)
    broken = {"metadata": {"name": "broken", "labels": NODE["metadata"]["labels"]}, "spec": {"podCIDR": "10.0.0.0/8"}}
    client.create(NODES, broken)
    agent = world.start()
    monkeypatch.setattr(
        agent.parts.volumes, "reclaim", lambda cluster: 1 / 0 if cluster == "odd" else None
    )  # and whatever else nobody has thought of
    world.pod()
    world.running()
    assert not agent.stopped


def test_what_could_not_be_said_of_a_node_is_said_when_its_control_plane_is_back(world):
    """A worker that is restarted meanwhile answers at another address."""
    world.client.create(NODES, {"metadata": {"name": "cp", "labels": {CONTROL_PLANE: ""}}})
    hold_elections("world")
    switch = Client("world", "tester", hardware=True)
    switch.patch(NODES, "", "cp", {"metadata": {"annotations": {POWER: "off"}}})
    agent = world.start()
    wait_until("the node to be known", lambda: agent.parts.nodes.get("world", "node-a"), 20)
    time.sleep(2.5)  # it has tried to say so
    assert not world.node_is_ready()
    switch.patch(NODES, "", "cp", {"metadata": {"annotations": {POWER: None}}})
    wait_until("the node to be ready", world.node_is_ready, 10)


def test_a_death_is_healed_at_once_though_the_engines_list_does_not_know_of_it_yet(world):
    world.start()
    world.pod()
    world.running()
    wait_until("the kubelet to listen", lambda: world.runtime.listening, 30)
    world.runtime.lag = 60.0
    world.kill()
    world.running(restarts=1)


def test_a_network_that_is_healed_while_the_engine_still_cuts_it_off_is_joined_again(world):
    agent = world.start()
    world.pod()
    world.running()

    def plug(value: str | None) -> None:
        world.client.patch(NODES, "", "node-a", {"metadata": {"annotations": {"orrery.io/partitioned": value}}})

    def heal() -> None:
        plug(None)
        wait_until("the kubelet to hear", lambda: not agent.parts.nodes.get("world", "node-a").partitioned, 30, 0.02)

    world.runtime.while_cutting = heal
    plug("true")
    wait_until("the pod to be cut off, and joined", lambda: world.runtime.parted[-2:] == [True, False], 30)


def test_a_kubelet_that_is_stopped_leaves_its_pods_and_the_next_one_takes_them_up(world):
    world.start()
    world.pod()
    before = world.running()
    world.agents[0].stop()
    assert [c.state for c in world.boxes()[0].containers] == ["running"]
    world.start()
    world.pod("other")
    world.running("other")
    assert but_for_seconds(world.now()["status"]) == but_for_seconds(before["status"])


def but_for_seconds(status: dict) -> dict:
    """Who starts a container notes the time before, the engine the time after: it may be another second."""
    running = [{**one, "state": list(one["state"])} for one in status["containerStatuses"]]
    return {**status, "containerStatuses": running}


def test_what_happened_while_no_kubelet_was_there_is_made_good(world):
    world.start()
    for name in ("dies", "goes", "stays"):
        world.pod(name)
    for name in ("dies", "goes", "stays"):
        world.running(name)
    world.agents[0].stop()
    (dying,) = [box for box in world.boxes() if box.name == "dies"]
    world.runtime.kill_container(dying.containers[0].id)
    world.client.delete(PODS, "default", "goes", grace_seconds=0)
    world.start()
    world.running("dies", restarts=1)
    wait_until("the orphan to go", lambda: sorted(box.name for box in world.boxes()) == ["dies", "stays"], 15)
    assert world.running("stays")


def test_an_orphan_that_the_engine_cannot_remove_is_not_in_the_way_of_the_others(world):
    world.start()
    names = ("a", "b", "c")
    for name in names:
        world.pod(name)
    for name in names:
        world.running(name)
    world.agents[0].stop()
    for name in names:
        world.client.delete(PODS, "default", name, grace_seconds=0)
    world.runtime.stuck = world.boxes()[0].name
    world.start()
    wait_until("the others to go", lambda: [box.name for box in world.boxes()] == [world.runtime.stuck], 15)
    world.runtime.stuck = ""
    wait_until("it to go too", lambda: not world.boxes(), 15)


def test_the_remains_of_a_pod_are_not_in_the_way_of_who_comes_in_its_place(world):
    world.start()
    world.pod()
    world.running()
    began = time.monotonic()
    world.client.delete(PODS, "default", "web", grace_seconds=0)
    wait_until("its remains to go", lambda: not world.boxes(), 15, 0.02)
    assert time.monotonic() - began >= SUCCESSION_SECONDS


def test_of_two_kubelets_one_stands_by_until_the_other_has_gone(world):
    first, second = world.start(), world.start()
    world.pod()
    world.running()
    assert len(world.boxes()) == 1
    assert [agent.heart.lock.acquire() for agent in (first, second)].count(True) == 1
    holder = first if first.heart.lock.acquire() else second
    holder.stop()
    world.pod("later")
    world.running("later")
    assert sorted(box.name for box in world.boxes()) == ["later", "web"]


def test_a_container_that_was_created_and_never_started_is_started_without_a_restart(world):
    world.start()
    world.pod()
    world.running()
    world.agents[0].stop()
    (box,) = world.boxes()
    world.runtime.remove_pod_sandbox(box.id)
    status = world.now()["status"]
    world.client.update_status(PODS, {**world.now(), "status": {k: status[k] for k in ("phase", "qosClass")}})
    pod = SandboxSpec("world", "node-a", "default", "web", box.uid, box.address)
    sandbox = world.runtime.run_pod_sandbox(pod)
    world.runtime.create_container(sandbox, pod, ContainerSpec("web", "orrery/hello:v1"))
    world.start()
    world.running(restarts=0)
    assert len(world.boxes()[0].containers) == 1


def test_an_older_pods_address_is_not_given_to_a_new_one_before_the_engine_was_asked(world):
    world.start()
    world.pod()
    address = world.running()["status"]["podIP"]
    world.agents[0].stop()
    world.pod("other")
    world.runtime.address_hidden_of = "web"
    world.start()
    assert world.running("other")["status"]["podIP"] != address


def test_heartbeats_go_on_while_the_engine_does_not_answer_and_so_does_the_node(world):
    world.start()
    world.pod()
    world.running()
    world.runtime.silent = True
    world.hear_heartbeats()
    assert world.node_is_ready()
    world.runtime.silent = False
    world.pod("later")
    world.running("later")


def test_a_node_that_is_made_anew_while_its_pods_cannot_be_taken_away_yet_is_rid_of_them_in_the_end(world):
    agent = world.start()
    for name in ("goes", "ends", "stays"):
        world.pod(name)
    before = {name: world.running(name) for name in ("goes", "ends", "stays")}
    world.runtime.silent = True
    world.client.delete(NODES, "", "node-a")
    record = agent.parts.pods.get(before["goes"]["metadata"]["uid"])
    wait_until("its pods to be taken down", lambda: record.ending, 30)
    world.client.delete(PODS, "default", "goes", grace_seconds=0)
    world.client.delete(PODS, "default", "ends")
    world.client.create(NODES, NODE)
    wait_until("the kubelet to know", lambda: agent.parts.nodes.get("world", "node-a"), 30)
    old = {box.id for box in world.boxes()}
    world.runtime.silent = False

    def anew() -> bool:
        sandboxes = {box.name: box.id for box in world.boxes()}
        return list(sandboxes) == ["stays"] and sandboxes["stays"] not in old

    wait_until("one to go and the other to be begun anew", anew, 30)
    wait_until("the one that was told to end to have ended", lambda: not world.now("ends"), 30)
    assert world.running("stays", restarts=1)["status"]["podIP"] == before["stays"]["status"]["podIP"]


def test_an_engine_that_is_killed_takes_the_pods_along_and_all_of_them_are_made_anew(world):
    world.start()
    for name in ("web", "other"):
        world.pod(name)
    before = [world.running(name)["status"]["podIP"] for name in ("web", "other")]
    os.kill(engine_pid(world.folder), signal.SIGKILL)
    after = [world.running(name, restarts=1)["status"]["podIP"] for name in ("web", "other")]
    assert after == before


def test_a_stopped_kubelet_leaves_no_thread_behind(world):
    world.boxes()  # starts the engine, whose process is waited for in a thread
    before = set(threading.enumerate())
    world.start()
    world.pod()
    world.running()
    world.agents[0].stop()
    left: list[str] = []

    def look() -> bool:
        left[:] = [thread.name for thread in threading.enumerate() if thread not in before]
        return not left

    try:
        wait_until("its threads to end", look, 15)
    except AssertionError as late:
        raise AssertionError(f"left are {left}") from late
