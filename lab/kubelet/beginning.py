"""Beginning a pod: its network, with the address that it keeps for life. And whose turn it is to begin.

An engine begins but a few pods a second. Where more is asked for than that, in the order of asking all would wait ever
longer, until each was replaced (a rollout goes on, somebody deletes it) before it is ready, and the engine would work
for nothing. So each cluster has its turn, however many pods another one asks for; and of a cluster whose pods have
waited long, the newest comes first, which has the most time left to be of use (adaptive LIFO: B. Maurer, "Fail at
Scale", ACM Queue 13.8, 2015). Who waits holds no thread: those are for pods of which something has ended.
"""

import threading
import time
from collections.abc import Callable

from lab.runtime import RuntimeFailure, Sandbox, StillMaking

from .addresses import Exhausted
from .nodes import NodeRecord
from .parts import Parts
from .records import PodRecord
from .startcontainer import RETRY_SECONDS, NotYet, sandbox_spec

POOL_SECONDS = 10.0  # only a backstop: a node that is given its range of addresses wakes its pods
ASK_SECONDS = 30.0  # the same: whose turn it is, is woken
LONG_SECONDS = 10.0
COME_SECONDS = 2.0  # whoever is called and does not come by then has to ask again


class Turns:
    """At most `most` pods begin at once. `wake` is called with the uid of each whose turn has come."""

    def __init__(self, most: int, wake: Callable[..., None]):
        self._most, self._wake = most, wake
        self._lock = threading.Lock()
        self._at_it: set[str] = set()
        self._called: dict[str, float] = {}  # uid → until when it may come
        self._waiting: dict[str, dict[str, float]] = {}  # cluster, in the order of their turns → uid → since when

    def take(self, cluster: str, uid: str) -> bool:
        """Whether the pod may begin now; if so, `give` is to be called when it has. If not, it will be woken."""
        with self._lock:
            was_called = self._called.pop(uid, None) is not None
            if was_called or not self._waiting and self._free():
                self._leave(cluster, uid)
                self._at_it.add(uid)
                return True
            self._waiting.setdefault(cluster, {}).setdefault(uid, time.monotonic())
            called = self._call()
        self._tell(called)
        return False

    def give(self, uid: str) -> None:
        with self._lock:
            self._at_it.discard(uid)
            called = self._call()
        self._tell(called)

    def drop(self, cluster: str, uid: str) -> None:
        """It will not begin any more."""
        with self._lock:
            self._leave(cluster, uid)
            called = self._call() if self._called.pop(uid, None) else []
        self._tell(called)

    def _leave(self, cluster: str, uid: str) -> None:
        waiting = self._waiting.get(cluster, {})
        waiting.pop(uid, None)
        if not waiting:
            self._waiting.pop(cluster, None)

    def _free(self) -> int:
        now = time.monotonic()
        self._called = {uid: until for uid, until in self._called.items() if until > now}
        return self._most - len(self._at_it) - len(self._called)

    def _call(self) -> list[str]:
        """Those whose turn has come now."""
        called = []
        for _ in range(self._free()):
            if not self._waiting:
                break
            cluster, waiting = next(iter(self._waiting.items()))
            oldest = next(iter(waiting))
            is_late = time.monotonic() - waiting[oldest] > LONG_SECONDS
            uid = next(reversed(waiting)) if is_late else oldest
            del waiting[uid], self._waiting[cluster]
            if waiting:  # behind the other clusters
                self._waiting[cluster] = waiting
            self._called[uid] = time.monotonic() + COME_SECONDS
            called.append(uid)
        return called

    def _tell(self, called: list[str]) -> None:
        for uid in called:
            self._wake(uid, True)


class PodBeginning:
    def __init__(self, parts: Parts, most: int):
        self._parts = parts
        self._turns = Turns(most, parts.wake)

    def drop(self, record: PodRecord) -> None:
        """It will not begin any more."""
        self._turns.drop(record.cluster, record.uid)

    def begin(self, record: PodRecord, node: NodeRecord) -> None:
        """Remains of an older network go first. Raises NotYet where something has to be waited for."""
        if node.pool is None:
            raise NotYet(POOL_SECONDS)
        if not self._turns.take(record.cluster, record.uid):
            raise NotYet(ASK_SECONDS)
        try:
            self._create_sandbox(record, node)
        finally:
            self._turns.give(record.uid)

    def _create_sandbox(self, record: PodRecord, node: NodeRecord) -> None:
        tell = self._parts.teller(record)
        assert node.pool is not None
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
