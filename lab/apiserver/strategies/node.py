"""Node: a slice of an engine. Source: ValidateNode in kubernetes/pkg/apis/core/validation/validation.go."""

import ipaddress
from collections.abc import Iterable, Iterator

from lab.apimachinery import names
from lab.apimachinery.errors import Cause
from lab.apimachinery.labels import GATEWAY, KUBELET, POD_NETWORK
from lab.apimachinery.meta import is_true
from lab.apimachinery.quantity import milli_value
from lab.apimachinery.services import API_SERVER
from lab.apimachinery.taints import EFFECTS, NOT_READY

from .base import Strategy
from .causes import duplicate, forbidden, invalid, not_negative, required, unlike, unsupported
from .podspec.resources import canonicalise

# A node has a disk though nobody declares one: what pods ask of it is compared and shown, not enforced.
DISK, DISK_SIZE = "ephemeral-storage", "20Gi"
OURS = (KUBELET, GATEWAY, API_SERVER, POD_NETWORK)
WIDEST = 16  # the range of a cluster's own network, of which a node has a part


class NodeStrategy(Strategy):
    """A new node may bring its status along: it is its kubelet that creates it."""

    status_may_label = True

    def default(self, obj: dict) -> None:
        spec = obj.setdefault("spec", {})
        if spec.get("podCIDR") and (spec.get("podCIDRs") or [""])[0] != spec["podCIDR"]:
            spec["podCIDRs"] = [spec["podCIDR"]]  # who writes one of the two means both
        elif spec.get("podCIDRs") and not spec.get("podCIDR"):
            spec["podCIDR"] = spec["podCIDRs"][0]
        status = obj.get("status") or {}
        for field in ("capacity", "allocatable"):
            if status.get(field):
                status[field].setdefault(DISK, DISK_SIZE)
            canonicalise(status.get(field))

    def keep_ours(self, new: dict, old: dict | None) -> None:
        """Where a node's kubelet and its network's data plane answer, and where its pods find the API, only the kubelet
        knows: who could write it would be shown the token by which the lab asks them."""
        was = (old["metadata"].get("annotations") or {}) if old else {}
        notes = new["metadata"].get("annotations") or {}
        if any(notes.get(name) != was.get(name) for name in OURS):
            ours = {name: was[name] for name in OURS if name in was}
            new["metadata"]["annotations"] = {name: said for name, said in notes.items() if name not in OURS} | ours

    def prepare_create(self, obj: dict) -> None:
        status = obj.get("status")
        super().prepare_create(obj)
        obj["status"] = status or {}
        if not is_true(obj, "Ready"):
            keep_off(obj)

    def validate(self, obj: dict) -> Iterator[Cause]:
        spec = obj["spec"]
        yield from _validate_taints(spec.get("taints") or (), "spec.taints")
        for at, cidr in enumerate(spec.get("podCIDRs") or ()):
            yield from _validate_cidr(cidr, f"spec.podCIDRs[{at}]")
        status = obj.get("status") or {}
        for field in ("capacity", "allocatable"):
            for name, quantity in (status.get(field) or {}).items():
                yield from not_negative(f"status.{field}.[{name}]", milli_value(quantity))

    def validate_change(self, new: dict, old: dict) -> Iterator[Cause]:
        # Its kubelet, and nobody else, can say that it came to another network.
        moved = _network(new) != _network(old)
        for field in ("providerID",) if moved else ("podCIDRs", "providerID"):
            was = old["spec"].get(field)
            if was and new["spec"].get(field) != was:
                yield forbidden(f"spec.{field}", f'node updates may not change {field} except from "" to valid')
        yield from self.validate(new)


def _network(node: dict) -> str:
    return (node["metadata"].get("annotations") or {}).get(POD_NETWORK, "")


def keep_off(node: dict) -> None:
    """No pod may be bound to a node before its kubelet has said that it is ready: then its controller takes this taint
    off again. Kubernetes' admission plug-in TaintNodesByCondition."""
    taints = node["spec"].setdefault("taints", [])
    if not any((taint.get("key"), taint.get("effect")) == (NOT_READY, "NoSchedule") for taint in taints):
        taints.append({"key": NOT_READY, "effect": "NoSchedule"})


def _validate_taints(taints: Iterable[dict], path: str) -> Iterator[Cause]:
    seen = set()
    for at, taint in enumerate(taints):
        key, value, effect = taint.get("key", ""), taint.get("value", ""), taint.get("effect", "")
        here = f"{path}[{at}]"
        yield from unlike(f"{here}.key", key, names.qualified_name(key))
        yield from unlike(f"{here}.value", value, names.label_value(value))
        if not effect:
            yield required(f"{here}.effect")
        elif effect not in EFFECTS:
            yield unsupported(f"{here}.effect", effect, EFFECTS)
        if (key, effect) in seen:
            yield duplicate(here, taint)
        seen.add((key, effect))


def _validate_cidr(text: str, path: str) -> Iterator[Cause]:
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        yield invalid(path, text, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")
        return
    if network.version != 4 or network.prefixlen < WIDEST:
        yield invalid(path, text, f"must be a range of IPv4, at most a /{WIDEST}: pods here have no other addresses")
