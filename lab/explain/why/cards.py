"""Which cards there are for which kind."""

from collections.abc import Callable, Iterator

from lab.apimachinery.kinds import (
    BUILDS,
    CRONJOBS,
    DAEMONSETS,
    DEPLOYMENTS,
    HORIZONTALPODAUTOSCALERS,
    INGRESSES,
    JOBS,
    NODEPOOLS,
    NODES,
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    PODDISRUPTIONBUDGETS,
    PODS,
    RELEASES,
    REPLICASETS,
    REPLICATIONCONTROLLERS,
    SERVICES,
    STATEFULSETS,
    Kind,
)
from lab.client import Client

from . import (
    autoscalers,
    budgets,
    builds,
    departures,
    idle,
    ingresses,
    jobs,
    nodes,
    origin,
    pods,
    releases,
    services,
    storage,
    volumes,
    workloads,
)
from .card import Card
from .subject import Subject

# Of each kind the questions that it can raise; each yields a card, or none where it does not arise.
CARDS: dict[Kind, tuple[Callable[[Subject], Iterator[Card]], ...]] = {
    PODS: (pods.cards,),
    NODES: (nodes.cards,),
    DEPLOYMENTS: (workloads.deployments,),
    REPLICASETS: (workloads.replica_sets,),
    REPLICATIONCONTROLLERS: (workloads.replica_sets,),
    STATEFULSETS: (workloads.stateful_sets,),
    DAEMONSETS: (workloads.daemon_sets,),
    JOBS: (jobs.jobs,),
    CRONJOBS: (jobs.cronjobs,),
    SERVICES: (services.cards,),
    RELEASES: (releases.cards,),
    HORIZONTALPODAUTOSCALERS: (autoscalers.cards,),
    NODEPOOLS: (autoscalers.pools,),
    PERSISTENTVOLUMECLAIMS: (storage.cards,),
    PERSISTENTVOLUMES: (volumes.cards,),
    PODDISRUPTIONBUDGETS: (budgets.cards,),
    INGRESSES: (ingresses.cards,),
    BUILDS: (builds.cards,),
}


def of_object(client: Client, kind: Kind, namespace: str, name: str, now: float | None = None) -> dict:
    """`{kind, namespace, name, revision, gone, cards: [{question, answer, reason, because, help, verdicts}]}`, the most
    telling card first; the last says who made the object, and why. `now` is in epoch seconds: for the past, when that
    was. Raises ApiError 404 for an object of which no row is kept."""
    subject = Subject(client, kind, namespace, name, now)
    # What is gone raises no other question; but a pod's end does, and what became of a node's pods.
    of_kind = () if subject.gone and kind not in (PODS, NODES) else CARDS.get(kind, ())
    asked = (idle.cards, departures.cards, *of_kind, origin.cards)
    return {
        "kind": kind.kind,
        "namespace": namespace,
        "name": name,
        "revision": subject.newest["revision"],
        "gone": subject.gone,
        "cards": [card.as_dict() for questions in asked for card in questions(subject)],
    }
