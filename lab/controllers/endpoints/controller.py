"""The loop: a Service, a pod or a node has changed → the slices and the Endpoints of the Services concerned.

The shorter this is, the sooner a pod that cannot answer is asked no more: what a pod's readiness says is one sync and
one transaction away from what every proxy reads.
"""

from collections.abc import Iterable

from lab.apimachinery.kinds import ENDPOINTS, ENDPOINTSLICES, NODES, PODS, SERVICES
from lab.apimachinery.labels import ZONE_LABEL
from lab.apimachinery.meta import is_deleting, key_of, split_key
from lab.apimachinery.services import SERVICE_NAME
from lab.client import Change, Client, Put, View

from ..objects import EVERY, ObjectController
from ..pods import is_finished, is_ready, node_of
from . import endpoint, legacy, slices

MOST_NAMED = 10  # of the pods that a Service selects and nobody is led to


class EndpointSliceController(ObjectController):
    """Keys are Services. Its own writes do not wake it."""

    name = "endpointslice"
    kind = SERVICES
    watches = tuple(kind.resource for kind in (SERVICES, PODS, NODES, ENDPOINTSLICES, ENDPOINTS))

    def keys(self, change: Change) -> Iterable[str]:
        if change.author == self.author:
            return ()
        if change.resource == SERVICES.resource:
            return (f"{change.namespace}/{change.name}",) if _declared(change.object) != _declared(change.old) else ()
        if change.resource == PODS.resource:
            before, after = _counted(change.old), None if change.deleted else _counted(change.object)
            return (f"{change.namespace}/{EVERY}",) if before != after else ()
        if change.resource == NODES.resource:
            before, after = _zone(change.old), None if change.deleted else _zone(change.object)
            return (EVERY,) if before != after else ()
        if change.resource == ENDPOINTS.resource:
            return (f"{change.namespace}/{change.name}",)
        name = (change.object["metadata"].get("labels") or {}).get(SERVICE_NAME)
        return (f"{change.namespace}/{name}",) if name else ()

    def converge(self, client: Client, service: dict) -> None:
        """Slices and Endpoints as they should be, in one transaction. Raises ApiError."""
        if service["spec"].get("type") == "ExternalName" or is_deleting(service):
            return
        view = client.view()
        namespace, name = split_key(key_of(service))
        selector = service["spec"].get("selector")
        old = view.get(ENDPOINTS.resource, namespace, name)
        if not selector:
            self._write(
                client,
                _mirrors(view, service, old),
                why={"decision": "MirrorEndpoints", "mirrors": f"Endpoints {name}"},
            )
            return
        nodes = {node["metadata"]["name"]: node for node in view.list(NODES.resource)}
        pods = _selected(view, namespace, selector)
        groups = endpoint.groups_of(service, pods, nodes)
        planned = slices.plan(service, service, slices.OURS, _managed(view, namespace, name, slices.OURS), groups)
        planned.delete += _managed(view, namespace, name, slices.MIRRORING)  # of a time without selector
        new = legacy.endpoints_of(service, pods, nodes, old)
        not_ready = sorted(pod["metadata"]["name"] for pod in pods if not is_ready(pod))
        why = {
            "decision": "SelectEndpoints",
            "selector": selector,
            "pods": len(pods),
            "ready": len(pods) - len(not_ready),
            "notReady": not_ready[:MOST_NAMED],
        }
        self._write(client, planned, why, [Put(ENDPOINTS, new, why=why)] if new != old else [])

    def _write(self, client: Client, planned: slices.Plan, why: dict, more: list[Put] | None = None) -> None:
        client.write([Put(ENDPOINTSLICES, one, why=why) for one in planned.write] + (more or []))
        client.delete_these(ENDPOINTSLICES, planned.delete, why=lambda one: why)

    def gone(self, client: Client, key: str) -> None:
        """The Endpoints and the mirrors of a Service only carry its name."""
        view, (namespace, name) = client.view(), split_key(key)

        def why(one: dict) -> dict:
            return {"decision": "DeleteEndpoints", "service": name}

        old = view.get(ENDPOINTS.resource, namespace, name)
        if old and legacy.is_ours(old):
            client.delete_these(ENDPOINTS, [old], why=why)
        client.delete_these(ENDPOINTSLICES, _managed(view, namespace, name, slices.MIRRORING), why=why)


def _declared(service: dict | None) -> tuple | None:
    return (service["spec"], service["metadata"].get("labels")) if service else None


def _counted(pod: dict | None) -> tuple | None:
    """All of a pod that an endpoint is made from; None where there is nothing to make one from."""
    if pod is None or not pod["metadata"].get("labels"):
        return None
    status, spec, meta = pod.get("status", {}), pod["spec"], pod["metadata"]
    if not status.get("podIP") or is_finished(pod):
        return None
    return status["podIP"], is_ready(pod), is_deleting(pod), meta["labels"], node_of(pod), spec.get("hostname")


def _zone(node: dict | None) -> tuple | None:
    return ((node["metadata"].get("labels") or {}).get(ZONE_LABEL),) if node else None


def _selected(view: View, namespace: str, selector: dict[str, str]) -> list[dict]:
    wanted = selector.items()
    return [
        pod for pod in view.list(PODS.resource, namespace) if wanted <= (pod["metadata"].get("labels") or {}).items()
    ]


def _mirrors(view: View, service: dict, endpoints: dict | None) -> slices.Plan:
    """Whoever leaves out the selector writes slices by hand, which stand as they are, or Endpoints, which get some."""
    existing = _managed(view, *split_key(key_of(service)), slices.MIRRORING)
    groups = legacy.mirrored(endpoints)
    if endpoints is None or not groups:
        return slices.Plan(delete=existing)
    return slices.plan(service, endpoints, slices.MIRRORING, existing, groups)


def _managed(view: View, namespace: str, name: str, manager: str) -> list[dict]:
    """The slices of a Service that are that manager's to write."""
    mine = {SERVICE_NAME: name, slices.MANAGED_BY: manager}.items()
    every = view.list(ENDPOINTSLICES.resource, namespace)
    return [one for one in every if mine <= (one["metadata"].get("labels") or {}).items() and not is_deleting(one)]
