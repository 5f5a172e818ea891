"""What goes wrong. Each fault begins at once and is taken away after its seconds, whatever else happens meanwhile."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ..flow.nodes import a_node, at_the_machine
from ..labs import LabUnderTest
from .broker import OwnBroker
from .clock import OwnClock
from .engineroom import EngineRoom
from .findings import Findings
from .hands import MERGE, NO_ANSWER, NODES, Hands, Refused
from .manifests import APPS
from .ownengine import OwnEngine

CONTROL_PLANE = "control-plane-a"
TAINT = {"key": "chaos", "value": "now", "effect": "NoExecute"}
Heal = Callable[[], None] | None
POD_FAULTS = (
    "kill_container",
    "kill_container",
    "stop_container",
    "delete_pod",
    "delete_pod_at_once",
    "delete_replicaset",
)
NODE_FAULTS = ("power_off", "cut_off", "cordon", "begin_drain", "taint", "delete_node", "power_off_control_plane")
PROCESSES = ("worker", "web", "beat", "proxy", "broker", "engine")


class Faults:
    """`begin(name, where, seconds)`; `end()` waits until all are over. Those that this lab can have: `names`."""

    def __init__(
        self,
        lab: LabUnderTest,
        hands: Hands,
        room: EngineRoom,
        findings: Findings,
        broker: OwnBroker | None,
        engine: OwnEngine | None,
        clock: OwnClock | None,
    ):
        self._lab, self._hands, self._room, self._findings = lab, hands, room, findings
        self._broker, self._engine, self._clock = broker, engine, clock
        self._timers: list[threading.Timer] = []

    @property
    def names(self) -> tuple[str, ...]:
        return names_of(self._lab.runtime, self._broker is not None, self._engine is not None, self._clock is not None)

    def begin(self, name: str, where: float, seconds: float) -> None:
        verb, _, process = name.partition(":")
        heal = getattr(self, f"_{verb}")(process) if process else getattr(self, f"_{verb}")(where)
        self._findings.count("faults")
        if heal:  # each in a thread of its own: one may need what another brings back
            timer = threading.Timer(seconds, heal)
            timer.start()
            self._timers.append(timer)

    def end(self) -> None:
        """Returns when no fault is left."""
        for timer in self._timers:
            timer.join()
        self._timers.clear()

    # The lab's own processes.

    def _kill(self, process: str) -> Heal:
        return self._signal(process, signal.SIGKILL) and None

    def _stop(self, process: str) -> Heal:
        pid = self._signal(process, signal.SIGSTOP)

        def go_on() -> None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

        return go_on if pid else None

    def _signal(self, process: str, number: int) -> int | None:
        if process == "broker" and self._broker:
            pid = self._broker.pid
        elif process == "dockerd":
            pid = self._engine.pid
        else:
            pid = self._lab.pid_of(process) if self._lab.process.poll() is None else None
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        return pid

    def _kill_lab(self, where: float) -> Heal:
        """All of its processes at once, and `up` again."""
        return self._end_lab(signal.SIGKILL)

    def _restart_lab(self, where: float) -> Heal:
        """As Ctrl-C does, and `up` again."""
        return self._end_lab(signal.SIGINT)

    def _end_lab(self, number: int) -> Heal:
        if self._lab.process.poll() is not None:
            return None
        self._lab.stop(number)

        def start() -> None:
            try:
                self._lab.start()
            except AssertionError as error:
                self._findings.add(f"the lab does not start again: {error}")

        return start

    def _kill_haproxy(self, where: float) -> Heal:
        """The data plane's own child, where it has one."""
        if self._lab.process.poll() is None and (proxy := self._lab.pid_of("proxy")):
            with contextlib.suppress(OSError):
                for child in Path(f"/proc/{proxy}/task/{proxy}/children").read_text().split():
                    os.kill(int(child), signal.SIGKILL)
        return None

    def _stutter_broker(self, where: float) -> Heal:
        return self._broker.relay.stutter()

    def _cut_broker(self, where: float) -> Heal:
        self._broker.relay.cut()
        return None

    def _kill_own_broker(self, where: float) -> Heal:
        self._broker.stop()
        return self._broker.start

    def _restart_engine(self, where: float) -> Heal:
        self._engine.stop()
        return self._engine.start

    def _crash_engine(self, where: float) -> Heal:
        self._engine.crash()
        return self._engine.start

    def _step_clock(self, where: float) -> Heal:
        return self._clock.step(where)

    # Pods.

    def _kill_container(self, where: float) -> Heal:
        if victims := self._room.victims():
            self._room.kill(victims[int(where * len(victims))][1].id)
        return None

    def _stop_container(self, where: float) -> Heal:
        victims = self._room.victims()
        if not victims:
            return None
        container = victims[int(where * len(victims))][1]
        self._room.pause(container)
        return lambda: self._room.resume(container)

    def _kill_sandbox(self, where: float) -> Heal:
        if victims := self._room.victims():
            self._room.kill(victims[int(where * len(victims))][0].id)
        return None

    def _delete_pod(self, where: float) -> Heal:
        if pod := self._pod(where):
            self._hands.delete_pod(pod)
        return None

    def _delete_pod_at_once(self, where: float) -> Heal:
        if (pod := self._pod(where)) and not _of_a_set(pod):  # forced, a set's pod may rightly be there twice
            self._hands.delete_pod(pod, gracePeriodSeconds=0)
        return None

    def _pod(self, where: float) -> dict | None:
        pods = sorted(self._hands.ask("GET", "/api/v1/pods")["items"], key=lambda pod: pod["metadata"]["name"])
        return pods[int(where * len(pods))] if pods else None

    def _delete_replicaset(self, where: float) -> Heal:
        sets = sorted(self._hands.ask("GET", f"{APPS}/replicasets")["items"], key=lambda each: each["metadata"]["name"])
        if sets:
            with contextlib.suppress(Refused):
                name = sets[int(where * len(sets))]["metadata"]["name"]
                self._hands.ask("DELETE", f"{APPS}/replicasets/{name}", {"propagationPolicy": "Background"})
        return None

    # Nodes.

    def _power_off(self, where: float) -> Heal:
        return self._annotate(self._hands.worker_node(where), "orrery.io/power", "off")

    def _power_off_control_plane(self, where: float) -> Heal:
        with contextlib.suppress(*NO_ANSWER):
            at_the_machine(self._lab, "power-off", CONTROL_PLANE)
        return self._power_on_control_plane

    def _power_on_control_plane(self) -> None:
        """By the switch on the board: the API does not answer."""
        for _ in range(60):
            try:
                return at_the_machine(self._lab, "power-on", CONTROL_PLANE)
            except NO_ANSWER:
                time.sleep(0.5)

    def _cut_off(self, where: float) -> Heal:
        return self._annotate(self._hands.worker_node(where), "orrery.io/partitioned", "true")

    def _annotate(self, node: str, key: str, value: str) -> Heal:
        def say(said: str | None) -> None:
            with contextlib.suppress(Refused):  # the node was deleted meanwhile
                self._hands.ask("PATCH", f"{NODES}/{node}", {"metadata": {"annotations": {key: said}}}, MERGE)

        say(value)
        return lambda: say(None)

    def _cordon(self, where: float) -> Heal:
        node = self._hands.worker_node(where)

        def say(on: bool) -> None:
            with contextlib.suppress(Refused):
                self._hands.cordon(node, on)

        say(True)
        return lambda: say(False)

    def _begin_drain(self, where: float) -> Heal:
        """Only begun: who cannot go yet stays. In the calm, `Hands.drain_node` does all of it."""
        node = self._hands.worker_node(where)
        heal = self._cordon(where)
        for pod in self._hands.pods_on(node):
            self._hands.evict(pod)
        return heal

    def _taint(self, where: float) -> Heal:
        node = self._hands.worker_node(where)
        self._retaint(node, [TAINT])
        return lambda: self._retaint(node, [])

    def _retaint(self, name: str, taints: list[dict]) -> None:
        """As `kubectl taint` does: others put taints there too."""
        for _ in range(60):
            try:
                node = self._hands.ask("GET", f"{NODES}/{name}")
                others = [each for each in node["spec"].get("taints", ()) if each["key"] != TAINT["key"]]
                spec = {"spec": {"taints": [*others, *taints]}}
                meta = {"metadata": {"resourceVersion": node["metadata"]["resourceVersion"]}}
                self._lab.api("PATCH", f"{NODES}/{name}", {**spec, **meta}, content_type=MERGE)
                return
            except Refused:
                return
            except OSError:
                time.sleep(0.5)

    def _delete_node(self, where: float) -> Heal:
        name = self._hands.worker_node(where)
        node = self._hands.ask("GET", f"{NODES}/{name}")
        with contextlib.suppress(Refused):
            self._hands.ask("DELETE", f"{NODES}/{name}")
        labels = {key: value for key, value in node["metadata"]["labels"].items() if key.startswith("topology")}

        def bring_back() -> None:
            with contextlib.suppress(Refused):
                self._hands.ask("POST", NODES, a_node(name, self._lab.runtime, labels))

        return bring_back


def names_of(runtime: str, own_broker: bool, own_engine: bool, own_clock: bool) -> tuple[str, ...]:
    """The faults that such a lab can have; the order is part of what a seed means."""
    processes = [name for name in PROCESSES if (name, runtime) != ("engine", "docker")]
    names = [
        *POD_FAULTS,
        *NODE_FAULTS,
        "kill_lab",
        "restart_lab",
        "kill_haproxy",
        *(f"{verb}:{name}" for name in processes for verb in ("kill", "stop")),
    ]
    if own_broker:
        names[names.index("kill:broker")] = "kill_own_broker"
        names += ["stutter_broker", "cut_broker"]
    if runtime == "docker":
        names.append("kill_sandbox")
    if own_engine:
        names += ["restart_engine", "crash_engine", "stop:dockerd"]
    if own_clock:
        names += ["step_clock", "step_clock"]
    return tuple(names)


def _of_a_set(pod: dict) -> bool:
    return any(ref["kind"] == "StatefulSet" for ref in pod["metadata"].get("ownerReferences", ()))
