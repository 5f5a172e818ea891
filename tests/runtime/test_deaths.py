"""Deaths that the kernel tells of before the engine does: here the engine says nothing but what a test lets it say."""

import contextlib
import fcntl
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.runtime import RuntimeEvent
from lab.runtime.docker import deaths
from lab.runtime.docker.deaths import Deaths
from tests.labs import wait_until

TRIES = 20


def kernel_tells() -> bool:
    """Asked of a process that has ended and was waited for, as the engine's are."""
    child = os.posix_spawn("/bin/sh", ["sh", "-c", "exit 3"], {})
    handle = os.pidfd_open(child)
    os.waitpid(child, 0)
    try:
        fcntl.ioctl(handle, deaths.GET_INFO, bytearray(deaths.INFO.pack(deaths.TOLD_EXIT, 0)))
        return True
    except OSError:
        return False
    finally:
        os.close(handle)


class Ear:
    """What is passed on; `hear` plays the engine."""

    def __init__(self, bench):
        self.bench, self.told = bench, []
        runtime = bench.runtime
        self.deaths = Deaths(runtime._engine, runtime._lab_id)
        self._listening = self.deaths.told_once(self.told.append)
        self.hear = self._listening.__enter__()

    def close(self) -> None:
        self._listening.__exit__(None, None, None)

    def started(self, container: str) -> None:
        self.hear(RuntimeEvent("started", self.bench.home[0].uid, container))
        wait_until("a handle on it", lambda: container in self.deaths._handles, 10, 0.01)

    def of(self, container: str) -> list[tuple[str, int | None]]:
        return [(event.kind, event.exit_code) for event in self.told if event.container_id == container]

    def early(self, script: str, end: Callable[[str], object] = lambda container: None, **more) -> str:
        """A container whose death the kernel was asked about in time: where much else runs, its group may have gone by
        then, and it is the engine's to tell."""
        for _ in range(TRIES):
            container = self.bench.run(script, **more)
            self.started(container)
            end(container)
            wait_until("no handle on it", lambda one=container: one not in self.deaths._handles, 10, 0.005)
            with contextlib.suppress(AssertionError):
                wait_until("its death", lambda one=container: "died" in dict(self.of(one)), 1, 0.005)
                return container
        raise AssertionError(f"of {TRIES} deaths the kernel told none")

    def died(self, container: str, code: int) -> None:
        """The engine says so."""
        self.hear(RuntimeEvent("died", self.bench.home[0].uid, container, code))

    def kill(self, container: str) -> None:
        os.kill(self.bench.runtime._engine.client.inspect_container(container)["State"]["Pid"], signal.SIGKILL)


@pytest.fixture
def ear(docker_bench) -> Iterator[Ear]:
    if not docker_bench.runtime._engine.on_this_host() or not kernel_tells():
        pytest.skip("this kernel does not say how processes of others have ended, or they are none of this machine")
    found = Ear(docker_bench)
    yield found
    found.close()


def test_a_death_is_told_once_whoever_tells_it_again(ear):
    container = ear.early("sleep 100", ear.deaths.kill)
    ear.died(container, 137)
    assert ear.of(container) == [("started", None), ("died", 137)]
    assert not ear.deaths._handles and not ear.deaths._told


def test_how_it_ended_is_told_as_a_shell_counts(ear):
    container = ear.early("sleep 2; exit 5")
    assert ear.of(container)[1:] == [("died", 5)]
    assert ear.bench.ended(container).exit_code == 5


def test_a_success_is_the_engines_to_tell(ear):
    container = ear.bench.run("sleep 2")
    ear.started(container)
    wait_until("no handle on it", lambda: container not in ear.deaths._handles, 10, 0.01)
    assert ear.of(container) == [("started", None)]
    ear.died(container, 0)
    assert ear.of(container)[1:] == [("died", 0)]


def test_memory_that_ran_out_is_told_first(ear):
    eat = "python3 -c 'import time; time.sleep(2); x = b\"x\" * (200 << 20)'"
    container = ear.early(f"exec {eat}", memory_limit_bytes=64 << 20)
    assert ear.of(container)[1:] == [("oom", None), ("died", 137)]


def test_what_ran_already_is_watched_after_a_relist(ear):
    container = ear.bench.run("sleep 100")
    ear.hear(RuntimeEvent("relist"))
    wait_until("a handle on it", lambda: container in ear.deaths._handles, 10, 0.01)
    assert ear.bench.home[1] not in ear.deaths._handles  # what holds the network


def test_an_engine_that_is_faster_is_believed(ear):
    container = ear.bench.run("sleep 100")
    ear.started(container)
    ear.died(container, 1)
    ear.kill(container)
    ear.bench.ended(container)
    assert ear.of(container)[1:] == [("died", 1)]


def test_no_handle_stays_open_at_the_end(ear):
    before = handles()
    other = Ear(ear.bench)
    other.started(ear.bench.run("sleep 100"))
    assert handles() > before
    other.close()
    assert handles() == before


def handles() -> int:
    """Of processes, and what waits for them: connections to the engine come and go."""
    found = 0
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # what the list itself was read by
            found += any(kind in os.readlink(link) for kind in ("pidfd", "eventpoll"))
    return found


@pytest.mark.parametrize(
    ("groups", "file"),
    [
        ("0::/orrery/a/b/ID\n", "orrery/a/b/ID/memory.events"),
        ("0::/system.slice/docker-ID.scope\n", "system.slice/docker-ID.scope/memory.events"),
        ("9:memory:/docker/ID\n8:cpu,cpuacct:/docker/ID\n0::/x\n", "memory/docker/ID/memory.oom_control"),
    ],
)
def test_the_kernels_count_is_where_the_process_is(groups, file):
    assert deaths._memory_of(groups) == Path("/sys/fs/cgroup") / file


def test_a_count_that_is_gone_says_nothing(tmp_path):
    file = tmp_path / "memory.events"
    assert deaths._out_of_memory(file) is None
    file.write_text("low 0\nmax 12\noom 1\noom_kill 1\n")
    assert deaths._out_of_memory(file) is True
    file.write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 0\n")
    assert deaths._out_of_memory(file) is False
