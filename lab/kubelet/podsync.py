"""Carrying a plan out: one pod's worker, step by step. Kubernetes' syncPod.

Look at the engine (only if it has said that something changed), compute what to do, do it, report; again until there
is nothing to do. It never waits for the API: what it reports is handed to the status writer, and what it reads it has.
"""

import logging
import time
from collections.abc import Callable

from lab.runtime import Container, RuntimeFailure, Sandbox, Simulation, StillMaking

from .actions import UNHEALTHY, Kill, Plan, compute_pod_actions
from .addresses import Exhausted
from .adoption import rough_specs, sandbox_of
from .backoff import go_duration
from .ending import PodEnding
from .nodes import NodeRecord
from .nodestatus import host_address
from .occasions import Occasion, occasion_between, succeeded
from .parts import Parts
from .phase import failed, past_deadline, until_deadline
from .pods import all_containers, container_statuses, full_name, grace_seconds, is_finished
from .records import PodRecord
from .scratch import EVICTED
from .startcontainer import RETRY_SECONDS, ContainerStarter, NotYet, sandbox_spec
from .status import Observed, Waiting, of_name, overlay, pod_status

log = logging.getLogger(__name__)
STEPS_AT_ONCE = 30
POOL_SECONDS = 10.0  # only a backstop: a node that is given its range of addresses wakes its pods
LULL_SECONDS, SUCCESSION_SECONDS, PATIENCE_SECONDS = 0.2, 0.5, 10.0
KEPT_DEAD = 1  # containers of each name that are kept after their end, for `logs --previous`


