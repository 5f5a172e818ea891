"""When a pod that fitted nowhere is tried again; which changes wake the scheduler, and which do not."""

from unittest.mock import patch

import pytest

from lab.client import Change
from lab.scheduler.informer import concerns_pending, helps_pending
from lab.scheduler.queue import FLUSH_SECONDS, SchedulingQueue

from .build import node, pod


class Clock:
    """Stands in for the monotonic clock."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock():
    clock = Clock()
    with patch("lab.scheduler.queue.time", clock):
        yield clock


@pytest.fixture
def queue(clock) -> SchedulingQueue:
    return SchedulingQueue(first=1.0, most=10.0)


def test_a_new_pod_is_tried_at_once(queue):
    assert queue.due(["a", "b"], {"a"}, helped=None) == ["a"]
    assert queue.next_try() is None


def test_one_that_fitted_nowhere_waits_for_its_back_off_even_if_something_changes(queue, clock):
    queue.failed("a")
    assert queue.due(["a"], set(), helped=0) == []
    assert queue.next_try() == pytest.approx(1.0)
    clock.now += 1.0
    assert queue.due(["a"], set(), helped=0) == ["a"]


def test_the_back_off_doubles_up_to_a_limit(queue, clock):
    waits = []
    for _ in range(6):
        queue.failed("a")
        queue.hope(["a"])
        waits.append(round(queue.next_try(), 3))
        clock.now += 100
    assert waits == [1, 2, 4, 8, 10, 10]


def test_the_first_whose_back_off_ends_sets_the_clock(queue, clock):
    queue.failed("early")
    clock.now += 0.5
    queue.failed("late")
    queue.hope(["early", "late"])
    assert queue.next_try() == pytest.approx(0.5)
    clock.now += 60
    assert queue.next_try() == 0.0


def test_without_hope_it_is_tried_again_only_after_minutes(queue):
    queue.failed("a")
    assert queue.next_try() == FLUSH_SECONDS


def test_what_concerns_another_is_no_hope_for_it(queue):
    queue.failed("a")
    assert queue.due(["a", "b"], {"b"}, helped=None) == ["b"]
    assert queue.next_try() == FLUSH_SECONDS


def test_who_is_named_need_not_wait(queue):
    queue.failed("a")
    assert queue.due(["a"], {"a"}, helped=None) == ["a"]


def test_it_forgets_pods_that_no_longer_wait(queue):
    queue.failed("a")
    queue.due([], set(), helped=0)
    queue.hope(["a"])
    assert queue.next_try() is None


def change(old: dict | None, new: dict | None, author: str = "somebody") -> Change:
    obj = new or old
    resource = "pods" if obj["kind"] == "Pod" else "nodes"
    metadata = obj["metadata"]
    return Change(
        7, resource, metadata.get("namespace", ""), metadata["name"], obj, old, old is None, new is None, 0.0, author, 0
    )


@pytest.mark.parametrize(
    "old, new, concerns",
    [
        (None, pod(), True),
        (None, pod(node="a"), False),
        (None, pod(schedulingGates=[{"name": "g"}]), False),
        (pod(schedulingGates=[{"name": "g"}]), pod(), True),
        (pod(), pod(status={"phase": "Pending"}), False),
        (pod(), pod(labels={"app": "x"}), True),
        (pod(), pod(tolerations=[{"operator": "Exists"}]), True),
        (pod(), None, False),
        (pod(), pod(deleting=True), False),
        (None, node(), False),
    ],
)
def test_a_pod_is_tried_when_it_begins_to_wait_or_asks_for_something_else(old, new, concerns):
    assert concerns_pending(change(old, new)) is concerns


@pytest.mark.parametrize(
    "old, new, helps",
    [
        (None, node(), True),
        (node(), None, True),
        (node(unschedulable=True), node(), True),
        (node(), node(cpu="8"), True),
        (node(), node(labels={"disk": "ssd"}), True),
        (node(taints=[{"key": "a", "effect": "NoSchedule"}]), node(), True),
        (node(), {**node(), "status": {**node()["status"], "conditions": [{"type": "Ready"}]}}, False),
        (pod(node="a"), None, True),
        (pod(node="a"), pod(node="a", status={"phase": "Succeeded"}), True),
        (pod(node="a"), pod(node="a", status={"phase": "Running"}), False),
        (pod(node="a"), pod(node="a", labels={"app": "x"}), True),
        (pod(node="a"), pod(node="a", deleting=True), False),
        (pod(), None, False),
        (pod(status={"nominatedNodeName": "a"}), None, True),
        (None, pod(node="a"), True),
        (pod(), pod(node="a"), True),
    ],
)
def test_the_others_are_tried_again_when_room_or_company_may_have_come(old, new, helps):
    assert helps_pending(change(old, new), "scheduler") is helps


def test_its_own_bindings_do_not_wake_it():
    assert not helps_pending(change(pod(), pod(node="a"), "scheduler"), "scheduler")
