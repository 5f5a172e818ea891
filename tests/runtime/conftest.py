"""Both real engines behind the one interface: each test that asks for `bench` runs on Docker and on processes."""

import itertools
import secrets
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.runtime import Container, ContainerSpec, LogOptions, Runtime, RuntimeEvent, Sandbox, SandboxSpec
from lab.runtime.engines import open_runtime
from tests.labs import wait_until

IMAGE = "orrery/hello:v1"
CLUSTER = "contract"


class Bench:
    """A runtime with a network, on which tests make pods and containers; `clear()` removes them after each."""

    def __init__(self, runtime: Runtime):
        self.runtime = runtime
        self.range = runtime.ensure_network(CLUSTER)
        self._numbers = itertools.count(2)
        runtime.images.pull(IMAGE)
        self.home = self.pod("home")  # for what needs no pod of its own: that would be most of the time of a test

    def spec(self, name: str = "web", **more) -> SandboxSpec:
        """A pod of its own address and uid."""
        address = self.range.replace("0.0/16", f"1.{next(self._numbers)}")
        told = {"cluster": CLUSTER, "node": "node-a", "namespace": "default", "name": name, "uid": secrets.token_hex(8)}
        return SandboxSpec(**told | {"address": address} | more)

    def pod(self, name: str = "web", **more) -> tuple[SandboxSpec, str]:
        spec = self.spec(name, **more)
        return spec, self.runtime.run_pod_sandbox(spec)

    def container(self, pod: tuple[SandboxSpec, str], script: str = "", name: str = "main", **more) -> str:
        """Create and start one: the demo's own program, or a shell script."""
        command = ("sh", "-c", script) if script else ()
        created = self.runtime.create_container(pod[1], pod[0], ContainerSpec(name, IMAGE, command, **more))
        self.runtime.start_container(created)
        return created

    def run(self, script: str, **more) -> str:
        """A container with this script, in a pod that all tests share."""
        return self.container(self.home, script, f"main-{next(self._numbers)}", **more)

    def sandbox(self, uid: str) -> Sandbox | None:
        return next((sandbox for sandbox in self.runtime.list_pods() if sandbox.uid == uid), None)

    def look(self, container: str) -> Container | None:
        everything = (inside for sandbox in self.runtime.list_pods() for inside in sandbox.containers)
        return next((found for found in everything if found.id == container), None)

    def ended(self, container: str, seconds: float = 10) -> Container:
        return wait_until("its end", lambda: (c := self.look(container)) and c.state == "exited" and c, seconds, 0.02)

    def output(self, container: str, **options) -> bytes:
        return b"".join(self.runtime.logs(container, LogOptions(**options)))

    def said(self, container: str, words: bytes) -> bytes:
        """Its log, once these words are in it."""
        return wait_until(f"{words!r} in its log", lambda: words in (o := self.output(container)) and o, 10, 0.02)

    def clear(self) -> None:
        for sandbox in self.runtime.list_pods():
            if sandbox.id != self.home[1]:
                self.runtime.remove_pod_sandbox(sandbox.id)
            for container in sandbox.containers:
                self.runtime.remove_container(container.id)


class Heard:
    """What an engine says from now on."""

    def __init__(self, runtime: Runtime):
        self.events: list[RuntimeEvent] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=runtime.listen, args=(self.events.append, self._stop.is_set))
        self._thread.start()
        wait_until("the first relist", lambda: self.events, 10, 0.01)

    def of(self, uid: str) -> list[RuntimeEvent]:
        return [event for event in self.events if event.uid == uid]

    def wait_for(self, what: str, test: Callable[[RuntimeEvent], bool], seconds: float = 10) -> RuntimeEvent:
        return wait_until(what, lambda: next(filter(test, list(self.events)), None), seconds, 0.01)

    def stop(self) -> bool:
        self._stop.set()
        self._thread.join(20)
        return not self._thread.is_alive()


@pytest.fixture(scope="session")
def docker_session(engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    yield from _session("docker", tmp_path_factory.mktemp("docker-runtime"))


@pytest.fixture(scope="session")
def process_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    yield from _session("process", tmp_path_factory.mktemp("process-runtime"))


def _session(name: str, folder: Path) -> Iterator[Bench]:
    runtime = open_runtime(name, f"test-{secrets.token_hex(4)}", folder)
    try:
        yield Bench(runtime)
    finally:
        runtime.remove_everything()


@pytest.fixture(params=["docker", "process"])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    shared: Bench = request.getfixturevalue(f"{request.param}_session")
    yield shared
    shared.clear()


@pytest.fixture
def docker_bench(docker_session: Bench) -> Iterator[Bench]:
    yield docker_session
    docker_session.clear()


@pytest.fixture
def process_bench(process_session: Bench) -> Iterator[Bench]:
    yield process_session
    process_session.clear()


@pytest.fixture
def heard(bench: Bench) -> Iterator[Heard]:
    heard = Heard(bench.runtime)
    yield heard
    heard.stop()
