"""A kubelet whose wheel is stopped, stepped or broken: its pods wait, what runs goes on running."""

import pytest

from lab.apimachinery.kinds import EVENTS, LEASES, PODS, WHEELS
from lab.apimachinery.leases import LEASE_NAMESPACE
from lab.apimachinery.wheels import Wheel
from lab.kubelet.turning import Turning
from tests.labs import wait_until

from .world import World

WHEEL = "kubelet.node-a"


def turn(world: World, **spec: object) -> None:
    if world.client.find(WHEELS, "", WHEEL):
        world.client.patch(WHEELS, "", WHEEL, {"spec": spec})
    else:
        world.client.create(WHEELS, {"metadata": {"name": WHEEL}, "spec": spec})
    world.agents[0].catch_up("world")


def heartbeat(world: World) -> str:
    lease = world.client.find(LEASES, LEASE_NAMESPACE, "node-a")
    return lease["spec"]["renewTime"] if lease else ""


def settled(world: World) -> None:
    wait_until("the workers to have nothing to do", world.agents[0].workers.idle, 30)


def told(world: World) -> set[str]:
    events = world.client.list(EVENTS)
    return {e["involvedObject"]["name"] for e in events if e["message"] == f"broken on purpose: wheel {WHEEL}"}


@pytest.mark.django_db(transaction=True)
def test_a_paused_kubelet_starts_stops_and_says_nothing_and_makes_up_for_it_later(world):
    agent = world.start()
    for name in ("web", "goes"):
        world.pod(name)
        world.running(name)
    turn(world, mode="Paused")
    wait_until("a beat that was under way to be over", lambda: heartbeat(world) == _after_a_beat(world, agent), 30)
    silent = heartbeat(world)
    (box,) = [box for box in world.boxes() if box.name == "web"]
    world.runtime.kill_container(box.containers[0].id)
    world.client.delete(PODS, "default", "goes", grace_seconds=0)
    world.pod("new")
    agent.catch_up("world")
    agent.pleg.relist()
    settled(world)
    states = {box.name: [container.state for container in box.containers] for box in world.boxes()}
    assert (states, heartbeat(world)) == ({"web": ["exited"], "goes": ["running"]}, silent)
    world.client.delete(WHEELS, "", WHEEL)  # without a wheel it turns
    agent.catch_up("world")
    world.running("new")
    world.running("web", restarts=1)
    wait_until("the deleted pod to be gone", lambda: {box.name for box in world.boxes()} == {"web", "new"}, 30)
    wait_until("a heartbeat", lambda: heartbeat(world) != silent, 30)


def _after_a_beat(world: World, agent) -> str:
    agent._beat()
    return heartbeat(world)


@pytest.mark.django_db(transaction=True)
def test_a_broken_kubelet_beats_on_and_says_at_each_pod_what_is_wrong(world):
    agent = world.start()
    wait_until("the node to be ready", world.node_is_ready, 30)
    turn(world, mode="Broken")
    before = heartbeat(world)
    world.pod("new")
    agent.catch_up("world")
    wait_until("the event", lambda: told(world) == {"new"}, 30)
    wait_until("a heartbeat", lambda: heartbeat(world) != before, 30)
    assert world.boxes() == []
    turn(world, mode="Step", steps=1)
    world.running("new")
    assert world.client.get(WHEELS, "", WHEEL)["status"]["taken"] == 1


def test_a_step_is_one_pods_sync_and_who_waits_is_told_when_there_is_another():
    turning = Turning()
    assert turning.takes("a")
    assert turning.put(Wheel("kubelet.n", "Step", steps=1, taken=0)) == []
    assert [turning.takes(uid) for uid in "abc"] == [True, False, False]
    assert turning.put(Wheel("kubelet.n", "Step", steps=1, taken=1)) == []
    assert turning.put(Wheel("kubelet.n", "Step", steps=2, taken=1)) == ["b", "c"]
    assert [turning.takes(uid) for uid in "bc"] == [True, False]
    assert turning.put(Wheel("kubelet.n")) == ["c"] and turning.takes("c")


def test_a_slow_one_rests_between_two_pods():
    turning = Turning()
    turning.put(Wheel("kubelet.n", "Slow", seconds=60))
    assert [turning.takes(uid) for uid in "ab"] == [True, False]
    assert turning.rest and 50 < turning.rest <= 60
