"""The sockets that are listened on. They belong to the program and not to the engine that serves them: while HAProxy
is replaced or has to be started again, who connects waits a moment instead of being refused."""

import errno
import os
import socket
from pathlib import Path

from .plan import Plan

BACKLOG = 2048
NOT_OURS = (errno.EADDRNOTAVAIL, errno.EACCES)
Place = tuple[str, int]
ANYWHERE: Place = ("127.0.0.1", 0)
FRONT_DOOR: Place = ("front door", 0)  # its place among them
SIDE_DOOR: Place = ("side door", 0)  # leads to the same, for processes of the lab that are not on its network
FRONT_DOORS = (FRONT_DOOR, SIDE_DOOR)


class Listeners:
    def __init__(self, fixed: dict[Place, socket.socket]):
        """`fixed` stay open whatever is wanted: those that the supervisor handed over."""
        self._fixed = fixed
        self._open: dict[Place, socket.socket] = {}
        self.refused: dict[str, str] = {}  # "address:port" → why it cannot be listened on

    @property
    def front_door(self) -> int:
        """Its port, 0 if there is none."""
        return self._fixed[FRONT_DOOR].getsockname()[1] if FRONT_DOOR in self._fixed else 0

    def wanted(self, plan: Plan) -> dict[Place, socket.socket]:
        """Open what is missing and return all that the plan names; those it no longer names stay until `drop`."""
        self.refused = {}
        for place in plan.listeners:
            if place not in self._open:
                try:
                    self._open[place] = listen(place)
                except OSError as error:
                    # A cluster's address is none of a host's, and low ports are root's alone: another port of the
                    # loopback stands in for it, for those who come by way of the front door.
                    if error.errno in NOT_OURS and place not in plan.nowhere_else:
                        self._open[place] = listen(ANYWHERE)
                    else:
                        self.refused[f"{place[0]}:{place[1]}"] = error.strerror or str(error)
        return {place: opened for place, opened in self._open.items() if place in plan.listeners} | self._fixed

    def drop(self, plan: Plan) -> None:
        """Close what nobody wants any more."""
        for place in self._open.keys() - plan.listeners.keys():
            self._open.pop(place).close()


def listen(place: Place) -> socket.socket:
    opened = socket.socket(socket.AF_INET6 if ":" in place[0] else socket.AF_INET)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.setblocking(False)
        opened.bind(place)
        opened.listen(BACKLOG)
    except OSError:
        opened.close()
        raise
    return opened


def listen_unix(path: Path) -> socket.socket:
    """For this user alone."""
    path.unlink(missing_ok=True)  # of one that was killed
    opened = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        opened.bind(os.fspath(path))
    finally:
        os.umask(before)
    opened.listen(BACKLOG)
    return opened