class PodSync:
    """`hand_over` gives a pod that must go to the workers that may block for as long as its grace lasts."""

    def __init__(self, parts: Parts, hand_over: Callable[[str], None]):
        self._parts = parts
        self._hand_over = hand_over
        self.ending = PodEnding(parts, self.refresh, self.report)
        self._starter = ContainerStarter(parts, self.ending)
        self._starting: set[str] = set()  # pods of which something is being started

    def sync(self, uid: str) -> float | None:
        """Take the pod as far as it goes now; the seconds after which to look again."""
        record = self._parts.pods.get(uid)
        if record is None:
            return None
        node = self._parts.nodes.get(record.cluster, record.node)
        try:
            if node is None or (record.ended and not self._parts.writer.ends(uid)):
                return self._remove(record)
            if record.ending:
                return None
            if node.off:
                self._keep_down(record)
                return None
            if record.inherited:
                self._hand_down(record, node)
            self._plug(record, node)
            if record.must_end:
                record.ending = True
                self._hand_over(uid)
                return None
            return self._converge(record, node)
        except RuntimeFailure as failure:
            log.info("%s: %s: %s", record.address, failure.reason, failure.message)
            record.dirty = True
            return RETRY_SECONDS

    def _remove(self, record: PodRecord) -> float | None:
        """Nobody waits for the remains of a pod to go; but somebody may wait for a container that starts meanwhile, or
        that is about to, in its place."""
        if time.monotonic() < record.ended_at + (PATIENCE_SECONDS if self._starting else SUCCESSION_SECONDS):
            return LULL_SECONDS
        self.ending.remove(record)
        # Removed because its node was deleted; meanwhile there is another of that name, and the pod is bound to it: it
        # is begun anew, or, if it was told to end, said to have ended.
        node = self._parts.nodes.get(record.cluster, record.node)
        if node and not record.gone:
            if node.pool:
                node.pool.keep(record.pod)
            self._parts.pods.put(record.cluster, record.pod, record.occasion.revision)
            self._parts.wake(record.uid)
        return None

    def _keep_down(self, record: PodRecord) -> None:
        """Its node is powered off: whatever still runs of it is killed at once, and nobody is told."""
        record.inherited = False
        self.look(record)
        if record.sandbox and (record.sandbox.ready or record.running):
            record.stopped |= {container.id for container in record.running.values()}
            self._parts.runtime.stop_pod_sandbox(record.sandbox.id)
        record.dirty = True

    def _hand_down(self, record: PodRecord, node: NodeRecord) -> None:
        """Tell an engine that cannot remember it what there was of the pod when this kubelet began. Its volumes are
        looked at: nobody knows how old their tokens are."""
        record.inherited, record.config_changed = False, not is_finished(record.pod)
        sandbox = sandbox_of(record)
        if sandbox and isinstance(self._parts.runtime, Simulation):
            spec = sandbox_spec(record, node, sandbox.address)
            self._parts.runtime.adopt(spec, sandbox, rough_specs(record.pod))

    def _plug(self, record: PodRecord, node: NodeRecord) -> None:
        """Have the pod's network cut off, or not, as its node's is."""
        self.refresh(record)
        cut = node.partitioned  # asked once: it may be otherwise by the time the engine has done it
        if record.sandbox and record.sandbox.ready and record.cut is not cut:
            record.cut = None  # so it is if the engine fails half-way
            self._parts.runtime.set_partitioned(record.sandbox.id, cut)
            record.cut = cut

    def _converge(self, record: PodRecord, node: NodeRecord) -> float | None:
        if record.config_changed or self._until_renewal(record) == 0:
            record.config_changed = False
            self._starter.refresh_volumes(record, node)
        for _ in range(STEPS_AT_ONCE):
            self.refresh(record)
            plan = self._plan(record)
            self._note_waiting(record, plan)
            self.report(record, plan.as_why() if not plan.empty or plan.waiting else None)
            if plan.empty:
                self._collect_dead(record)
                left = (until_deadline(self._known(record), time.time()), self._until_renewal(record))
                return min((*plan.waiting.values(), *filter(None, left)), default=None)
            try:
                self._carry_out(record, node, plan)
            except NotYet as wait:
                self.report(record, plan.as_why())
                return wait.seconds
        return RETRY_SECONDS

    def _until_renewal(self, record: PodRecord) -> float | None:
        return None if is_finished(record.pod) else self._parts.tokens.due(record.uid)

    def refresh(self, record: PodRecord) -> None:
        """Bring the record up to date with what the engine has said, or, where that is not enough, ask it."""
        if record.dirty:
            self.look(record)
        elif record.sandbox:
            record.sandbox = record.hearsay.applied_to(record.sandbox)

    def look(self, record: PodRecord) -> None:
        """Bring the record up to date with the engine. Raises RuntimeFailure."""
        record.dirty = False
        found = self._parts.runtime.list_pod(record.uid)
        record.sandbox = record.hearsay.applied_to(found[0]) if found else None
        record.hearsay.keep_only({one.id for one in found} | {inside.id for one in found for inside in one.containers})
        node = self._parts.nodes.get(record.cluster, record.node)
        if record.sandbox and record.sandbox.address and node and node.pool:
            node.pool.hold(record.uid, record.sandbox.address)
        told = container_statuses(record.pod)
        for container in record.containers:
            if container.state != "running":
                self._parts.prober.forget(container.id)
            elif not record.must_end:
                before = told.get(container.name, {})
                same = before.get("containerID", "").endswith(f"//{container.id}")
                self._starter.watch(record, container, was_ready=same and before.get("ready", False))

    def _plan(self, record: PodRecord) -> Plan:
        running, prober = record.running, self._parts.prober
        unhealthy = {name: words for name, c in running.items() if (words := prober.unhealthy(c.id))}
        started = {name: prober.verdict(c.id).started for name, c in running.items()}

        def remaining(name: str, dead: Container) -> float:
            key = f"{record.uid}/{name}"
            self._parts.crashes.arm(key, dead.id)
            return self._parts.crashes.remaining(key)

        return compute_pod_actions(self._known(record), record.sandbox, unhealthy, started, remaining)

    def _known(self, record: PodRecord) -> dict:
        """The pod with the newest status."""
        known = {**record.pod, "status": record.said}
        if is_finished(known):
            return known
        if record.evicted:
            return failed(known, EVICTED, record.evicted)
        return past_deadline(known) if until_deadline(known, time.time()) == 0 else known

    def _note_waiting(self, record: PodRecord, plan: Plan) -> None:
        """Say CrashLoopBackOff, once for each death, where a container waits for its restart."""
        for name in plan.waiting:
            dead = of_name(record.sandbox, name)[0]
            delay = self._parts.crashes.delay(f"{record.uid}/{name}")
            of = f"container={name} pod={full_name(record.pod)}"
            words = Waiting("CrashLoopBackOff", f"back-off {go_duration(delay)} restarting failed {of}")
            if record.waiting.get(name) != words or record.backing_off.get(name) != dead.id:
                record.waiting[name], record.backing_off[name] = words, dead.id
                message = f"Back-off restarting failed container {name} in pod {full_name(record.pod)}"
                self._parts.teller(record)("Warning", "BackOff", message)

    def report(self, record: PodRecord, why: dict | None) -> None:
        """Hand the pod's status over for writing, if it differs from what was handed over last, or if somebody else has
        written another meanwhile: the node controller does, while it hears nothing of the node."""
        node = self._parts.nodes.get(record.cluster, record.node)
        if node is None or node.silent:
            return
        known = self._known(record)
        verdicts = {name: self._parts.prober.verdict(c.id) for name, c in record.running.items()}
        seen = Observed(
            self._parts.runtime.name, host_address(), record.sandbox, record.waiting, verdicts, record.ended
        )
        status = pod_status(known, seen)
        stored = record.pod.get("status", {})
        if (
            status != known.get("status")
            or overlay(stored, status) != stored
            and not self._parts.writer.reports(record.uid)
        ):
            self._note_occasion(record, status)
            if record.did:
                why, record.did = {"decision": "SyncPod", **(why or {}), "did": record.did}, []
            why = why or succeeded(record.said, status)
            record.reported = status
            self._parts.writer.report(record, status, why)

    def _note_occasion(self, record: PodRecord, status: dict) -> None:
        """What happens to a pod that is told to end is not news; and a fault that is not told of yet has come first."""
        if record.must_end or record.occasion.is_news:
            return
        found = occasion_between(record.said, status, record.stopped, self._parts.prober.failing)
        record.occasion = found or record.occasion

    def _carry_out(self, record: PodRecord, node: NodeRecord, plan: Plan) -> None:
        """One plan. Raises NotYet where something has to be waited for."""
        if plan.kill_pod:
            self.ending.stop_containers(record, grace_seconds(record.pod))
            self._parts.runtime.stop_pod_sandbox(record.standing.id)
            record.dirty = True
            return
        for kill in plan.kill:
            self._kill(record, kill)
        self._starting.add(record.uid)
        try:
            self._start(record, node, plan)
        finally:
            self._starting.discard(record.uid)

    def _start(self, record: PodRecord, node: NodeRecord, plan: Plan) -> None:
        if plan.create_sandbox:
            for start in plan.start:
                self._starter.begin_pull(record, node, start)
            self._create_sandbox(record, node)
        waits = []
        for start in plan.start:
            try:
                self._starter.start(record, node, start)
            except NotYet as wait:  # one container's image is missing: the others of the pod start all the same
                waits.append(wait.seconds)
        if waits:
            raise NotYet(min(waits))

    def _kill(self, record: PodRecord, kill: Kill) -> None:
        if kill.reason == UNHEALTHY:
            said = self._parts.prober.failing(kill.target.id)
            of = {"container": kill.target.name, "message": kill.message, "probe": said}
            record.occasion = Occasion(fault={"reason": UNHEALTHY, **of})
        deadline = time.monotonic() + grace_seconds(record.pod)
        self.ending.stop_container(record, kill.target, deadline, kill.message)
        record.dirty = True

    def _create_sandbox(self, record: PodRecord, node: NodeRecord) -> None:
        """A network for the pod, with the address that it keeps for life; remains of an older one go first."""
        tell = self._parts.teller(record)
        if node.pool is None:
            raise NotYet(POOL_SECONDS)
        if record.sandbox:
            tell("Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.")
            self._parts.runtime.remove_pod_sandbox(record.sandbox.id)
            record.sandbox = None
        try:
            spec = sandbox_spec(record, node, node.pool.take(record.uid))
            with record.noted("RunPodSandbox"):
                sandbox_id = self._parts.runtime.run_pod_sandbox(spec)
        except StillMaking as wait:
            raise NotYet(wait.seconds) from wait
        except (RuntimeFailure, Exhausted) as failure:
            # The pod keeps its address through any other refusal: an engine that is being stopped gives many of them.
            if "already in use" in str(failure):
                node.pool.release(record.uid)
            record.dirty = True
            tell("Warning", "FailedCreatePodSandBox", f"Failed to create pod sandbox: {failure}")
            raise NotYet(RETRY_SECONDS) from failure
        record.cut = False
        record.sandbox = Sandbox(
            sandbox_id, *record.address[:1], node.name, *record.address[1:], record.uid, True, spec.address, time.time()
        )

    def _collect_dead(self, record: PodRecord) -> None:
        """Remove the remains of containers but for the newest dead one of each name."""
        for container in all_containers(record.pod):
            dead = [c for c in of_name(record.sandbox, container["name"]) if c.state != "running"]
            for old in dead[KEPT_DEAD:]:
                record.containers = tuple(c for c in record.containers if c.id != old.id)
                self._parts.runtime.remove_container(old.id)
