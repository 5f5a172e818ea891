"""How long requests took in all, from HAProxy's sliding means, which are whole milliseconds. Pure."""

import math

import pytest

from lab.proxy.program.haproxy.worker import WINDOW, Counts


class Played:
    """HAProxy's arithmetic (swrate_add_dynamic in its freq_ctr.h), and the reading of it every now and then."""

    def __init__(self):
        self.sum = 0
        self.requests = 0
        self.seen = Counts()

    def take(self, count: int, took: int) -> None:
        for _ in range(count):
            self.requests += 1
            self.sum += took - (math.ceil(self.sum / WINDOW) if self.requests > WINDOW else 0)

    def look(self) -> float:
        mean = math.ceil(self.sum / min(self.requests, WINDOW))
        self.seen = Counts(self.requests, mean_ms=mean).since(self.seen)
        return self.seen.total_ms


def test_of_the_first_requests_it_is_what_they_took():
    played = Played()
    played.take(40, took=25)
    assert played.look() == 1000
    played.take(60, took=100)
    assert played.look() == 7000


@pytest.mark.parametrize("each", [5, 100])
def test_after_many_quick_ones_slow_ones_show_at_once_and_so_do_quick_ones_after_slow(each):
    """However often it is looked at: what is rounded away at one look comes back at the next."""
    played = Played()
    for took in (3, 103, 3):
        before = played.look() if played.requests else 0.0
        for _ in range(2000 // each):
            played.take(each, took)
            played.look()
        assert abs((played.look() - before) / 2000 - took) < 1
    before = played.look()
    for _ in range(100 // each):
        played.take(each, 203)
        played.look()
    assert abs((played.look() - before) / 100 - 203) < 10
