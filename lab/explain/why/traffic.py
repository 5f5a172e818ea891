"""Why does it get traffic, or none? Which Services select it, and which of their EndpointSlices let it in."""

from collections.abc import Iterator

from lab.apimachinery.kinds import ENDPOINTSLICES, SERVICES
from lab.apimachinery.labels import HASH_LABEL, SERVED
from lab.apimachinery.services import SERVICE_NAME

from ..authors import called
from ..grounds import because
from ..words import ready_in
from .card import Card, Ground, Help, ground
from .recorded import of_condition
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
    elif selecting:
        yield _selected_by_none(subject, selecting)


def _selects(service: dict, pod: dict) -> bool:
    return bool(service["spec"]["selector"].items() <= (pod["metadata"].get("labels") or {}).items())


def _through(subject: Subject, services: list[str]) -> Card:
    let_in = {name: found for name in services for found in _entries(subject, name, ready=True)}
    if let_in:
        named = ", ".join(let_in)
        many = f"Service {named} selects" if len(let_in) == 1 else f"Services {named} select"
        answer = f"{many} it, and it is ready: its address is among their endpoints."
        if len(let_in) == 1:
            answer = answer.replace("their endpoints", "its endpoints")
        return Card(SOME, answer, "Serving", [*let_in.values(), *of_condition(subject, SERVED)])
    many = f"Service {services[0]} selects" if len(services) == 1 else f"Services {', '.join(services)} select"
    answer = f"{many} it, but it is not ready, and only ready pods are among the endpoints."
    taken_out = [found for name in services for found in _entries(subject, name, ready=False)]
    return Card(NONE, answer, "NotReady", [*taken_out, *of_condition(subject, "Ready")])


def _entries(subject: Subject, service: str, ready: bool) -> Iterator[Ground]:
    """The row of each of its slices that let the pod in, or left it out, as it is now."""
    for listed in subject.client.list(ENDPOINTSLICES, subject.namespace, {SERVICE_NAME: service}):
        one = subject.other(ENDPOINTSLICES, subject.namespace, listed["metadata"]["name"])
        if one is None or (subject.uid in ready_in(one.obj)) is not ready:
            continue
        row = one.since(lambda obj: (subject.uid in ready_in(obj)) is ready)
        if row:
            words = because(row["why"]) or ("let it in" if ready else "left it out")
            yield ground(row, words, f"EndpointSlice {one.name}")


def _selected_by_none(subject: Subject, services: list[dict]) -> Card:
    labels = {key: value for key, value in _labels(subject.obj).items() if key != HASH_LABEL}
    has = ", ".join(f"{key}={value}" for key, value in sorted(labels.items())) or "no labels"
    near = max(services, key=lambda one: len(one["spec"]["selector"].keys() & labels.keys()))
    name = near["metadata"]["name"]
    wants = ", ".join(f"{key}={value}" for key, value in sorted(near["spec"]["selector"].items()))
    answer = f"No Service of namespace {subject.namespace} selects it: it has {has}. Nearest, {name} asks for {wants}."
    service = subject.other(SERVICES, subject.namespace, name)
    row = service.since(lambda obj: obj["spec"].get("selector") == near["spec"]["selector"]) if service else None
    grounds = [ground(row, f"{called(row['author'])} had {name} select {wants}", "spec.selector")] if row else []
    born = next((row for row in subject.beginning if _labels(row["object"]) == _labels(subject.obj)), None)
    grounds += [ground(born, f"{called(born['author'])} gave it {has}", "labels")] if born else []
    return Card(
        NONE, answer, "NotSelected", grounds, Help(f"If {name} shall lead to it, make label and selector agree.")
    )


def _labels(pod: dict) -> dict:
    return pod["metadata"].get("labels") or {}
