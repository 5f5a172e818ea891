"""What every part asks of a Service. Pure."""

import ipaddress

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
