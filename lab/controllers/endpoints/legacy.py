"""Endpoints, as clients knew them before there were slices: written for those of a Service with a selector, and read
where a Service has none and somebody has written them by hand. Pure.

Sources: pkg/controller/endpoint (RepackSubsets), pkg/controller/endpointslicemirroring.
"""

from lab.apimachinery.kinds import ENDPOINTS
from lab.apimachinery.meta import is_deleting

from ..pods import is_ready, node_of
from .endpoint import Groups, add_to, has_own_name, key_of_ports, ports_of, publishes_unready, reference, stands_behind
from .slices import labels_of

MOST_ADDRESSES = 1000
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
OURS = {"endpoints.kubernetes.io/managed-by": "endpoint-controller"}
SKIP_MIRROR = "endpointslice.kubernetes.io/skip-mirror"


def endpoints_of(service: dict, pods: list[dict], nodes: dict[str, dict], before: dict | None) -> dict:
    """The Endpoints of a Service. Pods that end are in none of them, ready or not."""
    subsets: dict[bytes, dict] = {}
    standing = [pod for pod in pods if stands_behind(pod, service, nodes)]
    if not publishes_unready(service):
        standing = [pod for pod in standing if not is_deleting(pod)]
    standing.sort(key=lambda pod: [int(part) for part in pod["status"]["podIP"].split(".")])
    for pod in standing[:MOST_ADDRESSES]:
        ports = ports_of(pod, service)
        if ports or not service["spec"].get("ports"):
            subset = subsets.setdefault(key_of_ports(ports), {})
            field = "addresses" if is_ready(pod) or publishes_unready(service) else "notReadyAddresses"
            subset.setdefault(field, []).append(_address(pod, service))
            if ports:
                subset["ports"] = ports
    meta = service["metadata"]
    base = before or {
        "apiVersion": ENDPOINTS.api_version,
        "kind": ENDPOINTS.kind,
        "metadata": {"name": meta["name"], "namespace": meta["namespace"]},
    }
    annotations = {**(base["metadata"].get("annotations") or {}), OVER_CAPACITY: "truncated"}
    if len(standing) <= MOST_ADDRESSES:
        del annotations[OVER_CAPACITY]
    meta = {**base["metadata"], "labels": labels_of(service, service) | OURS, "annotations": annotations}
    if not annotations:
        del meta["annotations"]
    return {**base, "metadata": meta, "subsets": list(subsets.values())}


def is_ours(endpoints: dict) -> bool:
    return OURS.items() <= (endpoints["metadata"].get("labels") or {}).items()


def _address(pod: dict, service: dict) -> dict:
    address = {"ip": pod["status"]["podIP"], "targetRef": reference(pod)}
    if node_of(pod):
        address["nodeName"] = node_of(pod)
    if has_own_name(pod, service):
        address["hostname"] = pod["spec"]["hostname"]
    return address


def mirrored(endpoints: dict | None) -> Groups:
    """What Endpoints written by hand say, as groups to make slices of."""
    groups: Groups = {}
    labels = (endpoints or {"metadata": {}})["metadata"].get("labels") or {}
    if endpoints is None or is_ours(endpoints) or labels.get(SKIP_MIRROR) == "true":
        return groups
    for subset in endpoints.get("subsets") or ():
        ports = [{"name": "", "protocol": "TCP", **port} for port in subset.get("ports") or ()]
        for field, ready in (("addresses", True), ("notReadyAddresses", False)):
            for address in subset.get(field) or ():
                about = {key: address[key] for key in ("hostname", "nodeName", "targetRef") if address.get(key)}
                add_to(groups, ports, {"addresses": [address["ip"]], "conditions": {"ready": ready}, **about})
    return groups
