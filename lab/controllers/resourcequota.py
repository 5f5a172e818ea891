"""The resource quota controller: says how much of each quota is used.

Nobody's write waits for it: the API server counts for itself, under the store's lock. What stands in the status is for
people. Source: k8s.io/kubernetes/pkg/controller/resourcequota.
"""

import time
from collections.abc import Iterable

from lab.apimachinery import quota
from lab.apimachinery.kinds import EVENTS, KINDS, LEASES, PODS, RESOURCEQUOTAS, SERVICES
from lab.apimachinery.meta import is_deleting
from lab.client import Change, Client, Put
from lab.client.reconcile import Controller

# Events and leases come and go all the time; the few who count them see the figure with the next change of the others.
COUNTED = tuple(kind.resource for kind in KINDS if kind.namespaced and kind not in (EVENTS, LEASES))


class ResourceQuotaController(Controller):
    """Keys are namespaces."""

    name = "resourcequota"
    watches = COUNTED

    def keys(self, change: Change) -> Iterable[str]:
        if change.resource == RESOURCEQUOTAS.resource and change.author != self.author:
            return (change.namespace,)
        if change.old is None or change.deleted or _taken(change.old, change) != _taken(change.object, change):
            return (change.namespace,)
        return ()

    def wants(self, change: Change) -> bool:
        """Things come and go all the time, mostly in namespaces without a quota: the tick will do for those."""
        return change.resource == RESOURCEQUOTAS.resource and super().wants(change)

    def all_keys(self, client: Client) -> Iterable[str]:
        return {each["metadata"]["namespace"] for each in client.list(RESOURCEQUOTAS)}

    def sync(self, client: Client, key: str) -> float | None:
        view, now = client.view(), time.time()
        quotas = view.list(RESOURCEQUOTAS.resource, key)
        if not quotas:
            return None
        puts = []
        for each in quotas:
            used = quota.used(each, lambda resource: view.list(resource, key), now)
            status = {"hard": _shown(quota.hard(each)), "used": _shown(used)}
            if status != each.get("status"):
                puts.append(Put(RESOURCEQUOTAS, {**each, "status": status}, "status"))
        client.write(puts)
        waits = [quota.ends_at(pod) - now for pod in view.list(PODS.resource, key) if is_deleting(pod)]
        return min((wait for wait in waits if wait > 0), default=None)


def _taken(obj: dict, change: Change) -> object:
    """All that can change of what an object takes as long as it is there. A pod's resources stay what they are, but it
    ends."""
    if change.resource == PODS.resource:
        return quota.ends_at(obj)
    return quota.usage(change.resource, obj, 0.0) if change.resource == SERVICES.resource else None


def _shown(amounts: quota.Usage) -> dict[str, str]:
    return {name: str(amount) for name, amount in amounts.items()}
