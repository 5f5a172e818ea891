"""Why a claim waits for its volume, or which one it has."""

from collections.abc import Iterator

from lab.apimachinery.volumes import BOUND_BY_CONTROLLER, annotation

from ..authors import called
from ..grounds import because
from .card import Card, Help, ground
from .recorded import of_event, of_spec
from .subject import Subject

WAITING = {
    "WaitForFirstConsumer": "It gets its volume when the first pod that mounts it has a node, as its class says.",
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
    answer = WAITING[reason].format(text=told[0].text.rstrip("."))
    question = "Why is it lost?" if phase == "Lost" else "Why is it not bound?"
    yield Card(question, answer, reason, told, Help(advice) if advice else None)


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
