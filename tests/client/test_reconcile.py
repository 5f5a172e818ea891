"""The reconcile loop: nothing lost, nothing doubled, failures spaced out."""

import time

import pytest
from django.db import OperationalError

from lab.apimachinery.kinds import CONFIGMAPS, SECRETS
from lab.client import Client, cursors, reconcile
from lab.client.clusters import ensure_cluster
from lab.client.locks import Lock
from lab.client.reconcile import behind, catch_up
from lab.models import Cursor, Requeue
from tests.labs import wait_until
from tests.loops import run_until_quiet

from .loops import Recorder, a_configmap

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(db) -> Client:
    ensure_cluster("loop")
    return Client("loop", "tester")


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


def test_a_controller_that_nothing_concerns_looks_at_everything_once_and_then_only_at_what_is_new(client):
    class Idle(Recorder):
        looked = 0

        def all_keys(self, client):
            self.looked += 1
            return super().all_keys(client)

    loop = Idle()
    for _ in range(3):
        assert behind("loop", [loop]) == []
    assert loop.looked == 1
    for number in range(cursors.LAG + 1):
        client.create(SECRETS, a_configmap(f"a{number}"))
    assert behind("loop", [loop]) == []
    assert Cursor.objects.get(name=f"{client.view().uid}/recorder").revision == client.view().revision
    client.create(CONFIGMAPS, a_configmap("b"))
    assert behind("loop", [loop]) == ["recorder"]
    assert (catch_up("loop", loop), loop.looked) == (1, 1)


def test_the_tick_looks_at_each_change_once_and_at_what_is_to_be_done_until_it_is(client):
    class Watched(Recorder):
        asked: list[str] = []

        def keys(self, change):
            self.asked.append(change.name)
            return () if change.name == "boring" else super().keys(change)

    loop = Watched()
    behind("loop", [loop])  # its cursor stands at the head
    client.create(CONFIGMAPS, a_configmap("boring"))
    assert [behind("loop", [loop]) for _ in range(3)] == [[], [], []]
    assert loop.asked.count("boring") == 1
    client.create(CONFIGMAPS, a_configmap("news"))
    assert [behind("loop", [loop]) for _ in range(3)] == [["recorder"]] * 3
    assert (catch_up("loop", loop), behind("loop", [loop])) == (1, [])


def test_a_controller_held_by_another_worker_is_left_alone(client):
    loop = Recorder()
    client.create(CONFIGMAPS, a_configmap("a"))
    other = Lock(f"{client.view().uid}/recorder")
    assert other.acquire()
    assert catch_up("loop", loop) == 0
    other.release()
    assert catch_up("loop", loop) == 1


def test_a_sync_that_met_somebody_elses_write_looks_again_at_once(client):
    class Meets(Recorder):
        def sync(self, client, key):
            stale = client.get(CONFIGMAPS, "default", "a")
            if not self.synced:
                client.patch(CONFIGMAPS, "default", "a", {"data": {"other": "write"}})
            self.synced.append(key)
            client.update(CONFIGMAPS, {**stale, "data": {**stale["data"], "mine": "too"}})

    loop = Meets()
    client.create(CONFIGMAPS, a_configmap("a"))
    catch_up("loop", loop)
    assert client.get(CONFIGMAPS, "default", "a")["data"] == {"a": "1", "other": "write", "mine": "too"}
    assert not Requeue.objects.exists()


def test_a_key_that_has_failed_a_thousand_times_is_still_tried(client):
    loop = Recorder()
    loop.failures = 1
    client.create(CONFIGMAPS, a_configmap("a"))
    catch_up("loop", loop)
    Requeue.objects.update(due=0, failures=5000)
    loop.failures = 1
    catch_up("loop", loop)
    row = Requeue.objects.get()
    assert (row.failures, round(row.due - row.queued)) == (5001, 30)


def test_one_key_that_fails_does_not_hold_up_the_others(client):
    class Picky(Recorder):
        def sync(self, client, key):
            if key == "default/b":
                raise RuntimeError("not this one")
            return super().sync(client, key)

    loop = Picky()
    for name in "abc":
        client.create(CONFIGMAPS, a_configmap(name))
    catch_up("loop", loop)
    assert sorted(loop.synced) == ["default/a", "default/c"]
    assert Requeue.objects.get().key == "default/b"


