"""HAProxy as an engine of the data plane: which process serves, which still finish, what they have done together."""

import asyncio
import contextlib
import logging
import os
import resource
import socket
from collections import defaultdict
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path

from ..listeners import Place
from ..own.downstream import Downstream
from ..plan import Plan, Server
from ..strays import Strays
from . import config
from .worker import Counts, Refused, Worker

log = logging.getLogger(__name__)
PLACES = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")  # not on everybody's PATH
CONNECTIONS_MOST = 8192
TIDY_SECONDS = 1.0  # between tries to remove a server that still has work
WATCH_FIRST, WATCH_MOST = 0.05, 2.0  # between looks at a process that finishes
BACKOFF_MOST = 5.0


def find_program() -> str | None:
    """As `shutil.which`, which brings three ways to compress along."""
    paths = [f"{folder}/haproxy" for folder in (*os.get_exec_path(), *PLACES)]
    return next((path for path in paths if os.access(path, os.X_OK) and os.path.isfile(path)), None)


class HAProxyEngine:
    """Its files, and those of the Runtime API, are in the current folder: a socket's path may not be long."""

    name = "haproxy"

    def __init__(self, program: str):
        self._program = program
        self._plan = Plan()
        self._sockets: dict[Place, socket.socket] = {}
        self._shape: tuple = ()
        self._worker: Worker | None = None
        self._workers: list[Worker] = []  # with those that only finish
        self._generation = 0
        self._known: dict[str, dict[str, Server]] = {}  # backend → server's name → what the worker has been told
        self._notes: dict[str, str] = {}  # what it was told of why nobody serves a backend
        self._past: dict[tuple[str, str], Counts] = {}  # of workers that have ended
        self._tasks: set[asyncio.Task] = set()
        self._tidying: asyncio.Task | None = None
        self._strays = Strays()
        self._strays_server: asyncio.Server | None = None
        self._stopping = False

    async def apply(self, plan: Plan, sockets: dict[Place, socket.socket]) -> None:
        shape = config.shape(plan, _numbers(sockets))
        self._plan = self._strays.plan = plan
        self._sockets = self._strays.sockets = sockets
        if self._worker and self._worker.running and shape == self._shape:
            try:
                await self._change_servers(self._worker)
                return
            except (Refused, OSError, EOFError) as error:
                log.warning("HAProxy is started anew: %s", error)
        await self._renew()
        self._shape = shape

    # Servers, while it runs.

    async def _change_servers(self, worker: Worker) -> None:
        commands = self._differences()
        notes = config.notes(self._plan)
        await self._tell_older(commands)
        await worker.order(commands + config.note_changes(self._notes, notes))
        self._notes = notes
        if self._tidying is None or self._tidying.done():
            self._tidying = self._task(self._tidy())

    def _differences(self) -> list[str]:
        """The commands that lead from what is known to what is wanted, which is known from now on."""
        commands = []
        for key, backend in self._plan.backends.items():
            before = self._known.setdefault(key, {})
            after = {config.server_name(server): server for server in backend.servers.values()}
            commands += config.changes(key, before, after)
            self._known[key] = after | {
                name: replace(old, weight=0) for name, old in before.items() if name not in after
            }
        return commands

    async def _tell_older(self, commands: list[str]) -> None:
        """Whoever has a connection to an older process may still ask for something there: of no server that went,
        and perhaps of those that came since. What that process has never heard of, it says no to."""
        for worker in self._workers:
            if commands and worker is not self._worker:
                with contextlib.suppress(OSError, EOFError):
                    await worker.ask(commands)

    async def _tidy(self) -> None:
        """Remove the servers that went, each once nothing is open to it."""
        while True:
            worker = self._worker
            left = [
                (key, name)
                for key, backend in self._plan.backends.items()
                for name in self._known.get(key, {})
                if all(config.server_name(server) != name for server in backend.servers.values())
            ]
            if not left or not worker:
                return
            with contextlib.suppress(OSError, EOFError):
                said = await worker.ask([f"del server {config.proxy_name(key)}/{name}" for key, name in left])
                for (key, name), words in zip(left, said, strict=True):
                    if worker is self._worker and words.startswith("Server deleted"):
                        del self._known[key][name]
            await asyncio.sleep(TIDY_SECONDS)

    # Processes.

    async def _renew(self) -> None:
        """A new process takes over the sockets, and the old one finishes what it has. Raises OSError, ValueError."""
        if self._strays_server is None:
            self._strays_server = await _serve_strays(self._strays)
        numbers, commands = _numbers(self._sockets), self._differences()
        self._generation += 1
        admin = f"admin-{self._generation}.sock"
        for name, content in config.maps(self._plan).items():
            Path(name).write_text(content)
        Path("haproxy.cfg").write_text(config.configuration(self._plan, numbers, admin, _connections()))
        try:
            retirement = config.retirement(numbers)
            worker = await Worker.start(self._program, "haproxy.cfg", admin, list(numbers.values()), retirement)
        except Refused as error:
            raise ValueError(str(error)) from error
        self._notes = config.notes(self._plan)
        old, self._worker = self._worker, worker
        await self._tell_older(commands)
        self._workers.append(worker)
        self._known = {
            key: {config.server_name(server): server for server in backend.servers.values()}
            for key, backend in self._plan.backends.items()
        }
        if old:
            await old.look()
            await old.retire()
        self._task(self._follow(worker))

    async def _follow(self, worker: Worker) -> None:
        """Until it ends; one that was not to end is replaced."""
        began = asyncio.get_running_loop().time()
        ending, pause = asyncio.ensure_future(worker.ended()), WATCH_FIRST
        while not ending.done():
            if worker.retired:
                await worker.look()
                await worker.finish()
                pause = min(pause * 1.5, WATCH_MOST)
                await asyncio.wait([ending], timeout=pause)
            else:
                await asyncio.wait([ending], timeout=None if self._stopping else WATCH_MOST)
        self._workers.remove(worker)
        for place, counts in worker.counts.items():
            self._past[place] = self._past.get(place, Counts()) + replace(counts, in_flight=0)
        if worker is self._worker and not self._stopping:
            await self._replace(asyncio.get_running_loop().time() - began)

    async def _replace(self, lived: float) -> None:
        log.warning("HAProxy ended after %.1f s, starting it again", lived)
        pause = 0.0 if lived > 1 else 0.2
        while not self._stopping:
            await asyncio.sleep(pause)
            if self._worker and self._worker.running:
                return  # a change has done it
            try:
                await self._renew()
                return
            except (OSError, ValueError) as error:
                log.warning("%s", error)
                pause = min(pause * 2 + 0.2, BACKOFF_MOST)

    def _task(self, work: Coroutine) -> asyncio.Task:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # What is asked of it.

    async def counters(self) -> dict:
        """Of all processes together; servers that went are told of while they still have work."""
        for worker in self._workers:
            await worker.look()
        names = {config.proxy_name(key): backend for key, backend in self._plan.backends.items()}
        sums: dict[tuple[str, str], Counts] = dict(self._past)
        for worker in self._workers:
            for place, counts in worker.counts.items():
                sums[place] = sums.get(place, Counts()) + counts
        wanted = {
            (config.proxy_name(key), config.server_name(server))
            for key, backend in self._plan.backends.items()
            for server in backend.servers.values()
        }
        told: dict[str, dict] = defaultdict(lambda: defaultdict(dict))
        for (proxy, server), counts in sums.items():
            if proxy in names and ((proxy, server) in wanted or counts.in_flight):
                told[names[proxy].scope][names[proxy].name][config.key_of(server)] = {
                    "requests": counts.requests,
                    "errors": counts.errors,
                    "unreached": counts.unreached,
                    "inFlight": counts.in_flight,
                    "totalMs": round(counts.total_ms),
                }
        self._past = {place: counts for place, counts in self._past.items() if place in wanted}
        return told

    async def stop(self) -> None:
        self._stopping = True
        for worker in self._workers:
            worker.kill()
        if self._strays_server:
            self._strays_server.close()


async def _serve_strays(strays: Strays) -> asyncio.Server:
    Path(config.STRAYS).unlink(missing_ok=True)
    return await asyncio.get_running_loop().create_unix_server(lambda: Downstream(strays.route), config.STRAYS)


def _numbers(sockets: dict[Place, socket.socket]) -> dict[Place, int]:
    return {place: opened.fileno() for place, opened in sockets.items()}


def _connections() -> int:
    """As many as the limit on open files allows: HAProxy does not start with more."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return CONNECTIONS_MOST if most == resource.RLIM_INFINITY else min(CONNECTIONS_MOST, max((most - 300) // 3, 100))
