"""The probes of a whole agent, in one event loop in one thread: a sleeping coroutine costs nothing, a thread does.

What Kubernetes does: a startup probe, while there is one, silences the other two; when it succeeds they begin. A
failed startup or liveness probe gets the container killed (never more than that: the restart policy does the rest); a
failed readiness probe only takes it out of service.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from lab.runtime import Answer, Runtime, Simulation

from .handlers import Target, ask
from .probes import HOOK, KINDS, LIVENESS, READINESS, STARTUP, is_evidence, rhythm_of, tally_of, timeout_of
from .status import Verdict

log = logging.getLogger(__name__)
EXEC_THREADS, EXEC_OF_ONE = 64, 4  # commands at once, and those of one cluster: what hangs is in nobody else's way
REST_SECONDS = 0.5


@dataclass
class Watched:
    """One running container under probes, and what they say of it so far."""

    key: str
    target: Target
    started_at: float  # seconds since the epoch
    started: bool
    ready: bool
    unhealthy: str = ""  # why it must be killed
    failing: str = ""  # what the last probe that failed said
    tasks: list[asyncio.Task] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.target.container["name"]


class Prober:
    """Start with `start()`. In its thread, `changed(key)` hears of each new verdict on a pod's container, and
    `failed(key, words)` of each failure that counts. `rests` says of a pod's key that nobody is to be asked now."""

    def __init__(
        self,
        runtime: Runtime,
        changed: Callable[[str], None],
        failed: Callable[[str, str], None],
        rests: Callable[[str], bool] = lambda key: False,
    ):
        self._runtime = runtime
        self._simulation = runtime if isinstance(runtime, Simulation) else None
        self._changed = changed
        self._failed = failed
        self._rests = rests
        self._watched: dict[str, Watched] = {}
        self._loop = asyncio.new_event_loop()
        self._shares: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(EXEC_OF_ONE))
        self._pool = ThreadPoolExecutor(EXEC_THREADS, thread_name_prefix="probe-exec")
        self._thread = threading.Thread(target=self._loop.run_forever, name="prober", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop)
        self._thread.join(timeout=5)
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _end(self) -> None:
        """End all probes first: a loop that is left with tasks complains of each."""
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._loop.stop()

    def watch(self, key: str, target: Target, started_at: float, was_ready: bool = False) -> None:
        """Probe this container from now on, if it has probes and is not watched yet.

        `was_ready` is what the API says of the very same container: a kubelet that is itself new must not call
        everything unready until it has looked.
        """
        container = target.container
        if target.container_id in self._watched or not any(f"{kind}Probe" in container for kind in KINDS):
            return
        watched = Watched(
            key,
            target,
            started_at,
            started=was_ready or "startupProbe" not in container,
            ready=was_ready or "readinessProbe" not in container,
        )
        self._watched[target.container_id] = watched
        self._loop.call_soon_threadsafe(self._begin, watched)

    def forget(self, container_id: str) -> None:
        """It has ended, or its pod is on its way out."""
        watched = self._watched.pop(container_id, None)
        if watched:
            self._loop.call_soon_threadsafe(lambda: [task.cancel() for task in watched.tasks])

    def verdict(self, container_id: str) -> Verdict:
        watched = self._watched.get(container_id)
        return Verdict(watched.started, watched.ready) if watched else Verdict()

    def unhealthy(self, container_id: str) -> str:
        """Why the container must be killed; "" if it need not be."""
        watched = self._watched.get(container_id)
        return watched.unhealthy if watched else ""

    def failing(self, container_id: str) -> str:
        """What the last probe that failed said; "" if none has."""
        watched = self._watched.get(container_id)
        return watched.failing if watched else ""

    def handle(self, target: Target, handler: dict, timeout: float) -> tuple[bool, str]:
        """Run a lifecycle hook's handler in the loop and wait for it; success, and the words for a failure."""
        asked = self._ask(target, HOOK, handler, timeout)
        answer = asyncio.run_coroutine_threadsafe(asyncio.wait_for(asked, timeout), self._loop).result()
        return answer.success, answer.message

    def _begin(self, watched: Watched) -> None:
        if watched.target.container_id in self._watched:
            watched.tasks.append(self._loop.create_task(self._probe_all(watched)))

    async def _probe_all(self, watched: Watched) -> None:
        container = watched.target.container
        if not watched.started:
            await self._probe(watched, STARTUP, container["startupProbe"])
        if watched.unhealthy:
            return
        async with asyncio.TaskGroup() as group:
            for kind in (LIVENESS, READINESS):
                if f"{kind}Probe" in container:
                    group.create_task(self._probe(watched, kind, container[f"{kind}Probe"]))

    async def _probe(self, watched: Watched, kind: str, probe: dict) -> None:
        """One probe's life. A startup probe ends with its verdict, a liveness probe with a bad one."""
        tally = tally_of(probe, verdict={STARTUP: None, LIVENESS: True, READINESS: watched.ready}[kind])
        rhythm = rhythm_of(kind, probe, tally.verdict)
        await asyncio.sleep(max(0.0, watched.started_at + probe.get("initialDelaySeconds", 0) - time.time()))
        rhythm.begin(time.monotonic())
        while True:
            while self._rests(watched.key):
                await asyncio.sleep(REST_SECONDS)
            asked = time.monotonic()
            answer = await self._ask(watched.target, kind, probe, timeout_of(probe))
            success, took = answer.success, time.monotonic() - asked
            counted = success or (is_evidence(probe, took) and rhythm.counts(asked + took))
            changed = counted and tally.add(success)
            if counted and not success:
                watched.failing = f"{kind.capitalize()} probe failed: {answer.message}"
                if tally.run <= tally.failure_threshold:
                    self._failed(watched.key, watched.failing)
            if changed and self._conclude(watched, kind, success):
                return
            pause = rhythm.pause(success, time.monotonic())
            # Where the answer is known to stay the same, there is nothing to learn before it changes.
            await asyncio.sleep(max(pause, answer.holds) if tally.settled(success) else pause)

    async def _ask(self, target: Target, kind: str, handler: dict, timeout: float) -> Answer:
        """What comes back if the handler's question is put to the container."""
        if self._simulation and "sleep" not in handler:
            return self._simulation.probe(target.container_id, kind)
        async with self._shares[target.cluster] if "exec" in handler else contextlib.nullcontext():
            return Answer(*await ask(self._runtime, self._pool, target, handler, timeout), holds=0.0)

    def _conclude(self, watched: Watched, kind: str, success: bool) -> bool:
        """Take note of a new verdict; whether this probe has done its work."""
        if kind == READINESS:
            watched.ready = success
        elif success:
            watched.started = True
        else:
            watched.unhealthy = f"Container {watched.name} failed {kind} probe, will be restarted"
        self._changed(watched.key)
        return kind == STARTUP or (kind == LIVENESS and not success)
