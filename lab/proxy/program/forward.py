"""The way to Services for programs that have no network of their own: local processes with `http_proxy` set.

They send requests as to any proxy, `GET http://hello/ HTTP/1.1`. Which cluster and namespace they are in stands in the
user name that they show, `<namespace>.<cluster>`; from there a name is looked up as cluster DNS would. What is no name
of the cluster is asked where it is, outside.
"""

import base64
import binascii
from collections.abc import Callable
from urllib.parse import urlsplit

from . import pages
from .listeners import Place
from .names import Names
from .own.balance import Backend
from .own.heads import Head
from .plan import Backend as Spec
from .plan import Server

TARGETS_MOST = 256


class Forward:
    """A route of our own proxy. Whoever it finds is asked without balancing: at a Service's address somebody balances
    already."""

    def __init__(self, names: Callable[[], Names], really: Callable[[Place], Place]):
        self._names = names
        self._really = really
        self._targets: dict[tuple[str, int], Backend] = {}

    def route(self, head: Head) -> Backend | bytes:
        where = urlsplit(head.start[1].decode("latin-1"))
        if where.scheme != "http" or not where.hostname:
            return pages.answer(400, "This is a proxy: ask it for http://name/path.\n")
        try:
            port = where.port or 80
        except ValueError:
            return pages.answer(400, f"{where.netloc} has no port that could be asked.\n")
        namespace, _, cluster = user(head.user).partition(".")
        names, name = self._names(), where.hostname
        found = names.search(cluster, namespace, name)
        if found is None and names.is_ours(cluster, name):
            there = (service for place, service in names.services(cluster) if place == namespace)
            return pages.answer(404, pages.no_service(name, namespace, cluster, there))
        if found is not None and not found:
            return pages.answer(503, pages.nobody_ready(name))
        path = where.path or "/"
        head.start[1] = (f"{path}?{where.query}" if where.query else path).encode("latin-1")
        return self._target(*self._really((found[0] if found else name, port)))

    def _target(self, address: str, port: int) -> Backend:
        """Kept for its idle connections."""
        if len(self._targets) >= TARGETS_MOST:
            for key in [key for key, target in self._targets.items() if not target.servers[""].in_flight]:
                self._targets.pop(key).update(Spec("", "", "http", 0, {}))
        if (address, port) not in self._targets:
            note = "it is no Service of the cluster, and nobody can be reached there"
            spec = Spec("", f"{address}:{port}", "http", 0, {"": Server("", address, port, 1)}, note)
            self._targets[address, port] = Backend(spec)
        return self._targets[address, port]


def user(shown: bytes) -> str:
    """The user name in a Proxy-Authorization header; "" if there is none."""
    scheme, _, rest = shown.partition(b" ")
    if scheme.lower() != b"basic":
        return ""
    try:
        return base64.b64decode(rest).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""
