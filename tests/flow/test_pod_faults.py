"""What is done to pods behind the lab's back, and that the same pods come back; and that deleted ones leave nothing."""

import os
import signal
import subprocess
import time

import pytest

from lab.runtime.docker import labels

from ..labs import manage, wait_until
from .audit import wait_until_as_declared
from .stage import Stage, condition_of, container, ended_of, forever, pod, state_of, status_of

PODS = [
    pod("killed", container("main"), container("other", forever("echo up"))),
    pod("deleted", container("main", forever("echo up")), initContainers=[container("setup", "echo set up")]),
    pod("talkative", container("main", forever("for i in 1 2 3; do echo line $i; done; sleep 1; echo late")),
        container("other", forever("echo other"))),
    pod("dies-once", container("main", "echo first words; sleep 0.5; exit 1")),
]  # fmt: skip
DOCKER_PODS = [
    pod("container-removed", container("main"), container("other", forever("echo up"))),
    pod("pause-killed", container("main"), container("other", forever("echo up"))),
    pod("all-removed", container("main")),
    pod(
        "with-volume",
        container("main", forever("cat /v/x"), volumeMounts=[{"name": "v", "mountPath": "/v"}]),
        initContainers=[container("setup", "echo kept > /v/x", volumeMounts=[{"name": "v", "mountPath": "/v"}])],
        volumes=[{"name": "v", "emptyDir": {}}],
    ),
]


def id_of(seen: dict, name: str = "main") -> str:
    return status_of(seen, name)["containerID"].partition("://")[2]


def back(stage: Stage, before: dict, restarts: int, name: str = "main") -> dict:
    """The same pod, ready again, once the container has at least so many restarts."""
    seen = stage.wait(
        before["metadata"]["name"],
        "ready again",
        lambda seen: status_of(seen, name).get("restartCount", 0) >= restarts and condition_of(seen) == "True",
    )[0]
    assert seen["metadata"]["uid"] == before["metadata"]["uid"]
    assert seen["status"]["podIP"] == before["status"]["podIP"]
    return seen


def test_a_killed_container_is_back_in_the_same_pod_and_the_others_go_on(stage):
    before = stage.ready("killed")
    stage.lab.api("POST", f"{stage.path}/pods/killed/kill?container=main")
    after = back(stage, before, 1)
    assert ended_of(after)["exitCode"] == 137
    assert status_of(after, "other")["restartCount"] == 0
    assert id_of(after, "other") == id_of(before, "other") and id_of(after) != id_of(before)


def test_a_deleted_pod_leaves_nothing_on_the_engine_and_no_folder(stage):
    uid = stage.ready("deleted")["metadata"]["uid"]
    assert len(stage.containers_of(uid)) == 3
    stage.delete("deleted")
    stage.gone("deleted")
    wait_until("nothing to be left of it", lambda: not stage.containers_of(uid), 20)
    wait_until("its folder to go", lambda: not (stage.lab.data / "pods" / uid).exists(), 5)


@pytest.fixture
def kubectl_of(stage: Stage, kubectl: str, tmp_path):
    config = tmp_path / "config"
    config.write_text(manage("kubeconfig", data=stage.lab.data).stdout)
    return [kubectl, "--kubeconfig", str(config), "-n", stage.namespace]


def test_kubectl_shows_and_follows_logs(stage, kubectl_of):
    stage.said("talkative", "line 3", container="main")
    run = {"capture_output": True, "text": True, "timeout": 20}
    other = subprocess.run([*kubectl_of, "logs", "talkative", "-c", "other"], **run)
    assert other.stdout == "other\n"
    tail = subprocess.run([*kubectl_of, "logs", "talkative", "-c", "main", "--tail=1"], **run)
    assert tail.stdout in ("line 3\n", "late\n")
    missing = subprocess.run([*kubectl_of, "logs", "talkative", "-c", "none"], **run)
    assert "container none is not valid for pod talkative" in missing.stderr
    follower = subprocess.Popen(
        [*kubectl_of, "logs", "-f", "talkative", "-c", "main"], stdout=subprocess.PIPE, text=True
    )
    try:
        lines = [follower.stdout.readline() for _ in range(4)]
    finally:
        follower.kill()
    assert lines == ["line 1\n", "line 2\n", "line 3\n", "late\n"]


def test_kubectl_shows_the_last_words_of_the_container_before(stage, kubectl_of):
    stage.wait("dies-once", "a restart", lambda seen: status_of(seen).get("restartCount", 0) >= 1)
    shown = subprocess.run([*kubectl_of, "logs", "--previous", "dies-once"], capture_output=True, text=True, timeout=20)
    assert shown.stdout == "first words\n", shown.stderr


def test_a_container_removed_behind_our_back_is_made_anew(docker_stage, engine):
    before = docker_stage.ready("container-removed")
    engine.remove_container(id_of(before), force=True)
    after = back(docker_stage, before, 1)
    assert id_of(after, "other") == id_of(before, "other")


def test_a_pod_whose_pause_container_is_killed_is_made_anew_at_its_address(docker_stage, engine):
    before = docker_stage.ready("pause-killed")
    pause = engine.inspect_container(id_of(before))["HostConfig"]["NetworkMode"].partition(":")[2]
    engine.kill(pause)
    after = back(docker_stage, before, 1)
    assert status_of(after, "other")["restartCount"] == 1
    docker_stage.told("pause-killed", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")
    assert len(docker_stage.containers_of(before["metadata"]["uid"])) == 3


def test_a_pod_whose_containers_are_all_removed_is_made_anew_at_its_address(docker_stage, engine):
    before = docker_stage.ready("all-removed")
    for each in docker_stage.containers_of(before["metadata"]["uid"])[::-1]:
        engine.remove_container(each, force=True)
    back(docker_stage, before, 1)
    wait_until("two of them again", lambda: len(docker_stage.containers_of(before["metadata"]["uid"])) >= 2, 5)


def test_what_an_empty_dir_holds_outlives_its_containers(docker_stage, engine):
    before = docker_stage.ready("with-volume")
    engine.kill(id_of(before))
    after = back(docker_stage, before, 1)
    assert docker_stage.said("with-volume", "kept") == "kept\n"
    assert state_of(after, "setup") == "terminated" and status_of(after, "setup")["restartCount"] == 0


def test_a_worker_killed_while_it_creates_pods_neither_doubles_nor_restarts_any(own_docker_lab, engine):
    own_docker_lab.start()
    own_docker_lab.wait_for_ready_pods(3)
    scale = "/apis/apps/v1/namespaces/default/deployments/hello/scale"
    for replicas, pause in ((7, 0.3), (10, 0.6)):
        own_docker_lab.api(
            "PATCH", scale, {"spec": {"replicas": replicas}}, content_type="application/merge-patch+json"
        )
        time.sleep(pause)
        os.kill(own_docker_lab.pid_of("worker"), signal.SIGKILL)
    pods = own_docker_lab.wait_for_ready_pods(10)
    assert [status_of(each, "hello")["restartCount"] for each in pods] == [0] * 10
    wait_until_as_declared(own_docker_lab)
    of_pods = labels.pods_of((own_docker_lab.data / "lab-id").read_text())
    assert len(engine.containers(all=True, filters=of_pods)) == 20
