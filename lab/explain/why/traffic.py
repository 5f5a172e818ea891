"""Why does it get traffic, or none? Which Services select it, and which of their EndpointSlices let it in."""

from collections.abc import Iterator
from itertools import islice

from lab.apimachinery.kinds import ENDPOINTSLICES, SERVICES
from lab.apimachinery.labels import SERVED
from lab.apimachinery.meta import is_true
from lab.apimachinery.services import SERVICE_NAME

from ..authors import called
from ..grounds import because
from ..words import ready_in
from . import ports, reaching
from .card import Card, Ground, Help, ground
from .recorded import of_condition, of_spec, of_value
from .selecting import MOST_COMPARED, labels_of, nearest, written
from .subject import Subject

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
    elif selecting and labels_of(subject.obj):
        yield _selected_by_none(subject, selecting)


def _selects(service: dict, pod: dict) -> bool:
    return bool(service["spec"]["selector"].items() <= (pod["metadata"].get("labels") or {}).items())


def _through(subject: Subject, services: list[str]) -> Card:
    entries = {name: found for name in services for found in _entries(subject, name)}
    let_in = [name for name, (ready, _) in entries.items() if ready]
    grounds = [found for _, found in entries.values()]
    if let_in:
        if card := _unreached(subject, let_in):
            return card
        many = f"Service {let_in[0]} selects" if len(let_in) == 1 else f"Services {', '.join(let_in)} select"
        whose = "its" if len(let_in) == 1 else "their"
        answer = f"{many} it, and it is ready: its address is among {whose} endpoints."
        return Card(SOME, answer, "Serving", [*grounds, *of_condition(subject, SERVED)])
    many = f"Service {services[0]} selects" if len(services) == 1 else f"Services {', '.join(services)} select"
    if is_true(subject.obj, "Ready") and (card := _without_port(subject, services)):
        return card
    if is_true(subject.obj, "Ready"):
        answer = f"{many} it, and it is ready, but no endpoints list it yet."
        return Card(NONE, answer, "Progressing", [*grounds, *of_condition(subject, "Ready")])
    answer = f"{many} it, but it is not ready, and only ready pods are among the endpoints."
    return Card(NONE, answer, "NotReady", [*grounds, *of_condition(subject, "Ready")])


def _unreached(subject: Subject, services: list[str]) -> Card | None:
    for name in services:
        service = subject.other(SERVICES, subject.namespace, name)
        if service and (port := reaching.unreached(service, {subject.uid})):
            led = f"Service {name} selects it, and it is ready: its address is among its endpoints."
            return reaching.card(service, port, subject.name, led)
    return None


def _without_port(subject: Subject, services: list[str]) -> Card | None:
    """Where a Service asks for a port by a name that it does not have, it is no endpoint of it however ready it is."""
    for name in services:
        service = subject.other(SERVICES, subject.namespace, name)
        if service and (port := ports.missing(service.obj, [subject.obj])):
            words, grounds, help_ = ports.told(service, port, subject.obj)
            answer = f"Service {name} selects it, and it is ready, but {words.replace('their', 'its', 1)}."
            return Card(NONE, answer, "NoSuchPort", grounds, help_)
    return None


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
    has = written(labels_of(subject.obj)) or "no labels"
    answer = f"No Service of namespace {subject.namespace} selects it: it has {has}."
    born = next((row for row in subject.beginning if labels_of(row["object"]) == labels_of(subject.obj)), None)
    grounds = [ground(born, f"{called(born['author'])} gave it {has}", "labels")] if born else []
    some = islice(services, MOST_COMPARED)
    near = next((one for one in some if nearest(one["spec"]["selector"], [subject.obj])), None)
    if near is None:
        return Card(NONE, answer, "NotSelected", grounds)
    name, wants = near["metadata"]["name"], written(near["spec"]["selector"])
    service = subject.other(SERVICES, subject.namespace, name)
    row = of_spec(service, "selector") if service else None
    grounds += [ground(row, f"{called(row['author'])} had {name} select {wants}", "spec.selector")] if row else []
    help_ = Help(f"If Service {name} shall lead to it, make its labels and that selector agree.")
    return Card(NONE, f"{answer} Nearly: {name} selects {wants}.", "NotSelected", grounds, help_)
