"""What every part asks of a Service. Pure."""

import ipaddress

from .podresources import staying_containers

HEADLESS = "None"
OUTWARD = ("LoadBalancer", "NodePort")  # the types that have ports of the nodes
AFFINITY_SECONDS = 10800  # Kubernetes' default: three hours
SERVICE_NAME = "kubernetes.io/service-name"  # the label by which a slice says whose it is
# The API's own Service: the first address of the range, as in Kubernetes.
API_NAMESPACE, API_NAME, API_ADDRESS, API_PORT = "default", "kubernetes", "10.96.0.1", 443
API_PORT_NAME = "https"
API_TARGET_PORT = 6443  # of a machine that pods reach over a network
API_NAMES = (API_NAME, *(f"{API_NAME}.{API_NAMESPACE}{end}" for end in ("", ".svc", ".svc.cluster.local")))
# Node's annotation: where the pods of this node find the API, as `address:port`.
API_SERVER = "orrery.io/api-server"


def has_address(service: dict) -> bool:
    """Whether it has one of its own, or is only a name for the addresses of its pods, or for another name."""
    return service["spec"].get("clusterIP") not in (None, "", HEADLESS)


def is_headless(service: dict) -> bool:
    return service["spec"].get("clusterIP") == HEADLESS


def tcp_ports(service: dict) -> list[dict]:
    return [port for port in service["spec"].get("ports") or () if port.get("protocol", "TCP") == "TCP"]


def find_port(service: dict, wanted: str | int | None) -> dict | None:
    """A port of a Service by its name or its number."""
    return next((port for port in tcp_ports(service) if wanted in (port.get("name"), port["port"])), None)


def target_port(pod: dict, port: dict) -> int | None:
    """The number at which a pod is asked for a port of a Service: a number is itself; a name is looked up in the pod's
    containers, those that start first and stay included. None if it has no such port. Source: FindPort in
    k8s.io/endpointslice/util."""
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target
    for declared in declared_ports(pod):
        same = declared.get("protocol", "TCP") == port.get("protocol", "TCP")
        if declared.get("name") == target and same:
            return int(declared["containerPort"])
    return None


def declared_ports(pod: dict) -> list[dict]:
    """What its containers say of where they listen. A port that has a number only is a note: nothing goes by it."""
    return [port for container in staying_containers(pod) for port in container.get("ports") or ()]


def is_api(service: dict) -> bool:
    return (service["metadata"]["namespace"], service["metadata"]["name"]) == (API_NAMESPACE, API_NAME)


def api_servers(nodes: list[dict]) -> list[tuple[str, int]]:
    """Where the nodes' pods find the API, in order; what is no IPv4 address with a port says nothing."""
    notes = {(node["metadata"].get("annotations") or {}).get(API_SERVER, "") for node in nodes}
    found = []
    for address, _, port in (note.rpartition(":") for note in notes):
        try:
            found.append((str(ipaddress.IPv4Address(address)), int(port)))
        except ValueError:
            continue
    return sorted(found)
