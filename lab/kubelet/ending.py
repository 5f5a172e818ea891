"""Taking a pod down: drained, preStop hook, SIGTERM, the grace, SIGKILL; then its network, its folders, and its object.

The grace counts from the beginning: what draining and the preStop hook take is gone for the process. The object stays
in the API until nothing of the pod runs any more; only the kubelet may say so, by deleting it with no grace.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from django.db import Error as DatabaseError

from lab.apimachinery.errors import ApiError
from lab.client import UnknownCluster
from lab.runtime import Container, Runtime, RuntimeFailure, Simulation

from . import volumes
from .actions import killing_order
from .draining import must_drain, wait_until_drained
from .handlers import Target
from .parts import Parts
from .pods import find_container, grace_seconds
from .records import PodRecord
from .status import of_name

log = logging.getLogger(__name__)
LEAST_GRACE = 2.0  # what is left for the process if the preStop hook has used up all; Kubernetes' own number


class PodEnding:
    """`refresh` brings a record up to date with the engine, `report` hands its status over."""

    def __init__(self, parts: Parts, refresh: Callable[[PodRecord], None], report: Callable[..., None]):
        self._parts = parts
        self._runtime: Runtime = parts.runtime
        self._refresh = refresh
        self._report = report

    def end(self, record: PodRecord) -> None:
        """All of it, from the first hook to the last byte; blocks for as long as the grace may last.

        May be called again after a failure at any point. Raises RuntimeFailure.
        """
        record.ending = True
        self._refresh(record)
        grace = 0.0 if record.gone else grace_seconds(record.pod)
        began = time.monotonic()
        self._drain(record, grace)
        left = 0.0 if record.gone else grace_seconds(record.pod) - (time.monotonic() - began)
        self.stop_containers(record, max(left, 0.0))
        record.dirty = True
        self._refresh(record)
        record.ended, record.ended_at = True, time.monotonic()
        if not record.gone:
            self._report(record, {"decision": "SyncTerminatingPod", "graceSeconds": grace})
        self._parts.writer.end(record, then=lambda: self._parts.wake(record.uid))

    def _drain(self, record: PodRecord, grace: float) -> None:
        """Let it finish what it was asked. Nobody asks a simulated pod anything; a dead one has nothing to finish."""
        if not grace or not record.running or isinstance(self._runtime, Simulation):
            return
        try:
            if must_drain(self._parts.client(record.cluster), record.pod):
                wait_until_drained(record, grace)
        except (ApiError, UnknownCluster, DatabaseError) as error:
            log.info("%s is not drained: %s", record.address, error)
        self._refresh(record)

    def remove(self, record: PodRecord) -> None:
        """Take away what is left of it on the engine and on the disk. Raises RuntimeFailure; may be called again."""
        record.ending, record.ended, record.sandbox = True, True, None
        for sandbox in self._runtime.list_pod(record.uid):
            self._runtime.remove_pod_sandbox(sandbox.id)
            for container in sandbox.containers:
                self._parts.prober.forget(container.id)
        self._parts.forget(record)
        volumes.remove_pod_folder(self._parts.data_dir, record.uid)

    def hurry(self, record: PodRecord) -> None:
        """The grace has been shortened while the pod is going down: kill what still runs when the new one is over."""
        grace = 0.0 if record.gone else grace_seconds(record.pod)
        if not grace:
            record.drained.set()
        timer = threading.Timer(grace, self._kill_all, [record])
        timer.daemon = True
        timer.start()

    def _kill_all(self, record: PodRecord) -> None:
        for container in record.containers:
            try:
                self._runtime.kill_container(container.id)
            except RuntimeFailure as failure:
                log.info("%s of %s: %s", container.name, record.address, failure.message)

    def stop_containers(self, record: PodRecord, grace: float) -> None:
        """Stop all that runs, in the order of `killing_order`, within `grace` seconds altogether."""
        deadline = time.monotonic() + grace
        for names in killing_order(record.pod):
            running = [c for name in names for c in of_name(record.sandbox, name) if c.state == "running"]
            if len(running) == 1:
                self.stop_container(record, running[0], deadline, f"Stopping container {running[0].name}")
            elif running:
                with ThreadPoolExecutor(len(running)) as pool:
                    stops = [
                        pool.submit(self.stop_container, record, c, deadline, f"Stopping container {c.name}")
                        for c in running
                    ]
                for stop in stops:
                    stop.result()

    def stop_container(self, record: PodRecord, running: Container, deadline: float, message: str) -> None:
        """preStop, SIGTERM, and SIGKILL at the deadline (a monotonic time). Returns when it has ended."""
        tell = self._parts.teller(record)
        tell("Normal", "Killing", message)
        record.stopped.add(running.id)
        self._parts.prober.forget(running.id)
        container = find_container(record.pod, running.name) or {}
        hook = (container.get("lifecycle") or {}).get("preStop")
        left = deadline - time.monotonic()
        if hook and left > 0:
            target = Target(container, running.id, record.standing.address, record.cluster)
            try:
                done, words = self._parts.prober.handle(target, hook, left)
            except TimeoutError:
                done, words = False, "the grace period was over before it had finished"
            if not done:
                tell("Warning", "FailedPreStopHook", f"PreStopHook failed: {words}")
            left = max(deadline - time.monotonic(), LEAST_GRACE)
        self._runtime.stop_container(running.id, max(left, 0.0))
