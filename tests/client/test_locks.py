"""Holds: one has it, it ends with its holder, and who works for long keeps it."""

import threading
import time
from contextlib import suppress

import pytest
from django.db import OperationalError, connection, connections

from lab.client import locks
from lab.client.cursors import place_of
from lab.client.locks import Lock, keeping
from lab.models import Cursor
from tests.labs import wait_until


@pytest.mark.django_db
def test_a_hold_that_ran_out_can_be_taken():
    Lock("somebody/dead").acquire()
    assert not Lock("somebody/dead").acquire()
    Cursor.objects.update(expires=time.time() - 1)
    assert Lock("somebody/dead").acquire()


@pytest.mark.django_db
def test_a_hold_from_a_time_to_come_is_nobodys_because_the_clock_was_set_back():
    """Otherwise a kubelet would wait for a proxy that died, for as long as the clock was wrong."""
    Lock("somebody/dead").acquire()
    assert place_of("somebody/dead").is_held
    hour = time.time() + 3600
    Cursor.objects.update(held_since=hour, expires=hour + 5)
    assert not place_of("somebody/dead").is_held
    assert Lock("somebody/dead").acquire()


@pytest.mark.django_db
def test_what_was_given_back_is_not_renewed():
    lock = Lock("a/hold")
    assert lock.acquire() and lock.renew()
    lock.release()
    assert not lock.renew()
    assert Lock("a/hold").acquire()


@pytest.mark.django_db
def test_what_somebody_else_has_taken_is_neither_renewed_nor_given_back():
    late, new = Lock("a/hold"), Lock("a/hold")
    late.acquire()
    Cursor.objects.update(expires=time.time() - 1)
    assert new.acquire()
    assert not late.renew()
    late.release()
    assert not Lock("a/hold").acquire()


@pytest.mark.django_db(transaction=True)
def test_who_works_for_longer_than_the_hold_keeps_it(monkeypatch):
    monkeypatch.setattr(locks, "RENEW_SECONDS", 0.2)
    lock = Lock("long/work", seconds=0.8)
    assert lock.acquire()
    with keeping(lock):
        time.sleep(2)
        assert not Lock("long/work").acquire()
    time.sleep(1)
    assert Lock("long/work").acquire()


@pytest.mark.django_db(transaction=True)
def test_who_is_stuck_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(locks, "RENEW_SECONDS", 0.1)
    monkeypatch.setattr(locks, "STUCK_SECONDS", 0.5)
    lock = Lock("stuck/work", seconds=0.5)
    assert lock.acquire()
    with keeping(lock):
        time.sleep(2)
        assert Lock("stuck/work").acquire()


@pytest.mark.django_db(transaction=True)
def test_of_many_who_reach_for_a_hold_one_gets_it():
    """The first time it does not even have a row."""
    ready, outcomes = threading.Barrier(8), []

    def reach() -> None:
        ready.wait()
        try:
            outcomes.append(Lock("wanted/by-all").acquire())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=reach) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False] * 7 + [True]


@pytest.mark.django_db(transaction=True)
def test_who_waits_for_a_hold_outlives_a_restart_of_the_database():
    """SQLite has no connections to lose."""
    other, lock = Lock("a/hold", seconds=2.0), Lock("a/hold")
    assert other.acquire() and not lock.acquire_if_able()
    if connection.vendor == "postgresql":
        with suppress(OperationalError), connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    assert wait_until("the other to run out", lock.acquire_if_able, 10)
