"""What the front door answers itself: requests as to a proxy, and those for a host that nobody has."""

from . import pages
from .forward import Forward
from .names import Names
from .own.balance import Backend
from .own.heads import Head
from .plan import Plan


class Strays:
    """`plan` is what is served now, `port` the front door's."""

    def __init__(self):
        self.plan = Plan()
        self.port = 0
        self._forward = Forward(lambda: Names(self.plan))

    def route(self, head: Head, client: str) -> Backend | bytes:
        # For programs of this machine only: nobody else shall get anywhere through us ("": by way of HAProxy).
        if head.start[1][:7].lower() == b"http://" and (client in ("", "::1") or client.startswith("127.")):
            return self._forward.route(head)
        host = host_of(head)
        body = pages.unknown_host(host, (each.host for each in self.plan.hosts), self.port)
        return pages.answer(404, body, "text/html; charset=utf-8")


def host_of(head: Head) -> str:
    """Without its port, in small letters."""
    return head.host.decode("latin-1").partition(":")[0].lower()
