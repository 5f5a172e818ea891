"""What a pod's own card says, said again by what the pod belongs to: one level, and never a guess of its own."""

from collections.abc import Iterable

from lab.apimachinery.kinds import PODS, Kind
from lab.apimachinery.meta import controller_of, is_deleting, is_true
from lab.apimachinery.pods import is_finished

from . import idle, pods
from .card import Card
from .subject import Subject

# The reasons of a pod that is on its way, and that nothing keeps from becoming ready.
ON_THEIR_WAY = ("ContainerCreating", "PodInitializing", "Ready")


def owned(subject: Subject, kind: Kind) -> list[dict]:
    """The objects that it controls, oldest first."""
    found = [
        obj
        for obj in subject.client.list(kind, subject.namespace)
        if (controller_of(obj) or {}).get("uid") == subject.uid
    ]
    return sorted(found, key=lambda obj: (obj["metadata"]["creationTimestamp"], obj["metadata"]["name"]))


def unready(found: Iterable[dict]) -> list[dict]:
    """Of these pods those that should serve and do not."""
    return [pod for pod in found if not (is_true(pod, "Ready") or is_finished(pod) or is_deleting(pod))]


def of_pod(subject: Subject, pod: dict) -> Card | None:
    """The first thing that its own page says of it, but for why it is where it is; None if nothing is recorded."""
    it = subject.other(PODS, pod["metadata"]["namespace"], pod["metadata"]["name"])
    if it is None:
        return None
    told = (card for questions in (idle.cards, pods.cards) for card in questions(it))
    return next((card for card in told if card.reason != "Scheduled"), None)


def troubled(subject: Subject, waiting: list[dict], most: int = 5) -> tuple[dict, Card] | None:
    """The first of these pods that something keeps from being ready, else the first of which anything is said. No more
    than `most` are looked at."""
    first = None
    for pod in waiting[:most]:
        card = of_pod(subject, pod)
        if card is None:
            continue
        if card.reason not in ON_THEIR_WAY:
            return pod, card
        first = first or (pod, card)
    return first
