"""Whose turn it is to begin, where more pods wait than an engine takes in."""

import pytest

from lab.kubelet import beginning
from lab.kubelet.beginning import COME_SECONDS, LONG_SECONDS, Turns


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now


class Door(Turns):
    """Writes down whom it calls."""

    def __init__(self, most: int):
        self.called: list[str] = []
        super().__init__(most, lambda uid, urgent: self.called.append(uid))

    def ask(self, *pods: str) -> list[str]:
        """Pods as `cluster/name`; those that may begin."""
        return [pod for pod in pods if self.take(pod.partition("/")[0], pod)]


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(beginning, "time", clock)
    return clock


def test_so_many_begin_at_once_and_the_next_when_one_has(clock):
    door = Door(2)
    assert door.ask("a/1", "a/2", "a/3", "a/4") == ["a/1", "a/2"] and not door.called
    door.give("a/1")
    assert door.called == ["a/3"]
    assert door.ask("a/4", "a/3") == ["a/3"]
    door.give("a/2")
    assert door.called == ["a/3", "a/4"] and door.ask("a/4") == ["a/4"]


def test_clusters_have_their_turns_however_many_pods_one_asks_for(clock):
    door = Door(1)
    door.ask("x/0", "a/1", "a/2", "a/3", "b/1", "c/1")
    for last in ("x/0", "a/1", "b/1", "c/1", "a/2"):
        door.give(last)
        door.ask(*door.called[-1:])
    assert door.called == ["a/1", "b/1", "c/1", "a/2", "a/3"]


def test_where_pods_have_waited_long_the_newest_comes_first(clock):
    door = Door(1)
    door.ask("x/0", "a/1", "a/2")
    clock.now += LONG_SECONDS + 1
    door.ask("a/3", "a/1")  # who asks again has waited since it asked first
    door.give("x/0")
    assert door.called == ["a/3"]


def test_who_will_not_begin_any_more_is_in_nobodys_way(clock):
    door = Door(1)
    door.ask("x/0", "a/1", "a/2", "a/3")
    door.drop("a", "a/1")
    door.give("x/0")
    assert door.called == ["a/2"]
    door.drop("a", "a/2")
    assert door.called == ["a/2", "a/3"]


def test_who_is_called_and_does_not_come_loses_its_turn(clock):
    door = Door(1)
    door.ask("x/0", "a/1", "b/1")
    door.give("x/0")
    assert door.called == ["a/1"] and door.ask("b/1") == []
    clock.now += COME_SECONDS + 0.1
    assert door.ask("b/1") == [] and door.called == ["a/1", "b/1"] and door.ask("b/1") == ["b/1"]
    assert door.ask("a/1") == []
    door.give("b/1")
    assert door.called[-1] == "a/1"
