"""Does anything take a connection at the port to which a Service sends? No object tells; the data planes count it."""

from lab import metrics
from lab.apimachinery.kubectl import kubectl

from ..authors import called
from ..past import PastClient
from .card import Card, Help, ground
from .recorded import of_spec
from .subject import Subject

QUESTION = "Why does nothing answer?"


def unreached(service: Subject, uids: set[str]) -> dict | None:
    """The Service's port at which none of these pods, of those that were asked, took a connection: in the last seconds,
    or, where nobody asks now, ever. None in the past, of which no counts are kept."""
    if isinstance(service.client, PastClient):
        return None
    traffic = metrics.read(service.client.cluster, metrics.TRAFFIC)
    for port in service.obj["spec"].get("ports") or ():
        backend = traffic.get(f"{service.namespace}/{service.name}:{port.get('name') or port['port']}", {"servers": {}})
        asked = [one for uid, one in backend["servers"].items() if uid in uids and one["requests"]]
        if asked and all(map(_takes_none, asked)):
            return dict(port)
    return None


def _takes_none(server: dict) -> bool:
    if server["rate"]:
        return bool(server.get("unreachedRate") == 1)
    return bool(server.get("unreached") == server["requests"])


def card(service: Subject, port: dict, pod: str, led: str, way_out: Help | None = None) -> Card:
    """`led`: what leads to its pods, one of which is `pod`, in a sentence; `way_out`: where they say a better port."""
    at = port.get("targetPort", port["port"])
    answer = (
        f"{led} But nothing takes a connection there, at port {at}: as the data planes count, every request failed"
        " before it reached a container. Most often nothing listens at that port."
    )
    row = of_spec(service, "ports")
    words = "spec.ports.targetPort"
    grounds = [ground(row, f"{called(row['author'])} had {service.name} ask for the port {at}", words)] if row else []
    look = kubectl("logs", pod, namespace=service.namespace)
    see = Help("See at which port the program listens, and give the Service that one as targetPort.", look)
    return Card(QUESTION, answer, "Unreached", grounds, way_out or see)
