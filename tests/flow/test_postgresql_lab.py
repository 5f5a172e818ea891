"""A whole lab on PostgreSQL and Redis, as a school runs it."""

import urllib.error
from collections.abc import Iterator

import pytest
import redis

from tests.labs import LabUnderTest, processes_of, wait_until

from .audit import wait_until_as_declared
from .databases import create_database, cut_connections
from .steps import kill, most_pods_at_once, release, revision, scale


@pytest.fixture
def lab(postgres: str, redis_server: str, tmp_path) -> Iterator[LabUnderTest]:
    database = create_database(postgres, "lab")
    lab = LabUnderTest(tmp_path / "data", "process", DATABASE_URL=database, REDIS_URL=redis_server)
    yield lab
    lab.clean_up()


def scale_somehow(lab: LabUnderTest, replicas: int) -> None:
    """The first request on a broken connection may be refused; it says so, and the next one is not."""

    def accepted() -> bool:
        try:
            scale(lab, replicas)
        except urllib.error.HTTPError as refusal:
            assert refusal.code == 503
            return False
        return True

    wait_until("a write to be accepted", accepted, seconds=10)


def test_a_lab_on_postgresql_and_redis_deploys_scales_and_survives_its_worker(lab, postgres, redis_server):
    lab.start()
    lab.wait_for_ready_pods(3)
    assert not list(lab.data.glob("*.sqlite3*"))
    assert lab.pid_of("broker") is None  # the Redis that was named, and no other
    start = revision(lab)
    scale(lab, 6)
    wait_until_as_declared(lab)
    release(lab, "v2")
    kill(lab, "worker")
    wait_until_as_declared(lab)
    assert {pod["metadata"]["annotations"]["version"] for pod in lab.pods()} == {"v2"}
    assert most_pods_at_once(lab, start) <= 6 + 2
    assert cut_connections(postgres, "lab") > 2
    scale_somehow(lab, 5)
    lab.wait_for_ready_pods(5)
    wait_until_as_declared(lab)
    lab_id = (lab.data / "lab-id").read_text()
    assert all(lab_id in key.decode() for key in redis.Redis.from_url(redis_server).scan_iter()), (
        "what others may use too"
    )
    lab.stop()
    wait_until("the end of every process", lambda: not processes_of(lab.data), seconds=5)
    lab.start()
    lab.wait_for_ready_pods(5)
