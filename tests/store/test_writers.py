"""Several who write to one log at once, each with a connection of its own: on SQLite, and on PostgreSQL too.

What is at stake: revisions become visible in the order of their numbers, no update is lost, nobody works twice.
"""

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, connections, transaction

from lab import store
from lab.client.locks import Lock
from lab.models import Cluster, Cursor, Requeue, Revision

from ..labs import clean_environment
from .writes import write

pytestmark = pytest.mark.django_db(transaction=True)
HOME = Path(__file__).parents[2]
WRITERS, TIMES = 3, 40


def database_url() -> str:
    """How another process finds the database of this test run."""
    database = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{database['NAME']}"
    return f"postgres://{database['USER']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"


@contextlib.contextmanager
def writers(cluster: str) -> Iterator[list[subprocess.Popen]]:
    env = clean_environment(
        DATABASE_URL=database_url(),
        REDIS_URL=settings.REDIS_URL,
        ORRERY_DATA=str(settings.DATA_DIR),
        DJANGO_SETTINGS_MODULE="lab.settings",
    )
    command = [sys.executable, "-m", "tests.store.writer", cluster]
    pipe = {"cwd": HOME, "env": env, "stderr": subprocess.PIPE, "text": True}
    started = [subprocess.Popen([*command, f"writer-{n}", str(TIMES)], **pipe) for n in range(WRITERS)]
    try:
        yield started
    finally:
        for writer in started:
            writer.kill()
            writer.communicate()


def read_until(total: int, cluster: str, seen: int) -> int:
    """Follow the log as a watcher does; the last revision that was seen."""
    deadline = time.monotonic() + 100
    while seen < total and time.monotonic() < deadline:
        rows = Revision.objects.filter(cluster__name=cluster, revision__gt=seen).order_by("revision")
        news = list(rows.values_list("revision", flat=True))
        assert news == list(range(seen + 1, seen + 1 + len(news))), "a revision became visible before one below it"
        seen += len(news)
    return seen


def test_processes_at_once_leave_no_gap_for_a_reader_and_lose_no_update():
    store.create_cluster("race")
    store.append("race", [write("counter", count=0)], "me")
    total = 1 + WRITERS * TIMES * 3
    with writers("race") as started:
        assert read_until(total, "race", seen=1) == total
        assert [(writer.wait(30), writer.stderr.read()) for writer in started] == [(0, "")] * WRITERS
    assert store.view("race").get("pods", "default", "counter")["count"] == WRITERS * TIMES
    assert len(store.view("race").list("pods")) == 1 + WRITERS * TIMES * 2


def test_of_two_writers_that_expect_the_same_revision_one_wins():
    store.create_cluster("duel")
    store.append("duel", [write("a")], "me")
    ready, outcomes = threading.Barrier(2), []

    def work(who: str) -> None:
        ready.wait()
        try:
            outcomes.append(store.append("duel", [write("a", 1, by=who)], who))
        except store.Conflict:
            outcomes.append("conflict")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(who,)) for who in ("left", "right")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, outcomes)) == ["2", "conflict"]


def test_nobody_takes_over_from_a_writer_in_the_middle_of_its_batch():
    """Whoever takes a hold must find in the log all that its last holder has written, or do it once more."""
    store.create_cluster("fence")
    slow, hasty = Lock("fence/replicaset"), Lock("fence/replicaset")
    assert slow.acquire()
    Cursor.objects.update(expires=time.time() - 1)
    writing, found = threading.Event(), []

    def take_over() -> None:
        writing.wait()
        try:
            found.append((hasty.acquire(), store.view("fence").revision))
        finally:
            connections.close_all()

    thread = threading.Thread(target=take_over)
    thread.start()
    with transaction.atomic():
        store.append("fence", [write("a")], "slow", fence=slow.fence)
        writing.set()
        thread.join(0.5)
        assert found == []
    thread.join(20)
    assert found == [(False, 1)]  # who writes has it for longer with that
    Cursor.objects.update(expires=time.time() - 1)
    assert hasty.acquire()
    with pytest.raises(store.LostFence):
        store.append("fence", [write("b")], "slow", fence=slow.fence)


def test_whoever_stands_still_in_the_middle_of_a_batch_is_put_out_of_the_way():
    """As when its machine loses power: nothing would end that connection for two hours."""
    if connection.vendor == "sqlite":
        pytest.skip("on SQLite all are on one machine")
    store.create_cluster("stuck")
    with pytest.raises(DatabaseError), transaction.atomic():
        store.append("stuck", [write("a")], "still")
        finish_in_time(lambda: store.append("stuck", [write("b")], "quick"))
    assert [pod["metadata"]["name"] for pod in store.view("stuck").list("pods")] == ["b"]


def test_noting_a_key_for_later_waits_for_nobody_who_appends():
    """It refers to the row that the writer has locked. If it waited, two workers could wait for each other."""
    if connection.vendor == "sqlite":
        pytest.skip("on SQLite every writer waits for every other")
    store.create_cluster("busy")
    done = []

    def note() -> None:
        try:
            cluster = Cluster.objects.get(name="busy")
            Requeue.objects.create(cluster=cluster, controller="x", key="a", due=0, queued=0)
            done.append(True)
        finally:
            connections.close_all()

    thread = threading.Thread(target=note)
    with transaction.atomic():
        store.append("busy", [write("a")], "me")
        thread.start()
        thread.join(20)
        assert done == [True]


def test_nobody_who_writes_waits_for_compaction():
    if connection.vendor == "sqlite":
        pytest.skip("on SQLite every writer waits for every other")
    store.create_cluster("old")
    store.append("old", [write("a")], "me")
    store.append("old", [write("a", 1)], "me")
    store.append("old", [write("z")], "me")
    gone = []

    def forget() -> None:
        try:
            gone.append(store.compact("old", keep=1))
        finally:
            connections.close_all()

    thread = threading.Thread(target=forget)
    with transaction.atomic():
        Revision.objects.select_for_update().get(revision=1)
        thread.start()
        thread.join(0.5)  # it has begun, and waits for us
        finish_in_time(lambda: store.append("old", [write("b")], "me"))
        assert gone == []
    thread.join(20)
    assert gone == [1]


def test_a_cluster_is_deleted_while_a_loop_ends_its_turn():
    """The loop has its cursor and refers to the cluster; who deletes has the cluster and wants the cursor."""
    cluster = store.create_cluster("ending") and Cluster.objects.get(name="ending")
    name = f"{cluster.uid}/x"
    Cursor.objects.create(name=name)
    deleting = threading.Thread(target=lambda: (store.delete_cluster("ending"), connections.close_all()))
    with transaction.atomic():
        Cursor.objects.filter(name=name).update(revision=1)
        deleting.start()
        deleting.join(0.5)  # it has begun, and waits for us
        Requeue.objects.create(cluster=cluster, controller="x", key="a", due=0, queued=0)
    deleting.join(20)
    assert not Cluster.objects.exists() and not Cursor.objects.exists() and not Requeue.objects.exists()


def finish_in_time(work) -> None:
    """Run it in a thread of its own, which must end."""
    thread = threading.Thread(target=lambda: (work(), connections.close_all()), daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive()
