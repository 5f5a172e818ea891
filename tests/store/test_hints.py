"""Hints: a watcher is woken by what concerns it, and by nothing else; without any it looks anyway."""

import asyncio
import socket
import time

import pytest
from django.conf import settings
from django.db import connections

from lab import store
from lab.store import hints, wait_for_revision

from .writes import write

pytestmark = pytest.mark.django_db(transaction=True)
LONG = 20.0


async def heard(cluster: str, after: int, timeout: float) -> bool:
    """Whether a hint came before the time was over."""
    began = time.monotonic()
    await wait_for_revision(cluster, after, timeout)
    return time.monotonic() - began < timeout


async def in_thread(function, *args):
    """As the API server does: the database is never asked in the event loop."""

    def connected():
        try:
            return function(*args)
        finally:
            connections.close_all()

    return await asyncio.get_running_loop().run_in_executor(None, connected)


async def append(cluster: str, name: str) -> int:
    return await in_thread(store.append, cluster, [write(name)], "me")


async def is_listening(cluster: str) -> None:
    """The first wait subscribes; from then on hints are heard."""
    for number in range(50):
        head = await append(cluster, f"first-{number}")
        if await heard(cluster, head - 1, 0.2):
            return
    raise AssertionError("no hint was ever heard")


async def test_who_waits_is_woken_by_a_write(broker):
    await in_thread(store.create_cluster, "heard")
    await is_listening("heard")
    head = (await in_thread(store.view, "heard")).revision
    waiting = asyncio.create_task(heard("heard", head, LONG))
    await asyncio.sleep(0.05)
    await append("heard", "news")
    assert await waiting


async def test_who_waits_for_a_cluster_made_anew_is_not_woken_by_what_was_said_of_the_old_one(broker):
    """Its log begins at 1 again. A watcher that took the old number for news would look without a pause, for ever."""
    await in_thread(store.create_cluster, "again")
    await is_listening("again")
    for number in range(5):
        await append("again", f"old-{number}")
    await in_thread(store.delete_cluster, "again")
    await in_thread(store.create_cluster, "again")
    head = await append("again", "new")
    await asyncio.sleep(0.3)
    assert not await heard("again", head, 0.3)


async def test_who_waits_for_several_clusters_is_woken_by_any_and_nobody_by_another(broker):
    for cluster in ("mine", "yours"):
        await in_thread(store.create_cluster, cluster)
    await is_listening("mine")
    heads = {cluster: (await in_thread(store.view, cluster)).revision for cluster in ("mine", "yours")}
    both = asyncio.create_task(hints.wait_for_any(heads, LONG))
    mine = asyncio.create_task(heard("mine", heads["mine"], LONG))
    await asyncio.sleep(0.05)
    await append("yours", "news")
    await asyncio.wait_for(both, LONG)
    ear = hints._ears[asyncio.get_running_loop()]
    assert list(ear._waiting) == ["mine"]
    await append("mine", "news")
    assert await mine
    assert ear._waiting == {}


async def test_who_is_told_nothing_looks_after_a_while(broker):
    assert not await heard("silent", 0, 0.1)


def test_labs_that_share_a_redis_do_not_wake_each_other():
    assert settings.LAB_ID in hints.CHANNEL


def test_a_listener_is_sent_one_task_for_all_that_it_wants_until_it_takes_it(broker, monkeypatch):
    monkeypatch.setattr(hints, "_subscribers", {})
    hints.subscribe("listener", "a.task", "a-queue", lambda change: change.name.startswith("wanted"))
    queue = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"] + "a-queue"

    def tasks_after(*names: str) -> int:
        store.append("poked", [write(name) for name in names], "me")
        return hints._client.llen(queue)

    store.create_cluster("poked")
    assert tasks_after("other") == 0
    assert tasks_after("another", "wanted-1") == 1
    assert tasks_after("wanted-2") == 1
    hints.taken({"poked": ["listener"]})
    assert tasks_after("wanted-3") == 2
    hints.taken({"poked": ["listener"]})
    hints.poke_by_name({"poked": ["nobody", "listener"]})
    assert hints._client.llen(queue) == 3
    assert tasks_after("wanted-4") == 3
    hints._client.delete(queue)


