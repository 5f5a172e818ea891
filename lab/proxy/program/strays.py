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

    def __init__(self):
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
        body = pages.unknown_host(host, (each.host for each in self.plan.hosts), port)
        return pages.answer(404, body, "text/html; charset=utf-8")


def host_of(head: Head) -> str:
    """Without its port, in small letters."""
    return head.host.decode("latin-1").partition(":")[0].lower()
