"""Which engine there is, and opening one by name. Imports no engine until asked: the Docker client alone is 20 MB."""

import http.client
import importlib
import os
import socket
from pathlib import Path

from lab.runtime import Runtime

CONSTRUCTORS = {
    "docker": ("lab.runtime.docker.runtime", "DockerRuntime"),
    "process": ("lab.runtime.process.runtime", "ProcessRuntime"),
    "simulated": ("lab.runtime.simulated.runtime", "SimulatedRuntime"),
}
PING_SECONDS = 1.0
DOCKER_SOCKETS = (Path("/var/run/docker.sock"), Path.home() / ".docker/run/docker.sock")


def open_runtime(name: str, lab_id: str, data_dir: Path) -> Runtime:
    """The engine called `name` (a key of CONSTRUCTORS, or as `docker.b`) as seen by this lab; raises KeyError for
    another name. Where a Docker engine answers, this process's environment says, as to Docker's own programs."""
    kind, _, further = name.partition(".")
    module, constructor = CONSTRUCTORS[kind]
    # As another lab's: two names may lead to one engine, and neither shall take the other's containers for orphans.
    if further:
        return getattr(importlib.import_module(module), constructor)(f"{lab_id}-{further}", data_dir, name)
    return getattr(importlib.import_module(module), constructor)(lab_id, data_dir)


def docker_host() -> str:
    """Where the Docker engine should answer, as DOCKER_HOST puts it; "" if there is no sign of one."""
    named = os.environ.get("DOCKER_HOST", "")
    return named or next((f"unix://{path}" for path in DOCKER_SOCKETS if path.exists()), "")


def detect() -> str:
    """The best there is: "docker" if an engine answers its ping within a second, else "process"."""
    return "docker" if _answers(docker_host(), PING_SECONDS) else "process"


def _answers(host: str, timeout: float) -> bool:
    scheme, _, address = host.partition("://")
    try:
        connection = socket.socket(socket.AF_UNIX) if scheme == "unix" else _tcp(address, timeout)
    except OSError:
        return False
    with connection:
        connection.settimeout(timeout)
        try:
            if scheme == "unix":
                connection.connect(address)
            if os.environ.get("DOCKER_TLS_VERIFY"):
                return True  # something listens; whether it lets us in, the client with its certificates will see
            connection.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
            response = http.client.HTTPResponse(connection)
            response.begin()
            return response.status == 200
        except (OSError, http.client.HTTPException):
            return False


def _tcp(address: str, timeout: float) -> socket.socket:
    name, _, port = address.rpartition(":")
    if not port.isdigit():
        raise OSError(f"no host and port in {address!r}")
    return socket.create_connection((name.strip("[]"), int(port)), timeout)
