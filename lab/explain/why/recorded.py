"""Where the log says something: the rows behind a condition, an Event, or a field of the spec."""

from collections.abc import Callable
from typing import Any

from lab.apimachinery.kinds import EVENTS
from lab.apimachinery.meta import condition

from .card import Ground, ground
from .subject import Subject


def of_condition(subject: Subject, kind: str) -> list[Ground]:
    """The row by which a condition came to say what it says; none where that may be one that is no longer kept."""
    said = condition(subject.obj, kind)
    if said is None:
        return []
    row = of_value(subject, lambda obj: _said(condition(obj, kind)))
    words = said.get("message") or said.get("reason") or f"it is {said['status']}"
    return [ground(row, words, f"condition {kind}")] if row else []


def _said(found: dict | None) -> tuple[Any, ...]:
    return tuple(found.get(field) for field in ("status", "reason", "message")) if found else ()


def of_event(subject: Subject, *reasons: str) -> list[Ground]:
    """The newest Event about it with one of these reasons, if it still holds Events of them."""
    about = [
        event
        for event in subject.client.list(EVENTS, subject.namespace or "default")
        if event.get("involvedObject", {}).get("uid") == subject.uid and event.get("reason") in reasons
    ]
    newest = max(about, key=lambda event: int(event["metadata"]["resourceVersion"]), default=None)
    if newest is None:
        return []
    row = subject.client.history(EVENTS, newest["metadata"]["namespace"], newest["metadata"]["name"], 1)[0]
    return [ground(row, row["object"].get("message", ""), f"event {row['object']['reason']}")]


def of_value(subject: Subject, value: Callable[[dict], Any]) -> dict | None:
    """The row by which a value came to be what it is; None if so far back nothing is kept. Of what was so when it was
    made, and is so in all that is read, it is the row that made it."""
    now = value(subject.obj)
    row = subject.since(lambda obj: value(obj) == now)
    if row is None or row["created"] or subject.before(row):
        return row
    born = next(iter(subject.beginning), None)
    return born if born and value(born["object"]) == now else None


def of_spec(subject: Subject, field: str) -> dict | None:
    """The same of a field of its spec."""
    return of_value(subject, lambda obj: obj["spec"].get(field))


def silent_since(node: Subject) -> dict | None:
    """The row since which nobody hears of a node; None if it is heard of."""
    return node.since(lambda obj: (condition(obj, "Ready") or {}).get("status") == "Unknown")
