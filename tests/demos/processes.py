"""The bank as real processes on free ports of this machine: as one program, and as services that find each other."""

import http.client
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from lab import demos

from ..labs import free_port, wait_until


class Program:
    """One process of the bank."""

    def __init__(self, folder: Path, part: str, **environment: str):
        self.part = part
        self.url = f"http://127.0.0.1:{free_port()}"
        self._out = folder / f"{part}-{self.url.rpartition(':')[2]}.log"
        self._environment = {
            "PART": part,
            "ADDRESS": "127.0.0.1",
            "PORT": self.url.rpartition(":")[2],
            "POD_NAME": f"{part}-pod",
            **environment,
        }

    def start(self) -> "Program":
        with self._out.open("a") as out:
            command = [sys.executable, "-S", "-E", str(demos.BANK)]
            self.process = subprocess.Popen(command, env=self._environment, cwd="/", stdout=out, stderr=out)
        wait_until(f"{self.part} to answer", lambda: self.ask("/healthz")[0] == 200, step=0.02)
        return self

    def ask(self, path: str, body: object = None, method: str = "", **headers: str) -> tuple[int, object]:
        """(status, data); status 0 if nobody answers."""
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.url + path, data, headers, method=method or None)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, _read(answer)
        except urllib.error.HTTPError as error:
            return error.code, _read(error)
        except (OSError, http.client.HTTPException):
            return 0, None

    def switch(self, words: str) -> object:
        return self.ask(f"/faults?{words}", method="POST")[1]

    def log(self) -> list[dict]:
        return [json.loads(line) for line in self._out.read_text().splitlines()]

    def end(self, number: int = signal.SIGTERM) -> int:
        """Its exit code."""
        if self.process.poll() is None:
            os.kill(self.process.pid, number)
        return self.process.wait(20)


def _read(answer) -> object:
    text = answer.read().decode()
    return json.loads(text) if "json" in answer.headers["Content-Type"] else text
