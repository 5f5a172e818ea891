"""What a release waits for, how it ended, and what its strategy went by."""

from collections.abc import Iterator

from lab.apimachinery.kinds import DEPLOYMENTS, PODS, RELEASES
from lab.apimachinery.kubectl import kubectl
from lab.apimachinery.labels import HASH_LABEL

from ..authors import called
from . import quoted
from .card import Card, Ground, Help, ground
from .crashes import short
from .recorded import of_spec, of_value
from .subject import Subject

QUESTIONS = {
    "Waiting": "Why has it not begun?",
    "Progressing": "How far is it?",
    "Paused": "What does it wait for?",
    "Switched": "What comes next?",
    "Promoted": "How did it end?",
}
ENDED_BADLY = "Why did it end so?"  # Aborted, Superseded, Failed


def cards(subject: Subject) -> Iterator[Card]:
    status = subject.obj.get("status", {})
    phase = status.get("phase")
    if not phase:
        return
    grounds = [*_said(subject), *_judged(subject), *_by_hand(subject)]
    answer, help_ = status.get("message", ""), _advice(subject, phase)
    found = _troubled(subject) if phase in ("Progressing", "Paused") else None
    if found:
        pod, card = found
        # Its controller tells of a pod in trouble too, by its status; the pod's own card knows more.
        told = answer.partition(' Pod "')[0]
        answer = f"{told} Pod {pod['metadata']['name']}: {card.answer}"
        grounds += card.because
        help_ = card.help if card.help and card.help.command else help_
    yield Card(QUESTIONS.get(phase, ENDED_BADLY), answer, phase, grounds, help_)


def _said(subject: Subject) -> list[Ground]:
    """The step that said so, and how its strategy stood then."""
    row = of_value(subject, lambda obj: [obj.get("status", {}).get(field) for field in ("phase", "message")])
    if row is None:
        return []
    spec, status = row["object"]["spec"], row["object"]["status"]
    stood = spec["strategy"]["type"]
    if "weight" in status:
        stood += f", step {status.get('step', 0)}, weight {status['weight']}"
    return [ground(row, f"{status['phase']}: {short(status.get('message', ''))}", f"strategy {stood}")]


def _judged(subject: Subject) -> list[Ground]:
    """The comparison of both versions, where a canary's counters were looked at."""
    row = of_value(subject, lambda obj: (obj.get("status", {}).get("analysis") or {}).get("verdict"))
    told = (row["object"].get("status", {}).get("analysis") or {}) if row else {}
    if row is None or not told.get("message"):
        return []
    return [ground(row, f"{told['verdict']}: {told['message']}", "canary.analysis")]


def _by_hand(subject: Subject) -> list[Ground]:
    """What a person decided about it: a verdict, a weight, a pause."""
    found = []
    for field in ("verdict", "weight", "paused"):
        held = subject.obj["spec"].get(field)
        row = of_spec(subject, field) if held not in (None, "", False) else None
        if row:
            words = "paused it" if field == "paused" else f"set {field} to {held}"
            found.append(ground(row, f"{called(row['author'])} {words}", f"spec.{field}"))
    return found


def _troubled(subject: Subject) -> tuple[dict, Card] | None:
    """Of its new version the first pod that something keeps from being ready."""
    revision = subject.obj["status"].get("newRevision")
    deployment = subject.other(DEPLOYMENTS, subject.namespace, subject.obj["spec"]["deployment"])
    if not revision or deployment is None:
        return None
    pods = subject.client.list(PODS, subject.namespace, {HASH_LABEL: revision})
    found = quoted.troubled(subject, quoted.unready(pods))
    return found if found and found[1].reason not in quoted.ON_THEIR_WAY else None


def _advice(subject: Subject, phase: str) -> Help | None:
    """The verdict that a person may give now."""
    spec = subject.obj["spec"]
    if phase == "Paused" and spec.get("paused"):
        return Help("Let it go on.", _patched(subject, '{"spec":{"paused":false}}'))
    if phase == "Paused" and spec["strategy"]["type"] != "RollingUpdate":
        return Help("Promote it; the verdict Abort takes it back.", _patched(subject, '{"spec":{"verdict":"Promote"}}'))
    if phase in ("Paused", "Switched"):
        return Help("Take it back.", _patched(subject, '{"spec":{"verdict":"Abort"}}'))
    return None


def _patched(subject: Subject, patch: str) -> str:
    word = RELEASES.singular
    return kubectl("patch", word, subject.name, "--type=merge", "-p", patch, namespace=subject.namespace)
