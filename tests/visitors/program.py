"""The load generator as the supervisor starts it: the real process, asked over its real socket."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

from lab.sockets import socket_path
from tests.labs import HOME, clean_environment, wait_until

KEY = "default/default/everyone"
SPEC = {"host": "hello.default.default.localhost", "path": "/", "concurrency": 16, "timeoutSeconds": 5}


class Program:
    def __init__(self, data: Path, front_door: str):
        self.data = data
        self._env = clean_environment(ORRERY_DATA=str(data), ORRERY_FRONT_DOOR=front_door)
        self._process: subprocess.Popen | None = None

    def start(self) -> "Program":
        command = [sys.executable, "-m", "lab.visitors.program"]
        self._process = subprocess.Popen(command, cwd=HOME, env=self._env)
        wait_until("the program to answer", self._answers, step=0.02)
        return self

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        self._process.terminate()
        return self._process.wait(10)

    def _answers(self) -> bool:
        assert self._process.poll() is None, "the program has ended"
        try:
            return self.ask({"do": "counters"})["ok"]
        except OSError:
            return False

    def ask(self, order: dict | str) -> dict:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(os.fspath(socket_path(self.data / "visitors", "control.sock")))
            text = order if isinstance(order, str) else json.dumps(order)
            connection.sendall(text.encode() + b"\n")
            return json.loads(connection.makefile().readline())

    def apply(self, key: str = KEY, **spec) -> None:
        """These visitors, and no others."""
        assert self.ask({"do": "apply", "visitors": {key: SPEC | spec}})["ok"]

    def apply_none(self) -> None:
        """Nobody asks any more, and what was counted is forgotten."""
        assert self.ask({"do": "apply", "visitors": {}})["ok"]

    def figures(self, key: str = KEY) -> dict:
        return self.ask({"do": "counters"})["visitors"].get(key, {})

    def wait_for(self, what: str, look, key: str = KEY) -> dict:
        """The first figures that `look` agrees to."""
        return wait_until(what, lambda: (seen := self.figures(key)) and look(seen) and seen, step=0.05)
