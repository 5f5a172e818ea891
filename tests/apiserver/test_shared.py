"""What several web servers give out of together. The broker of the tests has the buckets."""

import threading
from itertools import cycle
from uuid import uuid4

import pytest
import redis

from lab.apiserver.access import shared
from lab.apiserver.access.shared import LOTS, Shared

SLOWLY = 0.01  # units a second: none comes while a test runs


class Servers:
    """Web servers of one lab, with a bucket for each who asks; `trips`: how often they have asked the broker."""

    def __init__(self, monkeypatch, count: int, at_once: float, a_second: float = SLOWLY):
        name, give = uuid4().hex, shared._give
        self.trips, self.away, self.now = 0, False, 0.0
        self.all = [Shared(name, a_second, at_once, lambda: self.now) for _ in range(count)]

        def counted(keys, args):
            self.trips += 1
            if self.away:
                raise redis.ConnectionError("nobody is there")
            return give(keys, args)

        monkeypatch.setattr(shared, "_give", counted)

    def taken(self, tries: int, cost: float = 1.0, whose: str = "ada") -> int:
        """How many came in that asked one server after the other."""
        turns = cycle(self.all)
        return sum(next(turns).wait(whose, cost) == 0 for _ in range(tries))


def test_three_give_no_more_than_one(monkeypatch):
    servers = Servers(monkeypatch, 3, 60)
    assert servers.taken(300) == 60 and servers.taken(300, whose="bob") == 60


def test_most_requests_cost_no_round_trip_and_what_is_refused_costs_one_a_server(monkeypatch):
    servers = Servers(monkeypatch, 2, 200)
    assert servers.taken(200) == 200 and servers.trips == LOTS
    assert servers.taken(10_000) == 0 and servers.trips == LOTS + 2


def test_who_asks_for_less_than_was_refused_may_have_it(monkeypatch):
    servers = Servers(monkeypatch, 2, 100)
    first, second = servers.all
    assert first.wait("ada", 60) == 0
    assert second.wait("ada", 60) == pytest.approx(20 / SLOWLY, rel=0.01)
    assert second.wait("ada", 40) == 0 and first.wait("ada") > 0


def test_it_fills_by_itself_and_more_than_it_holds_is_all_that_it_holds(monkeypatch):
    servers = Servers(monkeypatch, 2, 5, a_second=50)
    first, second = servers.all
    assert first.wait("ada", 1000) == 0
    assert 0 < second.wait("ada", 5) <= 0.1
    threading.Event().wait(0.15)
    servers.now += 0.15
    assert second.wait("ada", 5) == 0


def test_many_at_once_take_out_no_more_than_they_need(monkeypatch):
    servers = Servers(monkeypatch, 1, 200)
    came: list[float] = []
    threads = [threading.Thread(target=lambda: came.append(servers.all[0].wait("ada"))) for _ in range(30)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert came == [0] * 30 and servers.trips == 3


def test_without_a_broker_each_gives_out_of_its_own_and_goes_back_to_it(monkeypatch):
    servers = Servers(monkeypatch, 2, 20)
    servers.away = True
    assert servers.taken(100) == 40 and servers.trips == 2
    servers.away, servers.now = False, shared.AWAY_SECONDS
    assert servers.taken(100) == 20


def test_what_a_server_has_at_hand_is_worth_nothing_once_the_bucket_would_be_full(monkeypatch):
    servers = Servers(monkeypatch, 1, 20, a_second=1)
    one = servers.all[0]
    assert one.wait("ada", 0.5) == 0 and one.at_hand("ada", 0.5) == 0
    assert one.wait("ada", 0.5) == 0 and servers.trips == 2
    servers.now = 20.0
    assert one.at_hand("ada", 0.5) is None
