"""Service: one address for many pods. Source: ValidateService in kubernetes/pkg/apis/core/validation/validation.go."""

import ipaddress
from collections.abc import Callable, Iterable, Iterator

from lab.apimachinery import names
from lab.apimachinery.errors import Cause
from lab.apimachinery.services import AFFINITY_SECONDS, HEADLESS, OUTWARD

from . import serviceaddresses
from .base import Strategy
from .causes import duplicate, forbidden, invalid, must_be_named, named, one_of, required, unlike
from .endpoints import validate_address
from .metadata import validate_labels
from .podspec.containers import PROTOCOLS
from .podspec.probes import validate_port
from .serviceaddresses import NETWORK, NODE_PORTS

TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
AFFINITIES = ("ClientIP", "None")
POLICIES = ("Cluster", "Local")
DISTRIBUTIONS = ("PreferClose", "PreferSameNode", "PreferSameZone")
LONGEST_AFFINITY = 86400
# Fields that mean something to some types only. They are forgotten when a Service becomes of another type.
OF_ADDRESSES = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy")
OF_BALANCERS = ("allocateLoadBalancerNodePorts", "loadBalancerClass", "loadBalancerSourceRanges")


class ServiceStrategy(Strategy):
    name_rule = staticmethod(names.dns1035_label)
    is_exclusive = True
    first_status = {"loadBalancer": {}}

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
        elif spec["sessionAffinity"] == "None":
            spec.pop("sessionAffinityConfig", None)
        if spec["type"] != "ExternalName":
            spec.setdefault("internalTrafficPolicy", "Cluster")
            spec.setdefault("ipFamilies", ["IPv4"])
            spec.setdefault("ipFamilyPolicy", "SingleStack")
        if _faces_outward(spec):
            spec.setdefault("externalTrafficPolicy", "Cluster")
        if spec["type"] == "LoadBalancer":
            spec.setdefault("allocateLoadBalancerNodePorts", True)

    def prepare_update(self, new: dict, old: dict) -> None:
        """Keep what was given, if a manifest that never named it is sent again; forget what another type does not
        have. (patchAllocatedValues and dropTypeDependentFields in pkg/registry/core/service.)"""
        super().prepare_update(new, old)
        spec, was = new["spec"], old["spec"]
        if spec["type"] == "ExternalName":
            _forget(spec, was, OF_ADDRESSES)
        elif not spec.get("clusterIP") and was.get("clusterIP"):
            spec["clusterIP"], spec["clusterIPs"] = was["clusterIP"], was["clusterIPs"]
        elif spec.get("clusterIP") != was.get("clusterIP") and spec.get("clusterIPs") == was.get("clusterIPs"):
            spec["clusterIPs"] = [spec["clusterIP"]]  # who writes one of the two means both
        if spec["type"] != "LoadBalancer" and was["type"] == "LoadBalancer":
            _forget(spec, was, OF_BALANCERS)
        if not _faces_outward(spec):
            _forget(spec, was, ("externalTrafficPolicy",))
        given = {(port["protocol"], port.get("port")): port.get("nodePort") for port in was.get("ports") or ()}
        for port in spec.get("ports") or ():
            node_port = given.get((port["protocol"], port.get("port")))
            if spec["type"] not in OUTWARD and port.get("nodePort") == node_port:
                port.pop("nodePort", None)
            elif spec["type"] in OUTWARD and not port.get("nodePort") and node_port:
                port["nodePort"] = node_port

    def allocate(self, obj: dict, existing: Callable[[], list[dict]]) -> Iterable[Cause]:
        """A cluster address, and for NodePort and LoadBalancer a port of every node for each port."""
        uid = obj["metadata"]["uid"]
        others = (other["spec"] for other in existing() if other["metadata"]["uid"] != uid)
        return serviceaddresses.allocate(obj["spec"], others)

    def warnings(self, obj: dict) -> Iterator[str]:
        spec = obj["spec"]
        for at, port in enumerate(spec.get("ports") or ()):
            if port["protocol"] != "TCP":
                yield f"spec.ports[{at}].protocol: {port['protocol']} is not forwarded here: only TCP is"
        for field in ("externalTrafficPolicy", "internalTrafficPolicy"):
            if spec.get(field) == "Local":
                yield f'spec.{field}: "Local" works as "Cluster" here: all nodes share one data plane'
        for field in ("externalIPs", "healthCheckNodePort", "loadBalancerIP", "loadBalancerSourceRanges",
                      "trafficDistribution"):  # fmt: skip
            if spec.get(field):
                yield f"spec.{field} is ignored here"
        if spec["type"] != "ExternalName" and spec.get("externalName"):
            yield 'spec.externalName is ignored when spec.type is not "ExternalName"'
        if spec.get("clusterIP") == HEADLESS and spec["sessionAffinity"] != "None":
            yield "spec.SessionAffinity is ignored for headless services"

    def validate(self, obj: dict) -> Iterator[Cause]:
        spec = obj["spec"]
        yield from one_of("spec.type", spec["type"], TYPES)
        yield from validate_labels(spec.get("selector"), "spec.selector")
        if spec["type"] == "ExternalName":
            yield from _validate_external_name(spec)
        else:
            yield from _validate_cluster_ips(spec)
            if not spec.get("ports") and spec.get("clusterIP") != HEADLESS:
                yield required("spec.ports")
        yield from _validate_ports(spec)
        yield from _validate_affinity(spec)
        yield from _validate_policies(spec)
        for at, text in enumerate(spec.get("externalIPs") or ()):
            yield from validate_address(f"spec.externalIPs[{at}]", text)

    def validate_change(self, new: dict, old: dict) -> Iterator[Cause]:
        was, spec = old["spec"], new["spec"]
        if was.get("clusterIP") and spec["type"] != "ExternalName" and spec.get("clusterIP") != was["clusterIP"]:
            yield invalid("spec.clusterIPs[0]", [spec.get("clusterIP")], "may not change once set")
        if spec["type"] == was["type"] == "LoadBalancer" and spec.get("loadBalancerClass") != was.get(
            "loadBalancerClass"
        ):
            yield invalid("spec.loadBalancerClass", spec.get("loadBalancerClass"), "may not change once set")
        yield from self.validate(new)


