"""What a kubelet's rows say of their cause: an order, a fault, or the clock."""

import pytest

from lab.apimachinery.kinds import EVENTS, PODS
from lab.apimachinery.meta import is_true
from lab.kubelet.occasions import Occasion, occasion_between, succeeded
from tests.labs import wait_until

RAN = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}


def ended(code: int, container_id: str = "process://a", reason: str = "Error") -> dict:
    return {"terminated": {"exitCode": code, "reason": reason, "containerID": container_id}}


def told(state: dict, last: dict | None = None, ready: bool = True, container_id: str = "process://a") -> dict:
    one = {"name": "web", "state": state, "lastState": last or {}, "ready": ready, "containerID": container_id}
    return {"containerStatuses": [one]}


DIED = told(ended(137, reason="OOMKilled"), ready=False)


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (told(RAN), DIED, "ContainerDied"),
        (told(RAN), told(RAN, ended(1), container_id="process://b"), "ContainerDied"),  # it runs again already
        (told(RAN), told(RAN, ready=False), "NotReady"),
        (DIED, told(RAN, ended(137), container_id="process://b"), ""),  # that death was told
        (told(RAN, ready=False), told(RAN), ""),
        (told(RAN), told(ended(0, reason="Completed"), ready=False), ""),
        (told({"waiting": {}}, ready=False), told(ended(128, reason="StartError"), ready=False), ""),
    ],
)
def test_a_fault_is_what_happens_to_a_container_and_nobody_has_ordered(before, after, reason):
    found = occasion_between(before, after, ours=())
    assert (found.fault["reason"] if found else "") == reason


def test_what_the_kubelet_has_stopped_itself_is_no_fault():
    assert occasion_between(told(RAN), DIED, ours={"a"}) is None


def test_that_probes_fail_is_told_in_their_words_and_that_they_succeed_by_name():
    before, after = told(RAN), told(RAN, ready=False)
    fault = occasion_between(before, after, (), {"a": "Readiness probe failed: 500"}.get).fault
    assert fault == {"reason": "NotReady", "container": "web", "message": "Readiness probe failed: 500"}
    assert succeeded(after, before) == {"decision": "ProbeSucceeded", "containers": ["web"]}
    assert succeeded(before, after) is succeeded(before, before) is succeeded(told({"waiting": {}}), before) is None


def test_a_deadline_is_the_clocks():
    late = {**told(RAN), "reason": "DeadlineExceeded"}
    assert occasion_between(told(RAN), late, ours=()) == Occasion()
    assert occasion_between(late, late, ours=()) is None


@pytest.mark.django_db(transaction=True)
def test_a_death_begins_a_thread_and_the_restart_is_in_it(world):
    world.start()
    made = int(world.pod()["metadata"]["resourceVersion"])
    world.running()
    born = _rows(world)
    assert {row["cause"] for row in born} == {made}
    calls = [call["call"] for row in born for call in (row["why"] or {}).get("did", ())]
    assert calls == ["RunPodSandbox", "CreateContainer", "StartContainer"]
    world.kill()
    world.running(restarts=1)
    first, *rest = _rows(world)[len(born) :]
    assert first["cause"] == 0
    assert first["why"]["fault"] == {"reason": "ContainerDied", "container": "web", **_killed(first)}
    assert {row["cause"] for row in rest} <= {first["revision"]}
    wait_until("the event of the restart", lambda: len(_causes_of_events(world, "Started")) == 2, 20)
    assert 0 not in _causes_of_events(world, "Started")
    world.client.delete(PODS, "default", "web", grace_seconds=0)
    wait_until("the pod to go", lambda: not world.now(), 20)


@pytest.mark.django_db(transaction=True)
def test_what_a_readiness_probe_says_is_kept_when_it_begins_and_ceases_to_succeed(world):
    mark = world.folder / "well"
    probe = {"exec": {"command": ["cat", str(mark)]}, "periodSeconds": 1, "failureThreshold": 1}
    world.start()
    world.pod(containers=[{"name": "web", "image": "orrery/hello:v1", "readinessProbe": probe}])
    world.running()
    mark.touch()
    wait_until("it to be ready", lambda: is_true(world.now(), "Ready"), 30)
    assert _rows(world)[-1]["why"] == {"decision": "ProbeSucceeded", "containers": ["web"]}
    mark.unlink()
    wait_until("it to be ready no more", lambda: not is_true(world.now(), "Ready"), 30)
    fault = _rows(world)[-1]["why"]["fault"]
    assert fault["message"].startswith("Readiness probe failed: ") and fault["reason"] == "NotReady"


def _rows(world) -> list[dict]:
    rows = world.client.history(PODS, "default", "web", 100)[::-1]
    return [row for row in rows if row["author"] == "kubelet"]


def _killed(row: dict) -> dict:
    fault = row["why"]["fault"]
    assert fault["exitCode"] == 137
    return {field: fault[field] for field in ("exitCode", "signal", "ended") if field in fault}


def _causes_of_events(world, reason: str) -> list[int]:
    names = [one["metadata"]["name"] for one in world.client.list(EVENTS, "default") if one["reason"] == reason]
    return [row["cause"] for name in names for row in world.client.history(EVENTS, "default", name)]
