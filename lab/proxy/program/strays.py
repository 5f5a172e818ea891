"""What the front door answers itself: requests as to a proxy, and those for a host that nobody has."""

import socket

from . import pages
from .forward import Forward
from .listeners import FRONT_DOOR, Place
from .names import Names
from .own.balance import Backend
from .own.heads import Head
from .plan import Plan


class Strays:
    """`plan` is what is served now, `sockets` where."""

    def __init__(self) -> None:
        self.plan = Plan()
        self.sockets: dict[Place, socket.socket] = {}
        self._forward = Forward(lambda: Names(self.plan), self._really)

    def _really(self, place: Place) -> Place:
        """Where a place is listened on: for an address that is none of this machine's, somewhere else."""
        return self.sockets[place].getsockname()[:2] if place in self.sockets else place

    def route(self, head: Head, client: str) -> Backend | bytes:
        # For programs of this machine only: nobody else shall get anywhere through us ("": by way of HAProxy).
        if head.start[1][:7].lower() == b"http://" and (client in ("", "::1") or client.startswith("127.")):
            return self._forward.route(head)
        host = host_of(head)
        port = self.sockets[FRONT_DOOR].getsockname()[1] if FRONT_DOOR in self.sockets else 0
        body = pages.lost(*explain(self.plan, host, head.start[1].decode("latin-1").partition("?")[0]), port)
        return pages.answer(404, body, "text/html; charset=utf-8")


def explain(plan: Plan, host: str, path: str) -> tuple[str, list[tuple[str, str]]]:
    """Why this leads nowhere, and what does: hosts with a path. The nearer to what was asked for, the better."""
    known = [(each.host, each.path) for each in plan.hosts if each.host and not each.host.startswith("*")]
    rules = [each.path for each in plan.hosts if each.host in (host, "*." + host.partition(".")[2])]
    if rules:
        return f"No Ingress rule of {host} leads to {path}", [(host, rule) for rule in rules]
    *labels, last = host.split(".")
    if last != "localhost" or not labels:
        return f"No Ingress rule names {host or 'a request without a host'}", known
    cluster = labels.pop()
    if cluster not in plan.names:
        return f"There is no cluster {cluster}", known
    if len(labels) < 2:
        return f"No Ingress rule of cluster {cluster} names {host}", _within(cluster, known)
    service, namespace = labels[-2:]
    words = f"Service {service} in namespace {namespace} of cluster {cluster}"
    if (namespace, service) in Names(plan).services(cluster):
        return f"{words} has no such port for HTTP", _within(f"{service}.{namespace}.{cluster}", known)
    return f"There is no {words}", _within(f"{namespace}.{cluster}", known) or _within(cluster, known)


def _within(part: str, known: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [each for each in known if f".{each[0]}".endswith(f".{part}.localhost")]


def host_of(head: Head) -> str:
    """Without its port, in small letters."""
    return head.host.decode("latin-1").partition(":")[0].lower()
