"""One wheel at a time: a loop is paused, slowed, stepped and broken, and makes up for all of it afterwards."""

import time

import pytest

from lab import metrics
from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import CONFIGMAPS, WHEELS
from lab.apimachinery.wheels import LOOPS, Wheel
from lab.client import Client, cursors
from lab.client.clusters import ensure_cluster, furnish
from lab.client.reconcile import behind, catch_up
from lab.models import Cursor, Requeue
from lab.tasks import LOOPS as TASKS

from .loops import Recorder, a_configmap

pytestmark = pytest.mark.django_db


class Loop(Recorder):
    """A recorder under a name for which there may be a wheel."""

    name = "job"
    author = "job-controller"


@pytest.fixture
def client(db) -> Client:
    ensure_cluster("loop")
    client = Client("loop", "kubectl")
    behind("loop", [Loop()])  # its cursor stands at the head
    return client


def turn(client: Client, **spec: object) -> None:
    if client.find(WHEELS, "", "job"):
        client.patch(WHEELS, "", "job", {"spec": spec})
    else:
        client.create(WHEELS, {"metadata": {"name": "job"}, "spec": spec})


def configmaps(client: Client, names: str) -> None:
    for name in names:
        client.create(CONFIGMAPS, a_configmap(name))


def taken(client: Client) -> int:
    return client.get(WHEELS, "", "job").get("status", {}).get("taken", 0)


def test_every_loop_has_a_wheel():
    assert {name: loop.author for name, loop in TASKS.items()} == LOOPS


def test_a_paused_loop_takes_nothing_forgets_nothing_and_asks_for_no_turn(client):
    loop = Loop()
    turn(client, mode="Paused")
    stood = Cursor.objects.get(name__endswith="/job").revision
    configmaps(client, [f"a{number}" for number in range(cursors.LAG + 2)])
    assert (behind("loop", [loop]), catch_up("loop", loop)) == ([], 0)
    assert Cursor.objects.get(name__endswith="/job").revision == stood
    client.patch(WHEELS, "", "job", {"spec": {"mode": "Running"}})
    assert behind("loop", [loop]) == ["job"]
    assert catch_up("loop", loop) == len(loop.synced) == cursors.LAG + 2


def test_a_paused_wheel_that_is_deleted_turns_and_comes_back_running(client):
    loop = Loop()
    turn(client, mode="Paused")
    configmaps(client, "ab")
    assert catch_up("loop", loop) == 0
    client.delete(WHEELS, "", "job")
    assert behind("loop", [loop]) == ["job"]
    assert catch_up("loop", loop) == 2
    client.create(WHEELS, {"metadata": {"name": "cronjob"}, "spec": {"mode": "Paused"}})
    furnish("loop")
    modes = [client.get(WHEELS, "", name)["spec"]["mode"] for name in ("job", "cronjob")]
    assert modes == ["Running", "Paused"]


def test_a_loop_that_is_paused_while_it_works_stops_after_its_present_key(client):
    class Interrupted(Loop):
        def sync(self, client, key):
            turn(Client("loop", "kubectl"), mode="Paused")
            return super().sync(client, key)

    loop = Interrupted()
    configmaps(client, "abc")
    catch_up("loop", loop)
    assert loop.synced == ["default/a"]
    causes = {row.key: row.cause for row in Requeue.objects.all()}
    made = {f"default/{name}": client.get(CONFIGMAPS, "default", name)["metadata"]["resourceVersion"] for name in "bc"}
    assert causes == {key: int(revision) for key, revision in made.items()}
    turn(client, mode="Running")
    assert catch_up("loop", after := Loop()) == 2
    assert after.synced == ["default/b", "default/c"]


def test_a_step_is_one_key_and_is_asked_for_by_raising_steps(client):
    loop = Loop()
    turn(client, mode="Step", steps=0)
    configmaps(client, "abcd")
    assert catch_up("loop", loop) == 0
    turn(client, steps=1)
    assert catch_up("loop", loop) == 1
    assert (loop.synced, taken(client)) == (["default/a"], 1)
    assert (behind("loop", [loop]), catch_up("loop", loop)) == ([], 0)
    turn(client, steps=3)
    catch_up("loop", loop)
    assert (loop.synced, taken(client)) == (["default/a", "default/b", "default/c"], 3)
    turn(client, mode="Running")
    catch_up("loop", loop)
    assert (loop.synced[3:], taken(client)) == (["default/d"], 3)


