"""The services of compose.yaml, each started with its own command and environment against real PostgreSQL and Redis.

There is no registry to pull the base images from, so the commands run as processes of this machine: what stands inside
a container or a network of compose's is replaced by what it is here, and nothing else.
"""

import json
import re
import shutil
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from tests.conftest import need
from tests.labs import HOME, LabUnderTest, clean_environment, free_port, is_ready, manage, wait_until

from .audit import wait_until_as_declared
from .databases import create_database
from .room import PASSWORD, Browser, made
from .steps import PODS, scale

SERVICES = yaml.safe_load((HOME / "compose.yaml").read_text())["services"]
OF_THE_LAB = [name for name, service in SERVICES.items() if service.get("image") == "orrery"]
STOP_SECONDS = 20
DATA = "${PWD}/.data"
LESSON = "22-any-cloud-any-laptop"


class Ports(NamedTuple):
    """Of a web server, by what they are in its container."""

    plain: int
    tls: int
    room: int


def free_ports() -> Ports:
    return Ports(free_port(), free_port(), free_port())


class Services:
    """The processes that compose would start, each by the name of its service; those that it would scale, with a number
    behind it."""

    def __init__(self, lab: LabUnderTest, database: str, redis: str):
        self.lab = lab
        self.door = free_port()
        self.first = Ports(lab.port, free_port(), free_port())
        self._here = {
            "DATABASE_URL": database,
            "REDIS_URL": redis,
            "ORRERY_DATA": str(lab.data),
            "ORRERY_TLS_PORT": str(self.first.tls),
            "ORRERY_API": f"http://127.0.0.1:{lab.port}",
            "ORRERY_FRONT_DOOR": f"http://localhost:{self.door}/",
            "ORRERY_SIDE_DOOR": f"{lab.data}/proxy/door.sock",
            "ORRERY_ROOM": f"http://127.0.0.1:{self.first.room}/",
            "ORRERY_KUBELET_HOST": "127.0.0.1",
            "ORRERY_KUBELET_NAME": "127.0.0.1",
        }
        self.running: dict[str, subprocess.Popen] = {}

    def environment(self, name: str) -> dict[str, str]:
        declared = {key: unset(value) for key, value in SERVICES[name]["environment"].items()}
        return clean_environment(**declared | {key: self._here[key] for key in self._here.keys() & declared.keys()})

    def command(self, words: list[str], ports: Ports | None = None) -> list[str]:
        plain, tls, room = ports or self.first
        at = {"8088": str(plain), "8089": str(self.door), "8090": str(tls), "8091": str(room)}
        here = {**at, "0.0.0.0": "127.0.0.1", DATA: str(self.lab.data)}
        program = sys.executable if words[0] == "python" else str(Path(sys.executable).with_name(words[0]))
        # At once: a port of this machine may have 8090 in its number.
        there = re.compile("|".join(map(re.escape, here)))
        return [program, *(there.sub(lambda found: here[found[0]], unset(word)) for word in words[1:])]

    def start(self, name: str, number: str = "", ports: Ports | None = None) -> subprocess.Popen:
        words = SERVICES[name].get("command") or command_of_the_image()
        with self.log(name + number).open("w") as out:
            started = subprocess.Popen(
                self.command(words, ports), cwd=HOME, env=self.environment(name), stdout=out, stderr=out
            )
        self.running[name + number] = started
        return started

    def log(self, name: str) -> Path:
        return self.lab.data.with_name(f"{name}.log")

    def is_healthy(self, name: str) -> bool:
        """What the service's own healthcheck says."""
        _, *words = SERVICES[name]["healthcheck"]["test"]
        done = subprocess.run(
            self.command(words), cwd=HOME, env=self.environment(name), capture_output=True, timeout=60
        )
        return done.returncode == 0

    def stop(self) -> None:
        for service in self.running.values():
            service.terminate()
        for service in self.running.values():
            try:
                service.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                service.kill()
                service.wait()


def assert_solved_by_the_tutor(lab: LabUnderTest) -> None:
    """A step of which the worker does one act with kubectl, asked for a solution."""
    need("kubectl", shutil.which("kubectl"))
    spec = {"step": "the-real-one", "run": 1, "skip": "the-real-one"}
    lab.api("POST", "/apis/orrery.io/v1/lessons", {"metadata": {"name": LESSON}, "spec": spec})
    wait_until("a step to be shown", lambda: said_done(lab) == ["deployment.apps/web scaled"], 60)


def said_done(lab: LabUnderTest) -> list[str]:
    lesson = lab.api("GET", f"/apis/orrery.io/v1/lessons/{LESSON}")
    return [one["text"] for one in lesson.get("status", {}).get("done", ())]


def fetch(port: int) -> int:
    """The status with which the demo answers at the front door; 0 if nobody does."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/", headers={"Host": "hello.default.default.localhost"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status
    except OSError:
        return 0


def unset(value: str) -> str:
    """`${NAME:-default}` → its default."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)


def command_of_the_image() -> list[str]:
    text = (HOME / "Dockerfile").read_text().replace("\\\n", " ")
    return json.loads(re.search(r"^CMD (\[.*\])", text, re.MULTILINE)[1])


@pytest.fixture
def services(engine, postgres: str, redis_server: str, tmp_path: Path) -> Iterator[Services]:
    lab = LabUnderTest(tmp_path / "data", "docker")
    lab.data.mkdir()
    name = f"compose-{free_port()}"
    services = Services(lab, create_database(postgres, name), redis_server.replace("/0", "/1"))
    yield services
    services.stop()
    manage("down", data=lab.data)


