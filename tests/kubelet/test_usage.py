"""What pods use: millicores out of two looks at the engine, published for whoever scales or looks."""

import os

import pytest

from lab import metrics
from lab.kubelet.records import PodRecord
from lab.kubelet.usage import MOST_SECONDS, Usage, usage
from lab.runtime import Container, RuntimeFailure, Sandbox
from tests.labs import wait_until

SPIN = ["sh", "-c", "while true; do :; done"]


def record(uid: str, *names: str) -> PodRecord:
    containers = tuple(Container(f"{uid}-{name}", name, 0, "running") for name in names)
    sandbox = Sandbox(uid, "world", "node-a", "default", uid, uid, True, containers=containers)
    return PodRecord("world", {"metadata": {"uid": uid}}, sandbox=sandbox)


def test_millicores_are_a_difference_and_memory_is_as_it_is():
    before = {"a-web": (5_000_000_000, 1), "a-helper": (0, 1)}
    now = {"a-web": (5_500_000_000, 2000), "a-helper": (20_000_000, 300), "b-web": (9_000_000_000, 7)}
    found = usage([record("a", "web", "helper"), record("b", "web")], before, now, seconds=2.0)
    containers = {"web": {"cpuMillis": 250.0, "memoryBytes": 2000}, "helper": {"cpuMillis": 10.0, "memoryBytes": 300}}
    assert found == {"world": {"a": {"cpuMillis": 260.0, "memoryBytes": 2300, "containers": containers}}}


class Engine:
    name = "made-up"
    looks, away = 0, False

    def stats(self) -> dict:
        if self.away:
            raise RuntimeFailure("EngineUnavailable", "it does not answer")
        self.looks += 1
        return {}


def test_looking_at_very_many_pods_is_rarer_and_never_too_rare_to_be_fresh():
    engine, now, spent = Engine(), [0.0], [0.0]

    def cost() -> float:
        spent[0] += 0.009  # of CPU, from the beginning of a look to its end
        return spent[0]

    looking = Usage(engine, [], None, lambda: now[0], cost)
    for tenth in range(100):
        now[0] = tenth / 10
        looking.look()
    assert engine.looks == 2  # every six seconds, for 0.15 % of a core
    assert MOST_SECONDS < metrics.FRESH_SECONDS


def test_an_engine_that_is_away_costs_the_figures_and_nothing_else():
    engine, now = Engine(), [0.0]
    looking = Usage(engine, [], None, lambda: now[0])
    engine.away = True
    looking.look()
    engine.away, now[0] = False, 1.0
    looking.look()
    assert engine.looks == 1


@pytest.mark.django_db(transaction=True)
def test_a_busy_pod_is_told_from_an_idle_one(world):
    if not os.path.exists("/proc/self/stat"):
        pytest.skip("needs /proc")
    world.start()
    busy = world.pod("busy", containers=[{"name": "web", "image": "orrery/hello:v1", "command": SPIN}])
    idle = world.pod("idle")

    def look() -> bool:
        seen = metrics.read("world", metrics.POD_USAGE)
        uids = busy["metadata"]["uid"], idle["metadata"]["uid"]
        if not all(uid in seen for uid in uids):
            return False
        used, rested = (seen[uid] for uid in uids)
        return used["cpuMillis"] > 20 > rested["cpuMillis"] and rested["containers"]["web"]["memoryBytes"] > 1_000_000

    wait_until("the busy pod to show", look)
