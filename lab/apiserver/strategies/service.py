"""Service: one address for many pods. Source: ValidateService in kubernetes/pkg/apis/core/validation/validation.go."""

import ipaddress
import random
from collections.abc import Callable, Iterator

from lab.apimachinery import names
from lab.apimachinery.errors import Cause

from .base import Strategy
from .causes import duplicate, forbidden, invalid, one_of, required, unlike
from .metadata import validate_labels
from .podspec.probes import validate_port

NETWORK = ipaddress.ip_network("10.96.0.0/16")  # Kubernetes' --service-cluster-ip-range, as kubeadm sets it
NODE_PORTS = range(30000, 32768)  # Kubernetes' --service-node-port-range
TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
AFFINITIES = ("ClientIP", "None")
PROTOCOLS = ("SCTP", "TCP", "UDP")
POLICIES = ("Cluster", "Local")
AFFINITY_SECONDS = 10800
HEADLESS = "None"


class ServiceStrategy(Strategy):
    name_rule = staticmethod(names.dns1035_label)

    def default(self, obj: dict) -> None:
        spec = obj.setdefault("spec", {})
        spec.setdefault("type", "ClusterIP")
        spec.setdefault("sessionAffinity", "None")
        for port in spec.get("ports") or ():
            if not port.get("protocol"):
                port["protocol"] = "TCP"
            if port.get("targetPort") in (None, 0, ""):
                port["targetPort"] = port.get("port", 0)
        if spec["sessionAffinity"] == "ClientIP":
            affinity = spec.setdefault("sessionAffinityConfig", {}).setdefault("clientIP", {})
            affinity.setdefault("timeoutSeconds", AFFINITY_SECONDS)
        if spec["type"] != "ExternalName":
            spec.setdefault("internalTrafficPolicy", "Cluster")
            spec.setdefault("ipFamilies", ["IPv4"])
            spec.setdefault("ipFamilyPolicy", "SingleStack")
        if spec["type"] in ("NodePort", "LoadBalancer"):
            spec.setdefault("externalTrafficPolicy", "Cluster")
        if spec["type"] == "LoadBalancer":
            spec.setdefault("allocateLoadBalancerNodePorts", True)

    def prepare_create(self, obj: dict) -> None:
        super().prepare_create(obj)
        obj["status"] = {"loadBalancer": {}}

    def prepare_update(self, new: dict, old: dict) -> None:
        """Keep what was allocated, if a manifest that never named it is sent again."""
        super().prepare_update(new, old)
        spec, was = new["spec"], old.get("spec", {})
        if spec["type"] == "ExternalName":
            for field in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"):
                spec.pop(field, None)
        elif not spec.get("clusterIP") and was.get("clusterIP"):
            spec["clusterIP"] = was["clusterIP"]
        given = {(port.get("protocol"), port.get("port")): port.get("nodePort") for port in was.get("ports") or ()}
        for port in spec.get("ports") or ():
            node_port = given.get((port["protocol"], port.get("port")))
            if spec["type"] == "ClusterIP" and port.get("nodePort") == node_port:
                port.pop("nodePort", None)
            elif spec["type"] != "ClusterIP" and not port.get("nodePort") and node_port:
                port["nodePort"] = node_port

    def allocate(self, obj: dict, existing: Callable[[], list[dict]]) -> None:
        """A cluster address, and for NodePort and LoadBalancer a port of every node for each port."""
        spec = obj["spec"]
        needs_address = spec["type"] != "ExternalName" and not spec.get("clusterIP")
        needs_ports = spec["type"] in ("NodePort", "LoadBalancer") and any(
            not port.get("nodePort") for port in spec.get("ports") or ()
        )
        if needs_address or needs_ports:
            specs = [other.get("spec", {}) for other in existing()]
            if needs_address:
                spec["clusterIP"] = free_cluster_ip({other.get("clusterIP", "") for other in specs})
            if needs_ports:
                taken = {port.get("nodePort") for other in specs for port in other.get("ports") or ()}
                _give_node_ports(spec["ports"], taken)
        if spec.get("clusterIP") and spec.get("clusterIPs", [""])[0] != spec["clusterIP"]:
            spec["clusterIPs"] = [spec["clusterIP"]]

    def validate(self, obj: dict) -> Iterator[Cause]:
        spec = obj["spec"]
        yield from one_of("spec.type", spec["type"], TYPES)
        yield from one_of("spec.sessionAffinity", spec["sessionAffinity"], AFFINITIES)
        yield from validate_labels(spec.get("selector"), "spec.selector")
        if spec["type"] == "ExternalName":
            name = spec.get("externalName", "").removesuffix(".")
            if not name:
                yield required("spec.externalName")
            else:
                yield from unlike("spec.externalName", name, names.dns_subdomain(name))
        elif not spec.get("ports") and spec.get("clusterIP") != HEADLESS:
            yield required("spec.ports")
        if spec.get("clusterIP") == HEADLESS and spec["type"] in ("NodePort", "LoadBalancer"):
            words = f"may not be set to 'None' for {spec['type']} services"
            yield invalid("spec.clusterIPs[0]", HEADLESS, words)
        elif spec.get("clusterIP") not in (None, HEADLESS):
            yield from _validate_cluster_ip(spec["clusterIP"])
        yield from _validate_ports(spec)
        for field in ("internalTrafficPolicy", "externalTrafficPolicy"):
            if spec.get(field):
                yield from one_of(f"spec.{field}", spec[field], POLICIES)

    def validate_change(self, new: dict, old: dict) -> Iterator[Cause]:
        was, spec = old.get("spec", {}).get("clusterIP"), new["spec"]
        if was and spec["type"] != "ExternalName" and spec.get("clusterIP") != was:
            yield invalid("spec.clusterIPs[0]", [spec.get("clusterIP")], "may not change once set")
        yield from self.validate(new)