@pytest.mark.timeout(240)
def test_the_services_of_compose_make_a_cluster_with_the_demo_ready(services):
    assert sorted(OF_THE_LAB) == ["beat", "kubelet", "prepare", "proxy", "visitors", "web", "worker"]
    assert services.start("prepare").wait(60) == 0
    assert stat.S_IMODE(services.lab.data.stat().st_mode) == 0o700  # the engine may have made it, open to all
    for name in ("web", "worker", "beat", "kubelet", "proxy", "visitors"):
        services.start(name)
    lab = services.lab
    first = lab.wait_for_ready_pods(3, seconds=120)[0]["metadata"]["name"]
    with urllib.request.urlopen(f"{lab.address}/clusters/default{PODS}/{first}/log", timeout=20) as logs:
        assert logs.status == 200 and logs.read()
    for name in ("web", "worker", "beat", "kubelet"):
        wait_until(f"{name} to be healthy", lambda name=name: services.is_healthy(name), seconds=20)
    wait_until("the front door to lead to the demo", lambda: fetch(services.door) == 200)
    hello = f"{lab.address}/clusters/default/api/v1/namespaces/default/services/hello/proxy/"
    with urllib.request.urlopen(hello, timeout=20) as answer:  # by the side door
        assert answer.read().startswith(b"Hello from hello-")
    scale(lab, 4)
    lab.wait_for_ready_pods(4)
    wait_until_as_declared(lab)
    assert_solved_by_the_tutor(lab)
    assert {name: service.poll() for name, service in services.running.items()} == {
        "prepare": 0,
        "web": None,
        "worker": None,
        "beat": None,
        "kubelet": None,
        "proxy": None,
        "visitors": None,
    }
    services.stop()
    assert {name: service.returncode for name, service in services.running.items() if name != "web"} == {
        "prepare": 0,
        "worker": 0,
        "beat": 0,
        "kubelet": 0,
        "proxy": 0,
        "visitors": 0,
    }


WEB = {
    "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
    "spec": {
        "replicas": 1, "selector": {"matchLabels": {"app": "web"}},
        "template": {"metadata": {"labels": {"app": "web"}},
                     "spec": {"containers": [{"name": "app", "image": "orrery/hello:v1"}]}},
    },
}  # fmt: skip


def processes(port: int) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
        found = re.findall(r'orrery_processes{part="(\w+)"} (\S+)', answer.read().decode())
    return {part: float(number) for part, number in found}


@pytest.mark.timeout(400)
def test_two_web_servers_and_three_workers_serve_one_room_and_go_on_without_some_of_them(services):
    """`docker compose up --scale web=2 --scale worker=3`."""
    assert services.start("prepare").wait(60) == 0
    password = re.search(r"signs in as instructor with (\S+),", services.log("prepare").read_text())[1]
    second = free_ports()
    services.start("web")
    services.start("web", "-2", second)
    for number in ("", "-2", "-3"):
        services.start("worker", number)
    for name in ("beat", "kubelet", "proxy"):
        services.start(name)
    lab = services.lab
    lab.wait_for_ready_pods(3, seconds=120)
    for port in (services.first.plain, second.plain):  # whichever is asked, it answers for all
        wait_until("all to be there", lambda port=port: processes(port) == {"web": 2, "worker": 4})

    # A teacher at the one, a learner at the other, who is known at both: to browsers they are one address.
    teacher = Browser(f"http://127.0.0.1:{services.first.room}/")
    teacher.post("staff/sign-in", username="instructor", password=password)
    teacher.post("staff/password", new_password1=PASSWORD, new_password2=PASSWORD)
    code = made(teacher, "10-desired-state")
    ada = Browser(f"http://127.0.0.1:{second.room}/")
    assert "You are <b>Ada</b>" in ada.post("join", code=code, nickname="Ada")
    cluster = f"{code.lower()}-1"
    lab.api("POST", "/apis/apps/v1/namespaces/default/deployments", WEB, cluster=cluster)
    pods = f"clusters/{cluster}/api/v1/namespaces/default/pods?labelSelector=app%3Dweb"

    def ready() -> int:
        items = json.loads(ada.get(pods))["items"]
        return len(items) if all(is_ready(pod) for pod in items) else 0

    def scaled(replicas: int) -> None:
        ada.patch(f"clusters/{cluster}/apis/apps/v1/namespaces/default/deployments/web", replicas_of(replicas))
        try:
            wait_until(f"{replicas} pods of hers", lambda: ready() == replicas, 60)
        except AssertionError as late:  # it has been, for minutes, once: what her cluster says of it
            for path in (pods, *(f"clusters/{cluster}/api/v1/{kind}" for kind in ("nodes", "events"))):
                late.add_note(ada.get(path))
            for name in services.running:
                late.add_note(f"{name}: {services.log(name).read_text()[-2000:]}")
            raise

    scaled(2)
    ada.root = f"http://127.0.0.1:{services.first.room}/"
    assert "You are <b>Ada</b>" in ada.get("room/") and ready() == 2
    for name in ("web", "worker", "worker-2"):
        services.running[name].kill()
    ada.root = teacher.root = f"http://127.0.0.1:{second.room}/"
    scaled(3)
    assert "Ada" in teacher.get(f"staff/workshops/{code}/")
    wait_until("who is gone to be missed", lambda: processes(second.plain) == {"web": 1, "worker": 2}, 30)


def replicas_of(count: int) -> bytes:
    return json.dumps({"spec": {"replicas": count}}).encode()
