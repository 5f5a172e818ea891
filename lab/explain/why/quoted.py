"""What a pod's own card says, said again by what the pod belongs to: one level, and never a guess of its own."""

from collections.abc import Iterable

from lab.apimachinery.kinds import PODS, Kind
from lab.apimachinery.meta import condition, controller_of, is_deleting, is_true
from lab.apimachinery.pods import is_finished

from . import idle, pods
from .card import Card
from .subject import Subject

# The reasons of a pod that is on its way, and that nothing keeps from becoming ready.
ON_THEIR_WAY = ("Pending", "ContainerCreating", "PodInitializing", "Ready")


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


def troubled(subject: Subject, waiting: list[dict]) -> tuple[dict, Card] | None:
    """One of these pods, an ailing one if there is any, and what its own page says of it. Asked of one alone, for each
    takes milliseconds."""
    pod = next(filter(_ails, waiting), waiting[0] if waiting else None)
    card = of_pod(subject, pod) if pod else None
    return (pod, card) if pod and card else None


def _ails(pod: dict) -> bool:
    status = pod.get("status", {})
    containers = [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]
    reasons = [state.get("reason") for one in containers for state in (one.get("state") or {}).values() if state]
    nowhere = (condition(pod, "PodScheduled") or {}).get("status") == "False"
    return nowhere or any(reason and reason not in ON_THEIR_WAY for reason in reasons)
