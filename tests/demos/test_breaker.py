"""The circuit breaker, on a clock of the test's own."""

import socket
import threading

import pytest

from lab.demos.bank.bank import Bank
from lab.demos.bank.breaker import FAILURES, REST_SECONDS, SLOW_SECONDS, Breaker
from lab.demos.bank.messages import Request


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


def test_a_part_that_dies_in_the_middle_of_its_answer_has_failed_and_may_be_tried_again():
    """Half an answer is no exception that leaves the breaker waiting for the one call that may try."""
    listener = socket.create_server(("127.0.0.1", 0))

    def dying() -> None:
        for _ in range(FAILURES):
            connection, _ = listener.accept()
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
            connection.close()

    threading.Thread(target=dying, daemon=True).start()
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    bank = Bank({"PART": "ui", "ACCOUNTS_URL": address, "BREAKER": "on"})
    answers = [bank.call("accounts", Request("GET", "/accounts")) for _ in range(FAILURES + 1)]
    listener.close()
    assert [answer.status for answer in answers] == [503] * (FAILURES + 1)
    assert "accounts is away" in answers[0].data["error"] and "breaker is open" in answers[-1].data["error"]
