"""The reconcile loop: nothing lost, nothing doubled, failures spaced out."""

import time

import pytest

from lab.apimachinery.kinds import CONFIGMAPS
from lab.client import Client
from lab.client.clusters import ensure_cluster
from lab.client.locks import Lock
from lab.client.reconcile import Controller, behind, catch_up, run_until_quiet
from lab.models import Cursor, Requeue

pytestmark = pytest.mark.django_db


class Recorder(Controller):
    """Remembers what it was asked to sync; fails as often as it is told to."""

    name = "recorder"
    watches = ("configmaps",)

    def __init__(self):
        self.synced: list[str] = []
        self.failures = 0
        self.delay: float | None = None

    def keys(self, change):
        yield f"{change.namespace}/{change.name}"

    def all_keys(self, client):
        return [f"default/{o['metadata']['name']}" for o in client.list(CONFIGMAPS)]

    def sync(self, client, key):
        if self.failures:
            self.failures -= 1
            raise RuntimeError("not today")
        self.synced.append(key)
        return self.delay


@pytest.fixture
def client(db) -> Client:
    ensure_cluster("loop")
    return Client("loop", "tester")


def a_configmap(name: str) -> dict:
    return {"metadata": {"name": name, "namespace": "default"}, "data": {"a": "1"}}


def test_a_first_turn_syncs_everything_there_is(client):
    client.create(CONFIGMAPS, a_configmap("a"))
    loop = Recorder()
    assert catch_up("loop", loop) == 1
    assert loop.synced == ["default/a"]


def test_a_key_that_changed_five_times_is_synced_once(client):
    loop = Recorder()
    client.create(CONFIGMAPS, a_configmap("a"))
    catch_up("loop", loop)
    loop.synced.clear()
    for value in range(5):
        client.patch(CONFIGMAPS, "default", "a", {"data": {"a": str(value + 2)}})
    catch_up("loop", loop)
    assert loop.synced == ["default/a"]


def test_nothing_new_means_no_turn(client):
    loop = Recorder()
    client.create(CONFIGMAPS, a_configmap("a"))
    catch_up("loop", loop)
    assert catch_up("loop", loop) == 0


def test_a_failing_key_comes_back_later_and_later(client):
    loop = Recorder()
    loop.failures = 2
    client.create(CONFIGMAPS, a_configmap("a"))
    catch_up("loop", loop)
    first = Requeue.objects.get()
    assert (loop.synced, first.failures) == ([], 1)
    Requeue.objects.update(due=0)
    catch_up("loop", loop)
    second = Requeue.objects.get()
    assert second.failures == 2
    assert second.due - second.queued > first.due - first.queued
    Requeue.objects.update(due=0)
    catch_up("loop", loop)
    assert loop.synced == ["default/a"]
    assert not Requeue.objects.exists()


def test_a_wished_delay_is_kept_and_survives_the_clock_stepping_back(client):
    loop = Recorder()
    loop.delay = 3600
    client.create(CONFIGMAPS, a_configmap("a"))
    catch_up("loop", loop)
    assert behind("loop", [loop]) == []
    Requeue.objects.update(queued=time.time() + 86400, due=time.time() + 90000)
    assert behind("loop", [loop]) == ["recorder"]


def test_a_controller_held_by_another_worker_is_left_alone(client):
    loop = Recorder()
    client.create(CONFIGMAPS, a_configmap("a"))
    other = Lock(f"{client.view().uid}/recorder")
    assert other.acquire()
    assert catch_up("loop", loop) == 0
    other.release()
    assert catch_up("loop", loop) == 1


def test_a_hold_that_ran_out_can_be_taken(client):
    other = Lock("somebody/dead")
    other.acquire()
    assert not Lock("somebody/dead").acquire()
    Cursor.objects.update(expires=time.time() - 1)
    assert Lock("somebody/dead").acquire()


def test_a_hold_from_the_future_can_be_taken(client):
    Lock("clock/stepped").acquire()
    Cursor.objects.update(held_since=time.time() + 3600, expires=time.time() + 3630)
    assert Lock("clock/stepped").acquire()


def test_a_cursor_that_nothing_concerns_moves_on_by_itself(client):
    loop = Recorder()
    client.create(CONFIGMAPS, a_configmap("a"))
    catch_up("loop", loop)
    loop.watches = ()
    for value in range(210):
        client.patch(CONFIGMAPS, "default", "a", {"data": {"a": f"v{value}"}})
    assert behind("loop", [loop]) == []
    assert Cursor.objects.get().revision == client.view().revision


def test_its_writes_carry_the_cause(client):
    class Copier(Recorder):
        def sync(self, client, key):
            if key == "default/a" and client.find(CONFIGMAPS, "default", "copy") is None:
                client.create(CONFIGMAPS, a_configmap("copy"))

    loop = Copier()
    client.create(CONFIGMAPS, a_configmap("zero"))
    run_until_quiet("loop", [loop])
    made = client.create(CONFIGMAPS, a_configmap("a"))
    run_until_quiet("loop", [loop])
    newest = client.history(CONFIGMAPS, "default", "copy")[0]
    assert newest["author"] == "recorder-controller"
    assert str(newest["cause"]) == made["metadata"]["resourceVersion"]
