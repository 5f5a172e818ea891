"""What no two Services may have: addresses of the service network, and ports of the nodes.

Source: kubernetes/pkg/registry/core/service/storage/alloc.go.
"""

import ipaddress
import random
from collections.abc import Iterable, Iterator

from lab.apimachinery.errors import Cause
from lab.apimachinery.services import HEADLESS, OUTWARD

from .causes import invalid

NETWORK = ipaddress.ip_network("10.96.0.0/16")  # Kubernetes' --service-cluster-ip-range, as kubeadm sets it
NODE_PORTS = range(30000, 32768)  # Kubernetes' --service-node-port-range


def allocate(spec: dict, others: Iterable[dict]) -> Iterator[Cause]:
    """Give what is missing; what was chosen by hand must be free. `others`: the specs of all other Services."""
    others = list(others)
    if spec["type"] != "ExternalName":
        yield from _cluster_ip(spec, {other.get("clusterIP", "") for other in others})
    if spec["type"] in OUTWARD:
        taken = {port["nodePort"] for other in others for port in other.get("ports") or () if port.get("nodePort")}
        yield from _node_ports(spec, taken)


def _cluster_ip(spec: dict, taken: set[str]) -> Iterator[Cause]:
    address = spec.get("clusterIP")
    if not address:
        address = spec["clusterIP"] = free_cluster_ip(taken)
    elif address != HEADLESS and address in taken:
        words = f"failed to allocate IP {address}: provided IP is already allocated"
        yield invalid("spec.clusterIPs", [address], words)
    spec["clusterIPs"] = spec.get("clusterIPs") or [address]


def free_cluster_ip(taken: set[str]) -> str:
    """An address of the service network that no Service has; at random, so that an old one is not soon met again."""
    for _ in range(100):
        address = str(NETWORK[random.randrange(10, NETWORK.num_addresses - 1)])
        if address not in taken:
            return address
    return next(str(address) for address in NETWORK.hosts() if str(address) not in taken)


def _node_ports(spec: dict, taken: set[int]) -> Iterator[Cause]:
    ports = spec.get("ports") or ()
    chosen = {port["nodePort"] for port in ports if port.get("nodePort")}
    for at, port in enumerate(ports):
        if port.get("nodePort") in taken:
            yield invalid(f"spec.ports[{at}].nodePort", port["nodePort"], "provided port is already allocated")
    if not spec.get("allocateLoadBalancerNodePorts", True):
        return
    free = [number for number in NODE_PORTS if number not in taken | chosen]
    random.shuffle(free)
    for at, port in enumerate(ports):
        if port.get("nodePort"):
            continue
        if not free:
            yield invalid(f"spec.ports[{at}].nodePort", 0, "failed to allocate a nodePort: range is full")
            return
        port["nodePort"] = free.pop()
