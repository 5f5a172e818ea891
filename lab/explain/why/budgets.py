"""How many pods does a disruption budget let go, and what keeps it from more?"""

import json
from collections.abc import Iterator

from lab.apimachinery.kinds import PODDISRUPTIONBUDGETS, PODS
from lab.apimachinery.kubectl import kubectl
from lab.apimachinery.meta import condition
from lab.apimachinery.selectors import format_label_selector, parse_label_selector

from ..authors import called
from ..grounds import because
from . import quoted
from .card import Card, Ground, Help, ground
from .recorded import of_event, of_spec, of_value
from .selecting import nearest, written
from .sizes import be, many
from .subject import Subject

QUESTION, NONE = "How many of its pods may go?", "Why may none of its pods go?"
DISRUPTION = "DisruptionAllowed"  # its condition, whose reasons are the cards'
COUNTED = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")


def cards(subject: Subject) -> Iterator[Card]:
    said = condition(subject.obj, DISRUPTION)
    status = subject.obj.get("status", {})
    if said is None or status.get("observedGeneration", 0) < subject.obj["metadata"]["generation"]:
        answer = "Its controller has not counted its pods yet, and until then none may go."
        if said is None or said["reason"] != "SyncFailed":
            yield Card(NONE, answer, "Progressing", _asks(subject))
            return
    if said["reason"] == "SyncFailed":
        yield _uncounted(subject, said)
    elif not status["expectedPods"]:
        yield _empty(subject)
    elif status["disruptionsAllowed"]:
        answer = f"{status['disruptionsAllowed']}: {_counts(status)}."
        yield Card(QUESTION, answer, said["reason"], [*_counted(subject), *_asks(subject), *_asked(subject)])
    else:
        yield _none(subject, said["reason"])


def _counts(status: dict) -> str:
    healthy, expected = status["currentHealthy"], status["expectedPods"]
    return f"of {many(expected, 'pod')} {healthy} {be(healthy)} healthy, and {status['desiredHealthy']} must stay so"


def _counted(subject: Subject) -> list[Ground]:
    """The row by which it counts as it does."""
    row = of_value(subject, lambda obj: [obj.get("status", {}).get(field) for field in COUNTED])
    status = row["object"].get("status", {}) if row else {}
    return [ground(row, _counts(status), f"condition {DISRUPTION}")] if row and "expectedPods" in status else []


def _asks(subject: Subject) -> list[Ground]:
    """Who asks for how many."""
    found = []
    for field in ("minAvailable", "maxUnavailable"):
        row, held = of_spec(subject, field), subject.obj["spec"].get(field)
        if row and held is not None:
            found.append(ground(row, f"{called(row['author'])} set it to {held}", f"spec.{field}"))
    return found


def _asked(subject: Subject) -> list[Ground]:
    """What it answered last whoever wanted a pod to go."""
    row = subject.decision("RefuseEviction", "AllowDisruption")
    return [ground(row, because(row["why"]), "eviction")] if row else []


def _uncounted(subject: Subject, said: dict) -> Card:
    row = of_value(subject, lambda obj: (condition(obj, DISRUPTION) or {}).get("message"))
    grounds = [ground(row, said["message"], f"condition {DISRUPTION}")] if row else []
    answer = f"Nobody knows how many there should be, so none may go: {said['message']}."
    help_ = Help("Say how many must stay as a number.", _patch(subject, {"minAvailable": 1, "maxUnavailable": None}))
    return Card(NONE, answer, said["reason"], [*grounds, *_asks(subject)], help_)


def _empty(subject: Subject) -> Card:
    """Kubernetes' word for it is an Event's."""
    held = subject.obj["spec"].get("selector") or {}
    answer = (
        f"Its selector {format_label_selector(held)} matches no pod of namespace {subject.namespace}: it keeps nobody."
    )
    row = of_spec(subject, "selector")
    grounds = (
        [ground(row, f"{called(row['author'])} set it to {format_label_selector(held)}", "spec.selector")]
        if row
        else []
    )
    grounds += of_event(subject, "NoPods") or _counted(subject)
    near = nearest(held.get("matchLabels") or {}, subject.client.list(PODS, subject.namespace))
    if near is None:
        return Card(QUESTION, answer, "NoPods", grounds, Help("Select pods that there are, or remove it."))
    name, labels = near
    instead = dict.fromkeys(held["matchLabels"]) | labels
    help_ = Help(
        "Make the selector say what the pods' labels say.", _patch(subject, {"selector": {"matchLabels": instead}})
    )
    return Card(QUESTION, f"{answer} Nearly: pod {name} has {written(labels)}.", "NoPods", grounds, help_)


def _none(subject: Subject, reason: str) -> Card:
    """Where pods are missing, what keeps one from being ready, by its own card; else the budget itself."""
    grounds = [*_counted(subject), *_asks(subject), *_asked(subject)]
    answer = f"None: {_counts(subject.obj['status'])}."
    if found := lacking(subject):
        pod, card = found
        answer += f" Pod {pod['metadata']['name']}: {card.answer}"
        return Card(NONE, answer, reason, grounds + card.because, card.help)
    return Card(NONE, answer, reason, grounds, loosened(subject))


def lacking(subject: Subject) -> tuple[dict, Card] | None:
    """Where pods are missing, one that is not ready, and what keeps it from it."""
    status = subject.obj["status"]
    if status["currentHealthy"] >= status["expectedPods"]:
        return None
    selector = parse_label_selector(subject.obj["spec"].get("selector"))
    pods = subject.client.list(PODS, subject.namespace)
    held = [pod for pod in pods if selector.matches(pod["metadata"].get("labels"))]
    return quoted.troubled(subject, quoted.unready(held))


def loosened(subject: Subject) -> Help:
    """The command that has it let go one of those that are there now."""
    status = subject.obj["status"]
    there = min(status["expectedPods"], status["currentHealthy"])
    words = "Have more of its pods ready, on other nodes, or let it allow one more to go."
    if isinstance(subject.obj["spec"].get("minAvailable"), int):
        return Help(words, _patch(subject, {"minAvailable": max(0, there - 1)}))
    return Help(words, _patch(subject, {"minAvailable": None, "maxUnavailable": status["expectedPods"] - there + 1}))


def _patch(subject: Subject, spec: dict) -> str:
    words = ("patch", PODDISRUPTIONBUDGETS.singular, subject.name, "--type=merge", "-p", json.dumps({"spec": spec}))
    return kubectl(*words, namespace=subject.namespace)
