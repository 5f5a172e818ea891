"""What every namespace has: a ServiceAccount `default`, for the pods that name none, and the certificate by which its
pods know the API server. What was deleted is made anew. Two controllers in Kubernetes, and here, of one shape.

Source: pkg/controller/serviceaccount and pkg/controller/certificates/rootcacertpublisher.
"""

from collections.abc import Callable, Iterable

from lab.apimachinery.kinds import CONFIGMAPS, NAMESPACES, SERVICEACCOUNTS, Kind
from lab.apimachinery.meta import is_deleting
from lab.client import Change, Client
from lab.client.clusters import ACCOUNT, ROOT_CA, account, root_ca

from .objects import ObjectController


class _Furnisher(ObjectController):
    """Keys are namespaces; subclasses say which piece each of them has, and how it is made."""

    kind = NAMESPACES
    piece: tuple[Kind, str]
    make: Callable[[str], dict]

    def keys(self, change: Change) -> Iterable[str]:
        if change.resource == NAMESPACES.resource:
            return (change.name,) if change.created else ()
        return (change.namespace,) if change.name == self.piece[1] and change.author != self.author else ()

    def converge(self, client: Client, namespace: dict) -> None:
        if is_deleting(namespace):
            return
        kind, name = self.piece
        space = namespace["metadata"]["name"]
        found, wanted = client.find(kind, space, name), self.make(space)
        if found is None:
            client.create(kind, wanted)
        elif found.get("data") != wanted.get("data"):
            client.update(kind, {**found, "data": wanted["data"]})


class ServiceAccountController(_Furnisher):
    """Its accounts have nothing in them that could be changed."""

    name = "serviceaccount"
    author = "service-account-controller"
    watches = (NAMESPACES.resource, SERVICEACCOUNTS.resource)
    piece = SERVICEACCOUNTS, ACCOUNT
    make = staticmethod(account)


class RootCAPublisher(_Furnisher):
    """Its ConfigMaps say what the authority says, whatever somebody else has made of them."""

    name = "rootca"
    author = "root-ca-cert-publisher"
    watches = (NAMESPACES.resource, CONFIGMAPS.resource)
    piece = CONFIGMAPS, ROOT_CA
    make = staticmethod(root_ca)
