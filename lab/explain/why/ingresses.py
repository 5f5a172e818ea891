"""Where does an Ingress lead, and what of it gets no answer? An Ingress has no word for a backend that is not there:
`BackendNotFound` is the Gateway API's."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import chain

from lab.apimachinery.kinds import INGRESSES, SERVICES
from lab.apimachinery.kubectl import kubectl
from lab.apimachinery.services import find_port, tcp_ports

from ..authors import called
from ..grounds import because
from . import departures, idle, services
from .card import Card, Ground, Help, ground
from .origin import capital
from .recorded import of_value
from .selecting import ALIKE
from .services import NONE, SOME
from .subject import Subject

MOST = 5  # backends of which is told


@dataclass(frozen=True)
class Backend:
    """`place`: a JSON pointer to where it stands in the Ingress; `asked`: which requests go there, `*` for any host."""

    place: str
    asked: str
    service: str
    port: str | int | None

    @property
    def said(self) -> str:
        return f"service {self.service}, port {self.port}"


def cards(subject: Subject) -> Iterator[Card]:
    """One of each backend that gets nothing; then one of the others."""
    backends = {(one.service, one.port): one for one in reversed(_backends(subject.obj["spec"]))}
    answered = []
    for backend in sorted(backends.values(), key=lambda one: one.place)[:MOST]:
        card = _of_backend(subject, backend)
        if card.question == SOME:
            answered.append((backend, card))
        else:
            yield card
    if answered:
        yield _serving(subject, answered)


def _backends(spec: dict) -> list[Backend]:
    found = []
    for at, rule in enumerate(spec.get("rules") or ()):
        for nth, path in enumerate((rule.get("http") or {}).get("paths") or ()):
            asked = f"{rule.get('host') or '*'}{path.get('path') or '/'}"
            found.append(_backend(f"/spec/rules/{at}/http/paths/{nth}/backend/service", asked, path["backend"]))
    if spec.get("defaultBackend"):
        found.append(_backend("/spec/defaultBackend/service", "anything else", spec["defaultBackend"]))
    return found


def _backend(place: str, asked: str, backend: dict) -> Backend:
    service = backend.get("service") or {}
    port = service.get("port") or {}
    return Backend(place, asked, service.get("name", ""), port.get("name") or port.get("number"))


def _of_backend(subject: Subject, backend: Backend) -> Card:
    """What its service's own card says, if there is such a service."""
    it = subject.other(SERVICES, subject.namespace, backend.service)
    if it is None or it.gone:
        return _without_service(subject, backend, it)
    if it.obj["spec"].get("type") == "ExternalName":
        named = it.obj["spec"].get("externalName")
        answer = (
            f"Requests for {backend.asked} get no answer: service {backend.service} is but another name for {named}."
        )
        advice = Help("Lead it to a service that has pods.")
        return Card(NONE, answer, "BackendNotFound", _leads(subject, backend) + services.set_by(it, "type"), advice)
    if not find_port(it.obj, backend.port):
        return _without_port(subject, backend, it)
    card = next(chain(idle.cards(it), services.cards(it)))
    grounds = [*_leads(subject, backend), *card.because]
    if card.question == SOME:
        return Card(SOME, f"from there {card.answer[0].lower()}{card.answer[1:]}", card.reason, grounds)
    answer = f"Requests for {backend.asked} go to service {backend.service}. {card.answer}"
    return Card(NONE, answer, card.reason, grounds, card.help)


def _leads(subject: Subject, backend: Backend) -> list[Ground]:
    """Who has it lead there."""
    row = of_value(subject, lambda obj: backend in _backends(obj["spec"]))
    words = f"leads {backend.asked} to {backend.said}"
    return [ground(row, f"{called(row['author'])} {words}", "backend.service")] if row else []


def _without_service(subject: Subject, backend: Backend, gone: Subject | None) -> Card:
    grounds = _leads(subject, backend)
    answer = f"Requests for {backend.asked} get no answer: there is no service {backend.service}."
    if gone:
        row = departures.marked(gone)
        answer += f" {capital(called(row['author']))} removed it."
        grounds.append(ground(row, f"{called(row['author'])} removed it", f"Service {backend.service}"))
    names = [one["metadata"]["name"] for one in subject.client.list(SERVICES, subject.namespace)]
    near = next(iter(get_close_matches(backend.service, names, 1, ALIKE)), "")
    if near and not gone:
        it = subject.client.get(SERVICES, subject.namespace, near)
        port = find_port(it, backend.port) or next(iter(tcp_ports(it)), None)
        help_ = Help(f"Nearly: there is a service {near}. Lead it there.", _lead_to(subject, backend, near, port))
        return Card(NONE, answer, "BackendNotFound", grounds, help_)
    ports = ["create", "service", "clusterip", backend.service, f"--tcp={backend.port}"]
    # A port that kubectl makes is called by its number.
    command = kubectl(*ports, namespace=subject.namespace) if isinstance(backend.port, int) else ""
    return Card(NONE, answer, "BackendNotFound", grounds, Help("Create a service of that name.", command))


def _without_port(subject: Subject, backend: Backend, it: Subject) -> Card:
    ports = tcp_ports(it.obj)
    has = ", ".join(f"{port.get('name') or ''} {port['port']}".strip() for port in ports)
    answer = f"Requests for {backend.asked} get no answer: service {it.name} has no port {backend.port}, but {has}."
    row = of_value(it, lambda obj: obj["spec"].get("ports"))
    grounds = _leads(subject, backend)
    if row:
        grounds.append(ground(row, f"{called(row['author'])} gave service {it.name} the ports {has}", "spec.ports"))
    help_ = Help("Lead it to a port that there is.", _lead_to(subject, backend, it.name, ports[0]) if ports else "")
    return Card(NONE, answer, "BackendNotFound", grounds, help_)


def _lead_to(subject: Subject, backend: Backend, service: str, port: dict | None) -> str:
    if port is None:
        return ""
    held = {"name": service, "port": {"number": port["port"]}}
    change = json.dumps([{"op": "replace", "path": backend.place, "value": held}])
    words = ("patch", INGRESSES.singular, subject.name, "--type=json", "-p", change)
    return kubectl(*words, namespace=subject.namespace)


def _serving(subject: Subject, answered: list[tuple[Backend, Card]]) -> Card:
    told = [f"for {backend.asked} to service {backend.service}, {card.answer}" for backend, card in answered]
    row = subject.decision("EnsureLoadBalancer")
    reached = [ground(row, because(row["why"]), "status.loadBalancer")] if row else []
    grounds = [one for _, card in answered for one in card.because]
    return Card(SOME, " ".join([f"{told[0][0].upper()}{told[0][1:]}", *told[1:]]), "Serving", [*grounds, *reached])
