"""How long something has been as it is, as far as anybody has looked."""

import pytest

from lab.controllers.stopwatch import Stopwatch


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_it_counts_from_the_first_look_and_anew_when_the_value_changes(clock):
    watch = Stopwatch(clock)
    assert watch.seconds("node", "v1") == 0
    clock.now += 5
    assert watch.seconds("node", "v1") == 5
    assert watch.seconds("node", "v2") == 0
    clock.now += 3
    assert watch.seconds("node", "v2") == 3


def test_a_value_of_nothing_is_a_value(clock):
    watch = Stopwatch(clock)
    watch.seconds("node", None)
    clock.now += 5
    assert watch.seconds("node", None) == 5


def test_a_long_time_without_a_look_is_not_a_long_silence(clock):
    watch = Stopwatch(clock, longest_look=4)
    watch.seconds("node", "v1")
    clock.now += 60
    assert watch.seconds("node", "v1") == 4
    clock.now += 2
    assert watch.seconds("node", "v1") == 6


def test_it_forgets_who_is_not_among_those_that_are_left(clock):
    watch = Stopwatch(clock)
    for key in (("one", "a"), ("one", "b"), ("two", "a")):
        watch.seconds(key, "v")
    clock.now += 5
    watch.keep([("one", "a")], lambda key: key[0] == "one")
    assert [watch.seconds(key, "v") for key in (("one", "a"), ("one", "b"), ("two", "a"))] == [5, 0, 5]