def test_a_change_that_cannot_be_read_does_not_keep_the_loop_from_the_others(client):
    class Choosy(Recorder):
        def keys(self, change):
            return [f"{change.namespace}/{change.object['data']['a']}"]

    loop = Choosy()
    client.create(CONFIGMAPS, a_configmap("first"))
    catch_up("loop", loop)
    client.create(CONFIGMAPS, {"metadata": {"name": "bad", "namespace": "default"}})
    client.create(CONFIGMAPS, a_configmap("good"))
    assert behind("loop", [loop]) == [loop.name]
    loop.synced.clear()
    assert catch_up("loop", loop) == 1
    assert loop.synced == ["default/1"]
    assert behind("loop", [loop]) == []


def test_a_batch_that_fails_comes_back_later_and_later(client):
    class Batch(Recorder):
        def sync_all(self, client, causes):
            raise RuntimeError("none of them")

    for name in "ab":
        client.create(CONFIGMAPS, a_configmap(name))
    catch_up("loop", Batch())
    assert sorted(Requeue.objects.values_list("key", "failures")) == [("default/a", 1), ("default/b", 1)]
    assert catch_up("loop", Batch()) == 0


def test_a_database_that_is_away_ends_the_turn_and_blames_no_key(client):
    class Unlucky(Recorder):
        def sync(self, client, key):
            raise OperationalError("database is locked")

    client.create(CONFIGMAPS, a_configmap("a"))
    with pytest.raises(OperationalError):
        catch_up("loop", Unlucky())
    assert not Requeue.objects.exists()
    loop = Recorder()
    assert catch_up("loop", loop) == 1


def test_a_long_list_of_keys_takes_several_turns_and_none_is_forgotten(client, monkeypatch):
    monkeypatch.setattr(reconcile, "TURN_SECONDS", 0)
    loop = Recorder()
    for number in range(5):
        client.create(CONFIGMAPS, a_configmap(f"c{number}"))
    while catch_up("loop", loop):
        pass
    assert sorted(loop.synced) == [f"default/c{number}" for number in range(5)]


def test_a_cursor_that_nothing_concerns_moves_on_by_itself(client):
    loop = Recorder()
    client.create(CONFIGMAPS, a_configmap("a"))
    catch_up("loop", loop)
    loop.watches = ()
    for value in range(210):
        client.patch(CONFIGMAPS, "default", "a", {"data": {"a": f"v{value}"}})
    assert behind("loop", [loop]) == []
    assert Cursor.objects.get().revision == client.view().revision


def test_a_change_that_comes_while_the_cursor_is_moved_on_is_not_passed_over(client):
    """Several threads share a view: it may grow between the look at the changes and the move of the cursor."""

    class Late(Recorder):
        def keys(self, change):
            if change.name == "late":
                return super().keys(change)
            if client.find(CONFIGMAPS, "default", "late") is None and change.revision > 200:
                client.create(CONFIGMAPS, a_configmap("late"))
            return ()

    loop = Late()
    client.create(CONFIGMAPS, a_configmap("a"))
    catch_up("loop", loop)
    loop.synced.clear()
    for value in range(210):
        client.patch(CONFIGMAPS, "default", "a", {"data": {"a": f"v{value}"}})
    assert behind("loop", [loop]) == []
    assert client.find(CONFIGMAPS, "default", "late")
    catch_up("loop", loop)
    assert loop.synced == ["default/late"]


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


@pytest.mark.parametrize(("delay", "due_to"), [(0.0, "what it was begun for"), (0.01, "the clock")])
def test_who_is_not_done_goes_on_for_the_same_cause_and_who_waits_for_the_clocks(client, delay, due_to):
    class Twice(Recorder):
        def sync(self, client, key):
            done = client.find(CONFIGMAPS, "default", "one")
            if key == "default/a":
                client.create(CONFIGMAPS, a_configmap("two" if done else "one"))
                return None if done else delay

    loop = Twice()
    client.create(CONFIGMAPS, a_configmap("zero"))
    run_until_quiet("loop", [loop])
    made = int(client.create(CONFIGMAPS, a_configmap("a"))["metadata"]["resourceVersion"])

    def second() -> list[dict]:
        run_until_quiet("loop", [loop])
        return client.history(CONFIGMAPS, "default", "two")

    (row,) = wait_until("the second", second, 10, 0.01)
    assert row["cause"] == {"what it was begun for": made, "the clock": 0}[due_to]
