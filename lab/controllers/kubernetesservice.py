"""The API's own Service, `kubernetes` in the namespace `default`: how whoever is in the cluster finds it.

In Kubernetes the API server keeps it up itself. Where pods can reach the API the kubelets say, on their nodes; when it
is somewhere else after a restart, the endpoints follow. Source: pkg/controlplane/controller/kubernetesservice.
"""

import ipaddress
from collections.abc import Iterable

from lab.apimachinery.kinds import ENDPOINTS, ENDPOINTSLICES, NODES, SERVICES, Kind
from lab.apimachinery.services import (
    API_ADDRESS,
    API_NAME,
    API_NAMESPACE,
    API_PORT,
    API_PORT_NAME,
    API_TARGET_PORT,
    SERVICE_NAME,
    api_servers,
)
from lab.client import Change, Client
from lab.client.reconcile import Controller

from .endpoints.legacy import SKIP_MIRROR

KEY = f"{API_NAMESPACE}/{API_NAME}"


class KubernetesServiceController(Controller):
    """Has one key."""

    name = "kubernetesservice"
    author = "kube-apiserver"
    watches = (NODES.resource, SERVICES.resource, ENDPOINTS.resource, ENDPOINTSLICES.resource)

    def keys(self, change: Change) -> Iterable[str]:
        if change.resource == NODES.resource:
            before, after = change.old, None if change.deleted else change.object
            concerns = _said(before) != _said(after)
        else:
            concerns = change.author != self.author and f"{change.namespace}/{change.name}" == KEY
        return (KEY,) if concerns else ()

    def all_keys(self, client: Client) -> Iterable[str]:
        return (KEY,)

    def sync(self, client: Client, key: str) -> float | None:
        if client.find(SERVICES, API_NAMESPACE, API_NAME) is None:
            client.create(SERVICES, service())
        servers = servers_of(client.list(NODES))
        for kind, fields in ((ENDPOINTS, endpoints(servers)), (ENDPOINTSLICES, endpoint_slice(servers))):
            self._keep(client, kind, fields)
        return None

    def _keep(self, client: Client, kind: Kind, fields: dict) -> None:
        """Have it so, whatever somebody else has made of it."""
        found = client.find(kind, API_NAMESPACE, API_NAME)
        if found is None:
            client.create(kind, fields)
        elif any((found.get(field) or []) != value for field, value in fields.items() if field != "metadata"):
            client.update(kind, found | fields | {"metadata": found["metadata"]})


def service() -> dict:
    port = {"name": API_PORT_NAME, "port": API_PORT, "protocol": "TCP", "targetPort": API_TARGET_PORT}
    labels = {"component": "apiserver", "provider": "kubernetes"}
    return {"metadata": _meta(labels), "spec": {"type": "ClusterIP", "clusterIP": API_ADDRESS, "ports": [port]}}


def servers_of(nodes: list[dict]) -> list[tuple[str, int]]:
    """(address, port) of the API, as pods reach it; on the loopback only if no node has another network."""
    found = api_servers(nodes)
    return [each for each in found if not ipaddress.ip_address(each[0]).is_loopback] or found


def endpoints(servers: list[tuple[str, int]]) -> dict:
    subsets = [{"addresses": [{"ip": address}], "ports": [_port(port)]} for address, port in servers]
    return {"metadata": _meta({SKIP_MIRROR: "true"}), "subsets": subsets}


def endpoint_slice(servers: list[tuple[str, int]]) -> dict:
    """One of one port is enough: there is one API server, and it has one port."""
    made = [{"addresses": [address], "conditions": {"ready": True}} for address, _ in servers]
    ports = [_port(port) for _, port in servers[:1]]
    return {"metadata": _meta({SERVICE_NAME: API_NAME}), "addressType": "IPv4", "endpoints": made, "ports": ports}


def _meta(labels: dict[str, str]) -> dict:
    return {"name": API_NAME, "namespace": API_NAMESPACE, "labels": labels}


def _port(number: int) -> dict:
    return {"name": API_PORT_NAME, "port": number, "protocol": "TCP"}


def _said(node: dict | None) -> list[tuple[str, int]]:
    return api_servers([node] if node else [])
