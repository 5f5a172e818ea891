"""Starting the real thing: `manage.py up` in a folder of its own, as a user would, and talking to it from outside."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
HOME = Path(__file__).parents[1]
READY_SECONDS = 60.0
PATIENCE = 3  # limits are for a quiet machine; one that is busy proves nothing about what it is too slow for


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


def wait_until(what: str, look: Callable[[], T], seconds: float = 30.0, step: float = 0.1) -> T:
    """The first true answer of `look`; fails with `what` was waited for, and what was seen last."""
    deadline = time.monotonic() + seconds * PATIENCE
    while True:
        seen = look()
        if seen:
            return seen
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}; last seen: {seen!r}"
        time.sleep(step)


def manage(*words: str, data: Path, timeout: float = 120.0, **env: str) -> subprocess.CompletedProcess:
    """Run one command of manage.py to its end, with its output."""
    return subprocess.run(
        [sys.executable, "manage.py", *words, "--data", str(data)],
        cwd=HOME,
        env=clean_environment(**env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment without what the test settings put there for themselves."""
    ours = ("REDIS_URL", "DATABASE_URL", "DJANGO_SETTINGS_MODULE")
    kept = {name: value for name, value in os.environ.items() if name not in ours and not name.startswith("ORRERY_")}
    return {**kept, **more}


class LabUnderTest:
    """One `manage.py up`. What it printed is in `output`."""

    def __init__(self, data: Path, runtime: str, *options: str, **env: str):
        self.data = data
        self.runtime = runtime
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.options = options
        self.env = env
        self.output = data.with_suffix(".out")
        self.process: subprocess.Popen | None = None

    def start(self) -> "LabUnderTest":
        command = [sys.executable, "manage.py", "up", "--no-browser", "--port", str(self.port)]
        command += ["--runtime", self.runtime, "--data", str(self.data), *self.options]
        with self.output.open("w") as out:
            self.process = subprocess.Popen(
                command,
                cwd=HOME,
                env=clean_environment(**self.env),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        wait_until("the lab to be ready", self._is_ready, READY_SECONDS)
        return self

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, f"the lab ended by itself:\n{self.said()}"
        return "Ready in" in self.said()

    def said(self) -> str:
        return self.output.read_text()

    def stop(self, number: int = signal.SIGINT, seconds: float = 60.0) -> None:
        """As Ctrl-C does; returns when it has ended."""
        self.process.send_signal(number)
        self.process.wait(seconds)

    def clean_up(self, seconds: float = 120.0) -> None:
        """Whatever the test left: nothing of this lab stays, neither process nor container nor volume. `seconds`: an
        engine removes some four pods in one."""
        if self.process and self.process.poll() is None:
            self.stop(seconds=seconds)
        manage("down", "--purge", "--yes", data=self.data, timeout=seconds)

    # Asking it.

    def run(self) -> dict:
        """What run.json says of the processes."""
        return json.loads((self.data / "run.json").read_text())

    def pid_of(self, name: str) -> int | None:
        return next((process["pid"] for process in self.run()["processes"] if process["name"] == name), None)

    def api(self, method: str, path: str, body: dict | None = None, cluster: str = "default", **headers: str) -> dict:
        """One request to the API server; raises urllib.error.HTTPError when it is refused."""
        request = urllib.request.Request(f"{self.address}/clusters/{cluster}{path}", method=method)
        request.add_header("Content-Type", headers.get("content_type", "application/json"))
        data = json.dumps(body).encode() if body is not None else None
        with urllib.request.urlopen(request, data, timeout=60) as answer:
            return json.load(answer)

    def get(self, path: str) -> dict | None:
        """None if there is no such thing, or nobody to answer."""
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            return self.api("GET", path)
        return None

    def pods(self, selector: str = "app=hello", namespace: str = "default") -> list[dict]:
        listed = self.get(f"/api/v1/namespaces/{namespace}/pods?labelSelector={selector.replace('=', '%3D')}")
        return (listed or {}).get("items", [])

    def ready_pods(self, selector: str = "app=hello") -> list[dict]:
        return [pod for pod in self.pods(selector) if is_ready(pod) and "deletionTimestamp" not in pod["metadata"]]

    def wait_for_ready_pods(self, count: int, selector: str = "app=hello", seconds: float = 60.0) -> list[dict]:
        """Exactly `count` pods, all of them ready."""

        def look() -> tuple[list[dict]] | None:
            ready = self.ready_pods(selector)
            return (ready,) if len(ready) == len(self.pods(selector)) == count else None

        return wait_until(f"{count} ready pods with {selector}", look, seconds)[0]


def is_ready(obj: dict) -> bool:
    conditions = obj.get("status", {}).get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def is_alive(pid: int) -> bool:
    """Whether the process still runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def processes_of(data: Path) -> list[str]:
    """The command lines of all processes whose environment names this data folder: everything of that lab."""
    mark = f"ORRERY_DATA={data}\0".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if mark in (entry / "environ").read_bytes() and is_alive(int(entry.name)):
                    found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found
