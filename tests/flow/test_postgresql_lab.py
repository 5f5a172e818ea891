"""A whole lab on PostgreSQL and Redis, as a school runs it."""

from collections.abc import Iterator

import pytest

from tests.labs import LabUnderTest, processes_of, wait_until

from .audit import wait_until_as_declared
from .databases import create_database
from .steps import kill, most_pods_at_once, release, revision, scale


@pytest.fixture
def lab(postgres: str, redis_server: str, tmp_path) -> Iterator[LabUnderTest]:
    database = create_database(postgres, "lab")
    lab = LabUnderTest(tmp_path / "data", "process", DATABASE_URL=database, REDIS_URL=redis_server)
    yield lab
    lab.clean_up()


def test_a_lab_on_postgresql_and_redis_deploys_scales_and_survives_its_worker(lab):
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
    lab.stop()
    wait_until("the end of every process", lambda: not processes_of(lab.data), seconds=5)
    lab.start()
    lab.wait_for_ready_pods(6)
