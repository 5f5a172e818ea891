"""The addresses of a cluster's network that no pod gets. Pure.

The first /24 of its range belongs to the engines: eight addresses to each on which the network stands, so that those of
one are nobody else's where a cluster's nodes stand on several. Which eight, an engine's name says.
"""

import ipaddress
import zlib
from dataclasses import dataclass

EACH, FURTHER = 8, 31


@dataclass(frozen=True)
class Places:
    """The bridge, which leads outside; what pods take for their router and name server; the gateway's own (it cannot
    simply own the former: the engine reserves that for nobody); the link's, where there is one."""

    bridge: str
    router: str
    gateway: str
    link: str
    prefix: int


def slot_of(engine: str) -> int:
    """0 of the lab's own Docker engine, 1 to 31 of a further one (`docker.b`). Two names may have the same."""
    name = engine.partition(".")[2]
    return 1 + zlib.crc32(name.encode()) % FURTHER if name else 0


def places(subnet: str, engine: str) -> Places:
    whole = ipaddress.IPv4Network(subnet)
    first = EACH * slot_of(engine)
    bridge, router, gateway, link = (str(whole[first + place]) for place in (1, 2, 3, 4))
    return Places(bridge, router, gateway, link, whole.prefixlen)


def own_range(subnet: str, engine: str) -> str:
    """The eight of an engine, as `10.64.0.8/29`."""
    return f"{ipaddress.IPv4Network(subnet)[EACH * slot_of(engine)]}/29"
