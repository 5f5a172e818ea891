"""The scheduler's loop: catch up with the cluster, decide (`batch`), and write down what was decided."""

from django.conf import settings

from lab.apimachinery import meta
from lab.client import Client
from lab.client.reconcile import Change, Controller, failed

from .batch import Outcome, schedule
from .following import Follower, concerns_pending, helps_pending
from .queue import SchedulingQueue
from .reporting import evict, report

EVERYTHING = "*"  # the key that means: every pod that waits, for something has changed that may help any of them


class Scheduler(Controller):
    """Gives each pod without a node the one that suits it best; all that wait are considered in one run.

    Its keys are those of waiting pods, and EVERYTHING. What it remembers between runs (the picture of the cluster,
    how often a pod was tried) may be lost at any time: all that matters can be had from the log again.
    """

    name = "scheduler"
    author = "scheduler"
    watches = ("pods", "nodes")

    def __init__(self) -> None:
        self._remembered: dict[str, tuple[Follower, SchedulingQueue]] = {}

    def keys(self, change: Change) -> list[str]:
        if concerns_pending(change):
            return [meta.join_key(change.namespace, change.name)]
        return [EVERYTHING] if helps_pending(change) else []

    def all_keys(self, client: Client) -> list[str]:
        return [EVERYTHING]

    def sync_all(self, client: Client, causes: dict[str, int]) -> dict[str, float | None]:
        """One run. Taken out of memory first: after a failure half-way the picture is not trusted, but made anew."""
        cluster = client.view().uid
        follower, queue = self._remembered.pop(cluster, None) or (Follower(), new_queue())
        cache = follower.catch_up(client)
        keys = queue.due(cache.pending, set(causes), EVERYTHING in causes)
        outcome = schedule(cache, keys)
        delays = dict.fromkeys(causes, None) | self._write(client.caused_by(max(causes.values())), outcome)
        follower.correct(client, [key for key, delay in delays.items() if delay is not None])
        for missed in outcome.unschedulable:
            queue.failed(meta.key_of(missed.pod))
        if outcome.bindings:
            # Whoever wants to be near others could not know of those that were placed after it in this very run.
            queue.hope(meta.key_of(missed.pod) for missed in outcome.unschedulable if wants_company(missed.pod))
        delays[EVERYTHING] = queue.next_try()
        self._remembered[cluster] = follower, queue
        return delays

    def _write(self, client: Client, outcome: Outcome) -> dict[str, float]:
        """Store what was decided; key → delay of the pods that could not be bound."""
        refused = client.bind(outcome.bindings) if outcome.bindings else {}
        happened = []
        for pod, node, _ in outcome.bindings:
            key = meta.key_of(pod)
            if key not in refused:
                happened.append((pod, "Normal", "Scheduled", f"Successfully assigned {key} to {node}"))
        happened += report(client, outcome.unschedulable)
        for missed in outcome.unschedulable:
            happened += evict(client, missed)
        if happened:
            client.events(happened)
        return {key: failed(self, client, key, error) for key, error in refused.items()}


def new_queue() -> SchedulingQueue:
    return SchedulingQueue(settings.CLOCK["pod_backoff_first"], settings.CLOCK["pod_backoff_most"])


def wants_company(pod: dict) -> bool:
    affinity = pod["spec"].get("affinity") or {}
    return bool(affinity.get("podAffinity")) or bool(pod["spec"].get("topologySpreadConstraints"))
