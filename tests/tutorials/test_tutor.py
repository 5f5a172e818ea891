"""Whose turn it is: the lessons of a cluster with news, and those whose time has come."""

import pytest

from lab.apimachinery.kinds import LESSONS
from lab.celery import app
from lab.client import Client, LostFence
from lab.client.clusters import delete_cluster, ensure_cluster
from lab.tutorials import tutor
from lab.tutorials.tasks import tutor_of_worker
from lab.tutorials.tutor import Tutor

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("queues", "lives"), [("control-plane,kubelet", True), ("control-plane", True), ("kubelet", False)]
)
def test_it_lives_beside_the_control_plane_and_with_no_mere_kubelet(queues, lives, monkeypatch):
    monkeypatch.setattr(app.amqp.queues, "_consume_from", None)
    app.amqp.queues.select(queues.split(","))
    assert isinstance(tutor_of_worker(), Tutor) == lives


class Played:
    """In the place of a Performance: notes whose turn it was, and asks to be looked at again after `wait`."""

    turns: list[str] = []
    wait = 3600.0
    fails: Exception | None = None

    def __init__(self, client: Client):
        self.cluster = client.cluster

    def turn(self, obj: dict) -> float:
        self.turns.append(self.cluster)
        if self.fails:
            raise self.fails
        return self.wait


@pytest.fixture
def played(monkeypatch):
    monkeypatch.setattr(tutor, "Performance", Played)
    monkeypatch.setattr(Played, "turns", [])
    return Played


@pytest.fixture
def teaching(played) -> Tutor:
    """Two learners, each in a cluster of their own, who have been looked at once."""
    teaching = Tutor()
    for cluster in ("ann", "bob"):
        ensure_cluster(cluster)
        Client(cluster, "board").create(LESSONS, {"metadata": {"name": "01-x"}, "spec": {"step": "one", "run": 1}})
        teaching.hear(Client(cluster, "tester").view())
    teaching.turn()
    assert sorted(played.turns) == ["ann", "bob"]
    played.turns.clear()
    return teaching


def test_what_happens_in_one_cluster_turns_its_own_lessons_alone(teaching, played):
    assert teaching.turn() > 60 and played.turns == []
    teaching.hear(Client("bob", "tester").view())
    teaching.turn()
    assert played.turns == ["bob"]


def test_who_wants_to_be_looked_at_soon_is_without_news(teaching, played, monkeypatch):
    monkeypatch.setattr(played, "wait", 0.0)
    teaching.hear(Client("ann", "tester").view())
    assert teaching.turn() == 0.0
    played.turns.clear()
    teaching.turn()
    assert played.turns == ["ann"]


def test_what_is_over_is_looked_at_no_more(teaching, played):
    client = Client("ann", "board")
    client.patch(LESSONS, "", "01-x", {"spec": {"paused": True}})
    teaching.hear(client.view())
    teaching.turn()
    assert played.turns == [] and teaching.turn() > 60


def test_who_could_not_be_looked_at_is_tried_again(teaching, played, monkeypatch):
    monkeypatch.setattr(played, "fails", LostFence("tutor"))
    teaching.hear(Client("ann", "tester").view())
    with pytest.raises(LostFence):
        teaching.turn()
    monkeypatch.setattr(played, "fails", None)
    teaching.turn()
    assert played.turns == ["ann", "ann"]


def test_a_cluster_that_is_gone_is_looked_at_no_more(teaching, played, monkeypatch):
    monkeypatch.setattr(played, "wait", 0.0)
    teaching.hear(Client("ann", "tester").view())
    teaching.turn()
    delete_cluster("ann")
    assert teaching.turn() > 1  # without a word, and bob is not kept waiting


def test_one_of_two_tutors_acts(teaching, played):
    other = Tutor()
    other.hear(Client("ann", "tester").view())
    assert 0 < other.turn() <= tutor.LOOK_SECONDS and played.turns == []
    teaching.lock.release()
    other.hear(Client("ann", "tester").view())
    other.turn()
    assert played.turns == ["ann"]
