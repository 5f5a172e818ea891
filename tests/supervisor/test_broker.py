import pytest

from lab.supervisor.broker import choose_broker
from lab.supervisor.state import CannotStart


def test_a_named_broker_that_answers_is_used_and_not_started(monkeypatch, broker):
    monkeypatch.setenv("REDIS_URL", broker)
    chosen = choose_broker()
    assert (chosen.url, chosen.command) == (broker, ())


def test_a_named_broker_that_is_silent_is_refused_rather_than_replaced(monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    with pytest.raises(CannotStart, match=r"redis://127.0.0.1:1/0, but no Redis answers there"):
        choose_broker()


def test_without_a_name_one_is_started_on_the_loopback_only(monkeypatch):
    monkeypatch.delenv("REDIS_URL")
    chosen = choose_broker()
    assert chosen.url.startswith("redis://127.0.0.1:")
    assert chosen.command[1:3] == ("--bind", "127.0.0.1")
