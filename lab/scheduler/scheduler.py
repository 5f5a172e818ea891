"""The scheduler's loop: catch up with the cluster, decide (`batch`), and write down what was decided."""

from weakref import WeakKeyDictionary

from django.conf import settings

from lab.apimachinery import meta
from lab.apimachinery.kinds import PODS
from lab.client import Change, Client, View
from lab.client.reconcile import Controller, failed

from . import volumebinding
from .batch import Outcome, schedule
from .cache import SCHEDULER_NAME, Cache, is_pending
from .informer import Informer, concerns_pending, helps_pending
from .queue import SchedulingQueue
from .reporting import evict, report

RUN_SECONDS = 5.0  # after which those that are left wait for the next run, or a task might take too long
EVERYTHING = "*"  # the key that means: every pod that waits, for something has changed that may help any of them


class Scheduler(Controller):
    """Gives each pod without a node the one that suits it best; all that wait are considered in one run.

    Its keys are those of waiting pods, and EVERYTHING. What it remembers between runs (the picture of the cluster,
    how often a pod was tried) may be lost at any time: all that matters can be had from the log again.
    """

    name = "scheduler"
    author = "scheduler"
    watches = ("pods", "nodes", "persistentvolumeclaims", "storageclasses.storage.k8s.io")

    def __init__(self) -> None:
        self._remembered: WeakKeyDictionary[View, tuple[Informer, SchedulingQueue]] = WeakKeyDictionary()

    def keys(self, change: Change) -> list[str]:
        if concerns_pending(change):
            return [meta.join_key(change.namespace, change.name)]
        return [EVERYTHING] if helps_pending(change, self.author) else []

    def all_keys(self, client: Client) -> list[str]:
        return [EVERYTHING]

    def singly(self, client: Client, causes: dict[str, int]) -> dict[str, int]:
        """EVERYTHING is unfolded into the pods that wait."""
        named = {key: cause for key, cause in causes.items() if key != EVERYTHING}
        if EVERYTHING in causes:
            waiting = (meta.key_of(pod) for pod in client.list(PODS) if is_pending(pod))
            named = dict.fromkeys(waiting, causes[EVERYTHING]) | named
        return named

    def sync_all(self, client: Client, causes: dict[str, int]) -> dict[str, float | None]:
        """One run. Taken out of memory first: after a failure half-way the picture is not trusted, but made anew."""
        state = client.view()
        known = state in self._remembered
        informer, queue = self._remembered.pop(state) if known else (Informer(), new_queue())
        cache = informer.catch_up(state)
        helped = causes.get(EVERYTHING)  # the change that may help any; 0: a back-off is over
        keys = queue.due(cache.pending, set(causes), helped)
        causes_of = {key: causes.get(key) or helped or queue.reason(key) or _revision(cache, key) for key in keys}
        claims = volumebinding.look(state, cache, keys)
        held = claims.refused.keys() | claims.waiting
        outcome = schedule(cache, [key for key in keys if key not in held], RUN_SECONDS)
        client = client.caused_by(max(causes.values()))
        postponed = volumebinding.settle(client, outcome, claims)
        queue.forget([*claims.waiting, *postponed])
        refused = self._write(client, outcome, queue, causes_of)
        informer.correct(client, [*postponed, *refused])
        if outcome.bindings:
            # Nobody but the scheduler itself has seen them come: its own bindings do not wake it.
            queue.hope(key for key, (_, pod) in cache.pending.items() if pod.info.wants_company)
        queue.hope(outcome.displaced)
        self._remembered[state] = informer, queue
        again = 0.0 if outcome.unfinished else queue.next_try()
        return dict.fromkeys(causes, None) | refused | {EVERYTHING: again}

    def _write(
        self, client: Client, outcome: Outcome, queue: SchedulingQueue, causes: dict[str, int]
    ) -> dict[str, float]:
        """Store what was decided, each pod's because of its own cause; key → delay of those that could not be bound."""
        refused = client.bind(outcome.bindings, causes) if outcome.bindings else {}
        happened = []
        for pod, node, _ in outcome.bindings:
            key = meta.key_of(pod)
            if key not in refused:
                happened.append((pod, "Normal", "Scheduled", f"Successfully assigned {key} to {node}"))
        happened += report(client, outcome.unschedulable, causes)
        for missed in outcome.unschedulable:
            key = meta.key_of(missed.pod)
            queue.failed(key)
            preempted, all_asked = evict(client.caused_by(causes[key]), missed)
            happened += preempted
            if not all_asked:
                queue.hope([key])
        if happened:
            # Events name the scheduler as pods do in `spec.schedulerName`.
            Client(client.cluster, SCHEDULER_NAME, fence=client.fence).events(happened)
        return {key: failed(self, client, key, error) for key, error in refused.items()}


def _revision(cache: Cache, key: str) -> int:
    """Where nothing else is known to have made us try the pod, it is that it waits."""
    return int(cache.pending[key][0]["metadata"]["resourceVersion"])


def new_queue() -> SchedulingQueue:
    return SchedulingQueue(settings.CLOCK["pod_backoff_first"], settings.CLOCK["pod_backoff_most"])
