"""At which port are a Service's pods asked, and have they got one of that name?"""

import json
from difflib import get_close_matches

from lab.apimachinery.kinds import PODS, SERVICES
from lab.apimachinery.kubectl import kubectl
from lab.apimachinery.services import declared_ports, target_port

from ..authors import called
from .card import Ground, Help, ground
from .recorded import of_spec, of_value
from .subject import Subject


def asked_at(slices: list[Subject]) -> str:
    """`, at port 8080`: what the endpoints that were recorded say."""
    numbers = sorted({port["port"] for one in slices for port in one.obj.get("ports") or () if port.get("port")})
    if not numbers:
        return ""
    return f", at port{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))}"


def missing(service: dict, pods: list[dict]) -> dict | None:
    """A port of the Service by whose name none of the pods has one, if it has no other for them: without a port they
    are no endpoints."""
    ports = service["spec"].get("ports") or []
    if not ports or any(target_port(pod, port) is not None for pod in pods for port in ports):
        return None
    return ports[0]


def undeclared(service: dict, pods: list[dict]) -> dict | None:
    """A port of the Service that has another number than all those at which its pods say that they listen."""
    for port in service["spec"].get("ports") or ():
        numbers = [{one["containerPort"] for one in declared_ports(pod)} for pod in pods]
        if all(numbers) and not any(target_port(pod, port) in has for pod, has in zip(pods, numbers, strict=True)):
            return dict(port)
    return None


def told(service: Subject, port: dict, pod: dict) -> tuple[str, list[Ground], Help]:
    """In words; by whom both sides were declared; and what would make them agree."""
    wanted, name = port["targetPort"], pod["metadata"]["name"]
    named = [one["name"] for one in declared_ports(pod) if one.get("name")]
    has = f"but {', '.join(named)}" if named else "nor any other that has a name"
    words = f"their containers have no port named {wanted}, {has}"
    grounds = _asks(service, wanted)
    it = service.other(PODS, pod["metadata"]["namespace"], name)
    if it and (row := of_value(it, declared_ports)):
        said = f"{called(row['author'])} made pod {name} with {', '.join(named) or 'no named port'}"
        grounds.append(ground(row, said, "containers.ports.name"))
    return words, grounds, _agree(service, port, pod, named)


def doubted(service: Subject, port: dict, pod: dict) -> tuple[str, list[Ground], Help]:
    """Of a port that nobody says to listen at, and of a pod that says where it does."""
    says = ", ".join(str(one["containerPort"]) for one in declared_ports(pod))
    target = port.get("targetPort", port["port"])
    words = f" None of them says that it listens at {target} (containerPort {says}): if none does, requests fail."
    return words, _asks(service, target), _agree(service, port | {"targetPort": str(target)}, pod, [])


def _asks(service: Subject, target: int | str) -> list[Ground]:
    row = of_spec(service, "ports")
    said = f"had {service.name} ask for the port {target}"
    return [ground(row, f"{called(row['author'])} {said}", "spec.ports.targetPort")] if row else []


def _agree(service: Subject, port: dict, pod: dict, named: list[str]) -> Help:
    """The name that is alike, or the only one; else a number that the pod says."""
    near = get_close_matches(port["targetPort"], named, 1) or (named if len(named) == 1 else [])
    numbers = [one["containerPort"] for one in declared_ports(pod)]
    instead = near[0] if near else numbers[0] if numbers else None
    if instead is None:
        return Help("Give the Service the number at which its pods listen as targetPort, or name that port in them.")
    at = [one["port"] for one in service.obj["spec"]["ports"]].index(port["port"])
    change = json.dumps([{"op": "replace", "path": f"/spec/ports/{at}/targetPort", "value": instead}])
    words = ("patch", SERVICES.singular, service.name, "--type=json", "-p", change)
    return Help("Ask them at a port that they have.", kubectl(*words, namespace=service.namespace))
