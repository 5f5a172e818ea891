"""Why does it get traffic, or none? Which Services select it, and which of their EndpointSlices let it in."""

import difflib
from collections.abc import Iterator

from lab.apimachinery.kinds import ENDPOINTSLICES, SERVICES
from lab.apimachinery.labels import HASH_LABEL, SERVED
from lab.apimachinery.meta import is_true
from lab.apimachinery.services import SERVICE_NAME

from ..authors import called
from ..grounds import because
from ..words import ready_in
from .card import Card, Ground, Help, ground
from .recorded import of_condition, of_spec, of_value
from .subject import Subject

ALIKE = 0.6  # labels that nearly are what a selector asks for: most often the mistake is there
SOME, NONE = "Why does it get traffic?", "Why does it get no traffic?"


def cards(subject: Subject) -> Iterator[Card]:
    """None where no Service of its namespace has a selector: nobody expects any then."""
    services = subject.client.list(SERVICES, subject.namespace)
    selecting = sorted(
        (one for one in services if one["spec"].get("selector")), key=lambda one: one["metadata"]["name"]
    )
    mine = [one["metadata"]["name"] for one in selecting if _selects(one, subject.obj)]
    if mine:
        yield _through(subject, mine)
    elif selecting and _labels(subject.obj):
        yield _selected_by_none(subject, selecting)


def _selects(service: dict, pod: dict) -> bool:
    return bool(service["spec"]["selector"].items() <= (pod["metadata"].get("labels") or {}).items())


def _through(subject: Subject, services: list[str]) -> Card:
    entries = {name: found for name in services for found in _entries(subject, name)}
    let_in = [name for name, (ready, _) in entries.items() if ready]
    grounds = [found for _, found in entries.values()]
    if let_in:
        many = f"Service {let_in[0]} selects" if len(let_in) == 1 else f"Services {', '.join(let_in)} select"
        whose = "its" if len(let_in) == 1 else "their"
        answer = f"{many} it, and it is ready: its address is among {whose} endpoints."
        return Card(SOME, answer, "Serving", [*grounds, *of_condition(subject, SERVED)])
    many = f"Service {services[0]} selects" if len(services) == 1 else f"Services {', '.join(services)} select"
    if is_true(subject.obj, "Ready"):
        answer = f"{many} it, and it is ready, but no endpoints list it yet."
        return Card(NONE, answer, "Progressing", [*grounds, *of_condition(subject, "Ready")])
    answer = f"{many} it, but it is not ready, and only ready pods are among the endpoints."
    return Card(NONE, answer, "NotReady", [*grounds, *of_condition(subject, "Ready")])


def _entries(subject: Subject, service: str) -> Iterator[tuple[bool, Ground]]:
    """Whether the Service's slices let it in, and the row by which they came to."""

    def listed(one: dict) -> tuple[bool, bool]:
        refs = ((endpoint.get("targetRef") or {}).get("uid") for endpoint in one.get("endpoints") or ())
        return subject.uid in refs, subject.uid in ready_in(one)

    for found in subject.client.list(ENDPOINTSLICES, subject.namespace, {SERVICE_NAME: service}):
        one = subject.other(ENDPOINTSLICES, subject.namespace, found["metadata"]["name"])
        there, ready = listed(one.obj) if one else (False, False)
        row = of_value(one, listed) if one and there else None
        if one and row:
            did = "let it in" if ready else "left it out, as it is not ready"
            words = because(row["why"])
            yield ready, ground(row, f"{did}: {words}" if words else did, f"EndpointSlice {one.name}")


def _selected_by_none(subject: Subject, services: list[dict]) -> Card:
    has = _written(_labels(subject.obj)) or "no labels"
    answer = f"No Service of namespace {subject.namespace} selects it: it has {has}."
    born = next((row for row in subject.beginning if _labels(row["object"]) == _labels(subject.obj)), None)
    grounds = [ground(born, f"{called(born['author'])} gave it {has}", "labels")] if born else []
    near = max(services, key=lambda one: _alike(subject.obj, one))
    if _alike(subject.obj, near) < ALIKE:
        return Card(NONE, answer, "NotSelected", grounds)
    name, wants = near["metadata"]["name"], _written(near["spec"]["selector"])
    service = subject.other(SERVICES, subject.namespace, name)
    row = of_spec(service, "selector") if service else None
    grounds += [ground(row, f"{called(row['author'])} had {name} select {wants}", "spec.selector")] if row else []
    help_ = Help(f"If Service {name} shall lead to it, make its labels and that selector agree.")
    return Card(NONE, f"{answer} Nearly: {name} selects {wants}.", "NotSelected", grounds, help_)


def _written(labels: dict[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in sorted(labels.items()))


def _alike(pod: dict, service: dict) -> float:
    """How near the labels come to the selector, at most 1."""
    has, wants = _written(_labels(pod)), _written(service["spec"]["selector"])
    return difflib.SequenceMatcher(None, has, wants).ratio()


def _labels(pod: dict) -> dict[str, str]:
    """Those that people write."""
    return {key: value for key, value in (pod["metadata"].get("labels") or {}).items() if key != HASH_LABEL}
