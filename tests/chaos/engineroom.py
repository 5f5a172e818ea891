"""What the engine really has, looked at again and again: nothing twice. Whether it is all there, `quiet` asks."""

import contextlib
import os
import signal
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import docker

from lab.runtime import Container, Runtime, RuntimeFailure, Sandbox
from lab.runtime.engines import open_runtime
from lab.runtime.process import place

from ..labs import LabUnderTest
from .findings import Findings

LOOK_SECONDS = 0.5
UNREACHABLE = (RuntimeFailure, OSError, docker.errors.DockerException)


class EngineRoom(threading.Thread):
    def __init__(self, lab: LabUnderTest, findings: Findings):
        super().__init__(daemon=True, name="engine room")
        self.runtime: Runtime = open_runtime(lab.runtime, (lab.data / "lab-id").read_text(), lab.data)
        self._lab, self._findings = lab, findings
        self._stopped = threading.Event()
        self._seen: set[str] = set()
        self.start()

    def stop(self) -> None:
        self._stopped.set()
        self.join(60)

    def run(self) -> None:
        while not self._stopped.wait(LOOK_SECONDS):
            wrong = set(doubles(self.boxes()))
            # An engine is no database: one container's end and the next one's start may be seen in one list.
            for each in wrong & self._seen:
                self._findings.add(each)
            self._seen = wrong
            self._findings.count("looks at the engine")

    def boxes(self) -> list[Sandbox]:
        """[] while it does not answer."""
        # To ask the engine of processes while there is none would start one.
        if self._lab.runtime == "process" and not place.socket_path(self._lab.data).exists():
            return []
        try:
            return self.runtime.list_pods()
        except UNREACHABLE:
            return []

    def victims(self) -> list[tuple[Sandbox, Container]]:
        """Running containers, in an order that does not depend on when they were made."""
        running = [(box, each) for box in self.boxes() for each in box.containers if each.state == "running"]
        return sorted(running, key=lambda pair: (pair[0].namespace, pair[0].name, pair[1].name))

    def signal(self, container: Container, number: int) -> None:
        """To the container's own process, from outside."""
        for pid in self._pids(container):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def kill(self, container_id: str) -> None:
        with contextlib.suppress(*UNREACHABLE):
            self.runtime.kill_container(container_id)

    def _pids(self, container: Container) -> Iterator[int]:
        if self._lab.runtime == "docker":
            with contextlib.suppress(*UNREACHABLE), docker.APIClient(self._lab.env.get("DOCKER_HOST")) as client:
                yield from filter(None, [client.inspect_container(container.id)["State"]["Pid"]])
            return
        mark = f"/containers/{container.id}/".encode()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    if mark in (entry / "environ").read_bytes():
                        yield int(entry.name)

    def pause(self, container: Container) -> None:
        self.signal(container, signal.SIGSTOP)

    def resume(self, container: Container) -> None:
        self.signal(container, signal.SIGCONT)


def doubles(boxes: list[Sandbox]) -> Iterator[str]:
    """What is there twice, in words that stay the same while it lasts."""
    sandboxes = Counter(box.uid for box in boxes if box.ready)
    names = {box.uid: f"{box.namespace}/{box.name} ({box.uid})" for box in boxes}
    yield from (f"{names[uid]} has {count} sandboxes at once" for uid, count in sandboxes.items() if count > 1)
    running = [(box, each) for box in boxes for each in box.containers if each.state == "running"]
    twice = Counter((box.uid, each.name) for box, each in running)
    yield from (f"{names[uid]} has {n} running containers {name}" for (uid, name), n in twice.items() if n > 1)
    # Made and not started, one is made again under its number.
    attempts = Counter((box.uid, c.name, c.attempt) for box in boxes for c in box.containers if c.state != "created")
    yield from (
        f"{names[uid]} was made twice as attempt {n} of {name}" for (uid, name, n), k in attempts.items() if k > 1
    )
    ids = defaultdict(set)
    for box, _ in running:
        ids[box.namespace, box.name].add(box.uid)
    yield from (f"pods {'/'.join(key)} run at once: {sorted(uids)}" for key, uids in ids.items() if len(uids) > 1)
    addresses = defaultdict(set)
    for box, _ in running:
        addresses[box.address].add(names[box.uid])
    yield from (f"{address} is of {sorted(of)}" for address, of in addresses.items() if address and len(of) > 1)
