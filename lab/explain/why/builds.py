"""What does a build wait for, how far is it, and how did it end?"""

from collections.abc import Iterator
from difflib import get_close_matches
from itertools import chain

from lab.apimachinery.kinds import BUILDS, DEPLOYMENTS
from lab.apimachinery.kubectl import kubectl

from ..authors import called
from ..grounds import because
from . import departures, idle, workloads
from .card import Card, Ground, Help, ground
from .crashes import short
from .recorded import of_value
from .selecting import ALIKE
from .subject import Subject

BUILDING, ROLLING_OUT, COMPLETE, FAILED = "Building", "RollingOut", "Complete", "Failed"
BEGINS = "Why has it not begun?"
QUESTIONS = {
    BUILDING: "How far is it?",
    ROLLING_OUT: "How far is it?",
    COMPLETE: "How did it end?",
    FAILED: "Why has it failed?",
}


def cards(subject: Subject) -> Iterator[Card]:
    status = subject.obj.get("status", {})
    phase = status.get("phase")
    if not phase:
        yield _waiting(subject)
        return
    said = _said(subject)
    deployment = subject.other(DEPLOYMENTS, subject.namespace, subject.obj["spec"]["deployment"])
    shipped = _shipped(subject, deployment) if deployment and not deployment.gone else []
    if shipped and deployment:
        yield _rolled_out(subject, deployment, phase, said + shipped)
    elif phase == FAILED:
        yield _unbuilt(subject, deployment, said)
    else:
        answer = _sentence(status["message"]) + (_last_line(status) if phase == BUILDING else "")
        yield Card(QUESTIONS[phase], answer, phase, said)


def _waiting(subject: Subject) -> Card:
    """One is built at a time, the oldest first."""
    others = [one for one in subject.client.list(BUILDS) if one.get("status", {}).get("phase") == BUILDING]
    for one in others:
        meta = one["metadata"]
        it = subject.other(BUILDS, meta["namespace"], meta["name"])
        answer = f"It waits for its turn: one is built at a time, and now it is {meta['name']}."
        cancel = kubectl("delete", BUILDS.singular, meta["name"], namespace=meta["namespace"])
        return Card(BEGINS, answer, "Pending", _said(it) if it else [], Help("Wait, or give that one up.", cancel))
    return Card(BEGINS, "It waits for its turn.", "Pending")


def _said(subject: Subject) -> list[Ground]:
    """The row by which it came to its phase and its message."""
    row = of_value(subject, lambda obj: [obj.get("status", {}).get(field) for field in ("phase", "message")])
    said = row["object"].get("status", {}) if row else {}
    return [ground(row, f"{said['phase']}: {short(said['message'])}", "status.phase")] if row and said else []


def _sentence(message: str) -> str:
    return f"{message[:1].upper()}{message[1:].rstrip('.')}."


def _last_line(status: dict) -> str:
    """What the engine said last."""
    lines = status.get("log", "").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f" The last line of its log: {short(last)}" if last else ""


def _shipped(subject: Subject, deployment: Subject) -> list[Ground]:
    """The row that gave its image to the deployment."""
    rows = (row for row in deployment.decided if row["why"].get("decision") == "RollOutImage")
    row = next((row for row in rows if row["why"]["build"] == subject.name), None)
    return [ground(row, because(row["why"]), f"{DEPLOYMENTS.singular} {deployment.name}")] if row else []


def _rolled_out(subject: Subject, deployment: Subject, phase: str, said: list[Ground]) -> Card:
    """The deployment's own card says how that goes; unless somebody gave it another image since."""
    image, name = subject.obj["status"]["image"], _container(subject, deployment.obj)
    answer = _sentence(subject.obj["status"]["message"])
    if _image(name, deployment.obj) != image:
        row = of_value(deployment, lambda obj: _image(name, obj))
        if phase == FAILED and row:
            words = f"{called(row['author'])} gave {deployment.name} another image"
            said = [*said, ground(row, words, "spec.template")]
            give = kubectl(
                "set", "image", f"deployment/{deployment.name}", f"{name}={image}", namespace=subject.namespace
            )
            return Card(QUESTIONS[phase], answer, phase, said, Help("Give it the image that was built.", give))
    elif phase != COMPLETE:
        card = next(chain(idle.cards(deployment), workloads.deployments(deployment)))
        answer += f" Deployment {deployment.name}: {card.answer}"
        return Card(QUESTIONS[phase], answer, phase, [*said, *card.because], card.help)
    return Card(QUESTIONS[phase], answer, phase, said)


def _container(subject: Subject, deployment: dict) -> str:
    """The container that gets the image: the one that is named, or the first."""
    return str(subject.obj["spec"].get("container") or deployment["spec"]["template"]["spec"]["containers"][0]["name"])


def _image(container: str, deployment: dict) -> str:
    held = deployment["spec"]["template"]["spec"]["containers"]
    return next((str(one["image"]) for one in held if one["name"] == container), "")


def _unbuilt(subject: Subject, deployment: Subject | None, said: list[Ground]) -> Card:
    """It failed before there was an image, or its deployment has gone since."""
    status, named = subject.obj["status"], subject.obj["spec"]["deployment"]
    answer = _sentence(status["message"])
    if deployment is None or deployment.gone:
        names = [one["metadata"]["name"] for one in subject.client.list(DEPLOYMENTS, subject.namespace)]
        near = next(iter(get_close_matches(named, names, 1, ALIKE)), "")
        if deployment:
            row = departures.marked(deployment)
            said = [*said, ground(row, f"{called(row['author'])} removed it", f"Deployment {named}")]
        advice = f"Create a Build for a deployment that there is{f': {near} is nearly called so' if near else ''}."
        return Card(QUESTIONS[FAILED], answer, FAILED, said, Help(advice, _list(subject)))
    if not status.get("log"):
        return Card(
            QUESTIONS[FAILED], answer, FAILED, said, Help("Mend that, and create it again: no Build is tried twice.")
        )
    read = ("get", BUILDS.singular, subject.name, "-o", "jsonpath={.status.log}")
    advice = "Mend its files by what its log says, and create another: no Build is tried twice."
    return Card(QUESTIONS[FAILED], answer, FAILED, said, Help(advice, kubectl(*read, namespace=subject.namespace)))


def _list(subject: Subject) -> str:
    return kubectl("get", "deployments", namespace=subject.namespace)
