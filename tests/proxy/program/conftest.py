"""The data plane as a process, once with each of its engines, and servers for it to balance."""

import http.client
import json
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import need
from tests.labs import HOME, free_port, wait_until

from .origin import Origin

HOST = "hello.default.default.localhost"
NAME = "default/hello:http"
SIDE_DOOR = "door.sock"


class Program:
    """The program with a front door, and a client of its control socket."""

    def __init__(self, folder: Path, engine: str):
        self.folder = folder
        self.engine = engine
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.front_door = self.listener.getsockname()[1]
        self.service = free_port()
        self.output = folder.with_suffix(".out")
        self.process: subprocess.Popen | None = None

    def start(self) -> None:
        fd = self.listener.fileno()
        words = ["--state", self.folder, "--engine", self.engine, "--front-door-fd", str(fd)]
        words += ["--side-door", SIDE_DOOR]
        with self.output.open("a") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "lab.proxy.program", *words],
                cwd=HOME, stdin=subprocess.DEVNULL, stdout=out, stderr=out, pass_fds=[fd], start_new_session=True,
            )  # fmt: skip
        wait_until("the control socket to answer", self._answers, 20, 0.02)

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.output.read_text()
        try:
            return self.ask({"do": "ping"}).get("ok", False)
        except OSError:
            return False

    def ask(self, request: dict) -> dict:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(20)
            connection.connect(str(self.folder / "control.sock"))
            connection.sendall(json.dumps(request).encode() + b"\n")
            return json.loads(connection.makefile().readline())

    def apply(self, servers: dict, scope: str = "default", **backend) -> dict:
        """One Service with these servers, at the front door and at an address of its own."""
        backend = {"mode": "http", "affinitySeconds": 0, "servers": servers} | backend
        listener = {"address": "127.0.0.1", "port": self.service, "mode": backend["mode"], "backend": NAME}
        hosts = [{"host": HOST, "path": "/", "match": "prefix", "backend": NAME}]
        return self.want({"listeners": [listener], "hosts": hosts, "backends": {NAME: backend}}, scope)

    def want(self, desired: dict, scope: str = "default") -> dict:
        return self.ask({"do": "apply", "scope": scope, "desired": desired})

    def counters(self, scope: str = "default", backend: str = NAME) -> dict:
        return self.ask({"do": "counters"})["scopes"].get(scope, {}).get(backend, {})

    def connect(self, port: int = 0, timeout: float = 20) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", port or self.service, timeout=timeout)

    def get(self, path: str = "/", host: str = HOST, port: int = 0, **headers: str) -> tuple[int, str, dict]:
        """Through the front door, on a connection of its own: status, body, headers."""
        connection = self.connect(port or self.front_door)
        connection.request("GET", path, headers={"Host": host} | headers)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, body, {name.lower(): value for name, value in answer.headers.items()}

    def end(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)
        self.listener.close()


@pytest.fixture(params=["own", "haproxy"])
def program(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Program]:
    if request.param == "haproxy":
        need("haproxy", shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"))
    program = Program(tmp_path / "proxy", request.param)
    try:
        program.start()
        yield program
    finally:
        program.end()


@pytest.fixture
def origins() -> Iterator[Callable[[str], Origin]]:
    """Makes servers by name."""
    made = []

    def make(name: str) -> Origin:
        made.append(Origin(name))
        return made[-1]

    yield make
    for origin in made:
        origin.end()
