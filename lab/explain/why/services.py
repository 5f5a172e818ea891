"""Why does a service get no traffic to any pod? What its endpoints were made of, and whom its selector misses."""

from collections.abc import Iterator

from lab.apimachinery.kinds import ENDPOINTSLICES, PODS
from lab.apimachinery.kubectl import kubectl
from lab.apimachinery.meta import is_true
from lab.apimachinery.services import SERVICE_NAME

from ..authors import called
from ..grounds import because
from ..words import ready_in
from . import ports, quoted, reaching
from .card import Card, Ground, Help, ground
from .recorded import of_spec, of_value
from .selecting import labels_of, nearest, written
from .sizes import many
from .subject import Subject

NONE, SOME = "Why does it get no traffic?", "Where do its requests go?"


def cards(subject: Subject) -> Iterator[Card]:
    spec = subject.obj["spec"]
    if spec.get("type") == "ExternalName":
        answer = f"It is another name for {spec.get('externalName')}: whoever asks for it is sent there by DNS."
        yield Card(SOME, answer, "ExternalName", set_by(subject, "type"))
        return
    slices = _slices(subject)
    ready = sorted({name for one in slices for name in ready_in(one.obj).values()})
    hand_written = any(one.obj.get("endpoints") for one in slices) and not spec.get("selector")
    if ready or hand_written:
        yield _serving(subject, slices, ready)
    elif not spec.get("selector"):
        answer = "It has no selector, so nothing fills in its endpoints."
        yield Card(NONE, answer, "NoSelector", set_by(subject, "selector"), _selector(subject))
    else:
        yield _empty(subject, slices)


def _slices(subject: Subject) -> list[Subject]:
    listed = subject.client.list(ENDPOINTSLICES, subject.namespace, {SERVICE_NAME: subject.name})
    found = (subject.other(ENDPOINTSLICES, subject.namespace, one["metadata"]["name"]) for one in listed)
    return [one for one in found if one]


def _decided(slices: list[Subject]) -> list[Ground]:
    """What the endpoints controller went by last."""
    rows = [(row, one.name) for one in slices if (row := one.decision("SelectEndpoints", "MirrorEndpoints"))]
    newest = max(rows, key=lambda one: one[0]["revision"], default=None)
    return [ground(newest[0], because(newest[0]["why"]), f"EndpointSlice {newest[1]}")] if newest else []


def set_by(subject: Subject, field: str) -> list[Ground]:
    """Who made this field of its spec what it is."""
    row = of_spec(subject, field)
    if row is None:
        return []
    who, held = called(row["author"]), row["object"]["spec"].get(field)
    words = f"{who} left it without one" if held is None else f"{who} set it to {written(held)}"
    return [ground(row, words, f"spec.{field}")]


def _serving(subject: Subject, slices: list[Subject], ready: list[str]) -> Card:
    selector = subject.obj["spec"].get("selector")
    if not selector:
        answer = "To the addresses that stand in its Endpoints, which somebody wrote by hand: it has no selector."
        return Card(SOME, answer, "Serving", _decided(slices) or set_by(subject, "selector"))
    verbs = ("is", "has") if len(ready) == 1 else ("are", "have")
    named = ", ".join(ready[:3]) + (" and others" if len(ready) > 3 else "")
    answer = (
        f"To {many(len(ready), 'pod')} that {verbs[0]} ready and {verbs[1]} the labels {written(selector)}"
        f"{ports.asked_at(slices)}: {named}."
    )
    pods = [pod for name in ready if (pod := subject.client.find(PODS, subject.namespace, name))]
    doubted = ports.undeclared(subject.obj, pods) if pods else None
    words, grounds, help_ = ports.doubted(subject, doubted, pods[0]) if doubted else ("", [], None)
    if port := reaching.unreached(subject, {pod["metadata"]["uid"] for pod in pods}):
        return reaching.card(subject, port, ready[0], answer, help_)
    if doubted:
        return Card(SOME, answer + words, "Serving", [*_decided(slices), *grounds], help_)
    return Card(SOME, answer, "Serving", _decided(slices))


def _selector(subject: Subject) -> Help:
    """By Kubernetes' custom, as `kubectl create service` has it; if there are such pods."""
    custom = {"app": subject.name}
    if not subject.client.list(PODS, subject.namespace, custom):
        return Help("Give it a selector that says what its pods' labels say.")
    command = kubectl("set", "selector", f"service/{subject.name}", written(custom), namespace=subject.namespace)
    return Help("Give it a selector.", command)


def _empty(subject: Subject, slices: list[Subject]) -> Card:
    selector = subject.obj["spec"]["selector"]
    pods = sorted(subject.client.list(PODS, subject.namespace), key=lambda pod: pod["metadata"]["name"])
    selected = [pod for pod in pods if selector.items() <= (pod["metadata"].get("labels") or {}).items()]
    if not selected:
        return _not_selected(subject, slices, pods)
    ready = [pod for pod in selected if is_true(pod, "Ready")]
    if ready and (port := ports.missing(subject.obj, ready)):
        return _without_port(subject, slices, ready, port)
    waiting = quoted.unready(selected)
    found = quoted.troubled(subject, waiting)
    answer = f"Its selector {written(selector)} matches {many(len(selected), 'pod')}, and none is ready"
    if not waiting and ready:
        answer = f"{answer.rpartition(',')[0]}, and its endpoints do not list them yet."
        return Card(NONE, answer, "Progressing", _decided(slices))
    if found is None:
        return Card(NONE, f"{answer}.", "NotReady", _decided(slices))
    pod, card = found
    answer += f". Pod {pod['metadata']['name']}: {card.answer}"
    return Card(NONE, answer, "NotReady", [*_decided(slices), *card.because], card.help)


def _without_port(subject: Subject, slices: list[Subject], ready: list[dict], port: dict) -> Card:
    words, grounds, help_ = ports.told(subject, port, ready[0])
    selector, count = written(subject.obj["spec"]["selector"]), many(len(ready), "pod")
    answer = f"Its selector {selector} matches {count} that could serve, but {words}: without it they are no endpoints."
    return Card(NONE, answer, "NoSuchPort", [*grounds, *_decided(slices)], help_)


def _not_selected(subject: Subject, slices: list[Subject], pods: list[dict]) -> Card:
    selector = subject.obj["spec"]["selector"]
    answer = f"Its selector {written(selector)} matches no pod of namespace {subject.namespace}."
    grounds = [*set_by(subject, "selector"), *_decided(slices)]
    near = nearest(selector, pods)
    it = subject.other(PODS, subject.namespace, near[0]) if near else None
    if near is None or it is None:
        advice = f"Create pods with the labels {written(selector)}, or select what there is."
        return Card(NONE, answer, "NotSelected", grounds, Help(advice))
    name, held = near
    has = written(held)
    if row := of_value(it, lambda pod: {key: labels_of(pod).get(key) for key in held}):
        grounds.append(
            ground(row, f"{called(row['author'])} gave pod {name} {has}", f"label {', '.join(sorted(held))}")
        )
    command = kubectl("set", "selector", f"service/{subject.name}", has.replace(" ", ""), namespace=subject.namespace)
    help_ = Help("Make the selector say what the pods' labels say.", command)
    return Card(NONE, f"{answer} Nearly: pod {name} has {has}.", "NotSelected", grounds, help_)
