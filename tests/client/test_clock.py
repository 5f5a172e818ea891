"""The machine's clock is set back: nobody waits for a time that was promised by the clock as it was."""

import time
from types import SimpleNamespace

import pytest

from lab import store
from lab.apimachinery.kinds import CONFIGMAPS
from lab.client import Client, locks, reconcile, requeue
from lab.client.clusters import ensure_cluster
from lab.client.locks import HOLD_SECONDS, JITTER_SECONDS, Lock
from lab.client.reconcile import behind, catch_up
from lab.store import log
from tests.loops import run_until_quiet

from .loops import Recorder, a_configmap

pytestmark = pytest.mark.django_db
HOUR = 3600.0


class Clock:
    now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    for module in (locks, reconcile, requeue, log):
        monkeypatch.setattr(module, "time", SimpleNamespace(time=clock, monotonic=time.monotonic, sleep=time.sleep))
    return clock


@pytest.fixture
def client(db) -> Client:
    ensure_cluster("loop")
    return Client("loop", "tester")


def test_a_hold_is_free_at_once_and_its_holder_can_write_no_more(client, clock):
    before, after = Lock("loop/replicaset"), Lock("loop/replicaset")
    assert before.acquire()
    clock.now -= HOUR
    assert after.acquire()
    with pytest.raises(store.LostFence):
        Client("loop", "late", fence=before.fence).create(CONFIGMAPS, a_configmap("late"))
    assert not before.acquire()


def test_a_hold_is_kept_when_the_clock_is_only_put_right_a_little(client, clock):
    assert Lock("loop/replicaset").acquire()
    clock.now -= JITTER_SECONDS / 2
    assert not Lock("loop/replicaset").acquire()
    clock.now += JITTER_SECONDS / 2 + HOLD_SECONDS
    assert Lock("loop/replicaset").acquire()


def test_who_renews_a_hold_keeps_it(client, clock):
    holder = Lock("kubelet/docker")
    assert holder.acquire()
    clock.now -= HOUR
    assert holder.acquire()
    assert not Lock("kubelet/docker").acquire()


def test_a_key_that_waits_is_looked_at_at_once(client, clock):
    loop = Recorder()
    loop.delay = 10.0
    client.create(CONFIGMAPS, a_configmap("a"))
    catch_up("loop", loop)
    assert behind("loop", [loop]) == []
    clock.now -= HOUR
    assert behind("loop", [loop]) == ["recorder"]
    assert catch_up("loop", loop) == 1
    assert behind("loop", [loop]) == []  # and waits its ten seconds by the new clock
    clock.now += 10.1
    assert behind("loop", [loop]) == ["recorder"]


def test_a_key_that_fails_does_not_fail_without_a_pause(client, clock):
    loop = Recorder()
    loop.failures = 5
    client.create(CONFIGMAPS, a_configmap("a"))
    catch_up("loop", loop)
    clock.now -= HOUR
    assert [catch_up("loop", loop), catch_up("loop", loop)] == [1, 0]


def test_the_log_keeps_its_order_and_loses_nothing(client, clock):
    loop = Recorder()
    client.create(CONFIGMAPS, a_configmap("a"))
    run_until_quiet("loop", [loop])
    clock.now -= HOUR
    client.create(CONFIGMAPS, a_configmap("b"))
    clock.now -= HOUR
    client.create(CONFIGMAPS, a_configmap("c"))
    run_until_quiet("loop", [loop])
    assert loop.synced == ["default/a", "default/b", "default/c"]
    written = [change for change in store.changes("loop", 0) if change.resource == "configmaps"]
    assert [change.name for change in written] == ["a", "b", "c"]
    assert written[0].time > written[1].time > written[2].time
