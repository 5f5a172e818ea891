"""What goes wrong. Each fault begins at once and is taken away after its seconds, whatever else happens meanwhile."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from ..flow.databases import cut_connections
from ..flow.nodes import a_node, at_the_machine
from ..labs import LabUnderTest, wait_until
from .engineroom import EngineRoom
from .faultnames import names_of
from .findings import Findings
from .hands import MERGE, NO_ANSWER, NODES, Hands, Refused
from .manifests import APPS
from .owned import DATABASE, Owned

CONTROL_PLANE = "control-plane-a"
TAINT = {"key": "chaos", "value": "now", "effect": "NoExecute"}
Heal = Callable[[], None] | None


class Faults:
    """`begin(name, where, seconds)`; `end()` waits until all are over. Those that this lab can have: `names`."""

    def __init__(self, lab: LabUnderTest, hands: Hands, room: EngineRoom, findings: Findings, owned: Owned):
        self._lab, self._hands, self._room, self._findings = lab, hands, room, findings
        self._owned = owned
        self._timers: list[threading.Timer] = []
        self._starting = threading.Lock()  # a lab that starts without its broker or its database rightly gives up

    @property
    def names(self) -> tuple[str, ...]:
        return names_of(self._lab.runtime, self._owned.names)

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
        if process == "broker" and self._owned.broker:
            pid = self._owned.broker.pid
        elif process == "dockerd":
            pid = self._owned.engine.pid
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
        with self._starting:
            if self._lab.process.poll() is not None:
                return None
            self._lab.stop(number)

        def start() -> None:
            try:
                with self._starting:
                    wait_until("its database and its broker", self._owned.is_up)
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
        return self._owned.broker.relay.stutter()

    def _cut_broker(self, where: float) -> Heal:
        self._owned.broker.relay.cut()
        return None

    def _kill_own_broker(self, where: float) -> Heal:
        with self._starting:
            self._owned.broker.stop()
        return self._owned.broker.start

    def _restart_engine(self, where: float) -> Heal:
        self._owned.engine.stop()
        return self._owned.engine.start

    def _crash_engine(self, where: float) -> Heal:
        self._owned.engine.crash()
        return self._owned.engine.start

    def _cut_database(self, where: float) -> Heal:
        """All connections at once, as when it restarts."""
        with self._starting, contextlib.suppress(psycopg.OperationalError):  # it is away
            cut_connections(self._owned.database.url, DATABASE)
        return None

    def _crash_database(self, where: float) -> Heal:
        with self._starting:
            self._owned.database.stop()
        return self._owned.database.start

    def _step_clock(self, where: float) -> Heal:
        return self._owned.clock.step(where)

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


def _of_a_set(pod: dict) -> bool:
    return any(ref["kind"] == "StatefulSet" for ref in pod["metadata"].get("ownerReferences", ()))
