"""The services of compose.yaml, each started with its own command and environment against real PostgreSQL and Redis.

There is no registry to pull the base images from, so the commands run as processes of this machine: what stands inside
a container or a network of compose's is replaced by what it is here, and nothing else.
"""

import json
import re
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.labs import HOME, LabUnderTest, clean_environment, free_port, manage, wait_until

from .audit import wait_until_as_declared
from .databases import create_database
from .steps import PODS, scale

SERVICES = yaml.safe_load((HOME / "compose.yaml").read_text())["services"]
OF_THE_LAB = [name for name, service in SERVICES.items() if service.get("image") == "orrery"]
STOP_SECONDS = 20
DATA = "${PWD}/.data"


class Services:
    """The processes that compose would start, each by the name of its service."""

    def __init__(self, lab: LabUnderTest, database: str, redis: str):
        self.lab = lab
        self.door, self.tls = free_port(), free_port()
        self._here = {
            "DATABASE_URL": database,
            "REDIS_URL": redis,
            "ORRERY_DATA": str(lab.data),
            "ORRERY_FRONT_DOOR": f"http://localhost:{self.door}/",
            "ORRERY_KUBELET_HOST": "127.0.0.1",
            "ORRERY_KUBELET_NAME": "127.0.0.1",
        }
        self.running: dict[str, subprocess.Popen] = {}

    def environment(self, name: str) -> dict[str, str]:
        declared = {key: unset(value) for key, value in SERVICES[name]["environment"].items()}
        return clean_environment(**declared | {key: self._here[key] for key in self._here.keys() & declared.keys()})

    def command(self, words: list[str]) -> list[str]:
        ports = {"8088": str(self.lab.port), "8089": str(self.door), "8090": str(self.tls)}
        here = {**ports, "0.0.0.0": "127.0.0.1", DATA: str(self.lab.data)}
        program = sys.executable if words[0] == "python" else str(Path(sys.executable).with_name(words[0]))
        for there, is_here in here.items():
            words = [unset(word).replace(there, is_here) for word in words]
        return [program, *words[1:]]

    def start(self, name: str) -> subprocess.Popen:
        words = SERVICES[name].get("command") or command_of_the_image()
        log = self.lab.data.with_name(f"{name}.log")
        with log.open("w") as out:
            self.running[name] = subprocess.Popen(
                self.command(words), cwd=HOME, env=self.environment(name), stdout=out, stderr=out
            )
        return self.running[name]

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
    services = Services(lab, create_database(postgres, "compose"), redis_server.replace("/0", "/1"))
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
    scale(lab, 4)
    lab.wait_for_ready_pods(4)
    wait_until_as_declared(lab)
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
