"""One process that shall run for as long as the lab does: started, listened to, and started again when it ends."""

import contextlib
import json
import os
import re
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable
from io import FileIO
from pathlib import Path

from lab import logs

from .state import HOME

FIRST_BACKOFF, MOST_BACKOFF = 0.2, 30.0
HEALTHY_SECONDS = 30.0  # who lived this long starts again with the first backoff
LOG_BYTES = 5 * 1024 * 1024
# `2026-11-24 03:14:15,926 W lab.kubelet: …`, as lab/logs.py writes it for people.
WARNING = re.compile(r"^[\d-]{10} [\d:,]{12} [WEC] (.*)")
QUIET_SECONDS = 30.0  # the same warning again within this time stays in the log file only


class Child:
    """`on_change` is called whenever its process id changes. `say` prints a line on the terminal. `nice`: its
    share of the processors, of 19 to -20, where this user may say so."""

    def __init__(
        self,
        name: str,
        command: tuple[str, ...],
        data: Path,
        env: dict[str, str],
        say: Callable[[str], None],
        on_change: Callable[[], None],
        pass_fds: tuple[int, ...] = (),
        nice: int = 0,
    ):
        self.name = name
        self.command = command
        self.restarts = 0
        self.process: subprocess.Popen | None = None
        self._env = env
        self._pass_fds = pass_fds
        self._nice = nice
        self._log = Log(data / "logs" / f"{name}.log")
        self._say = say
        self._on_change = on_change
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)
        self._warned: dict[str, float] = {}
        self._is_json = env.get("ORRERY_LOG_FORMAT") == logs.JSON

    @property
    def pid(self) -> int | None:
        process = self.process
        return process.pid if process and process.returncode is None else None

    def start(self) -> None:
        self._thread.start()

    def stop(self, grace: float) -> None:
        """SIGTERM, and SIGKILL to it and all it started once the grace is over; returns when it has ended."""
        self.ask_to_stop()
        self._thread.join(max(grace, 0))
        if self._thread.is_alive():
            self.kill()
            self._thread.join()

    def ask_to_stop(self) -> None:
        self._stopping.set()
        self._signal(signal.SIGTERM, whole_group=False)

    def kill(self) -> None:
        self._signal(signal.SIGKILL, whole_group=True)

    def _signal(self, number: int, whole_group: bool) -> None:
        process = self.process
        if process:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, number) if whole_group else process.send_signal(number)

    def _live(self) -> None:
        backoff = FIRST_BACKOFF
        while not self._stopping.is_set():
            began = time.monotonic()
            ended, last_words = self._run_once()
            if self._stopping.is_set():
                return
            if time.monotonic() - began > HEALTHY_SECONDS:
                backoff = FIRST_BACKOFF
            said = f"; its last words: {last_words}" if last_words else ""
            self._say(f"{self.name} ended ({ended}), starting it again in {backoff:g} s{said}")
            self._stopping.wait(backoff)
            backoff = min(backoff * 2, MOST_BACKOFF)
            self.restarts += 1

    def _run_once(self) -> tuple[str, str]:
        """Run the process to its end: how it ended, and the last line it wrote."""
        try:
            # A session of its own: Ctrl-C in the terminal reaches the supervisor only, which stops things in order.
            process = subprocess.Popen(
                self.command,
                cwd=HOME,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                pass_fds=self._pass_fds,
            )
        except OSError as error:
            return f"could not be started: {error.strerror}", ""
        self.process = process
        if self._nice:
            share(process.pid, self._nice)
        if self._stopping.is_set():  # asked to stop before there was a process to ask
            process.terminate()
        self._on_change()
        last_words: deque[str] = deque(maxlen=1)
        reader = threading.Thread(target=self._listen, args=(process, last_words), daemon=True)
        reader.start()
        code = process.wait()
        # Whatever it started goes with it. That also closes the pipe that the reader waits on.
        self._signal(signal.SIGKILL, whole_group=True)
        reader.join(1.0)
        self._on_change()
        return _describe(code), "".join(last_words)

    def _listen(self, process: subprocess.Popen, last_words: deque[str]) -> None:
        assert process.stdout
        with process.stdout:
            for raw in process.stdout:
                line = logs.shown(raw.decode(errors="replace").rstrip())
                if self._is_json:
                    line = as_event(self.name, line)
                self._log.write(f"{line}\n".encode())
                if line:
                    last_words.append(words_of(line))
                if (warning := warning_in(line)) and self._is_news(warning):
                    self._say(f"{self.name}: {warning}")

    def _is_news(self, warning: str) -> bool:
        now = time.monotonic()
        self._warned = {text: said for text, said in self._warned.items() if now - said < QUIET_SECONDS}
        return self._warned.setdefault(warning, now) == now


def share(pid: int, nice: int) -> None:
    """Linux shares the processors out among sessions, whatever the priorities of the processes in them are, and each
    of our parts is a session: it counts for no more than the engine that starts containers, or all its shims together
    (sched(7), autogroup). Only root may give one more. In a group of systemd's it counts as that group does: then this
    changes nothing."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(nice))


def as_event(part: str, line: str) -> str:
    """What is no JSON yet: of a program that knows none, or that ends by an exception."""
    if line.startswith("{") or not line:
        return line
    warns = WARNING.match(line)
    return logs.as_json(time.time(), "WARNING" if warns else "INFO", part, warns[1] if warns else line, logger=part)


def warning_in(line: str) -> str:
    """What a line of a log warns of; empty if it does not. Pure."""
    if not (said := read(line)):
        found = WARNING.match(line)
        return found[1] if found else ""
    warns = said["level"] in ("WARNING", "ERROR", "CRITICAL") and said["logger"] != "py.warnings"  # for programmers
    return f"{said['logger']}: {said['message']}" if warns else ""


def words_of(line: str) -> str:
    return read(line).get("message", line)


def read(line: str) -> dict:
    """A line of JSON that this lab has written; empty for any other."""
    with contextlib.suppress(ValueError):
        said = json.loads(line) if line.startswith("{") else {}
        return said if {"level", "logger", "message"} <= said.keys() else {}
    return {}


def _describe(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    return f"killed by {signal.Signals(-code).name}"


class Log:
    """A log file, and one older one: together never more than twice LOG_BYTES."""

    def __init__(self, path: Path):
        self.path = path
        self._file: FileIO | None = None

    def write(self, line: bytes) -> None:
        """A full disk loses the line and nothing else."""
        with contextlib.suppress(OSError):
            if self._file and self._file.tell() > LOG_BYTES:
                self._file.close()
                self._file = None
                self.path.replace(self.path.with_suffix(".log.1"))
            if not self._file:
                self._file = self.path.open("ab", buffering=0)
            self._file.write(line)
