import json
import os
import signal
import socket
import subprocess
import time

import pytest
import yaml

from tests.conftest import need
from tests.labs import is_alive, manage, processes_of, wait_until

SCALE = "/apis/apps/v1/namespaces/default/deployments/hello/scale"


def test_up_shows_a_control_plane_and_three_workers_all_ready_with_the_demo_on_them(process_lab):
    selector = "labelSelector=%21node-role.kubernetes.io/control-plane"
    nodes = process_lab.get(f"/api/v1/nodes?{selector}")["items"]
    assert sorted(node["metadata"]["labels"]["topology.kubernetes.io/zone"] for node in nodes) == ["a", "b", "c"]
    assert "4 of 4 nodes Ready" in process_lab.said()
    process_lab.wait_for_ready_pods(3)


def test_status_tells_where_everything_is(process_lab):
    status = json.loads(manage("status", "--json", data=process_lab.data).stdout)
    assert status["board"] == f"{process_lab.address}/"
    assert status["api"] == f"{process_lab.address}/clusters/default"
    assert (status["cluster"], status["runtime"], status["running"]) == ("default", "process", True)
    assert {each["name"]: each["healthy"] for each in status["processes"]} == {
        "broker": True,
        "engine": True,
        "web": True,
        "worker": True,
        "beat": True,
        "proxy": True,
        "visitors": True,
    }
    assert status["front_door"] == process_lab.run()["front_door"]


def test_status_notices_a_process_that_does_not_answer(process_lab):
    web = process_lab.pid_of("web")
    os.kill(web, signal.SIGSTOP)
    try:
        status = json.loads(manage("status", "--json", data=process_lab.data).stdout)
    finally:
        os.kill(web, signal.SIGCONT)
    assert {each["name"]: each["healthy"] for each in status["processes"]}["web"] is False


def test_status_of_a_stopped_lab_is_still_json(tmp_path):
    done = manage("status", "--json", data=tmp_path / "data")
    assert done.returncode == 3
    assert json.loads(done.stdout)["running"] is False


def test_the_printed_kubeconfig_opens_the_cluster(process_lab, kubectl, tmp_path):
    config = tmp_path / "config"
    config.write_text(manage("kubeconfig", data=process_lab.data).stdout)
    command = [kubectl, "--kubeconfig", str(config), "get", "nodes", "-o", "name"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True)
    assert listed.stdout.split() == ["node/control-plane-a", "node/node-a", "node/node-b", "node/node-c"]


def test_the_kubeconfig_of_an_unknown_cluster_names_the_known_ones(process_lab):
    done = manage("kubeconfig", "nowhere", data=process_lab.data)
    assert done.returncode != 0
    assert 'There is no cluster "nowhere"; there is: default' in done.stderr
    known = yaml.safe_load(manage("kubeconfig", "default", data=process_lab.data).stdout)
    assert known["current-context"] == "orrery-default"


def test_a_second_up_in_the_same_folder_says_where_the_first_is(process_lab):
    second = manage("up", "--no-browser", data=process_lab.data)
    assert second.returncode == 1
    assert f"already running in this folder: {process_lab.address}/" in second.stderr
    assert process_lab.get("/api/v1/nodes")


def test_a_taken_port_is_named_before_anything_starts(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = manage("up", "--no-browser", "--port", str(port), data=tmp_path / "data")
    assert done.returncode == 1
    assert done.stderr == (
        f"Port {port} is taken by another program. Choose another: python3 manage.py up --port {port + 1}\n"
    )
    assert not processes_of(tmp_path / "data")


def test_an_engine_that_was_asked_for_and_is_not_there_is_an_error(tmp_path):
    env = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}
    done = manage("up", "--no-browser", "--runtime", "docker", "--port", "0", data=tmp_path / "data", **env)
    assert done.returncode == 1
    assert "No Docker engine answers at unix:///nowhere/docker.sock" in done.stderr


def test_a_full_disk_is_named_before_anything_starts(tmp_path):
    need("root, to mount a small disk", os.geteuid() == 0)
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], check=True)
    try:
        done = manage("up", "--no-browser", "--port", "0", data=disk / "data")
    finally:
        subprocess.run(["umount", disk], check=True)
    assert done.returncode == 1
    assert f"The disk where {disk / 'data'} lies is full" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_stops_in_good_order_and_leaves_no_process(own_lab, number):
    own_lab.start()
    own_lab.wait_for_ready_pods(3)
    assert len(processes_of(own_lab.data)) >= 5
    began = time.monotonic()
    own_lab.stop(number)
    assert own_lab.process.returncode == 0
    assert time.monotonic() - began < 30
    assert "Stopped." in own_lab.said()
    wait_until("the end of every process", lambda: not processes_of(own_lab.data), seconds=2)


def test_a_supervisor_killed_with_sigkill_leaves_no_process(own_lab):
    own_lab.start()
    own_lab.wait_for_ready_pods(3)
    own_lab.stop(signal.SIGKILL)
    wait_until("the end of every process", lambda: not processes_of(own_lab.data), seconds=15)


def test_ctrl_c_stops_the_containers_and_the_next_up_brings_them_back(own_docker_lab, engine):
    own_docker_lab.start()
    own_docker_lab.wait_for_ready_pods(3)
    own_docker_lab.stop()
    label = {"label": f"orrery.io/lab={(own_docker_lab.data / 'lab-id').read_text()}"}
    assert engine.containers(filters=label) == []
    own_docker_lab.start()
    own_docker_lab.wait_for_ready_pods(3)
    manage("down", data=own_docker_lab.data)
    assert own_docker_lab.process.wait(30) == 0
    assert engine.containers(all=True, filters=label) == []
    assert engine.networks(filters=label) == []
    assert engine.images(filters=label) == []


def test_the_second_start_keeps_what_was_deleted_deleted(own_lab):
    own_lab.start()
    own_lab.api("DELETE", "/apis/apps/v1/namespaces/default/deployments/hello")
    wait_until("no pods", lambda: not own_lab.pods())
    own_lab.stop()
    own_lab.start()
    assert own_lab.get("/apis/apps/v1/namespaces/default/deployments")["items"] == []


@pytest.mark.parametrize("name", ["web", "worker", "beat", "broker", "engine"])
def test_a_killed_process_is_back_at_once_and_the_cluster_as_declared(own_lab, name):
    own_lab.start()
    own_lab.wait_for_ready_pods(3)
    before = own_lab.pid_of(name)
    os.kill(before, signal.SIGKILL)
    after = wait_until("a new process", lambda: (pid := own_lab.pid_of(name)) != before and pid, seconds=5)
    assert is_alive(after)
    assert f"{name} ended (killed by SIGKILL), starting it again in 0.2 s" in own_lab.said()
    scale = {"spec": {"replicas": 5}}
    own_lab.api("PATCH", SCALE, scale, content_type="application/merge-patch+json")
    own_lab.wait_for_ready_pods(5)
