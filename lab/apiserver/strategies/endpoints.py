"""Endpoints and EndpointSlice: which pods stand behind a Service. The controller writes them, the proxy reads them.

Source: kubernetes/pkg/apis/discovery/validation/validation.go.
"""

import ipaddress
from collections.abc import Iterator

from lab.apimachinery.errors import Cause

from .base import Strategy
from .causes import invalid, one_of, required, unchanged

ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")


class EndpointsStrategy(Strategy):
    has_status = False


class EndpointSliceStrategy(Strategy):
    has_status = False
    has_generation = True

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
            for text in endpoint.get("addresses") or () if obj["addressType"] == "IPv4" else ():
                try:
                    ipaddress.IPv4Address(text)
                except ValueError:
                    yield invalid(f"endpoints[{at}].addresses[0]", text, "must be a valid IPv4 address")

    def validate_change(self, new: dict, old: dict) -> Iterator[Cause]:
        yield from self.validate(new)
        yield from unchanged("addressType", new.get("addressType"), old.get("addressType"))
