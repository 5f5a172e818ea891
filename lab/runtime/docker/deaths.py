"""Deaths of containers, to and from the kernel.

The engine tells of a death when it has put away what has ended: after 50 to 80 ms, and of the last of thirty that die
at once after more than a second, for that takes its turn with everything else that it does. The kernel tells at once:
a handle on the first process (pidfd) hangs up when its parent has taken note of its end, and says how it ended (Linux
6.15 and later, PIDFD_GET_INFO in include/uapi/linux/pidfd.h). On older kernels, and where the engine's processes are
none of this machine, the engine alone tells.

A success is left to the engine: nobody has to be healed, and who reads its last lines wants them to be there.

SIGKILL goes straight to the kernel, too. The engine answers only when it has put away what has ended, and of thirty
containers to be killed at once the last was hit after seconds.
"""

import fcntl
import logging
import os
import queue
import resource
import select
import signal
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from docker.errors import DockerException
from requests.exceptions import RequestException

from lab.runtime import RuntimeEvent, RuntimeFailure

from . import labels
from .engine import Engine

logger = logging.getLogger(__name__)

INFO = struct.Struct("=Q52xi")  # struct pidfd_info, its first 64 bytes: what is asked for and told; how it ended
GET_INFO = 3 << 30 | INFO.size << 16 | 0xFF << 8 | 11  # _IOWR(PIDFS_IOCTL_MAGIC, 11, struct pidfd_info)
TOLD_EXIT = 1 << 3
CGROUPS = Path("/sys/fs/cgroup")
SHARE = 2  # of the files that this process may have open, half
SIGNALLED = 128  # what a shell adds to the number of a signal


@dataclass(frozen=True)
class Watched:
    uid: str
    container_id: str
    memory: Path  # the kernel's file that counts how often its group was out of memory


class Deaths:
    """Of one lab's containers on one engine, but for those that hold the pods' networks."""

    def __init__(self, engine: Engine, lab_id: str):
        self._engine, self._lab_id = engine, lab_id
        self._on_event: Callable[[RuntimeEvent], None] = lambda event: None
        self._lock = threading.Lock()
        self._watched: dict[int, Watched] = {}  # handle → whose
        self._handles: dict[str, int] = {}  # container's id → handle
        self._told: set[str] = set()  # by the kernel, and not yet by the engine

    @contextmanager
    def told_once(self, on_event: Callable[[RuntimeEvent], None]) -> Iterator[Callable[[RuntimeEvent], None]]:
        """Yields whom to tell what the engine tells. It is passed on, each death once: whoever tells of it first."""
        self._on_event = on_event
        if not hasattr(select, "epoll") or not hasattr(os, "pidfd_open"):
            yield on_event
            return
        self._most = resource.getrlimit(resource.RLIMIT_NOFILE)[0] // SHARE
        self._begun: queue.SimpleQueue[RuntimeEvent | None] = queue.SimpleQueue()
        self._ended, self._over = select.epoll(), os.eventfd(0)
        self._ended.register(self._over, select.EPOLLIN)
        threads = [threading.Thread(target=work, daemon=True) for work in (self._open, self._wait)]
        for thread in threads:
            thread.start()
        try:
            yield self._hear
        finally:
            self._begun.put(None)  # not waited for: it may be asking an engine that does not answer
            os.eventfd_write(self._over, 1)
            threads[1].join()

    def kill(self, container_id: str) -> bool:
        """Whether its first process has been sent SIGKILL; if not, the engine is to be asked. Raises what the engine's
        client does."""
        with self._lock:
            if container_id in self._handles:
                return _killed(self._handles[container_id])
        found = _first_process(self._engine, self._engine.client.inspect_container(container_id))
        if not found:
            return False
        try:
            return _killed(found[0])
        finally:
            os.close(found[0])

    def _hear(self, event: RuntimeEvent) -> None:
        if event.kind in ("started", "relist"):
            self._begun.put(event)
        elif event.kind in ("died", "oom", "removed"):
            with self._lock:
                known = event.container_id in self._told
                if event.kind != "oom":
                    self._told.discard(event.container_id)
                    self._forget(event.container_id)
            if known and event.kind != "removed":
                return
        self._on_event(event)

    def _open(self) -> None:
        """Take a handle on each container that has started; after a relist, on all that run."""
        while event := self._begun.get():
            try:
                for container_id in [event.container_id] if event.container_id else self._running():
                    if container_id not in self._handles and self._engine.on_this_host():
                        self._watch(self._engine.client.inspect_container(container_id))
            except (DockerException, RequestException, RuntimeFailure) as error:
                logger.debug("a start is not watched: %s", error)

    def _running(self) -> list[str]:
        return [row["Id"] for row in self._engine.client.containers(filters=labels.pods_of(self._lab_id))]

    def _watch(self, inspected: dict) -> None:
        about = inspected["Config"]["Labels"]
        # Whoever kills a pod's network kills the engine's own process: rare, and nothing that a class watches.
        found = None if about[labels.KIND] == "sandbox" else _first_process(self._engine, inspected)
        if not found:
            return
        handle, watched = found[0], Watched(about[labels.UID], inspected["Id"], _memory_of(found[1]))
        with self._lock:
            if len(self._watched) < self._most:
                self._watched[handle], self._handles[watched.container_id] = watched, handle
                self._ended.register(handle, 0)  # a hang-up is told unasked, and only that
            else:
                os.close(handle)

    def _wait(self) -> None:
        while True:
            for handle, _ in self._ended.poll():
                if handle == self._over:
                    return self._put_away()
                self._end(handle)

    def _end(self, handle: int) -> None:
        now = time.time()
        with self._lock:
            watched = self._watched.get(handle)
            if watched is None:  # the engine was faster
                return
            code, starved = _exit_code(handle), _out_of_memory(watched.memory)
            self._forget(watched.container_id)
            if not code or starved is None:
                return
            self._told.add(watched.container_id)
        if starved:
            self._on_event(RuntimeEvent("oom", watched.uid, watched.container_id, at=now))
        self._on_event(RuntimeEvent("died", watched.uid, watched.container_id, code, now))

    def _forget(self, container_id: str) -> None:
        handle = self._handles.pop(container_id, None)
        if handle is not None:
            del self._watched[handle]
            self._ended.unregister(handle)
            os.close(handle)

    def _put_away(self) -> None:
        with self._lock:
            self._most = 0  # whoever is opening a handle yet closes it
            for container_id in list(self._handles):
                self._forget(container_id)
            self._ended.close()
            os.close(self._over)


