import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from django.conf import settings

from .conftest import need

HOME = Path(__file__).parents[1]
SERVICES = yaml.safe_load((HOME / "compose.yaml").read_text())["services"]


def test_compose_itself_finds_no_fault():
    need("docker-compose", shutil.which("docker-compose"))
    subprocess.run(["docker-compose", "-f", "compose.yaml", "config", "-q"], cwd=HOME, check=True)


def test_each_queue_has_a_worker():
    commands = [service.get("command", ()) for service in SERVICES.values()]
    queues = [command[3] for command in commands if "lab.worker" in command]
    assert sorted(queues) == [settings.CELERY_TASK_DEFAULT_QUEUE, settings.KUBELET_QUEUE]


def test_only_the_kubelet_gets_the_engine():
    with_socket = [name for name, service in SERVICES.items() if "docker.sock" in str(service.get("volumes", ""))]
    assert with_socket == ["kubelet"]


def test_nothing_but_the_port_that_asks_for_credentials_is_open_to_others_unless_somebody_says_so():
    published = [port for service in SERVICES.values() for port in service.get("ports", ())]
    loopback = ("127.0.0.1:", "${ORRERY_HOST:-127.0.0.1}:", "${ORRERY_ROOM_HOST:-127.0.0.1}:")
    (open_to_all,) = [port for port in published if not port.startswith(loopback)]
    assert open_to_all.endswith(":8090")
    assert SERVICES["proxy"]["command"][-2:] == ["--front-door", "${ORRERY_HOST:-127.0.0.1}:8089"]
    assert "*" not in SERVICES["web"]["environment"]["ALLOWED_HOSTS"]


def test_web_knows_the_name_under_which_the_kubelet_answers():
    name = SERVICES["kubelet"]["environment"]["ORRERY_KUBELET_NAME"]
    assert [host.split(":")[0] for host in SERVICES["web"]["extra_hosts"]] == [name]


@pytest.mark.parametrize("name", ["web", "worker"])
def test_who_is_not_on_the_hosts_network_reaches_all_the_same_what_is(name):
    """The kubelets, for logs; the front door, of Services that a lesson asks and that learners are led to; and the API
    by kubectl, at a name that it answers to."""
    service, door = SERVICES[name], SERVICES["proxy"]["command"]
    assert service["extra_hosts"] == ["host.docker.internal:host-gateway"]
    state, socket = (door[door.index(option) + 1] for option in ("--state", "--side-door"))
    assert service["environment"]["ORRERY_SIDE_DOOR"] == f"{state}/{socket}"
    assert "${PWD}/.data:${PWD}/.data" in service["volumes"] and state.startswith("${PWD}/.data/")
    api = urlsplit(service["environment"]["ORRERY_API"])
    assert api.port == 8088 and api.hostname in SERVICES
    assert api.hostname in always_allowed()


def test_whatever_else_the_machine_is_called_health_checks_and_its_own_kubectl_are_let_in():
    _, *words = SERVICES["web"]["healthcheck"]["test"]
    assert "http://127.0.0.1:8088/" in words[-1]
    assert {"localhost", "127.0.0.1"} <= set(always_allowed())


def always_allowed() -> list[str]:
    return SERVICES["web"]["environment"]["ALLOWED_HOSTS"].partition("$")[0].split(",")


def test_kubectl_is_told_the_port_that_is_published():
    (tls,) = (port for port in SERVICES["web"]["ports"] if port.endswith(":8090"))
    for name in ("web", "kubelet"):
        assert SERVICES[name]["environment"]["ORRERY_TLS_PORT"] == tls.removesuffix(":8090")


@pytest.mark.parametrize("source", ["manage.py", "lab", "static", "templates", "requirements.lock"])
def test_what_the_image_copies_is_not_ignored(source):
    assert f"COPY {source}" in (HOME / "Dockerfile").read_text()
    assert f"!{source}" in (HOME / ".dockerignore").read_text().split()


@pytest.mark.parametrize("package", ["haproxy", "kubernetes-client"])
def test_the_image_has_the_proven_data_plane_and_a_kubectl(package):
    assert f" {package} " in next(line for line in (HOME / "Dockerfile").read_text().splitlines() if "apt-get" in line)
