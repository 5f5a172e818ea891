"""From endpoints to EndpointSlices, with as few writes as will do. Pure.

A slice holds a hundred endpoints at most, so that one pod that changes among thousands is a small write. What is in a
slice stays there: endpoints that go leave room, those that come fill it. Source: k8s.io/endpointslice/reconciler.go.
"""

from dataclasses import dataclass, field

from lab.apimachinery.kinds import ENDPOINTSLICES
from lab.apimachinery.meta import generated_name, owner_reference
from lab.apimachinery.services import SERVICE_NAME, is_headless

from .endpoint import Group, Groups, key_of_ports

MOST_ENDPOINTS = 100
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
HEADLESS_LABEL = "service.kubernetes.io/headless"
OURS = "endpointslice-controller.k8s.io"
MIRRORING = "endpointslicemirroring-controller.k8s.io"


@dataclass
class Plan:
    """What to write: new slices have no resourceVersion. Nothing where everything is as it should be."""

    write: list[dict] = field(default_factory=list)
    delete: list[dict] = field(default_factory=list)


def plan(service: dict, owner: dict, manager: str, existing: list[dict], groups: Groups) -> Plan:
    """`owner` is what the slices go with: the Service, or the Endpoints that they mirror.

    With no endpoints at all one empty slice stays: it says that somebody has looked and found none.
    """
    if not groups:
        groups = {key_of_ports([]): Group([])}
    of_ports: dict[bytes, list[dict]] = {}
    for each in sorted(existing, key=lambda each: each["metadata"]["name"]):
        of_ports.setdefault(key_of_ports(each.get("ports") or []), []).append(each)
    filled = [
        (group.ports, *pair)
        for key, group in groups.items()
        for pair in _distribute(of_ports.get(key, []), group.endpoints)
    ]
    used = {one["metadata"]["name"] for _, one, _ in filled if one}
    spare = [one for one in existing if one["metadata"]["name"] not in used]
    result = Plan()
    for ports, one, endpoints in filled:
        before = one or (spare.pop() if spare else None)  # rather changed than deleted and made anew: no gap
        after = _slice(service, owner, manager, before, ports, endpoints)
        if after != before:
            result.write.append(after)
    result.delete = spare
    return result


def _distribute(slices: list[dict], endpoints: list[dict]) -> list[tuple[dict | None, list[dict]]]:
    """Which slice (None: one more) holds which endpoints. Slices that are left with none do not appear, unless
    there is nothing to hold."""
    left = {_identity(endpoint): endpoint for endpoint in endpoints}
    kept = []
    for one in slices:
        known = [_identity(endpoint) for endpoint in one.get("endpoints") or ()]
        kept.append((one, [left.pop(identity) for identity in known if identity in left]))
    # New ones go where something changes anyhow, then where there is the least room.
    kept.sort(key=lambda pair: (pair[1] == pair[0].get("endpoints"), -len(pair[1])))
    rest = list(left.values())
    for _, held in kept:
        room = MOST_ENDPOINTS - len(held)
        held += rest[:room]
        rest = rest[room:]
    more = [(None, rest[at : at + MOST_ENDPOINTS]) for at in range(0, len(rest), MOST_ENDPOINTS)]
    return [*(pair for pair in kept if pair[1]), *more] or [(slices[0] if slices else None, [])]


def _identity(endpoint: dict) -> str:
    return (endpoint.get("targetRef") or {}).get("uid") or endpoint["addresses"][0]


def _slice(
    service: dict, owner: dict, manager: str, before: dict | None, ports: list[dict], endpoints: list[dict]
) -> dict:
    name, namespace = service["metadata"]["name"], service["metadata"]["namespace"]
    base = before or {
        "apiVersion": ENDPOINTSLICES.api_version,
        "kind": ENDPOINTSLICES.kind,
        "metadata": {
            "name": generated_name(f"{name}-"),
            "generateName": f"{name}-",
            "namespace": namespace,
        },
        "addressType": "IPv4",
    }
    meta = {
        **base["metadata"],
        "labels": labels_of(service, owner) | {SERVICE_NAME: name, MANAGED_BY: manager},
        "ownerReferences": [owner_reference(owner)],
    }
    return {**base, "metadata": meta, "ports": ports, "endpoints": endpoints}


def labels_of(service: dict, owner: dict) -> dict[str, str]:
    """The owner's labels, and one that says that a Service has no address of its own."""
    reserved = (SERVICE_NAME, MANAGED_BY, HEADLESS_LABEL)
    labels = {key: value for key, value in (owner["metadata"].get("labels") or {}).items() if key not in reserved}
    headless = {HEADLESS_LABEL: ""} if is_headless(service) else {}
    return labels | headless
