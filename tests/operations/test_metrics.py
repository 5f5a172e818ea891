"""What Prometheus reads of the lab."""

import asyncio
import re

import pytest
import redis
from asgiref.sync import async_to_sync
from django.conf import settings
from django.http import HttpResponse
from django.test import AsyncClient

from lab import counters, parts
from lab.apimachinery.kinds import CONFIGMAPS, PODS
from lab.client import Client
from lab.client.clusters import ensure_cluster
from lab.client.reconcile import catch_up
from lab.doors import Counted
from lab.operations import exposition
from lab.workshops import presence
from lab.workshops.gate import Gate
from lab.workshops.seats import join
from tests.client.loops import Recorder, a_configmap
from tests.workshops.conftest import teacher, workshop  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def an_empty_broker(broker) -> None:
    counters.flush()
    redis.Redis.from_url(settings.REDIS_URL).delete(counters._key(), parts._key(), presence._key())


def get(path: str = "/metrics", method: str = "get", **headers: str) -> HttpResponse:
    return async_to_sync(getattr(AsyncClient(), method))(path, headers=headers)


def read() -> dict[str, float]:
    """`name{labels}` → value, as anybody reads it who asks the web server."""
    answer = get()
    assert answer.status_code == 200 and answer["Content-Type"].startswith("text/plain; version=")
    lines = [line.rpartition(" ") for line in answer.content.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in lines}


def test_loops_say_how_many_keys_they_had_how_long_and_what_failed():
    ensure_cluster("loop")
    client, loop = Client("loop", "tester"), Recorder()
    client.create(CONFIGMAPS, a_configmap("a"))
    loop.failures = 1
    catch_up("loop", loop)
    found = read()
    mine = f'{{controller="{loop.name}"}}'
    assert found[f"orrery_controller_keys_total{mine}"] == 1
    assert found[f"orrery_controller_errors_total{mine}"] == 1
    assert found[f"orrery_controller_turn_seconds_count{mine}"] == 1
    assert found[f"orrery_controller_waiting_keys{mine}"] == 1
    assert found[f'orrery_controller_turn_seconds_bucket{{controller="{loop.name}",le="+Inf"}}'] == 1
    assert found['orrery_revisions_total{resource="configmaps"}'] >= 1


def test_pods_are_told_by_phase_and_clusters_by_their_number():
    for name in ("one", "two"):
        ensure_cluster(name)
        spec = {"containers": [{"name": "a", "image": "orrery/hello:v1"}]}
        Client(name, "tester").create(PODS, {"metadata": {"name": "a", "namespace": "default"}, "spec": spec})
    made = Client("two", "tester").get(PODS, "default", "a")
    Client("two", "tester").update_status(PODS, {**made, "status": {**made["status"], "phase": "Running"}})
    found = read()
    assert found["orrery_clusters"] == 2
    assert (found['orrery_pods{phase="Pending"}'], found['orrery_pods{phase="Running"}']) == (1, 1)


def test_what_several_processes_counted_is_one_sum():
    for _ in range(3):
        counters.count(counters.TASKS, "lab.tasks.tick", "SUCCESS")
        counters.observe(counters.TASK_TIMES, 0.2, "lab.tasks.tick")
        counters.flush()  # as each process does for itself
    found = read()
    assert found['orrery_tasks_total{state="SUCCESS",task="lab.tasks.tick"}'] == 3
    buckets = [found[f'orrery_task_seconds_bucket{{le="{le}",task="lab.tasks.tick"}}'] for le in ("0.1", "0.25", "5.0")]
    assert buckets == [0, 3, 3]
    assert found['orrery_task_seconds_sum{task="lab.tasks.tick"}'] == pytest.approx(0.6)


def test_what_the_broker_does_not_take_is_counted_later(monkeypatch):
    away = redis.Redis.from_url("redis://127.0.0.1:1/0")
    with monkeypatch.context() as patched:
        patched.setattr(counters, "_client", away)
        counters.count(counters.KEYS, "late")
        counters.flush()
    assert read()['orrery_controller_keys_total{controller="late"}'] == 1


def test_without_a_broker_the_database_still_tells(monkeypatch):
    ensure_cluster("one")
    monkeypatch.setattr(counters, "_client", redis.Redis.from_url("redis://127.0.0.1:1/0"))
    found = read()
    assert (found["orrery_broker_up"], found["orrery_clusters"]) == (0, 1)


def test_websockets_and_processes_are_added_up_and_who_fell_silent_is_not(monkeypatch):
    for number in (2, 3):
        parts.say("web", f"web@host:{number}", {"websockets": {"room": number, "plain": 1}})
    parts.say("worker", "worker@host:9", {"queues": ["kubelet"]})
    found = read()
    assert (found['orrery_websockets{door="room"}'], found['orrery_websockets{door="plain"}']) == (5, 2)
    assert (found['orrery_processes{part="web"}'], found['orrery_processes{part="worker"}']) == (2, 1)
    monkeypatch.setattr(parts, "FRESH_SECONDS", -1.0)
    assert 'orrery_processes{part="web"}' not in read()


def test_learners_count_for_a_minute(monkeypatch):
    before = read()["orrery_learners_seen"]
    presence.seen("bcdfgh-1")
    assert read()["orrery_learners_seen"] == before + 1
    monkeypatch.setattr(exposition, "SEEN_SECONDS", -10.0)
    assert read()["orrery_learners_seen"] == 0
    presence.forgotten("bcdfgh-1")


def ask(app, path: str, cookie: str = "") -> tuple[int, str]:
    sent: list[dict] = []

    async def receive() -> dict:
        return {"type": "http.request", "body": b""}

    async def send(message: dict) -> None:
        sent.append(message)

    headers = [(b"host", b"testserver"), (b"cookie", cookie.encode())]
    scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": headers, "state": {}}
    asyncio.run(app({**scope, "client": ("10.9.8.7", 1)}, receive, send))
    return sent[0]["status"], sent[1]["body"].decode()


async def inside(scope, receive, send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"metrics"})


@pytest.mark.parametrize("path", ["/metrics", "/health", "/readyz", "/readyz/disk"])
def test_at_the_rooms_door_it_is_for_those_who_teach(workshop, teacher, path):  # noqa: F811
    _, token = join(workshop.code, "Ada")
    app = Counted(Gate(inside), "room")
    assert ask(app, path)[0] == ask(app, path, f"orrery-seat={token}")[0] == 403
    assert ask(app, path, f"orrery-staff={teacher.cookies['orrery-staff'].value}") == (200, "metrics")
    found = read()
    assert found['orrery_http_requests_total{code="403",door="room",method="GET"}'] == 2
    assert found['orrery_http_requests_total{code="200",door="room",method="GET"}'] == 1
    assert workshop.code.lower() not in get().content.decode().lower()


def test_a_page_of_another_site_reads_nothing():
    assert get(Origin="http://elsewhere.example").status_code == 403
    assert get(method="post").status_code == 405


def test_every_metric_is_in_the_documentation():
    names = set(re.findall(r"^# TYPE (\w+) ", get().content.decode(), re.MULTILINE))
    text = (settings.BASE_DIR / "lab/README.md").read_text()
    assert not [name for name in names if f"`{name.removesuffix('_total')}" not in text]