def _first_process(engine: Engine, inspected: dict) -> tuple[int, str] | None:
    """A handle (pidfd) to close, and what the kernel says of the process' groups (`/proc/PID/cgroup`); None if it has
    ended, or is none of this machine. `inspected`: what the engine says of its container."""
    if not engine.on_this_host() or not hasattr(os, "pidfd_open"):
        return None
    pid = inspected["State"]["Pid"]
    try:
        handle = os.pidfd_open(pid)
    except OSError:  # it has ended, which is 0; or this kernel has no such handles
        return None
    try:
        # Only now: should the number have become another process's, then so is the handle, and its group is not ours.
        groups = Path(f"/proc/{pid}/cgroup").read_text()
        if inspected["Id"] in groups:
            return handle, groups
    except OSError:
        pass  # it has ended meanwhile
    os.close(handle)
    return None


def _killed(handle: int) -> bool:
    try:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
        return True
    except OSError:
        return False


def _exit_code(handle: int) -> int | None:
    """As a shell counts; None if this kernel does not say."""
    answer = bytearray(INFO.pack(TOLD_EXIT, 0))
    try:
        fcntl.ioctl(handle, GET_INFO, answer)
    except OSError:
        return None
    told, status = INFO.unpack(answer)
    if not told & TOLD_EXIT:
        return None
    return SIGNALLED + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _memory_of(groups: str) -> Path:
    """Where the kernel counts for the group, from lines as `0::/docker/ID` (one tree) or `9:memory:/docker/ID`."""
    found = {kind: path for line in groups.splitlines() for _, kind, path in [line.split(":", 2)]}
    if "memory" in found:
        return CGROUPS / "memory" / found["memory"].strip("/") / "memory.oom_control"
    return CGROUPS / found.get("", "").strip("/") / "memory.events"


def _out_of_memory(file: Path) -> bool | None:
    """Whether something in the group was killed for it; None if the group has gone already."""
    try:
        counts = dict(line.split() for line in file.read_text().splitlines())
        return counts["oom_kill"] != "0"
    except (OSError, KeyError, ValueError):
        return None
