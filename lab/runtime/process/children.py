"""What the engine looks after: sandboxes and containers, and the process that a running container is."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

from . import procfs
from .images import Images
from .logfile import LogWriter
from .volumes import rewritten

PR_SET_PDEATHSIG = 1
PIPE_BYTES = 65536
libc = ctypes.CDLL(None) if sys.platform.startswith("linux") else None


class Refused(Exception):
    """`reason` is Kubernetes' word for it."""

    def __init__(self, reason: str, message: str):
        super().__init__(message)
        self.reason = reason


class Sandbox:
    """A pod: an address and the containers that use it. There is no process behind it."""

    def __init__(self, pod: dict):
        self.id = uuid.uuid4().hex
        self.pod = pod
        self.ready = True
        self.partitioned = False
        self.created_at = time.time()
        self.containers: list[Container] = []

    def told(self) -> dict:
        """The fields of `lab.runtime.Sandbox`."""
        about = {key: self.pod[key] for key in ("cluster", "node", "namespace", "name", "uid", "address")}
        newest_first = sorted(self.containers, key=lambda container: container.created_at, reverse=True)
        inside = [container.told() for container in newest_first]
        return about | {"id": self.id, "ready": self.ready, "created_at": self.created_at, "containers": inside}


class Container:
    """From created to running to exited, once."""

    def __init__(self, sandbox: Sandbox, spec: dict, folder: Path):
        image = Images(folder).find(spec["image"])
        if not image:
            raise Refused("ErrImageNeverPull", f'Container image "{spec["image"]}" is not present')
        self.id = uuid.uuid4().hex
        self.program, self.image_environment = image
        self.sandbox = sandbox
        self.spec = spec
        self.state = "created"
        self.exit_code = self.signal = 0
        self.oom_killed = False
        self.created_at, self.started_at, self.finished_at = time.time(), 0.0, 0.0
        self.process: subprocess.Popen | None = None
        self.folder = folder / "containers" / self.id
        self.scratch = self.folder / "scratch"
        self.scratch.mkdir(parents=True, mode=0o700)
        self.log = LogWriter(self.folder)

    def told(self) -> dict:
        """The fields of `lab.runtime.Container`."""
        own = ("id", "state", "exit_code", "signal", "oom_killed", "created_at", "started_at", "finished_at")
        told = {key: getattr(self, key) for key in own}
        return told | {key: self.spec[key] for key in ("name", "attempt", "image", "init")}

    def environment(self) -> dict[str, str]:
        """What the engine gives, then what the image says, then what the pod says, as on any engine."""
        pod = self.sandbox.pod
        given = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
            "HOME": str(self.scratch),
            "TMPDIR": str(self.scratch),
            "HOSTNAME": pod["hostname"] or pod["name"],
            "ADDRESS": pod["address"],
            "POD_NAME": pod["name"],
        }
        told = self.image_environment | self.spec["env"]
        return given | {name: self._rewritten(value) for name, value in told.items()}

    def _rewritten(self, text: str) -> str:
        return rewritten(text, self.spec["mounts"])

    def working_dir(self) -> Path:
        wanted = Path(self._rewritten(self.spec["working_dir"]) or self.scratch)
        return wanted if wanted.is_dir() else self.scratch

    def start(self) -> None:
        if self.state != "created":
            return
        command = [self._rewritten(word) for word in self.spec["command"]] or [
            sys.executable,
            "-S",
            "-E",
            str(self.program),
        ]
        environment = self.environment()
        try:
            self.process = subprocess.Popen(
                [*command, *map(self._rewritten, self.spec["args"])],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=self.working_dir(),
                env=environment,
                start_new_session=True,
                preexec_fn=_die_with_engine if libc else None,
            )
        except OSError as error:
            self.state, self.exit_code, self.finished_at = "exited", 128, time.time()
            self.log.close()
            raise Refused("RunContainerError", f'failed to start "{command[0]}": {error.strerror}') from error
        os.set_blocking(self.process.stdout.fileno(), False)
        self.state, self.started_at = "running", time.time()
        if self.sandbox.partitioned:
            self.send(signal.SIGSTOP)

    def send(self, number: int) -> None:
        """Signal the container's process and all that it started: without PID namespaces, its process group."""
        if self.process and self.state == "running":
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def ask_to_end(self) -> None:
        """SIGTERM is for the first process alone, as in a container for PID 1: the rest is its own affair."""
        if self.process and self.state == "running":
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGTERM)

    def finish(self) -> None:
        """Its process has ended: take its exit code and its last words, and end what it had started."""
        code = self.process.wait()
        self.send(signal.SIGKILL)
        self.read()
        self.process.stdout.close()
        self.log.close()
        self.signal = max(-code, 0)
        self.exit_code = 128 + self.signal if self.signal else code
        self.state, self.finished_at = "exited", time.time()

    def read(self) -> bool:
        """Move what it has written into its log, a pipe's fill at most; whether more can come."""
        try:
            data = os.read(self.process.stdout.fileno(), PIPE_BYTES)
        except BlockingIOError:
            return True
        self.log.feed(data)
        return bool(data)

    def is_above_its_limit(self) -> bool:
        limit = self.spec["memory_limit_bytes"]
        return bool(limit) and procfs.resident_bytes(self.process.pid) > limit


def _die_with_engine() -> None:
    """Between fork and exec: when the engine is killed, however hard, its containers end with it (Linux only)."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
