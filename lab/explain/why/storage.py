"""Why a claim waits for its volume, or which one it has."""

from collections.abc import Iterator

from lab.apimachinery.kinds import PODS
from lab.apimachinery.volumes import BOUND_BY_CONTROLLER, annotation

from ..authors import called
from ..grounds import because
from . import quoted
from .card import Card, Help, ground
from .recorded import of_event, of_spec
from .subject import Subject

WAITING = {
    "WaitForFirstConsumer": "Its class {storage} gives it a volume when the first pod that mounts it has a node.",
    "ExternalProvisioning": "A program outside of this lab has to make its volume: {text}",
    "FailedBinding": "There is no volume for it: {text}.",
    "VolumeMismatch": "The volume that it names is not what it asks for: {text}.",
    "ProvisioningFailed": "Nobody could make a volume for it: {text}.",
    "ClaimLost": "It has lost its volume: {text}.",
    "ClaimMisbound": "It has lost its volume: {text}.",
}
ADVICE = {
    "WaitForFirstConsumer": "Create a pod that mounts it.",
    "FailedBinding": "Create a PersistentVolume that fits, or name a StorageClass that makes one.",
    "ProvisioningFailed": "Name a StorageClass that there is: kubectl get storageclass lists them.",
}


def cards(subject: Subject) -> Iterator[Card]:
    phase = subject.obj.get("status", {}).get("phase")
    if phase == "Bound":
        yield from _bound(subject)
        return
    told = of_event(subject, *WAITING, "ProvisioningSucceeded")
    reason = told[0].name.removeprefix("event ") if told else ""
    if reason not in WAITING:
        yield Card("Why is it not bound?", "Its volume is being found or made.", "Progressing", told)
        return
    advice = ADVICE.get(reason)
    help_ = Help(advice) if advice else None
    answer = WAITING[reason].format(text=told[0].text.rstrip("."), storage=subject.obj["spec"].get("storageClassName"))
    if reason == "WaitForFirstConsumer" and (found := quoted.troubled(subject, _users(subject))):
        pod, card = found
        answer += f" Pod {pod['metadata']['name']} mounts it: {card.answer}"
        told, help_ = told + card.because, card.help
    yield Card("Why is it lost?" if phase == "Lost" else "Why is it not bound?", answer, reason, told, help_)


def _users(subject: Subject) -> list[dict]:
    """The pods that mount it and have no node yet."""
    pods = subject.client.list(PODS, subject.namespace)
    return [pod for pod in pods if not pod["spec"].get("nodeName") and subject.name in _claims(pod)]


def _claims(pod: dict) -> list[str]:
    volumes = pod["spec"].get("volumes") or ()
    return [one["persistentVolumeClaim"]["claimName"] for one in volumes if one.get("persistentVolumeClaim")]


def _bound(subject: Subject) -> Iterator[Card]:
    row = subject.decision("BindVolume") or of_spec(subject, "volumeName")
    volume = subject.obj["spec"].get("volumeName", "")
    if row is None:
        return
    by = "it was the smallest free one that fits, or was made for it"
    if not annotation(subject.obj, BOUND_BY_CONTROLLER):
        by = "the claim names it"
    said = because(row["why"]) or f"{called(row['author'])} gave it {volume}"
    yield Card(
        "Which volume has it?", f"It has {volume}: {by}.", "Bound", [ground(row, said, f"PersistentVolume {volume}")]
    )