def test_a_turn_tells_of_the_keys_that_it_took_and_not_of_those_that_wait(client, monkeypatch):
    told = []
    monkeypatch.setattr(metrics, "turned", lambda cluster, loop, seconds, keys, failures: told.append((keys, failures)))
    turn(client, mode="Step", steps=2)
    configmaps(client, "abc")
    catch_up("loop", Loop())
    turn(client, mode="Broken")
    catch_up("loop", Loop())
    assert told == [(2, 0), (1, 1)]


def test_the_step_is_written_because_of_who_asked_for_it(client):
    turn(client, mode="Step", steps=1)
    asked = int(client.get(WHEELS, "", "job")["metadata"]["resourceVersion"])
    configmaps(client, "a")
    catch_up("loop", Loop())
    newest = client.history(WHEELS, "", "job")[0]
    assert (newest["author"], newest["cause"]) == ("job-controller", asked)
    assert newest["object"]["status"]["last"] == "default/a"


def test_a_slow_loop_rests_after_each_key(client):
    loop = Loop()
    turn(client, mode="Slow", seconds=60)
    configmaps(client, "abc")
    Cursor.objects.update(held_since=time.time() - 61)
    catch_up("loop", loop)
    assert loop.synced == ["default/a"]
    configmaps(client, "d")
    assert (behind("loop", [loop]), catch_up("loop", loop)) == ([], 0)
    for _ in range(3):
        Cursor.objects.update(held_since=time.time() - 61)
        assert behind("loop", [loop]) == ["job"]
        catch_up("loop", loop)
    assert loop.synced == [f"default/{name}" for name in "abcd"]


def test_a_broken_loop_fails_with_words_that_say_so_and_is_mended_at_once(client):
    loop = Loop()
    turn(client, mode="Broken")
    configmaps(client, "a")
    catch_up("loop", loop)
    row = Requeue.objects.get()
    assert (loop.synced, row.failures, row.error) == ([], 1, "broken on purpose: wheel job")
    assert row.cause == int(client.get(CONFIGMAPS, "default", "a")["metadata"]["resourceVersion"])
    Requeue.objects.update(due=time.time() + 3600)
    assert behind("loop", [loop]) == []
    turn(client, mode="Running")
    catch_up("loop", loop)
    assert loop.synced == ["default/a"] and not Requeue.objects.exists()


def test_a_key_that_merely_waits_for_its_time_is_the_clocks(client):
    loop = Loop()
    loop.delay = 3600
    configmaps(client, "a")
    catch_up("loop", loop)
    assert Requeue.objects.get().cause == 0


@pytest.mark.parametrize(
    ("name", "spec", "said"),
    [
        ("replicasets", {}, 'metadata.name: Invalid value: "replicasets": must be the name of a loop ('),
        ("job", {"mode": "Slow"}, "spec.seconds: Required value: a slow wheel rests so many seconds after each key"),
        ("job", {"mode": "Step"}, "spec.steps: Required value: a wheel that is stepped takes so many keys in all"),
        ("job", {"mode": "Slow", "seconds": 0}, "spec.seconds: Invalid value: 0: must be greater than zero"),
        (
            "job",
            {"mode": "Off"},
            'spec.mode: Unsupported value: "Off": supported values: "Broken", "Paused", "Running"',
        ),
    ],
)
def test_a_wheel_that_makes_no_sense_is_refused(client, name, spec, said):
    with pytest.raises(ApiError) as refused:
        client.create(WHEELS, {"metadata": {"name": name}, "spec": spec})
    assert refused.value.code == 422 and said in refused.value.message


def test_a_clock_that_was_set_back_does_not_stop_a_slow_wheel():
    assert [Wheel("job", "Slow", 5.0).allows(rested) for rested in (1, 5, -3600)] == [0, 1, 1]
