"""Health: what is well, what is not, what to do, and who may ask."""

import os
import subprocess
import sys
import time

import pytest
import redis
from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import OperationalError
from django.http import HttpResponse
from django.test import AsyncClient

from lab import parts
from lab.client.clusters import ensure_cluster
from lab.models import Cluster
from lab.operations import health
from lab.operations.health import Part, Seen, judged
from tests.labs import HOME

pytestmark = pytest.mark.django_db(transaction=True)
GIB = 1024**3
NOW = 1000.0
WORKER = {"part": "worker", "name": "worker@host:7", "time": NOW, "queues": ["control-plane", "kubelet"]}
THERE = [{"part": "clock", "name": "clock", "time": NOW - 1}, {**WORKER, "engines": {"docker": ""}}]
WELL = Seen(vendor="SQLite", clusters=3, there=THERE, free_bytes=20 * GIB)


def ill(seen: Seen) -> dict[str, Part]:
    return {part.name: part for part in judged(seen, NOW) if not part.well}


def test_where_all_is_well_nothing_is_to_be_done():
    found = judged(WELL, NOW)
    assert [part.name for part in found] == ["database", "broker", "disk", "clock", "web", "worker-control-plane",
                                             "worker-kubelet", "engine-docker"]  # fmt: skip
    assert all(part.well and not part.help for part in found)


@pytest.mark.parametrize(
    "change, name, words, counts",
    [
        ({"database": "connection refused"}, "database", "connection refused", True),
        ({"broker": "Error 111", "there": []}, "broker", "Error 111", True),
        ({"free_bytes": 1024}, "disk", "full", True),
        ({"free_bytes": None, "disk": "/data: gone"}, "disk", "gone", True),
        ({"there": THERE[1:]}, "clock", "has stopped", False),
        ({"there": THERE[:1]}, "worker-control-plane", "none", False),
        ({"there": [THERE[0], {**WORKER, "queues": ["control-plane"]}]}, "worker-kubelet", "none", False),
        ({"there": [THERE[0], {**WORKER, "engines": {"docker": "it is down"}}]}, "engine-docker", "is down", False),
        ({"there": [THERE[0], WORKER]}, "engine", "no kubelet", False),
    ],
)
def test_each_part_says_what_is_wrong_and_what_to_do(change, name, words, counts):
    part = ill(Seen(**{**vars(WELL), **change}))[name]
    assert words in part.word and part.help and part.counts == counts


def test_little_room_is_said_before_it_is_too_late():
    disk = next(part for part in judged(Seen(**{**vars(WELL), "free_bytes": GIB // 2}), NOW) if part.name == "disk")
    assert (disk.well, disk.word.split(":")[0], bool(disk.help)) == (True, "little room", True)


def get(path: str, **headers: str) -> HttpResponse:
    return async_to_sync(AsyncClient().get)(path, headers=headers)


@pytest.fixture
def there(broker) -> None:
    ensure_cluster("default")
    redis.Redis.from_url(settings.REDIS_URL).delete(parts._key())
    for one in THERE:
        parts.say(one["part"], one["name"], {key: one[key] for key in one.keys() - {"part", "name", "time"}})


def test_what_is_ready_says_ok_as_kubernetes_does(there):
    for path in ("/livez", "/readyz", "/readyz/worker-kubelet"):
        assert (get(path).status_code, get(path).content) == (200, b"ok")
    lines = get("/readyz?verbose").content.decode().splitlines()
    assert lines[0].startswith("[+]database ok") and "[+]engine-docker ok: answers its kubelet" in lines
    assert lines[-1] == "readyz check passed"
    assert get("/livez?verbose").content.decode() == "[+]ping ok\nlivez check passed\n"
    assert get("/readyz/nobody").status_code == 404


def test_a_database_that_fails_takes_the_process_out_of_service_and_not_out_of_life(there, monkeypatch):
    def fails(*_: object) -> int:
        raise OperationalError("no such host\nand more")

    monkeypatch.setattr(Cluster.objects, "count", fails)
    answer = get("/readyz")
    assert answer.status_code == 500
    assert "[-]database failed: no such host. " in answer.content.decode()
    assert answer.content.decode().endswith("readyz check failed\n")
    assert get("/livez").status_code == 200
    assert get("/readyz?exclude=database").content == b"ok"


def test_who_sends_visitors_elsewhere_does_not_do_so_for_a_worker(there):
    parts._client.hdel(parts._key(), "worker@host:7")
    assert get("/readyz").content == b"ok"
    assert "[-]worker-kubelet failed: none. " in get("/readyz?verbose").content.decode()
    assert get("/readyz/worker-kubelet").status_code == 500


def test_people_read_it_on_a_page(there, monkeypatch):
    page = get("/health").content.decode()
    assert "All 8 parts do their work." in page and 'href="/staff/workshops/"' in page
    monkeypatch.setattr(health, "look", lambda: Seen(**{**vars(WELL), "there": THERE[1:]}))
    page = get("/health").content.decode()
    assert "1 of 8 parts need you." in page and "python -m lab.beat" in page
    assert get("/health", Origin="http://elsewhere.example").status_code == 403


def test_a_cluster_still_answers_for_itself(there):
    assert get("/clusters/default/readyz?verbose").content.decode() == "[+]ping ok\n[+]store ok\nreadyz check passed\n"


def test_a_health_check_knows_the_processes_of_its_own_machine(there):
    def check(part: str) -> int:
        env = {**os.environ, "DJANGO_SETTINGS_MODULE": "lab.settings"}
        return subprocess.run([sys.executable, "-m", "lab.parts", part], cwd=HOME, env=env).returncode

    assert (check("clock"), check("worker")) == (0, 1)  # that one is of another host
    here = parts.Here("worker", lambda: {"queues": ["kubelet"]})
    here.start()
    deadline = time.monotonic() + 20
    while check("worker") and time.monotonic() < deadline:
        time.sleep(0.1)
    assert check("worker") == 0
    here.stop()
    assert check("worker") == 1
