"""A follower hears of what it wants, once for all that was written meanwhile, and of nothing twice."""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.db import DatabaseError

from lab import store
from lab.client import Follower, following
from tests.labs import free_port, wait_until
from tests.store.writes import write

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cluster() -> str:
    name = f"followed-{secrets.token_hex(3)}"
    store.create_cluster(name)
    return name


class Heard:
    """What `act` was called with; it may be told to fail first."""

    def __init__(self, cluster: str, *failures: Exception):
        self.cluster = cluster
        self.failures = list(failures)
        self.names: list[set[str]] = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def act(self, view: store.View) -> None:
        if view.name == self.cluster:
            self.names.append({pod["metadata"]["name"] for pod in view.list("pods")})
            self.may_go_on.wait(10)
            if self.failures:
                raise self.failures.pop(0)


@contextmanager
def is_followed(heard: Heard) -> Iterator[None]:
    follower = Follower("test", lambda change: change.name != "boring", heard.act)
    follower.start()
    try:
        wait_until("its first look", lambda: heard.names)
        yield
    finally:
        follower.stop()
        wait_until("its end", lambda: not follower._thread.is_alive())


def test_it_looks_when_it_begins_and_whenever_something_that_it_wants_is_written(cluster):
    store.append(cluster, [write("before")], "me")
    with is_followed(heard := Heard(cluster)):
        store.append(cluster, [write("boring")], "me")
        store.append(cluster, [write("news")], "me")
        wait_until("the news", lambda: len(heard.names) > 1)
    assert heard.names == [{"before"}, {"before", "boring", "news"}]


def test_while_it_is_at_work_the_news_gather(cluster):
    heard = Heard(cluster)
    heard.may_go_on.clear()
    with is_followed(heard):
        for number in range(5):
            store.append(cluster, [write(f"pod-{number}")], "me")
        heard.may_go_on.set()
        wait_until("the news", lambda: len(heard.names[-1]) == 5)
    assert len(heard.names) == 2


def test_without_a_broker_it_looks_once_a_second(cluster, monkeypatch):
    monkeypatch.setattr(settings, "REDIS_URL", f"redis://127.0.0.1:{free_port()}/0")
    with is_followed(heard := Heard(cluster)):
        store.append(cluster, [write("news")], "me")
        wait_until("the news", lambda: heard.names[-1] == {"news"})


def test_a_log_in_which_nothing_was_written_is_not_looked_at_again(cluster, monkeypatch):
    looks, real = [], following.view
    monkeypatch.setattr(following, "view", lambda name: looks.append(name) or real(name))
    monkeypatch.setattr(following.hints, "FALLBACK_SECONDS", 0.05)
    monkeypatch.setattr(settings, "REDIS_URL", f"redis://127.0.0.1:{free_port()}/0")
    other = f"{cluster}-other"
    store.create_cluster(other)
    with is_followed(heard := Heard(cluster)):
        for number in range(3):
            store.append(cluster, [write(f"news-{number}")], "me")
            wait_until("the news", lambda number=number: len(heard.names[-1]) == number + 1)
    assert looks.count(other) == 1


@pytest.mark.parametrize("error", [DatabaseError("locked"), ValueError("never seen such an object")])
def test_a_failure_does_not_end_it(cluster, error):
    with is_followed(heard := Heard(cluster, error)):
        store.append(cluster, [write("news")], "me")
        wait_until("the news", lambda: heard.names[-1] == {"news"})


def test_what_it_cannot_judge_it_acts_on_and_on_what_comes_with_it_and_after_it(cluster):
    def wants(change):
        return {"boring": False, "news": True}[change.name]

    follower = Follower("test", wants, (heard := Heard(cluster)).act)
    follower.start()
    wait_until("its first look", lambda: heard.names)
    store.append(cluster, [write("boring"), write("odd"), write("news")], "me")
    wait_until("what it cannot judge", lambda: heard.names[-1] == {"boring", "odd", "news"})
    store.append(cluster, [write("news-2")], "me")
    wait_until("what comes after it", lambda: "news-2" in heard.names[-1])
    follower.stop()


def test_a_log_that_cannot_be_read_keeps_nobody_from_the_others(cluster, monkeypatch):
    real, broken = following.view, f"{cluster}-broken"
    store.create_cluster(broken)

    def view(name: str) -> store.View:
        if name == broken:
            raise RuntimeError("the log ends before its own head")
        return real(name)

    monkeypatch.setattr(following, "view", view)
    with is_followed(heard := Heard(cluster)):
        store.append(broken, [write("lost")], "me")
        store.append(cluster, [write("news")], "me")
        wait_until("the news", lambda: heard.names[-1] == {"news"})


def test_a_cluster_made_anew_is_another_one(cluster):
    store.append(cluster, [write("old"), write("older")], "me")
    with is_followed(heard := Heard(cluster)):
        store.delete_cluster(cluster)
        store.create_cluster(cluster)
        store.append(cluster, [write("new")], "me")
        wait_until("the new one", lambda: heard.names[-1] == {"new"})


def test_however_many_follow_a_log_it_is_asked_for_once(cluster, monkeypatch):
    looks, real = [], following.view
    with is_followed(one := Heard(cluster)), is_followed(other := Heard(cluster)):
        monkeypatch.setattr(following, "view", lambda name: looks.append(name) or real(name))
        store.append(cluster, [write("news")], "me")
        wait_until("the news", lambda: one.names[-1] == other.names[-1] == {"news"})
    assert looks.count(cluster) == 1
