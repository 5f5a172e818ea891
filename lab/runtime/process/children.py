"""What the engine looks after: sandboxes and containers, and the process that a running container is."""

import contextlib
import ctypes
import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import IO

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
        self.process: subprocess.Popen  # once it is started
        self.output: IO[bytes]  # likewise what it says: a pipe's end, or its terminal's
        self._input: int | None = None  # what it hears
        self._listeners: list[int] = []  # files of those who attached, to be told what it says
        self._beside: list[subprocess.Popen] = []  # commands that exec runs
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
        far, self._input, self.output = self._pipes()
        try:
            self.process = subprocess.Popen(
                [*command, *map(self._rewritten, self.spec["args"])],
                stdin=far[0],
                stdout=far[1],
                stderr=far[1],
                cwd=self.working_dir(),
                env=self.environment(),
                start_new_session=True,
                preexec_fn=_take_terminal if self.spec["tty"] else _die_with_engine,
            )
        except OSError as error:
            self.state, self.exit_code, self.finished_at = "exited", 128, time.time()
            self._close()
            raise Refused("RunContainerError", f'failed to start "{command[0]}": {error.strerror}') from error
        finally:
            for file in {*far}:
                os.close(file)
        os.set_blocking(self.output.fileno(), False)
        self.state, self.started_at = "running", time.time()
        if self.sandbox.partitioned:
            self.send(signal.SIGSTOP)

    def _pipes(self) -> tuple[tuple[int, int], int | None, IO[bytes]]:
        """Its own ends (what it hears, what it says), and ours."""
        if self.spec["tty"]:
            near, far = pty.openpty()
            return (far, far), os.dup(near), open(near, "rb", buffering=0)
        ours, says = os.pipe()
        hears, to_it = os.pipe() if self.spec["stdin"] else (os.open(os.devnull, os.O_RDONLY), None)
        return (hears, says), to_it, open(ours, "rb", buffering=0)

    def attach(self, listener: int, speaks: bool) -> tuple[int | None, Callable[[], None]]:
        """Tell what it says to one more file, which is ours to close now; what it hears, for who `speaks`, and what to
        do when they hang up. If its input ends with the first of them, it is theirs alone."""
        os.set_blocking(listener, False)
        self._listeners.append(listener)
        given = None
        if speaks and self._input is not None:
            given = os.dup(self._input)
            if self.spec["stdin_once"] and not self.spec["tty"]:
                os.close(self._input)
                self._input = None
        return given, lambda: self._dismiss(listener)

    def _dismiss(self, listener: int) -> None:
        if listener in self._listeners:
            self._listeners.remove(listener)
            os.close(listener)

    def send(self, number: int) -> None:
        """Signal the container's process and all that it started: without PID namespaces, its process group."""
        if self.state == "running":
            signal_group(self.process, number)
            for process in self._beside:
                if process.returncode is None:
                    signal_group(process, number)

    def tell(self, number: int) -> None:
        """SIGTERM is for the first process alone, as in a container for PID 1: the rest is its own affair."""
        if self.state == "running":
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, number)

    def beside(self, command: list[str], files: list[int], tty: bool) -> subprocess.Popen | int:
        """Run another command with its environment and in its folder, with these files for stdin, stdout and stderr;
        or say why it does not start there where it would have said something, and what a shell would exit with."""
        command = [self._rewritten(word) for word in command]
        stdin, stdout, stderr = files
        self._beside = [process for process in self._beside if process.poll() is None]
        try:
            process = subprocess.Popen(
                command,
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                cwd=self.working_dir(),
                env=self.environment() | ({"TERM": "xterm"} if tty else {}),
                start_new_session=True,
                preexec_fn=_take_terminal if tty else _die_with_engine,
            )
        except OSError as error:
            with contextlib.suppress(OSError):
                os.write(stderr, f'exec failed: "{command[0]}": {error.strerror}\n'.encode())
            return 126 if isinstance(error, PermissionError) else 127
        self._beside.append(process)
        return process

    def finish(self) -> None:
        """Its process has ended: take its exit code and its last words, and end what it had started."""
        code = self.process.wait()
        self.send(signal.SIGKILL)
        self.read()
        self._close()
        self.signal, self.exit_code = max(-code, 0), shell_code(code)
        self.state, self.finished_at = "exited", time.time()

    def read(self) -> bool:
        """Move what it has written into its log, a pipe's fill at most; whether more can come."""
        try:
            data = os.read(self.output.fileno(), PIPE_BYTES)
        except BlockingIOError:
            return True
        except OSError:  # a terminal that nobody holds any more
            return False
        self.log.feed(data)
        for listener in list(self._listeners):
            self._pass_on(listener, data)
        return bool(data)

    def _pass_on(self, listener: int, data: bytes) -> None:
        """Who does not read is dismissed: nobody may hold up the engine."""
        try:
            if os.write(listener, data) == len(data):
                return
        except OSError:
            pass
        self._dismiss(listener)

    def _close(self) -> None:
        self.log.close()
        self.output.close()
        if self._input is not None:
            os.close(self._input)
        for listener in list(self._listeners):
            self._dismiss(listener)

    def is_above_its_limit(self) -> bool:
        limit = self.spec["memory_limit_bytes"]
        return bool(limit) and procfs.resident_bytes(self.process.pid) > limit


def signal_group(process: subprocess.Popen, number: int) -> None:
    """Signal a process and all that it has started, which may be there still when it has ended."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)


def shell_code(code: int) -> int:
    """What a shell says of Popen's returncode: 128 and the number of the signal for a process that was killed."""
    return 128 - code if code < 0 else code


def _die_with_engine() -> None:
    """Between fork and exec: when the engine is killed, however hard, its containers end with it (Linux only)."""
    if libc:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _take_terminal() -> None:
    """Likewise: its standard input is the terminal of its session, and Ctrl-C means something, even if the lab was
    started by a script in the background, where it does not."""
    _die_with_engine()
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
