"""A lab with a room: a learner comes in by its port, and finds their own cluster and nothing else."""

import http.client
import json
import os
import re
import signal
import subprocess

import pytest

from ..labs import LabUnderTest, manage, wait_until
from .room import ROOM, Browser, made, root_of, teacher_of
from .shop import deployment_of
from .steps import scale
from .visiting import address_of


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    lab = LabUnderTest(tmp_path_factory.mktemp("room") / "data", "process", *ROOM)
    try:
        yield lab.start()
    finally:
        lab.clean_up()


@pytest.fixture(scope="module")
def signed_in(lab) -> Browser:
    return teacher_of(lab)


def test_a_class_is_made_and_joined_and_each_has_a_cluster_of_their_own(lab, signed_in):
    teacher, root = signed_in, root_of(lab)
    ada, bob = Browser(root), Browser(root)
    code = made(teacher, "10-desired-state")
    assert "You are <b>Ada</b>" in ada.post("join", code=code.lower(), nickname="Ada")
    bob.post("join", code=code, nickname="Bob")
    mine, theirs = (f"clusters/{code.lower()}-{number}/" for number in (1, 2))
    ready = '"reason":"KubeletReady"'
    wait_until("her nodes to be ready", lambda: ada.get(f"{mine}api/v1/nodes").replace(" ", "").count(ready) == 4, 60)
    assert "Ada" not in ada.get(mine) and theirs[:-1] not in ada.get(mine)
    for path in (
        theirs,
        f"{theirs}api/v1/nodes",
        "clusters/default/",
        "api/v1/nodes",
        f"staff/workshops/{code}/delete",
    ):
        assert ada.refused(path) in (403, 405), path
    assert Browser(root).refused(f"{mine}api/v1/nodes") == 403
    assert f"{code.lower()}-2" in teacher.get(f"staff/workshops/{code}/")
    assert "Wall of An evening" in teacher.get(theirs) and teacher.refused(f"{theirs}api/v1/nodes") == 403
    bob.get("room/")
    teacher.ask(f"staff/workshops/{code}/wall/do/look", seat=f"{code.lower()}-2")
    bob.ask("room/help/accept")
    assert "Wall of" not in teacher.get(theirs) and teacher.get(f"{theirs}api/v1/nodes")


def test_a_learners_own_kubectl_reaches_their_cluster_by_the_rooms_port(lab, signed_in, kubectl, tmp_path):
    root, code = root_of(lab), made(signed_in, "10-desired-state")
    ada = Browser(root)
    ada.post("join", code=code, nickname="Ada")
    assert 'href="/room/kubeconfig"' in ada.get("room/")
    cluster, config = f"{code.lower()}-1", tmp_path / "orrery.yaml"
    panel = ada.get(f"clusters/{cluster}/board/panel/kubectl")
    assert "manage.py" not in panel  # that is for who sits at the lab's machine
    config.write_text(ada.get("room/kubeconfig"))

    def run(*words: str) -> subprocess.CompletedProcess:
        command = [kubectl, "--kubeconfig", str(config), "--cache-dir", str(tmp_path), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)

    made_one = run("create", "deployment", "web", "--image", "orrery/hello:v1", "--port", "8080")
    assert "deployment.apps/web created" in made_one.stdout, made_one.stderr
    waited = run("rollout", "status", "deployment/web", "--timeout", "50s")
    assert "successfully rolled out" in waited.stdout, waited.stderr
    assert "hello" in run("exec", "deploy/web", "--", "sh", "-c", "echo hello").stdout
    assert "opens nothing any more, or something else" in run("get", "--raw", "/board/").stderr
    config.write_text(config.read_text().replace(cluster, "default"))
    assert run("get", "pods").returncode


def test_a_learners_service_answers_at_the_front_door_where_pods_are_processes(lab, signed_in):
    root, code = root_of(lab), made(signed_in, "10-desired-state")
    ada, bob = Browser(root), Browser(root)
    ada.post("join", code=code, nickname="Ada")
    bob.post("join", code=code, nickname="Bob")
    cluster, default = f"{code.lower()}-1", "namespaces/default"
    web, ports = {"metadata": {"name": "web"}}, [{"port": 80, "targetPort": 8080}]
    deployment = web | {"spec": deployment_of("orrery/hello:v1", 2)}
    lab.api("POST", f"/apis/apps/v1/{default}/deployments", deployment, cluster)
    service = web | {"spec": {"selector": {"app": "web"}, "ports": ports}}
    lab.api("POST", f"/api/v1/{default}/services", service, cluster)

    def answered() -> bool:
        connection = http.client.HTTPConnection(*address_of(lab), timeout=5)
        connection.request("GET", "/", headers={"Host": f"web.default.{cluster}.localhost"})
        return connection.getresponse().status == 200

    wait_until("her pods to answer", answered, 60)
    through_the_api = f"clusters/{cluster}/api/v1/{default}/services/web/proxy/"  # from a machine of her own
    assert ada.get(through_the_api).startswith("Hello from web-")
    assert bob.refused(through_the_api) == 403
    link = re.search(r'href="/(through/[^"]+)"', ada.get(f"clusters/{cluster}/board/drawer/services/default/web"))[1]
    assert bob.get(link).startswith("Hello from web-")  # she may show it to others
    assert bob.refused(link.replace("/web/", "/none/")) == 404


def test_a_rehearsal_sets_every_stage_and_what_is_made_ahead_is_taken(lab, signed_in):
    teacher, root = signed_in, root_of(lab)
    code = made(teacher, "10-desired-state", seats=2)
    path = f"staff/workshops/{code}/"
    teacher.post(f"{path}rehearse", at=path)
    teacher.post(f"{path}warm", at=path)
    wait_until("all stages", lambda: re.search(r"All \d stages were set: every image is there", teacher.get(path)), 120)
    assert "there is room" in teacher.get(path)
    wait_until("the clusters", lambda: "2 of 2 clusters are made ahead" in teacher.get(path), 60)
    assert f"The cluster {code.lower()}-1 is yours" in Browser(root).post("join", code=code, nickname="Ada")


@pytest.mark.skipif(os.cpu_count() == 1, reason="one processor has nothing left for a second worker")
def test_a_second_worker_turns_the_loops_while_the_first_hangs(lab):
    lab.wait_for_ready_pods(3)
    hung = lab.pid_of("worker")
    os.kill(hung, signal.SIGSTOP)
    try:
        scale(lab, 5)
        wait_until("the pods to be made, which no kubelet starts now", lambda: len(lab.pods()) == 5, 30)
        status = json.loads(manage("status", "--json", data=lab.data).stdout)
    finally:
        os.kill(hung, signal.SIGCONT)
    healthy = {each["name"]: each["healthy"] for each in status["processes"]}
    assert (healthy["worker"], healthy["worker-2"]) == (False, True)
    lab.wait_for_ready_pods(5)
