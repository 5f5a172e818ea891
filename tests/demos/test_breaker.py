"""The circuit breaker, on a clock of the test's own."""

import pytest

from lab.demos.bank.breaker import FAILURES, REST_SECONDS, SLOW_SECONDS, Breaker


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def opened(clock) -> Breaker:
    breaker = Breaker(on=True, clock=clock)
    for _ in range(FAILURES):
        assert breaker.allows()
        breaker.done(well=False, seconds=0)
    return breaker


def test_it_opens_after_failures_in_a_row(opened):
    assert opened.state == "open" and not opened.allows()


def test_one_success_between_starts_the_count_anew(clock):
    breaker = Breaker(on=True, clock=clock)
    for well in (False,) * (FAILURES - 1) + (True,) + (False,) * (FAILURES - 1):
        breaker.done(well, seconds=0)
    assert breaker.state == "closed" and breaker.allows()


def test_a_slow_answer_is_a_failure(clock):
    breaker = Breaker(on=True, clock=clock)
    for _ in range(FAILURES):
        breaker.done(well=True, seconds=SLOW_SECONDS)
    assert breaker.state == "open"


def test_after_a_rest_one_may_try(opened, clock):
    clock.now += REST_SECONDS
    assert opened.state == "half-open"
    assert opened.allows() and not opened.allows()


def test_a_trial_that_succeeds_closes_it(opened, clock):
    clock.now += REST_SECONDS
    opened.allows()
    opened.done(well=True, seconds=0)
    assert opened.state == "closed" and opened.allows() and opened.allows()


def test_a_trial_that_fails_opens_it_for_another_rest(opened, clock):
    clock.now += REST_SECONDS
    opened.allows()
    opened.done(well=False, seconds=0)
    assert opened.state == "open"
    clock.now += REST_SECONDS
    assert opened.allows()


def test_turned_off_it_lets_everything_through(opened):
    opened.turn(False)
    assert opened.state == "closed" and opened.allows()
    for _ in range(FAILURES * 2):
        opened.done(well=False, seconds=0)
    assert opened.allows()
