"""Every namespace has a ServiceAccount `default`, for the pods that name none; one that was deleted is made anew."""

from collections.abc import Iterable

from lab.apimachinery.kinds import NAMESPACES, SERVICEACCOUNTS
from lab.apimachinery.meta import is_deleting
from lab.client import Change, Client
from lab.client.clusters import ACCOUNT
from lab.client.reconcile import Controller


class ServiceAccountController(Controller):
    """Keys are namespaces."""

    name = "serviceaccount"
    author = "service-account-controller"
    watches = (NAMESPACES.resource, SERVICEACCOUNTS.resource)

    def keys(self, change: Change) -> Iterable[str]:
        if change.resource == NAMESPACES.resource:
            return (change.name,) if change.created else ()
        return (change.namespace,) if change.deleted and change.name == ACCOUNT else ()

    def all_keys(self, client: Client) -> Iterable[str]:
        return [namespace["metadata"]["name"] for namespace in client.list(NAMESPACES)]

    def sync(self, client: Client, key: str) -> float | None:
        namespace = client.find(NAMESPACES, "", key)
        if namespace and not is_deleting(namespace) and client.find(SERVICEACCOUNTS, key, ACCOUNT) is None:
            client.create(SERVICEACCOUNTS, {"metadata": {"name": ACCOUNT, "namespace": key}})
        return None