def _faces_outward(spec: dict) -> bool:
    return spec["type"] in OUTWARD or bool(spec.get("externalIPs"))


def _forget(spec: dict, was: dict, fields: Iterable[str]) -> None:
    """Those that are as they were: nobody asks for them now."""
    for field in fields:
        if spec.get(field) == was.get(field):
            spec.pop(field, None)


def _validate_external_name(spec: dict) -> Iterator[Cause]:
    yield from must_be_named("spec.externalName", spec.get("externalName", "").removesuffix("."), names.dns_subdomain)
    if spec.get("clusterIP") or spec.get("clusterIPs"):
        yield forbidden("spec.clusterIPs", "may not be set for ExternalName services")


def _validate_cluster_ips(spec: dict) -> Iterator[Cause]:
    address, listed = spec.get("clusterIP", ""), spec.get("clusterIPs") or []
    if listed[:1] != [address]:
        yield invalid("spec.clusterIPs", listed, "first value must match `clusterIP`")
    elif len(listed) > 1:
        yield invalid("spec.clusterIPs", listed, "may only hold one value: this cluster is of one IP family, IPv4")
    if spec["ipFamilies"] != ["IPv4"]:
        yield invalid("spec.ipFamilies", spec["ipFamilies"], "only IPv4 is configured on this cluster")
    if spec["ipFamilyPolicy"] == "RequireDualStack":
        words = "this cluster is not configured for dual-stack services"
        yield invalid("spec.ipFamilyPolicy", spec["ipFamilyPolicy"], words)
    if address == HEADLESS:
        if spec["type"] in OUTWARD:
            yield invalid("spec.clusterIPs[0]", HEADLESS, f"may not be set to 'None' for {spec['type']} services")
        return
    try:
        inside = ipaddress.ip_address(address) in NETWORK
    except ValueError:
        yield invalid("spec.clusterIPs[0]", address, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")
        return
    if not inside:
        words = f"failed to allocate IP {address}: the provided IP ({address}) is not in the valid range. "
        yield invalid("spec.clusterIPs", [address], f"{words}The range of valid IPs is {NETWORK}")


def _validate_ports(spec: dict) -> Iterator[Cause]:
    ports = spec.get("ports") or ()
    seen: set[tuple] = set()

    def again(*value: object) -> bool:
        """Whether what may be there once is there a second time."""
        found = value in seen
        seen.add(value)
        return found

    for at, port in enumerate(ports):
        path, name = f"spec.ports[{at}]", port.get("name", "")
        if not name and len(ports) > 1:
            yield required(f"{path}.name")
        elif name:
            yield from unlike(f"{path}.name", name, names.dns_label(name))
            if again("name", name):
                yield duplicate(f"{path}.name", name)
        yield from validate_port(port.get("port", 0), f"{path}.port")
        yield from one_of(f"{path}.protocol", port["protocol"], PROTOCOLS)
        target, number = port["targetPort"], port.get("nodePort")
        if isinstance(target, str):
            yield from unlike(f"{path}.targetPort", target, names.port_name(target))
        else:
            yield from validate_port(target, f"{path}.targetPort")
        yield from named(f"{path}.appProtocol", port.get("appProtocol"), names.qualified_name)
        if again("port", port["protocol"], port.get("port")):
            yield duplicate(path, port)
        if number:
            yield from _validate_node_port(number, spec["type"], f"{path}.nodePort")
            if again("nodePort", port["protocol"], number):
                yield duplicate(f"{path}.nodePort", number)


def _validate_node_port(number: int, kind: str, path: str) -> Iterator[Cause]:
    if kind not in OUTWARD:
        yield forbidden(path, f"may not be used when `type` is '{kind}'")
    elif number not in NODE_PORTS:
        words = f"provided port is not in the valid range. The range of valid ports is {NODE_PORTS[0]}-{NODE_PORTS[-1]}"
        yield invalid(path, number, words)


def _validate_affinity(spec: dict) -> Iterator[Cause]:
    yield from one_of("spec.sessionAffinity", spec["sessionAffinity"], AFFINITIES)
    seconds = ((spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}).get("timeoutSeconds")
    if seconds is not None and not 0 < seconds <= LONGEST_AFFINITY:
        words = f"must be greater than 0 and less than {LONGEST_AFFINITY}"
        yield invalid("spec.sessionAffinityConfig.clientIP.timeoutSeconds", seconds, words)


def _validate_policies(spec: dict) -> Iterator[Cause]:
    for field, values in (("internalTrafficPolicy", POLICIES), ("externalTrafficPolicy", POLICIES),
                          ("trafficDistribution", DISTRIBUTIONS)):  # fmt: skip
        if spec.get(field):
            yield from one_of(f"spec.{field}", spec[field], values)
    if spec.get("externalTrafficPolicy") and not _faces_outward(spec):
        words = "may only be set for externally-accessible services"
        yield invalid("spec.externalTrafficPolicy", spec["externalTrafficPolicy"], words)
    if spec["type"] == "LoadBalancer":
        yield from named("spec.loadBalancerClass", spec.get("loadBalancerClass"), names.qualified_name)
        return
    for field in OF_BALANCERS:
        if spec.get(field) is not None:
            yield forbidden(f"spec.{field}", "may only be used when `type` is 'LoadBalancer'")
