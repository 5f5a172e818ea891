"""Pods that are about to end: asked nothing new, and watched until they have finished what they had.

In Kubernetes nobody knows when every node's proxy has heard of it, so people write `preStop: sleep 5` and hope. Here
the proxy says so on the pod, in the condition `orrery.io/Drained`, and the kubelet waits for it before SIGTERM.
"""

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import PODS
from lab.apimachinery.labels import DRAINED
from lab.apimachinery.meta import is_true, with_condition
from lab.client import Client, Put

log = logging.getLogger(__name__)
MOST_SECONDS = 5.0
SILENCE_SECONDS = 2.0  # of a data plane that cannot be heard: it may be gone, and then sends nobody anywhere
PATIENCE_SECONDS = 0.3  # after which it is said what is being waited for


# Whether no data plane sends it anything new, and how many requests it still works on.
State = tuple[bool, int]


@dataclass
class Drain:
    cluster: str
    namespace: str
    name: str
    uid: str
    since: float  # monotonic
    told: bool = False  # that it goes on


@dataclass(frozen=True)
class Verdict:
    """The condition to write."""

    status: str
    reason: str
    message: str


def ending(slices: Iterable[dict]) -> dict[str, tuple[str, str, str]]:
    """uid → (namespace, name, node) of the pods that end while they stand behind a Service."""
    found = {}
    for one in slices:
        for endpoint in one.get("endpoints") or ():
            ref = endpoint.get("targetRef") or {}
            if (endpoint.get("conditions") or {}).get("terminating") and ref.get("kind") == "Pod":
                found[ref["uid"]] = (ref["namespace"], ref["name"], endpoint.get("nodeName", ""))
    return found


def asks(desired: dict, uid: str) -> bool:
    """Whether a data plane that was told this still sends new requests to the pod."""
    backends = desired.get("backends", {}).values()
    return any(backend["servers"].get(uid, {}).get("state") == "ready" for backend in backends)


def verdict(drain: Drain, state: State | None, now: float) -> Verdict | None:
    """What there is to say of it now."""
    waited = now - drain.since
    if state is None:
        unheard = Verdict("True", "ProxyUnreachable", f"not every data plane has answered within {waited:.1f} s")
        return unheard if waited > SILENCE_SECONDS else None
    taken_out, in_flight = state
    left = f"{in_flight} request{'' if in_flight == 1 else 's'} still in flight"
    if taken_out and not in_flight:
        return Verdict("True", "NoRequests", f"asked nothing new, and nothing was in flight {waited:.2f} s later")
    if waited > MOST_SECONDS:
        words = left if taken_out else "not out of every data plane"
        return Verdict("True", "TimedOut", f"{words} after {waited:.1f} s")
    if waited > PATIENCE_SECONDS and taken_out and not drain.told:
        return Verdict("False", "Draining", left)
    return None


class Drains:
    """All that are going on. `state` says it of a pod (its uid) of a cluster; None while a data plane is silent."""

    def __init__(self, state: Callable[[str, str], State | None]):
        self._state = state
        self._drains: dict[str, Drain] = {}
        self._lock = threading.Lock()

    def begin(self, drain: Drain) -> None:
        with self._lock:
            self._drains.setdefault(drain.uid, drain)

    def __len__(self) -> int:
        return len(self._drains)

    def hurry(self, now: float) -> bool:
        """Whether somebody waits for them. Nobody does for long, but one that could not be told of stays."""
        with self._lock:
            return any(now - drain.since < 2 * MOST_SECONDS for drain in self._drains.values())

    def settle(self, client: Callable[[str], Client], now: float) -> None:
        """Write what there is to say of them, those of a cluster in one transaction; what is refused, next time."""
        with self._lock:
            drains = list(self._drains.values())
        for cluster in {drain.cluster for drain in drains}:
            mine = [drain for drain in drains if drain.cluster == cluster]
            try:
                self._settle(client(cluster), mine, now)
            except ApiError as error:
                if error.code == 404:  # the cluster is gone, and its pods with it
                    for drain in mine:
                        self._end(drain)
                log.info("what is drained in %s is not said: %s", cluster, error.message)

    def _settle(self, client: Client, drains: list[Drain], now: float) -> None:
        view, puts, told = client.view(), [], []
        for drain in drains:
            pod = view.get(PODS.resource, drain.namespace, drain.name)
            if pod is None or pod["metadata"]["uid"] != drain.uid or is_true(pod, DRAINED):
                self._end(drain)
                continue
            said = verdict(drain, self._state(drain.cluster, drain.uid), now)
            if said:
                puts.append(_put(pod, said))
                told.append((drain, said))
        if puts:
            client.write(puts)
        for drain, said in told:
            drain.told = True
            if said.status == "True":
                self._end(drain)

    def _end(self, drain: Drain) -> None:
        with self._lock:
            self._drains.pop(drain.uid, None)


def _put(pod: dict, said: Verdict) -> Put:
    status = pod.get("status", {})
    conditions = with_condition(status.get("conditions") or [], DRAINED, said.status, said.reason, said.message)
    # The newest that is known of the pod is that it was asked to go, or follows from it.
    cause = int(pod["metadata"]["resourceVersion"])
    return Put(PODS, {**pod, "status": {**status, "conditions": conditions}}, "status", cause=cause)
