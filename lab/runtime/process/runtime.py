"""The verbs of the runtime on local processes, and what they are not.

A container here is a process in a session of its own, with the environment and the folder a container would have.
- Its address is real on Linux, where all of 127.0.0.0/8 is this machine; elsewhere only 127.0.0.1 exists, so every pod
  gets that (ADDRESS) and a port of its own (PORT), and what asks a pod at its address does not find it.
- Its files are this machine's: a read-only root and a user are not enforced, and no mounts are made; but where its
  environment or its command names the path of one, it is told the folder behind it (`volumes.py`).
- Its memory is looked at once a second and the process killed above its limit, as a kernel would; CPU is not limited.
- Cut off from its network it is stopped (SIGSTOP): as close as the platform allows. It does not go on working alone.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import asdict
from pathlib import Path

from lab.runtime import (
    Container,
    ContainerSpec,
    Lines,
    LogOptions,
    RuntimeEvent,
    RuntimeFailure,
    Sandbox,
    SandboxSpec,
    Stream,
    newest_first,
)

from . import execs, logfile, place, procfs
from .connection import CALL_SECONDS, Engine
from .images import Images
from .volumes import Volumes

LISTEN_SECONDS = 0.25
RECONNECT_SECONDS = 0.5


class ProcessRuntime:
    """A lab's own engine, found by its data directory; see `lab.runtime.Runtime` for the verbs."""

    name = engine = "process"

    def __init__(self, lab_id: str, data_dir: Path):
        self._lab_id = lab_id
        self._data_dir = data_dir
        self._engine = Engine(self._data_dir)
        self.images = Images(place.folder(self._data_dir))
        self.volumes = Volumes(self._data_dir)

    def version(self) -> str:
        return "process://1"

    def ensure_network(self, cluster: str, closed: bool = False) -> str:
        return self._engine.call("ensure_network", cluster=cluster, seed=f"{self._lab_id}/{cluster}")

    def ensure_gateway(self, cluster: str, token: str, closed: bool = False) -> str:
        return ""  # no network of its own, so the data plane of this machine serves

    def remove_gateways(self) -> None:
        pass

    def networks(self) -> list[str]:
        return self._engine.call("networks")

    def remove_network(self, cluster: str) -> None:
        self._engine.call("remove_network", cluster=cluster)

    def set_node_capacity(self, cluster: str, node: str, cpu_millis: int, memory_bytes: int) -> str:
        return ""

    def run_pod_sandbox(self, spec: SandboxSpec) -> str:
        return self._engine.call("run_pod_sandbox", pod=asdict(spec))

    def stop_pod_sandbox(self, sandbox_id: str) -> None:
        self._engine.call("stop_pod_sandbox", sandbox_id=sandbox_id)

    def remove_pod_sandbox(self, sandbox_id: str) -> None:
        self._engine.call("remove_pod_sandbox", sandbox_id=sandbox_id)

    def list_pods(self) -> list[Sandbox]:
        return [_sandbox(row) for row in self._engine.call("list_pods")]

    def list_pod(self, uid: str) -> list[Sandbox]:
        return newest_first(sandbox for sandbox in self.list_pods() if sandbox.uid == uid)

    def create_container(self, sandbox_id: str, pod: SandboxSpec, spec: ContainerSpec) -> str:
        return self._engine.call("create_container", sandbox_id=sandbox_id, spec=asdict(spec))

    def start_container(self, container_id: str) -> None:
        self._engine.call("start_container", container_id=container_id)

    def stop_container(self, container_id: str, grace_seconds: float) -> None:
        wait = CALL_SECONDS + grace_seconds
        self._engine.call("stop_container", wait, container_id=container_id, grace_seconds=grace_seconds)

    def kill_container(self, container_id: str, signal: str = "KILL") -> None:
        self._engine.call("kill_container", container_id=container_id, name=signal)

    def remove_container(self, container_id: str) -> None:
        self._engine.call("remove_container", container_id=container_id)

    def exec(self, container_id: str, command: list[str], stdin: bool = False, tty: bool = False) -> Stream:
        """The command runs beside the container, with its environment and in its folder."""
        return execs.exec_(self._engine, container_id, command, stdin, tty)

    def attach(self, container_id: str, stdin: bool = False) -> Stream:
        return execs.attach(self._engine, container_id, stdin)

    def logs(self, container_id: str, wanted: LogOptions) -> Lines:
        folder = Path(self._engine.call("describe", container_id=container_id)["folder"])

        def ended() -> bool:
            try:
                return self._engine.call("describe", container_id=container_id)["state"] == "exited"
            except RuntimeFailure:
                return True

        return logfile.read(folder, ended if wanted.follow else None, wanted)

    def set_partitioned(self, sandbox_id: str, partitioned: bool) -> None:
        self._engine.call("set_partitioned", sandbox_id=sandbox_id, partitioned=partitioned)

    def stats(self) -> dict[str, tuple[int, int]]:
        """{} where there is no /proc."""
        found = {key: procfs.usage(pid) for key, pid in self._engine.call("pids").items()}
        return {key: usage for key, usage in found.items() if usage}

    def listen(self, on_event: Callable[[RuntimeEvent], None], stopped: Callable[[], bool]) -> None:
        while not stopped():
            try:
                for event in self._engine.subscribe(LISTEN_SECONDS):
                    if stopped():
                        return
                    if event and "kind" in event:
                        on_event(RuntimeEvent(**event))
                    elif event:
                        on_event(RuntimeEvent("relist"))  # the answer to our asking: from here on nothing is missed
            except (OSError, RuntimeFailure):
                time.sleep(RECONNECT_SECONDS)

    def remove_everything(self, keep: Collection[str] = ()) -> list[str]:
        """Ends the engine too, if there is one. Images that were built are files beside the volumes, and stay."""
        if not place.socket_path(self._data_dir).exists():
            return []
        removed = self._engine.call("remove_everything")
        self._engine.hang_up()
        return removed


def _sandbox(row: dict) -> Sandbox:
    containers = tuple(Container(**inside, image_id=f"process:{inside['image']}") for inside in row["containers"])
    return Sandbox(**row | {"containers": containers})
