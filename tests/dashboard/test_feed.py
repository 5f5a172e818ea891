"""One reader for many boards: places in its sequence, and what each is told."""

import json
import threading

import pytest
from django.db import connections

from lab.apimachinery.kinds import NODES
from lab.client import Client
from lab.client.clusters import delete_cluster, ensure_cluster
from lab.dashboard.feed import REMEMBERED, Feed, Step, feed_of, merge

from .build import a_node

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(db) -> Client:
    ensure_cluster("feed")
    return Client("feed", "tester")


@pytest.fixture
def feed(client: Client) -> Feed:
    return Feed("feed")


def make(client: Client, *names: str) -> None:
    client.create_many(NODES, [{"metadata": {"name": name}, "status": a_node()["status"]} for name in names])


def told(feed: Feed, place: tuple[str, int]) -> dict:
    return json.loads(feed.since(place)[0])


def test_whoever_is_up_to_date_is_told_nothing(feed):
    assert feed.since((feed.epoch, feed.seq)) == ("", (feed.epoch, feed.seq))


def test_a_delta_says_from_where_to_where(client, feed):
    before = feed.seq
    make(client, "a")
    feed.catch_up()
    delta = told(feed, (feed.epoch, before))
    assert (delta["type"], delta["prev"], delta["seq"]) == ("delta", before, feed.seq)
    assert [row["id"] for row in delta["upserts"]] == ["nodes/a"]


def test_several_missed_steps_come_as_one_with_each_row_once(client, feed):
    make(client, *"abcdefghij")
    feed.catch_up()
    before = feed.seq
    for mark in (True, None, True):
        client.patch(NODES, "", "a", {"spec": {"unschedulable": mark}})
        feed.catch_up()
    delta = told(feed, (feed.epoch, before))
    assert delta["type"] == "delta"
    assert [(row["id"], row["cordoned"]) for row in delta["upserts"]] == [("nodes/a", True)]


def test_a_row_that_came_and_went_is_only_gone(client, feed):
    make(client, *"abcdefghij")
    feed.catch_up()
    before = feed.seq
    make(client, "short")
    feed.catch_up()
    client.delete(NODES, "", "short")
    feed.catch_up()
    delta = told(feed, (feed.epoch, before))
    assert (delta["upserts"], delta["removes"]) == ([], ["nodes/short"])


def test_who_has_missed_most_of_it_is_told_everything(client, feed):
    before = feed.seq
    for name in "abcdefghijklm":
        make(client, name)
        feed.catch_up()
    assert told(feed, (feed.epoch, before))["type"] == "snap"


def test_a_gap_that_is_no_longer_in_memory_is_answered_with_everything(client, feed):
    make(client, "a")
    feed.catch_up()
    snapshot = told(feed, (feed.epoch, 1))
    assert (snapshot["type"], snapshot["seq"]) == ("snap", feed.seq)
    assert "nodes/a" in {row["id"] for row in snapshot["rows"]}


def test_another_epoch_is_answered_with_everything(feed):
    assert told(feed, ("another", feed.seq))["type"] == "snap"


def test_all_at_one_place_are_sent_the_same_bytes(client, feed):
    before = (feed.epoch, feed.seq)
    make(client, "a")
    feed.catch_up()
    assert feed.since(before)[0] is feed.since(before)[0]


def test_memory_is_bounded(client, feed):
    feed._steps.extend(Step(i, i + 1, (), {}) for i in range(2 * REMEMBERED))
    assert len(feed._steps) == REMEMBERED


def test_phases_of_several_steps_are_strung_together():
    steps = [Step(1, 2, ("pods/a",), {"pods/a": [("failed", 1)]}), Step(2, 3, ("pods/a",), {"pods/a": [("ready", 2)]})]
    assert merge(steps, {"pods/a": {"id": "pods/a"}}).phases == {"pods/a": [("failed", 1), ("ready", 2)]}


def test_a_cluster_made_anew_under_the_same_name_has_another_feed(client):
    first = feed_of("feed")
    delete_cluster("feed")
    ensure_cluster("feed")
    assert feed_of("feed") is not first
    assert feed_of("feed").epoch != first.epoch


@pytest.mark.django_db(transaction=True)
def test_nobody_who_asks_waits_for_the_log_to_be_read(client, feed):
    """They ask in the event loop, and with them everybody else would wait for the database."""
    place = (feed.epoch, feed.seq)
    make(client, "a")
    reading = threading.Thread(target=lambda: (feed.catch_up(), connections.close_all()))
    answers = []
    asking = threading.Thread(target=lambda: answers.append(feed.since(place)), daemon=True)
    with client.view()._lock:  # so long its reader waits
        reading.start()
        reading.join(0.5)
        asking.start()
        asking.join(20)
        assert answers == [("", place)]
    reading.join(20)
    assert told(feed, place)["type"] == "delta"


def test_a_board_that_cannot_follow_begins_anew_and_misses_nothing(client, feed, monkeypatch):
    make(client, "a")

    def stumble(*_):
        raise KeyError("half way")

    monkeypatch.setattr(feed.board, "apply", stumble)
    before = (feed.epoch, feed.seq)
    feed.catch_up()
    message = told(feed, before)
    assert (message["type"], feed.epoch == before[0]) == ("snap", False)
    assert "nodes/a" in {row["id"] for row in message["rows"]}
