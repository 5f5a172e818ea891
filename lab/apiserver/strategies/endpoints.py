"""Endpoints and EndpointSlice: which pods stand behind a Service. The controller writes them, the proxy reads them.

Source: kubernetes/pkg/apis/discovery/validation/validation.go.
"""

import ipaddress
from collections.abc import Iterable, Iterator

from lab.apimachinery import names
from lab.apimachinery.errors import Cause
from lab.apimachinery.services import is_api

from .base import Strategy
from .causes import duplicate, invalid, named, one_of, required, unchanged
from .podspec.containers import PROTOCOLS
from .podspec.probes import validate_port

ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")


class EndpointsStrategy(Strategy):
    has_status = False

    def default(self, obj: dict) -> None:
        for subset in obj.get("subsets") or ():
            _default_ports(subset.get("ports") or ())

    def validate(self, obj: dict) -> Iterator[Cause]:
        for at, subset in enumerate(obj.get("subsets") or ()):
            if not subset.get("addresses") and not subset.get("notReadyAddresses"):
                yield required(f"subsets[{at}]", "must specify `addresses` or `notReadyAddresses`")
            for field in ("addresses", "notReadyAddresses"):
                for nth, address in enumerate(subset.get(field) or ()):
                    where = f"subsets[{at}].{field}[{nth}].ip"
                    local = bool(address.get("targetRef")) or is_api(obj)
                    yield from validate_address(where, address.get("ip", ""), local)
            yield from _validate_ports(subset.get("ports") or (), f"subsets[{at}].ports")


class EndpointSliceStrategy(Strategy):
    has_status = False
    has_generation = True

    def default(self, obj: dict) -> None:
        for port in obj.get("ports") or ():
            port.setdefault("name", "")
        _default_ports(obj.get("ports") or ())

    def warnings(self, obj: dict) -> Iterator[str]:
        if obj["addressType"] != "IPv4":
            yield f"addressType: nobody is led to addresses of type {obj['addressType']} here: only to IPv4"

    def prepare_update(self, new: dict, old: dict) -> None:
        """The whole of it is its spec: each change counts as a new generation."""
        same = all(new.get(field) == old.get(field) for field in ("endpoints", "ports"))
        new["metadata"]["generation"] = old["metadata"].get("generation", 0) + (not same)

    def validate(self, obj: dict) -> Iterator[Cause]:
        if not obj.get("addressType"):
            yield required("addressType")
            return
        yield from one_of("addressType", obj["addressType"], ADDRESS_TYPES)
        for at, endpoint in enumerate(obj.get("endpoints") or ()):
            if not endpoint.get("addresses"):
                yield required(f"endpoints[{at}].addresses")
            for nth, text in enumerate(endpoint.get("addresses") or () if obj["addressType"] == "IPv4" else ()):
                where = f"endpoints[{at}].addresses[{nth}]"
                yield from validate_address(where, text, bool(endpoint.get("targetRef")) or is_api(obj))
        yield from _validate_ports(obj.get("ports") or (), "ports")

    def validate_change(self, new: dict, old: dict) -> Iterator[Cause]:
        yield from self.validate(new)
        yield from unchanged("addressType", new.get("addressType"), old.get("addressType"))


def validate_address(where: str, text: str, may_be_local: bool = False) -> Iterator[Cause]:
    """An address of somewhere else (ValidateNonSpecialIP), or a data plane would be led to what is none of theirs.
    Those of pods that are local processes lie on the loopback, and for them the API does; whether it is that pod's, the
    data plane looks, and nothing leads it to the API on the loopback but its own knowledge."""
    try:
        ip = ipaddress.IPv4Address(text)
    except ValueError:
        yield invalid(where, text, "must be a valid IPv4 address")
        return
    if may_be_local:
        return
    if ip.is_unspecified:
        yield invalid(where, text, "may not be unspecified (0.0.0.0)")
    elif ip.is_loopback:
        yield invalid(where, text, "may not be in the loopback range (127.0.0.0/8)")
    elif ip.is_link_local:
        yield invalid(where, text, "may not be in the link-local range (169.254.0.0/16)")
    elif ip.is_multicast:
        yield invalid(where, text, "may not be in the multicast range (224.0.0.0/4)")


def _default_ports(ports: Iterable[dict]) -> None:
    for port in ports:
        port.setdefault("protocol", "TCP")


def _validate_ports(ports: Iterable[dict], where: str) -> Iterator[Cause]:
    seen = set()
    for at, port in enumerate(ports):
        name = port.get("name") or ""
        if name in seen:
            yield duplicate(f"{where}[{at}].name", name)
        seen.add(name)
        yield from one_of(f"{where}[{at}].protocol", port["protocol"], PROTOCOLS)
        if port.get("port") is not None:  # a slice may leave it open: then it stands for all of them
            yield from validate_port(port["port"], f"{where}[{at}].port")
        yield from named(f"{where}[{at}].name", name, names.dns_label)
