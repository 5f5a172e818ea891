"""The verbs of the runtime on pods that exist only in memory, and what they are not.

- A pod has an address that is its own and that nothing answers: what a probe would hear, the engine says itself.
- Whoever wants a sandbox is told when to ask again; a thread that restarts or stops a container waits that moment, as
  it would for a real engine. All else that takes time lies in one heap (`pods.py`), and who listens is its clock.
- When the process ends, all is forgotten; but the pods are meant to survive it, as they would under a real engine.
  What the API says of them is enough to bring them back: `adopt` is told, and they go on where they would be by now.
  So a worker that is killed restarts nothing, and another one, on another machine, can take over.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from lab import demos
from lab.runtime import (
    Answer,
    ContainerSpec,
    Lines,
    LogOptions,
    RuntimeEvent,
    RuntimeFailure,
    Sandbox,
    SandboxSpec,
    Stream,
)

from . import logs
from .behaviour import READY_AFTER, Behaviour, behaviour_of, jittered
from .images import Images
from .logs import Life
from .nothing import Nothing, NoVolumes
from .pods import SIGKILL, Pods, Simulated

NETWORK = "100.64.0.0/10"  # 16,383 nodes of 254 pods, in the range set aside for addresses that lead nowhere
LISTEN_SECONDS = 0.25
NEVER = float("inf")


class SimulatedRuntime:
    """See `lab.runtime.Runtime` and `lab.runtime.Simulation` for the verbs."""

    name = engine = "simulated"

    def __init__(self, lab_id: str, data_dir: Path):
        self._changed = threading.Condition(threading.RLock())
        self._inboxes: list[deque[RuntimeEvent]] = []
        self._pods = Pods(self._tell, self._changed.notify_all)
        self.images = Images()
        self.volumes = NoVolumes()

    @contextmanager
    def _now(self) -> Iterator[None]:
        """With the lock held, and after all that is due by now."""
        with self._changed:
            self._pods.advance()
            yield

    def version(self) -> str:
        return "simulated://1"

    def ensure_network(self, cluster: str, closed: bool = False) -> str:
        return NETWORK

    def ensure_gateway(self, cluster: str, token: str, closed: bool = False) -> str:
        return ""  # no network of its own

    def remove_gateways(self) -> None:
        pass

    def networks(self) -> list[str]:
        return []

    def remove_network(self, cluster: str) -> None:
        pass

    def set_node_capacity(self, cluster: str, node: str, cpu_millis: int, memory_bytes: int) -> str:
        return ""

    # Sandboxes.

    def run_pod_sandbox(self, spec: SandboxSpec) -> str:
        rules = behaviour_of(spec.annotations)
        with self._now():
            pod = self._pods.by_uid.get(spec.uid)
            if pod is None or not pod.told.ready:
                self._pods.take_time(spec.uid, jittered(rules.sandbox, rules, spec.uid, "sandbox"))
                if rules.fail_sandbox:
                    raise RuntimeFailure("FailedCreatePodSandBox", f"simulated: {rules.fail_sandbox}")
                pod = self._pods.add(spec)
                self._tell(RuntimeEvent("started", spec.uid, pod.told.id))
            return pod.told.id

    def adopt(self, pod: SandboxSpec, sandbox: Sandbox, containers: Mapping[str, ContainerSpec]) -> None:
        with self._changed:
            if pod.uid in self._pods.by_uid:
                return
            inside = self._pods.add(pod, sandbox)
            for told in reversed(sandbox.containers):
                spec = containers[told.name]
                self.images.add(spec.image)
                one = self._pods.create(inside, spec, self._rules(pod, spec), told)
                if told.state == "running":
                    self._pods.run(one)
                else:
                    one.ended.set()

    def stop_pod_sandbox(self, sandbox_id: str) -> None:
        with self._now():
            if pod := self._pods.by_id.get(sandbox_id):
                self._pods.stop(pod)

    def remove_pod_sandbox(self, sandbox_id: str) -> None:
        with self._now():
            if pod := self._pods.by_id.get(sandbox_id):
                self._pods.remove(pod)

    def list_pods(self) -> list[Sandbox]:
        with self._now():
            return [pod.told for pod in self._pods.by_id.values()]

    def list_pod(self, uid: str) -> list[Sandbox]:
        with self._now():
            pod = self._pods.by_uid.get(uid)
            return [pod.told] if pod else []

    def set_partitioned(self, sandbox_id: str, partitioned: bool) -> None:
        with self._changed:
            pod = self._pods.by_id.get(sandbox_id)
            if pod is None:
                raise RuntimeFailure("NetworkNotReady", f"there is no sandbox {sandbox_id}")
            pod.partitioned = partitioned

    # Containers.

    def create_container(self, sandbox_id: str, pod: SandboxSpec, spec: ContainerSpec) -> str:
        rules = self._rules(pod, spec)
        if rules.fail_create:
            raise RuntimeFailure("CreateContainerError", f"simulated: {rules.fail_create}")
        with self._now():
            inside = self._pods.by_id.get(sandbox_id)
            if inside is None or not inside.told.ready:
                raise RuntimeFailure("CreateContainerError", f"there is no sandbox {sandbox_id}")
            return self._pods.create(inside, spec, rules).told.id

    def _rules(self, pod: SandboxSpec, spec: ContainerSpec) -> Behaviour:
        _, of_image = demos.IMAGES.get(spec.image, (None, {}))
        return behaviour_of(pod.annotations, spec.name, (of_image | spec.env).get(READY_AFTER, ""), pod.works)

    def start_container(self, container_id: str) -> None:
        one = self._get(container_id, "RunContainerError")
        if one.told.attempt:
            time.sleep(one.vary(one.rules.restart, "restart"))
        if one.rules.fail_start:
            raise RuntimeFailure("RunContainerError", f"simulated: {one.rules.fail_start}")
        with self._now():
            if container_id not in self._pods.containers or not one.pod.told.ready:
                raise RuntimeFailure("RunContainerError", f"container {container_id[:12]} was removed meanwhile")
            if one.told.state == "created":
                self._pods.start(one)

    def stop_container(self, container_id: str, grace_seconds: float) -> None:
        with self._now():
            one = self._pods.containers.get(container_id)
            if one is None or not one.running:
                return
            due = time.monotonic() + self._pods.terminate(one, grace_seconds)
        while not one.ended.wait(max(0.0, due - time.monotonic())):
            with self._now():
                pass  # where nobody listens, whoever waits is the clock

    def kill_container(self, container_id: str, signal: str = "KILL") -> None:
        with self._now():  # no program is there that another signal could tell something
            if signal == "KILL" and (one := self._pods.containers.get(container_id)):
                self._pods.end(one, 128 + SIGKILL, SIGKILL)

    def remove_container(self, container_id: str) -> None:
        with self._now():
            if one := self._pods.containers.get(container_id):
                self._pods.remove_container(one)

    def _get(self, container_id: str, reason: str) -> Simulated:
        with self._now():
            one = self._pods.containers.get(container_id)
        if one is None:
            raise RuntimeFailure(reason, f"there is no container {container_id}")
        return one

    # What a container would say.

    def exec(self, container_id: str, command: list[str], stdin: bool = False, tty: bool = False) -> Stream:
        code = self._get(container_id, "ExecFailed").rules.exec_code
        return Nothing(f"simulated: nothing ran for {' '.join(command)!r}\n", code)

    def attach(self, container_id: str, stdin: bool = False) -> Stream:
        return Nothing("simulated: there is no process to attach to\n", 0)

    def probe(self, container_id: str, kind: str) -> Answer:
        one = self._pods.containers.get(container_id)
        if one is None or not one.running:
            return Answer(False, "simulated: the container does not run", 0.0)
        rules, age = one.rules, one.age()
        if kind == "hook":
            return Answer(not rules.fail_hook, f"simulated: {rules.fail_hook}")
        until = one.vary(rules.ready_after, "ready") if kind != "liveness" else 0.0
        if age < until:
            return Answer(False, f"simulated: not before {until:.3g} s after its start", until - age)
        end = {"readiness": rules.unready_after, "liveness": rules.unhealthy_after}.get(kind)
        after = NEVER if end is None else one.vary(end, kind)
        if age < after:
            return Answer(True, "", after - age)
        return Answer(False, f"simulated: no longer after {after:.3g} s")

    def logs(self, container_id: str, wanted: LogOptions) -> Lines:
        one = self._get(container_id, "NotFound")

        def look() -> Life:
            with self._now():
                over = one.told.state == "exited" or container_id not in self._pods.containers
                return Life(one.told, one.pod.told.node, one.rules.log_every, over)

        return logs.read(look, wanted)

    def stats(self) -> dict[str, tuple[int, int]]:
        with self._changed:
            running = [(key, one) for key, one in self._pods.containers.items() if one.running]
        return {key: (int(one.age() * one.cpu_millis * 1_000_000), one.rules.memory_mib << 20) for key, one in running}

    # Events.

    def _tell(self, event: RuntimeEvent) -> None:
        """Called with the lock held. What the kubelet did itself need not wake anybody."""
        for inbox in self._inboxes:
            inbox.append(event)
        if event.kind not in ("started", "removed"):
            self._changed.notify_all()

    def listen(self, on_event: Callable[[RuntimeEvent], None], stopped: Callable[[], bool]) -> None:
        inbox = deque([RuntimeEvent("relist")])
        with self._changed:
            self._inboxes.append(inbox)
        try:
            while not stopped():
                for event in self._heard(inbox):
                    on_event(event)
        finally:
            with self._changed:
                self._inboxes.remove(inbox)

    def _heard(self, inbox: deque[RuntimeEvent]) -> list[RuntimeEvent]:
        """What has happened since; waits a little for something to happen. This is what makes time pass."""
        with self._now():
            if not inbox:
                self._changed.wait(max(0.0, min(LISTEN_SECONDS, self._pods.next_due - time.monotonic())))
                self._pods.advance()
            events = list(inbox)
            inbox.clear()
            return events

    def remove_everything(self, keep: Collection[str] = ()) -> list[str]:
        with self._changed:
            pods = list(self._pods.by_id.values())
            for pod in pods:
                self._pods.remove(pod)
            return [f"simulated pod {pod.told.namespace}/{pod.told.name}" for pod in pods]
