"""Which changes of the log a data plane goes by, and the picture that is made from the present state."""

import ipaddress

from django.conf import settings

from lab.apimachinery.kinds import ENDPOINTSLICES, INGRESSES, NODES, PODS, SERVICES
from lab.apimachinery.labels import GATEWAY, KUBELET, RUNTIME_LABEL
from lab.apimachinery.meta import is_true
from lab.apimachinery.services import SERVICE_NAME, api_servers
from lab.client import Change, View

from .desired import Picture

# What of each kind matters here: of pods the label that names their version (and a lost readiness), of nodes what runs
# them.
OF_META = {
    SERVICES.resource: ("annotations",),
    ENDPOINTSLICES.resource: ("labels",),
    INGRESSES.resource: (),
    NODES.resource: ("annotations", "labels"),
    PODS.resource: ("labels",),
}
OF_OBJECT = {
    SERVICES.resource: ("spec",),
    ENDPOINTSLICES.resource: ("endpoints", "ports"),
    INGRESSES.resource: ("spec",),
}


def wants(change: Change) -> bool:
    if change.resource not in OF_META:
        return False
    if change.resource == PODS.resource:
        if change.created or change.deleted:
            return False  # it comes and goes with its slice
        if change.old and is_true(change.old, "Ready") and not is_true(change.object, "Ready"):
            return True
    return change.deleted or _matters(change.resource, change.old) != _matters(change.resource, change.object)


def _matters(resource: str, obj: dict | None) -> list | None:
    if obj is None:
        return None
    meta = [obj["metadata"].get(field) for field in OF_META[resource]]
    return [*meta, *(obj.get(field) for field in OF_OBJECT.get(resource, ()))]


def picture_of(view: View) -> Picture:
    """The cluster as it is now, as far as its traffic goes."""
    slices: dict[tuple[str, str], list[dict]] = {}
    for one in view.list(ENDPOINTSLICES.resource):
        meta = one["metadata"]
        service = (meta.get("labels") or {}).get(SERVICE_NAME, "")
        slices.setdefault((meta["namespace"], service), []).append(one)
    return Picture(
        cluster=view.name,
        services=view.list(SERVICES.resource),
        slices=slices,
        ingresses=view.list(INGRESSES.resource),
        runtimes={node["metadata"]["name"]: _engine(node) for node in view.list(NODES.resource)},
        find_pod=lambda namespace, name: view.get(PODS.resource, namespace, name),
        within=network_of(view) if view.guard else None,
        api=(settings.API_HOST, settings.TLS_PORT),
        api_for_pods=api_servers(view.list(NODES.resource)),
    )


def network_of(view: View) -> ipaddress.IPv4Network:
    """The cluster's own: by its gateway's address; where it has none because its pods are processes of this machine, by
    a node's range, which its kubelet chose: a node of which no kubelet has said so is one that a stranger has written,
    and so is its range. Without either, one with nobody in it."""
    places = [gateway.partition(":")[0] for gateway in gateways_of(view)]
    processes = [node for node in view.list(NODES.resource) if _engine(node) == "process" and _note(node, KUBELET)]
    places += [_range(node).partition("/")[0] for node in processes]
    address = next(filter(None, places), "")
    return ipaddress.IPv4Network(f"{address}/16" if address else "0.0.0.0/32", strict=False)


def _engine(node: dict) -> str:
    return (node["metadata"].get("labels") or {}).get(RUNTIME_LABEL, "")


def _range(node: dict) -> str:
    return node["spec"].get("podCIDR", "")


def gateways_of(view: View) -> set[str]:
    """Where the data planes of the cluster's own networks are told what to do: `host:port`, as their nodes say."""
    return {_note(node, GATEWAY) for node in view.list(NODES.resource)} - {""}


def _note(node: dict, name: str) -> str:
    return (node["metadata"].get("annotations") or {}).get(name, "")