def test_all_whom_a_write_concerns_are_sent_one_task(broker, monkeypatch):
    monkeypatch.setattr(hints, "_subscribers", {})
    queues = {"first": "one-queue", "second": "one-queue", "elsewhere": "another-queue", "idle": "one-queue"}
    for name, queue in queues.items():
        hints.subscribe(name, "a.task", queue, lambda change, name=name: name != "idle")
    sent = []
    monkeypatch.setattr(
        hints.current_app, "send_task", lambda task, args, queue, **how: sent.append((queue, args, how))
    )
    store.create_cluster("together")
    store.append("together", [write("pod")], "me")
    hints.taken({"together": ["first"]})
    store.append("together", [write("another")], "me")
    assert sent == [
        ("one-queue", [{"together": ["first", "second"]}], settings.TRANSIENT),
        ("another-queue", [{"together": ["elsewhere"]}], settings.TRANSIENT),
        ("one-queue", [{"together": ["first"]}], settings.TRANSIENT),
    ]


def test_what_is_found_of_many_clusters_at_once_goes_in_a_few_tasks(broker, monkeypatch):
    monkeypatch.setattr(hints, "_subscribers", {})
    for name in ("first", "second"):
        hints.subscribe(name, "a.task", "a-queue", lambda change: True)
    sent = []
    monkeypatch.setattr(hints.current_app, "send_task", lambda task, args, **_: sent.append(args[0]))
    work = {f"many-{number}": ["first", "second"] for number in range(hints.LOT + 1)} | {"quiet": []}
    hints.poke_by_name(work)
    assert [len(lot) for lot in sent] == [hints.LOT, 1]
    assert sent[0] | sent[1] | {"quiet": []} == work
    hints.poke_by_name(work)
    assert len(sent) == 2
    hints.taken(sent[1])
    hints.poke_by_name(work)
    assert sent[2:] == sent[1:2]


@pytest.fixture
def broker_at(monkeypatch):
    """Point the hints to another broker."""

    def point(port: int) -> None:
        client = hints.redis.Redis(port=port, socket_timeout=1, retry=hints._once_more)
        monkeypatch.setattr(hints, "_client", client)
        monkeypatch.setattr(hints, "_broker", hints._Broker())

    return point


def away(caplog) -> int:
    return len([r for r in caplog.records if r.message.startswith("the broker is away, the tick stands in")])


def test_a_broker_that_is_away_fails_no_write_and_is_named_once(broker_at, caplog):
    store.create_cluster("deaf")
    broker_at(1)
    assert [store.append("deaf", [write(f"pod-{number}")], "me") for number in range(3)] == [1, 2, 3]
    assert away(caplog) == 1


def test_a_broker_that_stays_away_is_named_once_and_once_more_when_it_is_back(broker_at, caplog, monkeypatch):
    store.create_cluster("deaf")
    real = hints._client
    broker_at(1)
    for number in range(3):
        store.append("deaf", [write(f"away-{number}")], "me")
        monkeypatch.setattr(hints._broker, "rests_until", 0.0)  # the second in which it is not even tried is over
    monkeypatch.setattr(hints, "_client", real)
    for number in range(2):
        store.append("deaf", [write(f"back-{number}")], "me")
    assert away(caplog) == 1
    assert [r.message for r in caplog.records].count("the broker is back") == 1


def test_a_broker_that_hangs_holds_up_one_write_and_not_each(broker_at, caplog):
    store.create_cluster("slow")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        broker_at(silent.getsockname()[1])
        began = time.monotonic()
        for number in range(20):
            store.append("slow", [write(f"pod-{number}")], "me")
        assert time.monotonic() - began < 10
    assert away(caplog) == 1
