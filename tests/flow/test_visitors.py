"""Visitors of a running lab: through the front door to the pods and back, everyone counted."""

import json
import os
import signal
from collections.abc import Iterator

import pytest
import redis

from lab.visitors.control import ask
from tests.labs import LabUnderTest, wait_until

VISITORS = "/apis/orrery.io/v1/namespaces/default/visitors"
NAME = "counted"


@pytest.fixture
def visited(process_lab: LabUnderTest) -> Iterator[LabUnderTest]:
    """With the demo ready and visitors of it that nobody has turned up yet."""
    process_lab.wait_for_ready_pods(3)
    process_lab.api("POST", VISITORS, {"metadata": {"name": NAME}, "spec": {"service": "hello"}})
    yield process_lab
    process_lab.api("DELETE", f"{VISITORS}/{NAME}")
    wait_until("their figures to be forgotten", lambda: not figures(process_lab))


def turn(lab: LabUnderTest, rate: int) -> None:
    body = {"spec": {"rate": rate}}
    lab.api("PATCH", f"{VISITORS}/{NAME}", body, content_type="application/merge-patch+json")


def figures(lab: LabUnderTest) -> dict:
    """What the board, releases and lessons read."""
    with redis.Redis.from_url(lab.run()["broker"]) as broker:
        key = f"orrery:metrics:{(lab.data / 'lab-id').read_text()}:default:visitors"
        said = broker.hget(key, "visitors")
    return (json.loads(said)["figures"] if said else {}).get(f"default/{NAME}", {})


def wait_for(lab: LabUnderTest, what: str, look) -> dict:
    return wait_until(what, lambda: (seen := figures(lab)) and look(seen) and seen, 60)


def test_every_request_is_counted_by_pod_and_by_version(visited):
    turn(visited, 50)
    wait_for(visited, "a few seconds' requests", lambda seen: seen["requests"] > 200)
    turn(visited, 0)
    seen = wait_for(visited, "all to be answered", lambda seen: not any(seen["series"]["requests"][-2:]))
    asked = seen["requests"]
    assert (seen["errors"], seen["inFlight"], seen["statuses"]) == (0, 0, {"200": asked})
    pods = {pod["metadata"]["name"]: pod for pod in visited.ready_pods()}
    assert seen["pods"].keys() == pods.keys()
    assert sum(pod["requests"] for pod in seen["pods"].values()) == asked
    (version,) = {pod["metadata"]["labels"]["pod-template-hash"] for pod in pods.values()}
    assert {name: one["requests"] for name, one in seen["versions"].items()} == {version: asked}
    assert visited.get(f"{VISITORS}/{NAME}")["status"]["phase"] == "Idle"


def test_a_load_generator_that_is_killed_comes_back_and_counts_anew(visited):
    turn(visited, 50)
    before = wait_for(visited, "answers", lambda seen: seen["requests"] > 20)
    os.kill(visited.pid_of("visitors"), signal.SIGKILL)
    wait_for(visited, "another count", lambda seen: seen["epoch"] > before["epoch"] and seen["requests"] > 20)


def test_visitors_go_on_while_the_worker_is_dead(visited):
    turn(visited, 50)
    wait_for(visited, "answers", lambda seen: seen["requests"] > 20)
    worker = visited.pid_of("worker")
    os.kill(worker, signal.SIGSTOP)
    try:
        before = counted(visited)
        wait_until("fifty more answers", lambda: counted(visited)["requests"] >= before["requests"] + 50)
    finally:
        os.kill(worker, signal.SIGCONT)
    after = wait_for(visited, "them to be told of", lambda seen: seen["requests"] >= before["requests"] + 50)
    assert after["epoch"] == before["epoch"]


def counted(lab: LabUnderTest) -> dict:
    """What the program itself says, without its agent."""
    return ask(lab.data, {"do": "counters"})["visitors"][f"default/default/{NAME}"]
