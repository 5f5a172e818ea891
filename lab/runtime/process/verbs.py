"""The engine's verbs: what a request does. None of them waits; one that takes time replies later."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO

from .children import Container, Refused, Sandbox, shell_code, signal_group

Reply = Callable[..., None]
Watch = Callable[[IO[bytes], Callable[[], object] | None], None]
FIRST, COUNT = 64, 160  # 127.64.0.0/16 … 127.223.0.0/16
MEASURE_SECONDS = 0.9  # of the engine's tick
RESERVED_PORT = 10250  # a kubelet's


class Verbs:
    """`tell(event)` sends to every subscriber; `watch(stream, on_ready)` reads when there is something."""

    def __init__(self, folder: Path, tell: Callable[[dict], None], watch: Watch):
        self.finished = False
        self._measured = 0.0
        self._folder = folder
        self._tell = tell
        self._watch = watch
        self._sandboxes: dict[str, Sandbox] = {}
        self._containers: dict[str, Container] = {}
        self._deadlines: list[tuple[float, Container]] = []  # when SIGKILL follows SIGTERM
        self._waiting: list[tuple[Container, Reply]] = []  # who asked to be told when it has ended
        self._commands: list[tuple[subprocess.Popen, Reply]] = []  # of exec, and who asked to be told their end
        self._networks: dict[str, socket.socket] = {}

    def do(self, op: str, arguments: dict, reply: Reply) -> None:
        """Raises Refused."""
        if op == "stop_container":
            return self._stop(reply, **arguments)
        verb = getattr(self, f"op_{op}", None)
        if verb is None:
            raise Refused("Unimplemented", f"there is no {op}")
        reply(verb(**arguments))

    def exec(
        self, reply: Reply, files: list[int], container_id: str, command: list[str], tty: bool
    ) -> Callable[[], None]:  # fmt: skip
        """Run a command beside the container's process, with these files; reply with its exit code when it has ended.
        What is answered here kills it. Raises Refused."""
        try:
            container = self._get(container_id, "ExecFailed")
            if container.state != "running":
                raise Refused("ExecFailed", f"container {container_id[:12]} is not running")
            process = container.beside(command, files, tty)
        finally:
            for file in files:
                os.close(file)
        if isinstance(process, int):
            reply(process)
            return lambda: None
        self._commands.append((process, reply))

        def kill() -> None:
            if process.poll() is None:
                signal_group(process, signal.SIGKILL)

        return kill

    def attach(self, files: list[int], container_id: str, stdin: bool) -> tuple[int | None, Callable[[], None]]:
        """See `Container.attach`; the one file is the listener. Raises Refused."""
        (listener,) = files
        container = self._containers.get(container_id)
        if not container or container.state != "running":
            os.close(listener)
            raise Refused("AttachFailed", f"container {container_id[:12]} is not running")
        return container.attach(listener, stdin)

    def reap(self) -> None:
        """Find out who has ended, after SIGCHLD."""
        for command in [one for one in self._commands if one[0].poll() is not None]:
            self._commands.remove(command)
            command[1](shell_code(command[0].returncode))
        for container in self._running():
            if container.process.poll() is not None:
                self._watch(container.output, None)
                container.finish()
                if container.oom_killed:
                    self._event("oom", container)
                self._event("died", container, exit_code=container.exit_code)
        for waiting in [one for one in self._waiting if one[0].state != "running"]:
            self._waiting.remove(waiting)
            waiting[1]()

    def next_deadline(self) -> float:
        """Seconds until something is to be done though nothing happens."""
        return max(min((when for when, _ in self._deadlines), default=float("inf")) - time.monotonic(), 0.0)

    def tick(self) -> None:
        now = time.monotonic()
        for due in [one for one in self._deadlines if one[0] <= now]:
            self._deadlines.remove(due)
            due[1].send(signal.SIGKILL)
        if now - self._measured < MEASURE_SECONDS:
            return
        self._measured = now
        for container in self._running():
            # The kernel would do this for a cgroup; looking once a second is as near as we come without.
            if container.is_above_its_limit():
                container.oom_killed = True
                container.send(signal.SIGKILL)

    def _running(self) -> list[Container]:
        return [container for container in self._containers.values() if container.state == "running"]

    def end(self) -> None:
        for container in self._containers.values():
            container.send(signal.SIGKILL)
        shutil.rmtree(self._folder / "containers", ignore_errors=True)

    def op_ensure_network(self, cluster: str, seed: str) -> str:
        """A range of loopback addresses. It is ours as long as we hold one of its ports: the kernel is the register
        in which all labs of this machine sign."""
        if cluster not in self._networks:
            file = self._folder / "networks.json"
            known = json.loads(file.read_text()) if file.exists() else {}
            start = known.get(cluster, FIRST + zlib.crc32(seed.encode()) % COUNT)
            for step in range(COUNT):
                second = FIRST + (start - FIRST + step) % COUNT
                holder = _hold(f"127.{second}.0.1")
                if holder:
                    break
            else:
                raise Refused("NetworkNotReady", "no range of loopback addresses is free")
            self._networks[cluster] = holder
            file.write_text(json.dumps(known | {cluster: second}))
        return f"127.{self._second(cluster)}.0.0/16"

    def _second(self, cluster: str) -> int:
        return json.loads((self._folder / "networks.json").read_text())[cluster]

    def op_networks(self) -> list[str]:
        return list(self._networks)

    def op_remove_network(self, cluster: str) -> None:
        holder = self._networks.pop(cluster, None)
        if holder:
            holder.close()
        file = self._folder / "networks.json"
        if file.exists():
            rest = {name: second for name, second in json.loads(file.read_text()).items() if name != cluster}
            file.write_text(json.dumps(rest))

    def op_run_pod_sandbox(self, pod: dict) -> str:
        if pod["host_ports"]:
            raise Refused("FailedCreatePodSandBox", "host ports need a container engine: this lab runs without one")
        for other in [one for one in self._sandboxes.values() if one.ready]:
            if other.pod["uid"] == pod["uid"]:
                return other.id
            if pod["address"] and other.pod["address"] == pod["address"]:
                raise Refused("FailedCreatePodSandBox", f"Address already in use: {pod['address']}")
        sandbox = Sandbox(pod)
        self._sandboxes[sandbox.id] = sandbox
        self._event("started", sandbox)
        return sandbox.id

    def op_stop_pod_sandbox(self, sandbox_id: str) -> None:
        sandbox = self._sandboxes.get(sandbox_id)
        if sandbox and sandbox.ready:
            sandbox.ready = False
            for container in sandbox.containers:
                container.send(signal.SIGKILL)
            self._event("sandbox-died", sandbox)

    def op_remove_pod_sandbox(self, sandbox_id: str) -> None:
        self.op_stop_pod_sandbox(sandbox_id)
        sandbox = self._sandboxes.pop(sandbox_id, None)
        for container in list(sandbox.containers) if sandbox else ():
            self.op_remove_container(container.id)

    def op_set_partitioned(self, sandbox_id: str, partitioned: bool) -> None:
        sandbox = self._sandboxes.get(sandbox_id)
        if not sandbox:
            raise Refused("NetworkNotReady", f"there is no sandbox {sandbox_id}")
        sandbox.partitioned = partitioned
        for container in sandbox.containers:
            container.send(signal.SIGSTOP if partitioned else signal.SIGCONT)

    def op_list_pods(self) -> list[dict]:
        return [sandbox.told() for sandbox in self._sandboxes.values()]

    def op_create_container(self, sandbox_id: str, spec: dict) -> str:
        sandbox = self._sandboxes.get(sandbox_id)
        if not sandbox or not sandbox.ready:
            raise Refused("CreateContainerError", f"there is no sandbox {sandbox_id}")
        for other in sandbox.containers:
            if (other.spec["name"], other.spec["attempt"]) == (spec["name"], spec["attempt"]):
                self.op_remove_container(other.id)  # from a try whose answer was lost
                break
        container = Container(sandbox, spec, self._folder)
        if not sys.platform.startswith("linux"):
            spec["env"] = {"PORT": str(_free_port())} | spec["env"] | {"ADDRESS": "127.0.0.1"}
        sandbox.containers.append(container)
        self._containers[container.id] = container
        return container.id

    def op_start_container(self, container_id: str) -> None:
        container = self._get(container_id, "RunContainerError")
        container.start()
        if container.state == "running":
            self._watch(container.output, lambda: self._read(container))
            self._event("started", container)

    def _read(self, container: Container) -> None:
        if not container.read():
            self._watch(container.output, None)

    def _stop(self, reply: Reply, container_id: str, grace_seconds: float) -> None:
        container = self._containers.get(container_id)
        if not container or container.state != "running":
            return reply()
        if grace_seconds > 0:
            container.tell(signal.SIGTERM)
        self._deadlines.append((time.monotonic() + grace_seconds, container))
        self._waiting.append((container, reply))

    def op_kill_container(self, container_id: str, name: str) -> None:
        container, number = self._containers.get(container_id), signal.Signals[f"SIG{name}"]
        if container:
            (container.send if number == signal.SIGKILL else container.tell)(number)

    def op_remove_container(self, container_id: str) -> None:
        container = self._containers.pop(container_id, None)
        if not container:
            return
        if container.state == "running":
            container.send(signal.SIGKILL)
            self._watch(container.output, None)
            container.finish()
        container.sandbox.containers.remove(container)
        shutil.rmtree(container.folder, ignore_errors=True)
        self._event("removed", container)

    def op_describe(self, container_id: str) -> dict:
        """What it takes to read its log, or to talk to it."""
        container = self._get(container_id, "NotFound")
        return {"folder": str(container.folder), "state": container.state, "tty": container.spec["tty"]}

    def op_pids(self) -> dict[str, int]:
        return {one.id: one.process.pid for one in self._running()}

    def op_remove_everything(self) -> list[str]:
        """And end: whoever needs an engine after this starts a new one."""
        removed = [f"process of {one.sandbox.pod['name']}/{one.spec['name']}" for one in self._containers.values()]
        for sandbox_id in list(self._sandboxes):
            self.op_remove_pod_sandbox(sandbox_id)
        for cluster in list(self._networks):
            self.op_remove_network(cluster)
        shutil.rmtree(self._folder / "images", ignore_errors=True)
        self.finished = True
        return removed

    def _get(self, container_id: str, reason: str) -> Container:
        container = self._containers.get(container_id)
        if not container:
            raise Refused(reason, f"there is no container {container_id}")
        return container

    def _event(self, kind: str, about: Sandbox | Container, **more: object) -> None:
        sandbox = about.sandbox if isinstance(about, Container) else about
        self._tell({"kind": kind, "uid": sandbox.pod["uid"], "container_id": about.id, "at": time.time(), **more})


def _hold(address: str) -> socket.socket | None:
    """A socket bound to the address; None if somebody else has it. Unbound where there is only 127.0.0.1."""
    holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    if not sys.platform.startswith("linux"):
        return holder
    try:
        holder.bind((address, RESERVED_PORT))
    except OSError:
        holder.close()
        return None
    return holder


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]
