"""The Docker engine's bad day: it is stopped for ten seconds, and all containers with it."""

import time
from pathlib import Path

import pytest

from tests.labs import LabUnderTest

from .audit import wait_until_as_declared
from .steps import scale


@pytest.mark.timeout(240)
def test_the_engine_is_stopped_for_ten_seconds_and_every_pod_comes_back_where_it_was(
    private_engine, tmp_path: Path, monkeypatch
):
    monkeypatch.setenv("DOCKER_HOST", private_engine.host)
    lab = LabUnderTest(tmp_path / "data", "docker", DOCKER_HOST=private_engine.host)
    try:
        lab.start()
        lab.wait_for_ready_pods(3, seconds=90)
        wait_until_as_declared(lab)
        before = {pod["metadata"]["uid"]: pod["status"]["podIP"] for pod in lab.pods()}
        private_engine.stop()
        scale(lab, 4)
        time.sleep(10)
        private_engine.start()
        wait_until_as_declared(lab, 90)
        after = {pod["metadata"]["uid"]: pod["status"]["podIP"] for pod in lab.pods()}
        assert before.items() <= after.items()
        restarts = {pod["metadata"]["uid"]: pod["status"]["containerStatuses"][0]["restartCount"] for pod in lab.pods()}
        # An engine that goes down slowly lets one be started again, or tried to, before it is gone: that counts too.
        assert all(restarts.pop(uid) in (1, 2) for uid in before)
        assert list(restarts.values()) == [0]
        assert "waiting for the container engine" in lab.said()
    finally:
        lab.clean_up()
