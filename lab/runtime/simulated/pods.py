"""The pods of the simulated engine, and what happens to them in time. Nothing here waits, locks or sleeps.

What is due later lies in one heap. Time passes when somebody looks: `advance()` lets everything happen that is due by
now, and `next_due` says when to look again. So ten thousand containers cost nothing while nothing happens to them.
"""

import dataclasses
import heapq
import itertools
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from lab.runtime import Container, ContainerSpec, RuntimeEvent, Sandbox, SandboxSpec, StillMaking

from .behaviour import Behaviour, jittered

DEATH_NOTICE_SECONDS = 0.033  # from a process's end until a listener hears of it, measured on a Docker engine
ABANDONED_SECONDS = 60.0  # a sandbox in the making that nobody has come for since
SIGKILL = 9


@dataclass(eq=False)
class Pod:
    """A sandbox as it is told (never changed, always replaced), and its containers, newest first."""

    told: Sandbox
    containers: list["Simulated"] = field(default_factory=list)
    partitioned: bool = False

    def changed(self) -> None:
        self.told = dataclasses.replace(self.told, containers=tuple(one.told for one in self.containers))


@dataclass(eq=False)
class Simulated:
    """A container as it is told, and the rules by which it lives. `began` is a monotonic time."""

    told: Container
    pod: Pod
    rules: Behaviour
    cpu_millis: int
    runs_once: bool  # an init container: it ends with 0
    began: float = 0.0
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def running(self) -> bool:
        return self.told.state == "running"

    def vary(self, seconds: float, what: str) -> float:
        return jittered(seconds, self.rules, self.pod.told.uid, self.told.name, self.told.attempt, what)

    def age(self) -> float:
        return time.monotonic() - self.began


