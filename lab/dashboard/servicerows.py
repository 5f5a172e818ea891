"""Services and visitors → rows of the board. Pure: what leads requests to pods, and who sends them.

A service's row says where its requests may go *now*: which pods are ready by its EndpointSlices, node by node. Figures
(requests a second, errors) are not here: they change every second and are worth nothing in ten. See `figures`.
"""

from collections import Counter
from collections.abc import Iterable

from lab.apimachinery.kinds import SERVICES, VISITORS
from lab.apimachinery.meta import key_of

from .rows import Row, compact, head

MOST_NAMED = 100  # nodes, and ready pods, that are told by name: with more of them there is no room for a line to each
SERVICE_NAME = "kubernetes.io/service-name"


def service_of(endpointslice: dict) -> str:
    """The id of the service that an EndpointSlice belongs to; empty if it does not say."""
    meta = endpointslice["metadata"]
    name = meta.get("labels", {}).get(SERVICE_NAME, "")
    return f"{SERVICES.resource}/{meta['namespace']}/{name}" if name else ""


def service_row(service: dict, slices: Iterable[dict], turns: str = "") -> Row:
    """The chip of a service: its address, and how many endpoints are ready of how many (`ends`). `turns`: how the loop
    turns that says so, if not as ever."""
    spec = service["spec"]
    endpoints = endpoints_of(slices)
    ready = [one for one in endpoints if one["ready"]]
    outside = spec.get("type") == "ExternalName"
    nodes = Counter(one["node"] for one in ready if one["node"])
    trouble = "" if ready or outside else "none is ready" if endpoints else "leads to no pod"
    waits = f"endpointslice is {turns}" if turns and spec.get("selector") else ""
    return compact(
        {
            **head("service", SERVICES.resource, service),
            "key": key_of(service),
            "type": spec.get("type", "ClusterIP"),
            "address": spec.get("externalName") or spec.get("clusterIP"),
            "ports": [port["port"] for port in spec.get("ports", ())],
            "state": "ready" if ready or outside else "unready" if endpoints else "failed",
            "ends": "outside" if outside else f"{len(ready)}/{len(endpoints)}",
            "trouble": " · ".join(filter(None, (trouble, waits))),
            "nodes": dict(nodes) if len(nodes) <= MOST_NAMED else {},
            "pods": sorted(one["pod"] for one in ready) if len(ready) <= MOST_NAMED else [],
        }
    )


def endpoints_of(slices: Iterable[dict]) -> list[dict]:
    """`{"pod", "uid", "node", "address", "ready", "state"}` of each endpoint, in the order of their names. A pod that
    stands in several slices (one a port's set) is told once."""
    found = {}
    for one in slices:
        for endpoint in one.get("endpoints") or ():
            target = endpoint.get("targetRef") or {}
            address = (endpoint.get("addresses") or [""])[0]
            found[target.get("uid") or address] = {
                "pod": target.get("name") or address,
                "uid": target.get("uid", ""),
                "node": endpoint.get("nodeName", ""),
                "address": address,
                "ready": is_ready(endpoint),
                "state": endpoint_state(endpoint),
            }
    return sorted(found.values(), key=lambda one: one["pod"])


def is_ready(endpoint: dict) -> bool:
    """Whether new requests go there: as Kubernetes has it, an endpoint that says nothing is ready."""
    conditions = endpoint.get("conditions") or {}
    return conditions.get("ready", True) is not False and not conditions.get("terminating")


def endpoint_state(endpoint: dict) -> str:
    """ready, leaving or unready: the board's words for a tile's state."""
    if (endpoint.get("conditions") or {}).get("terminating"):
        return "leaving"
    return "ready" if is_ready(endpoint) else "unready"


def selects(service: dict, workload: dict) -> bool:
    """Whether the pods that a workload's template makes are the service's."""
    selector = service["spec"].get("selector")
    labels = workload["spec"].get("template", {}).get("metadata", {}).get("labels", {})
    same_place = service["metadata"]["namespace"] == workload["metadata"]["namespace"]
    return bool(selector) and same_place and selector.items() <= labels.items()


def visitors_row(visitors: dict) -> Row:
    """The box of a load generator: whom it visits, and how hard."""
    spec, status = visitors["spec"], visitors.get("status", {})
    name, service = visitors["metadata"]["name"], spec.get("service", "").partition(":")[0]
    return compact(
        {
            **head("visitors", VISITORS.resource, visitors),
            "key": key_of(visitors),
            "service": service,
            "title": name if name == service else f"{name} → {service}",
            "path": spec.get("path") or "/",
            "rate": spec.get("rate", 0),
            "most": spec.get("concurrency", 0),
            "phase": status.get("phase"),
            "trouble": status.get("message"),
        }
    )
