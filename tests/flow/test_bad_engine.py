"""The Docker engine's bad days: it is stopped for ten seconds, and all containers with it; it cannot remove one."""

import subprocess
import time
from pathlib import Path

import docker
import pytest

from lab.runtime import SandboxSpec
from lab.runtime.engines import open_runtime
from tests.labs import LabUnderTest

from .audit import wait_until_as_declared
from .steps import scale


@pytest.mark.timeout(600)
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


def test_a_container_that_the_engine_cannot_remove_is_not_in_the_way_of_its_pod(
    private_engine, tmp_path: Path, monkeypatch
):
    monkeypatch.setenv("DOCKER_HOST", private_engine.host)
    runtime = open_runtime("docker", "busy", tmp_path)
    runtime.ensure_network("world")
    spec = SandboxSpec("world", "node-a", "default", "web", "uid", "")
    first = runtime.run_pod_sandbox(spec)
    # As after a stop that cut a start short: its file system is mounted where the engine's own mounts hide it.
    with docker.APIClient(private_engine.host) as client:
        client.stop(first, timeout=0)
        merged = Path(client.inspect_container(first)["GraphDriver"]["Data"]["MergedDir"])
    merged.mkdir()
    root = private_engine.folder / "data-root"
    for what, where in ((tmp_path, merged), (root, root)):
        subprocess.run(["mount", "--bind", what, where], check=True)

    runtime.remove_pod_sandbox(first)
    assert runtime.list_pods() == []
    second = runtime.run_pod_sandbox(spec)
    assert [(box.id, box.ready) for box in runtime.list_pods()] == [(second, True)]
    removed = [line for line in runtime.remove_everything() if line.startswith("container")]
    assert removed == ["container k8s_POD_web_default_uid"]
