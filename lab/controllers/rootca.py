"""The root CA publisher: every namespace has the certificate by which its pods know the API server.

Source: pkg/controller/certificates/rootcacertpublisher.
"""

from collections.abc import Iterable

from lab.apimachinery.kinds import CONFIGMAPS, NAMESPACES
from lab.apimachinery.meta import is_deleting
from lab.client import Change, Client
from lab.client.clusters import ROOT_CA, root_ca
from lab.client.reconcile import Controller


class RootCAPublisher(Controller):
    """Keys are namespaces."""

    name = "rootca"
    author = "root-ca-cert-publisher"
    watches = (NAMESPACES.resource, CONFIGMAPS.resource)

    def keys(self, change: Change) -> Iterable[str]:
        if change.resource == NAMESPACES.resource:
            return (change.name,) if change.created else ()
        return (change.namespace,) if change.name == ROOT_CA and change.author != self.author else ()

    def all_keys(self, client: Client) -> Iterable[str]:
        return [namespace["metadata"]["name"] for namespace in client.list(NAMESPACES)]

    def sync(self, client: Client, key: str) -> float | None:
        namespace, wanted = client.find(NAMESPACES, "", key), root_ca(key)
        if namespace is None or is_deleting(namespace):
            return None
        found = client.find(CONFIGMAPS, key, ROOT_CA)
        if found is None:
            client.create(CONFIGMAPS, wanted)
        elif found.get("data") != wanted["data"]:
            client.update(CONFIGMAPS, {**found, "data": wanted["data"]})
        return None
