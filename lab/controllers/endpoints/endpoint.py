"""One pod as an endpoint of one Service: its address, its ports, its conditions. Pure.

Source: k8s.io/endpointslice/utils.go (podToEndpoint, getEndpointPorts).
"""

from dataclasses import dataclass, field

import orjson

from lab.apimachinery.labels import ZONE_LABEL
from lab.apimachinery.meta import is_deleting
from lab.apimachinery.services import target_port

from ..pods import is_finished, is_ready, node_of


@dataclass
class Group:
    """Endpoints that are asked at the same ports: a port that is named may have another number in each pod."""

    ports: list[dict]
    endpoints: list[dict] = field(default_factory=list)


Groups = dict[bytes, Group]  # by what `key_of_ports` says


def key_of_ports(ports: list[dict]) -> bytes:
    return orjson.dumps(ports, option=orjson.OPT_SORT_KEYS)


def add_to(groups: Groups, ports: list[dict], endpoint: dict) -> None:
    groups.setdefault(key_of_ports(ports), Group(ports)).endpoints.append(endpoint)


def publishes_unready(service: dict) -> bool:
    return bool(service["spec"].get("publishNotReadyAddresses"))


def stands_behind(pod: dict, service: dict, nodes: dict[str, dict]) -> bool:
    """Whether it has an address to be asked at. One that ends stays until it is gone, so that what it works on can be
    finished; one whose node is gone does not, or it would be asked forever."""
    if is_finished(pod) or not pod.get("status", {}).get("podIP"):
        return False
    return publishes_unready(service) or node_of(pod) in nodes


def endpoint_of(pod: dict, service: dict, nodes: dict[str, dict]) -> dict:
    """`ready` is what a proxy goes by. `serving` says the same of a pod that ends, which is never called ready."""
    serving, terminating = is_ready(pod), is_deleting(pod)
    endpoint = {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {
            "ready": publishes_unready(service) or (serving and not terminating),
            "serving": serving,
            "terminating": terminating,
        },
        "targetRef": reference(pod),
    }
    if node_of(pod):
        endpoint["nodeName"] = node_of(pod)
    labels = nodes.get(node_of(pod), {"metadata": {}})["metadata"].get("labels") or {}
    if labels.get(ZONE_LABEL):
        endpoint["zone"] = labels[ZONE_LABEL]
    if has_own_name(pod, service):
        endpoint["hostname"] = pod["spec"]["hostname"]
    return endpoint


def reference(pod: dict) -> dict:
    meta = pod["metadata"]
    return {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]}


def has_own_name(pod: dict, service: dict) -> bool:
    """Whether it is known as `<hostname>.<service>`: it says so in its spec."""
    return bool(pod["spec"].get("hostname")) and pod["spec"].get("subdomain") == service["metadata"]["name"]


def ports_of(pod: dict, service: dict) -> list[dict]:
    """The Service's ports as numbers of this pod; those that it does not have are left out."""
    found = []
    for port in service["spec"].get("ports") or ():
        number = target_port(pod, port)
        if number is not None:
            entry = {"name": port.get("name", ""), "port": number, "protocol": port.get("protocol", "TCP")}
            if port.get("appProtocol"):
                entry["appProtocol"] = port["appProtocol"]
            found.append(entry)
    return found


def groups_of(service: dict, pods: list[dict], nodes: dict[str, dict]) -> Groups:
    """All endpoints of a Service, in the order of the pods' names."""
    groups: Groups = {}
    for pod in sorted(pods, key=lambda pod: pod["metadata"]["name"]):
        if stands_behind(pod, service, nodes):
            ports = ports_of(pod, service)
            if ports or not service["spec"].get("ports"):
                add_to(groups, ports, endpoint_of(pod, service, nodes))
    return groups
