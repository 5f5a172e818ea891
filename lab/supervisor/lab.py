"""The lab as processes: which there are, in which order they start and stop, and what is said of them meanwhile."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from lab import logs

from .broker import Broker
from .child import Child
from .engines import FurtherEngine
from .guard import Guard
from .probe import answers_ping, http_get
from .room import DEFAULT_HOSTS
from .state import HOME, CannotStart, remove_run, write_run

PYTHON = sys.executable
WORKER = (PYTHON, "-m", "lab.worker")
STOP_SECONDS = 10.0  # a thread pool cannot be interrupted: who is still at work then is killed
# Who writes, asks or looks waits for these: nine times, or three times, the share of an engine that starts containers.
NICE = {"broker": -10, "web": -10, "worker": -5}
BROKER_SECONDS = 10.0
NODES_SECONDS = 10.0
STEP = 0.05


class Sockets(NamedTuple):
    """Where the lab listens."""

    plain: socket.socket
    tls: socket.socket
    door: socket.socket
    room: socket.socket | None = None


class Lab:
    """Everything below one supervisor. The sockets are the web server's, plain and TLS, and the front door's: they stay
    open while web or proxy restarts, so that a browser waits a moment instead of being refused."""

    def __init__(
        self,
        data: Path,
        runtime: str,
        broker: Broker,
        sockets: Sockets,
        host: str,
        room: Sequence[str] = (),
        room_url: str = "",
        engines: Sequence[FurtherEngine] = (),
    ):
        """`room`: the names by which learners' machines find this one, the most certain first; none without a room.
        `room_url`: where they come in, if that is at somebody else's who passes them on."""
        self.data = data
        self.runtime = runtime
        self.engines = engines
        self.broker = broker
        self.host = host
        self.port, self.tls_port, door_port = (each.getsockname()[1] for each in sockets[:3])
        own_url = f"http://{room[0]}:{sockets.room.getsockname()[1]}/" if sockets.room else ""
        self.room = f"{room_url.rstrip('/')}/" if own_url and room_url else own_url
        self._names = room
        self.board = f"http://{host}:{self.port}/"
        self.tls = f"https://{host}:{self.tls_port}/"
        self.front_door = f"http://localhost:{door_port}/"  # whose hosts end in .localhost
        self.stopped = threading.Event()
        self._sockets = sockets
        self._guard = Guard()
        self._lock = threading.Lock()
        self._env = self._environment()
        self._children: list[Child] = []

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "ORRERY_DATA": str(self.data),
            "ORRERY_HOST": self.host,
            "ORRERY_PORT": str(self.port),
            "ORRERY_TLS_PORT": str(self.tls_port),
            "ORRERY_FRONT_DOOR": self.front_door,
            "ORRERY_RUNTIME": self.runtime,
            "ORRERY_ROOM": self.room,
            "ALLOWED_HOSTS": ",".join((os.environ.get("ALLOWED_HOSTS", DEFAULT_HOSTS), *self._names)),
            # Nodes of several runtimes may be mixed; those that need nothing installed are there in any case. But a
            # process does what this user may do: strangers get none, where there is an engine to hold them.
            "ORRERY_KUBELET": ",".join(
                dict.fromkeys((self.runtime, *(() if self.room else ("process",)), "simulated"))
            ),
            "REDIS_URL": self.broker.url,
            "PYTHONUNBUFFERED": "1",
            # glibc gives each thread an arena of its own, which in eight busy threads triples the worker's memory.
            "MALLOC_ARENA_MAX": "2",
        }

    def say(self, line: str) -> None:
        if self._env.get("ORRERY_LOG_FORMAT") == logs.JSON:
            line = logs.as_json(time.time(), "INFO", "supervisor", line)
        with contextlib.suppress(OSError, ValueError):  # a closed terminal is no reason to stop
            print(line, flush=True)

    def start(self) -> None:
        """Start everything, each as soon as what it needs is there. Raises CannotStart."""
        plain, tls, door = (each.fileno() for each in self._sockets[:3])
        proxy = (PYTHON, "-m", "lab.proxy.program", "--state", str(self.data / "proxy"), "--front-door-fd", str(door))
        self._add("proxy", proxy, pass_fds=(door,))
        if self.broker.command:
            self._add("broker", self.broker.command)
        if self.runtime == "process":
            self._add("engine", (PYTHON, "-m", "lab.runtime.process.engine"))
        self._prepare()
        self._await_broker()
        web = (PYTHON, "-m", "lab.web", "--http", str(plain), "--https", str(tls))
        room = (self._sockets.room.fileno(),) if self._sockets.room else ()
        self._add("web", (*web, *(("--room", str(*room)) if room else ())), pass_fds=(plain, tls, *room))
        self._add("worker", WORKER)
        for engine in self.engines:
            if tunnel := engine.tunnel(self.data):
                self._add(f"ssh-{engine.name}", tunnel)
            self._add_worker(f"worker-{engine.name}", engine.environment(self.data), f"docker.{engine.name}")
        # An interpreter fills one processor, and a class that acts each five seconds needs more of it than that.
        if self.room and not self.engines and (os.cpu_count() or 1) > 1:
            self._add_worker("worker-2", {"ORRERY_STANDBY": "no"}, kubelet="")
        self._add("beat", (PYTHON, "-m", "lab.beat"))
        self._add("visitors", (PYTHON, "-m", "lab.visitors.program"))

    def _add_worker(self, name: str, env: dict[str, str], kubelet: str) -> None:
        """One more for all control planes; `kubelet`: of which engine it is the kubelet, if of any."""
        self._add(name, (*WORKER, "control-plane", name), env={**env, "ORRERY_KUBELET": kubelet})

    def _add(
        self, name: str, command: tuple[str, ...], pass_fds: tuple[int, ...] = (), env: dict[str, str] | None = None
    ) -> None:
        all_env, nice = self._env | (env or {}), NICE.get(name.partition("-")[0], 0)
        child = Child(name, command, self.data, all_env, self.say, self._changed, pass_fds, nice)
        if not self.stopped.is_set():
            self._children.append(child)
            child.start()

    def _prepare(self) -> None:
        """Tables, certificates, the default cluster, the demo."""
        done = subprocess.run(
            [PYTHON, "manage.py", "prepare"],
            cwd=HOME,
            env=self._env,
            stdin=subprocess.DEVNULL,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        if done.returncode and not self.stopped.is_set():
            raise CannotStart(f"The database could not be prepared:\n{done.stdout}")
        if done.stdout.strip():
            self.say(done.stdout.strip())

    def _await_broker(self) -> None:
        deadline = time.monotonic() + BROKER_SECONDS
        while not answers_ping(self.broker.url):
            if time.monotonic() > deadline:
                raise CannotStart(f"The broker did not start; see {self.data / 'logs/broker.log'}")
            if self.stopped.wait(STEP):
                return

    def wait_until_ready(self) -> str:
        """Wait until the board shows Ready nodes; how many, in words. Nodes that stay away do not hold it up."""
        deadline = None
        while not self.stopped.wait(STEP):
            status, body = http_get(("127.0.0.1", self.port), "/clusters/default/api/v1/nodes")
            if status != 200:
                continue
            nodes = json.loads(body)["items"]
            ready = sum(map(_is_ready, nodes))
            deadline = deadline or time.monotonic() + NODES_SECONDS
            if ready == len(nodes) or time.monotonic() > deadline:
                return f"{ready} of {len(nodes)} nodes Ready"
        return ""

    def stop(self) -> None:
        """First who makes work, then who does it, then what they worked on, and last who carried the messages."""
        self.stopped.set()
        by_name = {child.name: child for child in self._children}
        workers = [name for name in by_name if name.startswith("worker")]
        first = [by_name[name] for name in ("visitors", "beat", *workers, "web") if name in by_name]
        for child in first:
            child.ask_to_stop()
        deadline = time.monotonic() + STOP_SECONDS
        for child in first:
            child.stop(deadline - time.monotonic())
        if self.runtime == "docker":
            command = [PYTHON, "manage.py", "down", "--pods-only"]
            subprocess.run(command, cwd=HOME, env=self._env, stdin=subprocess.DEVNULL)
            for engine in self.engines:
                env, there = self._env | engine.environment(self.data), ["--engine", f"docker.{engine.name}"]
                subprocess.run([*command, *there], cwd=HOME, env=env, stdin=subprocess.DEVNULL)
        for name in (*(f"ssh-{engine.name}" for engine in self.engines), "proxy", "engine", "broker"):
            if name in by_name:
                by_name[name].stop(STOP_SECONDS)
        self._guard.dismiss()
        remove_run(self.data)

    def kill(self) -> None:
        """Whoever still runs ends now."""
        for child in self._children:
            child.kill()

    def _changed(self) -> None:
        """Tell the guard and `status` which processes there are now."""
        with self._lock:
            self._guard.watch(pid for child in self._children if (pid := child.pid))
            write_run(self.data, self._describe())

    def _describe(self) -> dict:
        return {
            "pid": os.getpid(),
            "port": self.port,
            "board": self.board,
            "api": f"{self.board}clusters/default",
            "tls": self.tls,
            "front_door": self.front_door,
            "runtime": self.runtime,
            "broker": self.broker.url,
            "processes": [
                {"name": child.name, "pid": child.pid, "restarts": child.restarts} for child in self._children
            ],
        }


def _is_ready(node: dict) -> bool:
    conditions = node.get("status", {}).get("conditions", ())
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