def free_cluster_ip(used: set[str]) -> str:
    """An address of the service network that no Service has; at random, so that an old one is not soon met again."""
    for _ in range(100):
        address = str(NETWORK[random.randrange(10, NETWORK.num_addresses - 1)])
        if address not in used:
            return address
    return next(str(address) for address in NETWORK.hosts() if str(address) not in used)


def _give_node_ports(ports: list[dict], taken: set[int | None]) -> None:
    taken = taken | {port.get("nodePort") for port in ports}
    free = [number for number in NODE_PORTS if number not in taken]
    random.shuffle(free)
    for port in ports:
        if not port.get("nodePort") and free:
            port["nodePort"] = free.pop()


def _validate_cluster_ip(text: str) -> Iterator[Cause]:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        yield invalid("spec.clusterIPs[0]", text, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")
        return
    if address not in NETWORK:
        words = f"failed to allocate IP {text}: the provided IP ({text}) is not in the valid range. "
        yield invalid("spec.clusterIPs", [text], f"{words}The range of valid IPs is {NETWORK}")


def _validate_ports(spec: dict) -> Iterator[Cause]:
    ports = spec.get("ports") or ()
    seen_names, seen_numbers = set(), set()
    for at, port in enumerate(ports):
        path, name = f"spec.ports[{at}]", port.get("name", "")
        if not name and len(ports) > 1:
            yield required(f"{path}.name")
        elif name:
            yield from unlike(f"{path}.name", name, names.dns_label(name))
            if name in seen_names:
                yield duplicate(f"{path}.name", name)
        seen_names.add(name)
        yield from validate_port(port.get("port", 0), f"{path}.port")
        yield from one_of(f"{path}.protocol", port["protocol"], PROTOCOLS)
        target = port["targetPort"]
        if isinstance(target, str):
            yield from unlike(f"{path}.targetPort", target, names.port_name(target))
        else:
            yield from validate_port(target, f"{path}.targetPort")
        if (port["protocol"], port.get("port")) in seen_numbers:
            yield duplicate(path, port)
        seen_numbers.add((port["protocol"], port.get("port")))
        if port.get("nodePort"):
            yield from _validate_node_port(port["nodePort"], spec["type"], f"{path}.nodePort")


def _validate_node_port(number: int, kind: str, path: str) -> Iterator[Cause]:
    if kind in ("ClusterIP", "ExternalName"):
        yield forbidden(path, f"may not be used when `type` is '{kind}'")
    elif number not in NODE_PORTS:
        words = f"provided port is not in the valid range. The range of valid ports is {NODE_PORTS[0]}-{NODE_PORTS[-1]}"
        yield invalid(path, number, words)
