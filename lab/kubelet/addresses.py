"""Pod addresses: each node has a range of its own (spec.podCIDR), each of its pods one address of it. Pure.

In Kubernetes the controller manager cuts the ranges and a network plugin hands out the addresses; here the kubelet
does both, since a node is a slice of its engine.
"""

import ipaddress
import threading
from collections.abc import Collection, Iterator

NODE_PREFIX = 24
FIRST_HOST = 2  # .0 names the network, .1 is by custom its gateway


class Exhausted(Exception):
    """Nothing is free any more."""


def free_ranges(network: str, taken: Collection[str]) -> Iterator[str]:
    """The /24s of the cluster's range that no node has. The very first holds the gateway and stays unused.

    A range too small for that (a /24 or longer) is cut into sixteen.
    """
    whole = ipaddress.IPv4Network(network)
    prefix = max(NODE_PREFIX, min(whole.prefixlen + 4, 30)) if whole.prefixlen >= NODE_PREFIX else NODE_PREFIX
    used = set(taken)
    pieces = whole.subnets(new_prefix=prefix)
    next(pieces)
    for piece in pieces:
        if str(piece) not in used:
            yield str(piece)


def lies_in(piece: str, network: str) -> bool:
    """Nothing that is no range of IPv4 does."""
    try:
        return ipaddress.IPv4Network(piece).subnet_of(ipaddress.IPv4Network(network))
    except ValueError:
        return False


class AddressPool:
    """The addresses of one node. Handed out in turn, so that one that was just given back is not reused at once."""

    def __init__(self, cidr: str):
        self.cidr = cidr
        self._network = ipaddress.IPv4Network(cidr)
        self._of: dict[str, str] = {}  # pod's uid → its address
        self._next = FIRST_HOST
        self._lock = threading.Lock()

    def take(self, uid: str) -> str:
        """The pod's address; the same one each time until it is released. Raises Exhausted."""
        with self._lock:
            if uid not in self._of:
                self._of[uid] = self._free()
            return self._of[uid]

    def hold(self, uid: str, address: str) -> None:
        """This pod has this address already."""
        with self._lock:
            self._of[uid] = address

    def keep(self, pod: dict) -> None:
        """The pod has the address that its status tells, if that is one of ours."""
        address = pod.get("status", {}).get("podIP")
        if address and lies_in(address, self.cidr):
            self.hold(pod["metadata"]["uid"], address)

    def release(self, uid: str) -> None:
        with self._lock:
            self._of.pop(uid, None)

    def _free(self) -> str:
        used = set(self._of.values())
        last = self._network.num_addresses - 2
        for _ in range(last):
            number = self._next
            self._next = number + 1 if number < last else FIRST_HOST
            address = str(self._network[number])
            if address not in used:
                return address
        raise Exhausted(f"no pod address is free in {self.cidr}")
