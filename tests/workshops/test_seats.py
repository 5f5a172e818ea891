"""Coming in while clusters are made, while the database is away, and while all is deleted."""

import pytest
from django.db import OperationalError
from django.test import Client as Browser
from django.utils.timezone import datetime

from lab.client import cluster_names
from lab.client.clusters import ensure_cluster
from lab.models import Seat, Workshop
from lab.tutorials import cluster as making
from lab.tutorials.cluster import ensure_learning_cluster
from lab.workshops import presence, seats
from lab.workshops.seats import Refused, forget, forget_overdue, join, settle

pytestmark = pytest.mark.django_db(transaction=True)


def test_who_makes_a_cluster_that_somebody_has_just_made_leaves_it_alone(monkeypatch):
    """One is made ahead, and its learner comes."""
    assert ensure_learning_cluster("bcdfgh-1", "orrery/*")
    monkeypatch.setattr(making, "cluster_names", list)  # as they were when it was looked
    assert ensure_learning_cluster("bcdfgh-1", "orrery/*") is False


def test_a_seat_without_its_cluster_is_a_seat_all_the_same(workshop, monkeypatch):
    def fails(*args) -> bool:
        raise OperationalError("the database is locked")

    monkeypatch.setattr(seats, "ensure_learning_cluster", fails)
    browser = Browser()
    assert browser.post("/join", {"code": workshop.code, "nickname": "Ada"}).headers["Location"] == "/room/"
    monkeypatch.setattr(seats, "ensure_learning_cluster", ensure_learning_cluster)
    assert "Ada" in browser.get("/room/").content.decode()
    assert Seat.objects.get().nickname == "Ada" and "bcdfgh-1" in cluster_names()


def test_who_presses_join_twice_has_one_seat_and_who_comes_from_elsewhere_another(workshop):
    ways = {"code": workshop.code, "nickname": "Ada"}
    browser = Browser()
    browser.get("/join")
    keys = {browser.post("/join", ways).cookies["orrery-seat"].value for _ in range(2)}
    workshop.seats = 1
    workshop.is_open = False
    workshop.save()
    keys.add(browser.post("/join", {**ways, "nickname": " Ada "}).cookies["orrery-seat"].value)  # its answer was lost
    assert len(keys) == 1 and Seat.objects.get().nickname == "Ada"
    workshop.seats, workshop.is_open = 3, True
    workshop.save()
    other = Browser()
    other.get("/join")
    assert other.post("/join", ways).cookies["orrery-seat"].value not in keys
    browser.post("/join", {**ways, "nickname": "Bob"})  # they share the machine
    assert list(Seat.objects.order_by("id").values_list("nickname", flat=True)) == ["Ada", "Ada 2", "Bob"]


def test_nobody_comes_into_what_is_being_deleted(workshop, monkeypatch):
    """Whoever was coming has a cluster made when the workshop has been deleted already."""
    seat, token = join(workshop.code, "Ada")
    theirs = Browser(headers={"cookie": f"orrery-seat={token}"})
    said, remove = [], seats.remove

    def removed(cluster: str) -> None:
        said.append((theirs.get("/room/").content.decode(), Workshop.objects.get().over))
        with pytest.raises(Refused):
            join(workshop.code, "Eve")
        ensure_cluster("bcdfgh-2", "orrery/*")
        monkeypatch.setattr(seats, "remove", remove)
        remove(cluster)

    monkeypatch.setattr(seats, "remove", removed)
    forget(workshop)
    assert said[0][1] and "is over" in said[0][0]
    assert not cluster_names() and not Workshop.objects.exists()
    with pytest.raises(Refused, match="has just been deleted"):
        settle(seat)
    assert not cluster_names()
    forget(workshop)  # somebody else was faster


@pytest.mark.parametrize(("hour", "gone"), [(11, False), (12, True)])
def test_a_class_is_forgotten_when_its_day_has_come_everywhere(workshop, monkeypatch, hour, gone):
    monkeypatch.setattr(seats, "now", lambda: datetime.fromisoformat(f"2027-03-02T{hour}:30:00+00:00"))
    Workshop.objects.update(forget="2027-03-02")
    forget_overdue()
    assert Workshop.objects.exists() != gone


def test_a_broker_that_hangs_is_waited_for_once_in_a_while(monkeypatch):
    asked = []

    def hangs(*args):
        asked.append(args)
        raise presence.redis.TimeoutError

    monkeypatch.setattr(presence, "_rests", 0.0)
    monkeypatch.setattr(presence._client, "hset", hangs)
    monkeypatch.setattr(presence._client, "hmget", hangs)
    for _ in range(5):
        presence.seen("bcdfgh-1")
        assert presence.last_seen(["bcdfgh-1"]) == {}
    assert len(asked) == 1
    monkeypatch.setattr(presence, "_rests", 0.0)
    monkeypatch.setattr(presence._client, "hmget", lambda key, names: [b"7", None])
    assert presence.last_seen(["a", "b"]) == {"a": 7.0}
