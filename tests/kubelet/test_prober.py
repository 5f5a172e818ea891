"""A prober and a server that takes connections and never answers."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from lab.kubelet.handlers import Target
from lab.kubelet.prober import Prober
from lab.kubelet.probes import is_evidence
from lab.runtime.process.runtime import ProcessRuntime
from tests.labs import wait_until

MADE = "a-container"


@pytest.fixture
def failures() -> list[str]:
    return []


@pytest.fixture
def prober(tmp_path, failures: list[str]) -> Iterator[Prober]:
    runtime = ProcessRuntime("test", tmp_path)
    prober = Prober(runtime, lambda *what: None, lambda uid, message: failures.append(message))
    prober.start()
    yield prober
    prober.stop()


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as server:
        yield server


def watch(prober: Prober, server: socket.socket) -> None:
    """A container that has been ready, and is unready with its first failure."""
    get = {"path": "/", "port": server.getsockname()[1]}
    probe = {"httpGet": get, "periodSeconds": 0.2, "timeoutSeconds": 0.2, "failureThreshold": 1}
    container = {"name": "web", "image": "web", "readinessProbe": probe}
    prober.watch("uid", Target(container, MADE, "127.0.0.1"), time.time(), was_ready=True)


def test_who_does_not_answer_in_time_is_not_ready(prober: Prober, silent: socket.socket, failures: list[str]):
    watch(prober, silent)
    wait_until("it to be unready", lambda: not prober.verdict(MADE).ready)
    assert "context deadline exceeded" in failures[0]


def test_a_prober_that_is_held_up_itself_blames_nobody(prober: Prober, silent: socket.socket, failures: list[str]):
    busy = threading.Event()

    async def hold_up() -> None:
        busy.set()
        while busy.is_set():
            time.sleep(0.5)
            await asyncio.sleep(0)

    asyncio.run_coroutine_threadsafe(hold_up(), prober._loop)
    busy.wait()
    watch(prober, silent)
    silent.settimeout(20)
    asked = [silent.accept()[0] for _ in range(3)]
    assert prober.verdict(MADE).ready and not failures
    busy.clear()
    wait_until("it to be unready", lambda: not prober.verdict(MADE).ready)
    assert len(asked) == 3


def test_a_command_is_timed_by_whoever_runs_it():
    assert is_evidence({"exec": {"command": ["false"]}}, took=9.0)
    assert is_evidence({"timeoutSeconds": 5}, took=5.05)
    assert not is_evidence({"timeoutSeconds": 5}, took=5.5)


class Command:
    """One that ends at once, or when somebody hangs up."""

    def __init__(self, ends: bool):
        self._over = threading.Event()
        if ends:
            self._over.set()

    def read(self) -> None:
        self._over.wait(20)

    def close(self) -> None:
        self._over.set()

    def exit_code(self) -> int:
        return 0


def test_commands_of_one_cluster_that_hang_are_in_no_other_ones_way(prober: Prober, monkeypatch):
    monkeypatch.setattr(prober._runtime, "exec", lambda container, command: Command(container == "ada"))
    probe = {"exec": {"command": ["true"]}, "periodSeconds": 1, "timeoutSeconds": 15, "failureThreshold": 1}
    container = {"name": "web", "image": "web", "readinessProbe": {**probe, "successThreshold": 1}}
    for number in range(12):
        prober.watch(f"eve-{number}", Target(container, f"eve-{number}", "", "eve"), time.time())
    time.sleep(0.3)
    prober.watch("ada", Target(container, "ada", "", "ada"), time.time())
    wait_until("Ada's to be ready", lambda: prober.verdict("ada").ready, 5)
    assert not prober.verdict("eve-0").ready
