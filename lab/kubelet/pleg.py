"""The ear on the engine. Kubernetes calls it PLEG: the pod lifecycle event generator (pkg/kubelet/pleg).

Two threads of its own, since an engine may answer slowly or not at all, and the nodes' heartbeats must not wait for
it. One hears events; the other lists everything now and then, in case an event was lost.
"""

import logging
import threading
from collections import defaultdict
from collections.abc import Callable

from django.db import connections

from lab.runtime import RuntimeEvent, RuntimeFailure, Sandbox, newest_first

from .parts import Parts
from .podworkers import PodWorkers
from .records import PodRecord

log = logging.getLogger(__name__)
RELIST_SECONDS = 20.0
TROUBLE_SECONDS = 1.0  # between looks at an engine that does not answer


class Pleg:
    """`look_at_engine` asks how the engine is, and says whether it is well; `may_remove` knows an orphan; `looked` is
    told after each look."""

    def __init__(
        self,
        parts: Parts,
        workers: PodWorkers,
        may_remove: Callable[[Sandbox], bool],
        look_at_engine: Callable[[], bool],
        looked: Callable[[], None],
    ):
        self._parts = parts
        self._workers = workers
        self._may_remove = may_remove
        self._look_at_engine = look_at_engine
        self._looked = looked
        self._stopping = threading.Event()
        self._woken = threading.Event()
        name = parts.runtime.engine
        self._threads = [
            threading.Thread(target=self._listen, name=f"{name}-events", daemon=True),
            threading.Thread(target=self._look_now_and_then, name=f"{name}-relist", daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._woken.set()

    def join(self, timeout: float) -> None:
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout)

    def look_again(self, uid: str, urgent: bool = False) -> None:
        """What is remembered of this pod may be wrong: ask the engine."""
        record = self._parts.pods.get(uid)
        if record:
            record.dirty = True
            self._workers.add(uid, urgent)

    def _listen(self) -> None:
        self._parts.runtime.listen(self.hear, self._stopping.is_set)
        connections.close_all()

    def hear(self, event: RuntimeEvent) -> None:
        if event.kind == "relist":
            for record in self._parts.pods:
                self.look_again(record.uid)
            self._woken.set()
            return
        about = self._parts.pods.get(event.uid)
        if about is None or event.kind == "started":  # whoever has started it knows
            return
        if not about.hearsay.note(event):
            about.dirty = True
        if about.ending or _is_our_own_doing(about, event):
            return
        if event.kind in ("died", "removed"):
            self._parts.prober.forget(event.container_id)
        self._workers.add(event.uid, urgent=True)

    def _look_now_and_then(self) -> None:
        well = True
        while not self._stopping.is_set():
            self._woken.wait(RELIST_SECONDS if well else TROUBLE_SECONDS)
            self._woken.clear()
            if self._stopping.is_set():
                break
            well = self._look()
            self._looked()
        connections.close_all()

    def _look(self) -> bool:
        """Whether the engine is well."""
        try:
            well = self._look_at_engine()
            if well:
                self._parts.images.recheck()
                self.relist()
            return well
        except RuntimeFailure as failure:
            log.info("looking at everything: %s", failure.message)
            return False
        except Exception:  # without this thread nobody knows how the engine is
            log.exception("looking at everything")
            return False

    def relist(self) -> None:
        """Compare everything on the engine with everything that is remembered. Raises RuntimeFailure."""
        found: dict[str, list[Sandbox]] = defaultdict(list)
        for sandbox in newest_first(self._parts.runtime.list_pods()):
            found[sandbox.uid].append(sandbox)
        for record in self._parts.pods:
            now = next(iter(found.get(record.uid, ())), None)
            if now != record.sandbox and not self._workers.busy(record.uid) and not record.ending:
                self.look_again(record.uid)
        for uid, sandboxes in found.items():
            for sandbox in sandboxes[1:] if self._parts.pods.get(uid) else sandboxes:
                if self._may_remove(sandbox):
                    self._remove_orphan(sandbox)

    def _remove_orphan(self, sandbox: Sandbox) -> None:
        """One that the engine cannot remove is tried again next time, and in nobody's way."""
        log.info("removing orphaned pod %s/%s of %s", sandbox.namespace, sandbox.name, sandbox.cluster)
        try:
            self._parts.runtime.remove_pod_sandbox(sandbox.id)
        except RuntimeFailure as failure:
            log.info("%s/%s stays: %s", sandbox.namespace, sandbox.name, failure.message)


def _is_our_own_doing(record: PodRecord, event: RuntimeEvent) -> bool:
    """What we have removed is removed."""
    return event.kind == "removed" and all(container.id != event.container_id for container in record.containers)
