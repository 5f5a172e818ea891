"""Addresses and routes of the container that is a cluster's gateway, set over the kernel's netlink. Linux only.

The pods' default route leads to the gateway. Every ClusterIP is an address of it (a local route of the whole range), so
that it can listen there; what is for nobody of the cluster it passes on to the bridge, as a router does.
"""

import ipaddress
import socket
import struct

NEW_ADDRESS, NEW_ROUTE = 20, 24
REQUEST, ACKNOWLEDGE, REPLACE, CREATE = 0x1, 0x4, 0x100, 0x400
IFA_ADDRESS, IFA_LOCAL = 1, 2
RTA_DST, RTA_OIF, RTA_GATEWAY = 1, 4, 5
TABLE_MAIN, TABLE_LOCAL = 254, 255
PROTOCOL_BOOT, SCOPE_UNIVERSE, SCOPE_HOST, UNICAST, LOCAL = 3, 0, 254, 1, 2


def become_gateway(address: str, services: str, router: str, device: str = "eth0") -> None:
    """Have `address` ("10.9.0.2/16") as well, answer for the whole of `services`, send all else to `router`."""
    own = ipaddress.IPv4Interface(address)
    packed = own.ip.packed
    index = socket.if_nametoindex(device)
    about = struct.pack("BBBBI", socket.AF_INET, own.network.prefixlen, 0, SCOPE_UNIVERSE, index)
    _order(NEW_ADDRESS, about + _attribute(IFA_LOCAL, packed) + _attribute(IFA_ADDRESS, packed))
    whole = ipaddress.IPv4Network(services)
    loopback = struct.pack("I", socket.if_nametoindex("lo"))
    about = _route(whole.prefixlen, TABLE_LOCAL, SCOPE_HOST, LOCAL)
    _order(NEW_ROUTE, about + _attribute(RTA_DST, whole.network_address.packed) + _attribute(RTA_OIF, loopback))
    about = _route(0, TABLE_MAIN, SCOPE_UNIVERSE, UNICAST)
    gateway = _attribute(RTA_GATEWAY, ipaddress.IPv4Address(router).packed)
    _order(NEW_ROUTE, about + gateway + _attribute(RTA_OIF, struct.pack("I", index)))


def _route(length: int, table: int, scope: int, kind: int) -> bytes:
    return struct.pack("BBBBBBBBI", socket.AF_INET, length, 0, 0, table, PROTOCOL_BOOT, scope, kind, 0)


def _attribute(kind: int, data: bytes) -> bytes:
    return struct.pack("HH", 4 + len(data), kind) + data  # all of ours are of four bytes, so none needs padding


def _order(kind: int, payload: bytes) -> None:
    """One change, which may be made already. Raises OSError."""
    flags = REQUEST | ACKNOWLEDGE | CREATE | REPLACE
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.send(struct.pack("IHHII", 16 + len(payload), kind, flags, 1, 0) + payload)
        error = -struct.unpack_from("i", kernel.recv(4096), 16)[0]
    if error:
        raise OSError(error, f"netlink order {kind} was refused")