class Pods:
    """`tell(event)` is called with what a listener hears; `sooner()` when `next_due` has come nearer."""

    def __init__(self, tell: Callable[[RuntimeEvent], None], sooner: Callable[[], None]):
        self._tell = tell
        self._sooner = sooner
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()
        self._mine, self._ids = secrets.token_hex(16), itertools.count()
        self.by_id: dict[str, Pod] = {}
        self.by_uid: dict[str, Pod] = {}
        self.containers: dict[str, Simulated] = {}
        self._late = 0.0  # by how much what happens now was due earlier
        self._making: dict[str, float] = {}  # pod's uid → when its sandbox will be ready

    def _new_id(self) -> str:
        """As long as a real engine's, and never that of another process; without asking the kernel for each."""
        return f"{self._mine}{next(self._ids):032x}"

    # Time.

    def advance(self) -> None:
        """Let everything happen that is due by now."""
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            due, _, act = heapq.heappop(self._due)
            self._late = now - due
            act()
        self._late = 0.0

    @property
    def next_due(self) -> float:
        """The monotonic time at which something will happen by itself."""
        return self._due[0][0] if self._due else float("inf")

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        due = time.monotonic() + seconds
        sooner = due < self.next_due
        heapq.heappush(self._due, (due, next(self._order), act))
        if sooner:
            self._sooner()

    # Sandboxes.

    def take_time(self, uid: str, seconds: float) -> None:
        """Returns when the pod's sandbox has been in the making for so long; raises StillMaking until then."""
        now = time.monotonic()
        if uid not in self._making:
            self._making[uid] = now + seconds
            self.later(seconds + ABANDONED_SECONDS, lambda: self._making.pop(uid, None))
        if now < self._making[uid]:
            raise StillMaking(self._making[uid] - now)
        del self._making[uid]

    def add(self, spec: SandboxSpec, sandbox: Sandbox | None = None) -> Pod:
        told = sandbox or Sandbox(
            self._new_id(), spec.cluster, spec.node, spec.namespace, spec.name, spec.uid, True, spec.address,
            time.time(),
        )  # fmt: skip
        pod = Pod(told)
        self.by_id[told.id] = self.by_uid[told.uid] = pod
        return pod

    def stop(self, pod: Pod) -> None:
        if pod.told.ready:
            for one in pod.containers:
                self.end(one, 128 + SIGKILL, SIGKILL)
            pod.told = dataclasses.replace(pod.told, ready=False)
            self._tell(RuntimeEvent("sandbox-died", pod.told.uid, pod.told.id, at=time.time()))

    def remove(self, pod: Pod) -> None:
        self.stop(pod)
        for one in list(pod.containers):
            self.remove_container(one)
        del self.by_id[pod.told.id]
        if self.by_uid.get(pod.told.uid) is pod:
            del self.by_uid[pod.told.uid]

    # Containers.

    def create(self, pod: Pod, spec: ContainerSpec, rules: Behaviour, told: Container | None = None) -> Simulated:
        told = told or Container(
            self._new_id(), spec.name, spec.attempt, "created", spec.image, init=spec.init,
            created_at=time.time(),
        )  # fmt: skip
        millis = rules.cpu_millis if rules.cpu_millis is not None else max(5, spec.cpu_request_millis // 5)
        one = Simulated(told, pod, rules, millis, spec.init and not spec.sidecar)
        pod.containers.insert(0, one)
        pod.changed()
        self.containers[told.id] = one
        return one

    def start(self, one: Simulated) -> None:
        one.told = dataclasses.replace(one.told, state="running", started_at=time.time())
        one.pod.changed()
        self.run(one)
        self._tell(RuntimeEvent("started", one.pod.told.uid, one.told.id))

    def run(self, one: Simulated) -> None:
        """It runs, and may have done so for a while: what will happen to it by itself is known from here on."""
        age = max(0.0, time.time() - one.told.started_at)
        one.began = time.monotonic() - age
        rules = one.rules
        if rules.crash_after is not None and (rules.crash_times is None or one.told.attempt < rules.crash_times):
            left = one.vary(rules.crash_after, "crash") - age
            self.later(left, lambda: self.crash(one))
        elif one.runs_once:
            self.later(one.vary(rules.init, "init") - age, lambda: self.end(one, 0))
        elif rules.work is not None and not one.told.init:
            self.later(one.vary(rules.work, "work") - age, lambda: self.end(one, 0))

    def crash(self, one: Simulated) -> None:
        if one.rules.oom:
            self.end(one, 128 + SIGKILL, SIGKILL, oom=True)
        else:
            self.end(one, one.rules.exit_code)

    def terminate(self, one: Simulated, grace: float) -> float:
        """SIGTERM: it ends after a moment, or is killed when the grace is over; how many seconds that takes."""
        needs = one.vary(one.rules.stop, "stop")
        if one.rules.ignore_term or needs > grace or not grace:
            self.later(grace, lambda: self.end(one, 128 + SIGKILL, SIGKILL))
            return grace
        self.later(needs, lambda: self.end(one, 0))
        return needs

    def end(self, one: Simulated, code: int, signal: int = 0, oom: bool = False) -> None:
        """It has ended. What has ended already stays as it is."""
        if not one.running:
            return
        finished = max(one.told.started_at, time.time() - self._late)  # whatever the clock does
        one.told = dataclasses.replace(
            one.told, state="exited", exit_code=code, signal=signal, oom_killed=oom, finished_at=finished
        )
        one.pod.changed()
        one.ended.set()
        self.later(DEATH_NOTICE_SECONDS, lambda: self._tell_end(one))

    def _tell_end(self, one: Simulated) -> None:
        uid, told = one.pod.told.uid, one.told
        if told.oom_killed:
            self._tell(RuntimeEvent("oom", uid, told.id, at=told.finished_at))
        self._tell(RuntimeEvent("died", uid, told.id, told.exit_code, told.finished_at))

    def remove_container(self, one: Simulated) -> None:
        self.end(one, 128 + SIGKILL, SIGKILL)
        del self.containers[one.told.id]
        one.pod.containers.remove(one)
        one.pod.changed()
        self._tell(RuntimeEvent("removed", one.pod.told.uid, one.told.id))
