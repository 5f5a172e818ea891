"""Says where Services and Ingresses can be reached from outside: what a cloud's controller does once it has hired a
load balancer, and an ingress controller for itself. Here both are the front door, which is there from the beginning.

A Service of type LoadBalancer has a host name at the front door, and under that name its node ports too. An Ingress is
reached at the cluster's name, or with its rules' hosts in the request. Services of a class are another controller's.
"""

from collections.abc import Iterable

from lab.apimachinery.kinds import BY_RESOURCE, INGRESSES, SERVICES
from lab.apimachinery.meta import is_deleting, key_of, split_key
from lab.client import Change, Client
from lab.client.reconcile import Controller


class LoadBalancerController(Controller):
    """Keys are Services and Ingresses: `<resource>:<namespace>/<name>`."""

    name = "loadbalancer"
    author = "service-controller"
    watches = (SERVICES.resource, INGRESSES.resource)

    def keys(self, change: Change) -> Iterable[str]:
        if change.deleted or change.author == self.author:
            return ()
        return (f"{change.resource}:{key_of(change.object)}",)

    def all_keys(self, client: Client) -> Iterable[str]:
        return [f"{kind.resource}:{key_of(obj)}" for kind in (SERVICES, INGRESSES) for obj in client.list(kind)]

    def sync(self, client: Client, key: str) -> float | None:
        resource, _, place = key.partition(":")
        kind = BY_RESOURCE[resource]
        obj = client.find(kind, *split_key(place))
        if obj is None or is_deleting(obj) or obj["spec"].get("loadBalancerClass"):
            return None
        balancer = wanted(obj, client.cluster)
        if balancer != (obj.get("status") or {}).get("loadBalancer", {}):
            why = {
                "decision": "EnsureLoadBalancer",
                "hosts": [each["hostname"] for each in balancer.get("ingress", ())],
            }
            told = {**obj, "status": {**(obj.get("status") or {}), "loadBalancer": balancer}}
            client.update_status(kind, told, why)
            if balancer and kind is SERVICES:
                client.event(obj, "Normal", "EnsuredLoadBalancer", "Ensured load balancer")
        return None


def wanted(obj: dict, cluster: str) -> dict:
    """`status.loadBalancer` of a Service or an Ingress."""
    meta, spec = obj["metadata"], obj["spec"]
    if obj["kind"] == INGRESSES.kind:
        return {"ingress": [{"hostname": f"{cluster}.localhost"}]}
    if spec.get("type") != "LoadBalancer":
        return {}
    return {"ingress": [{"hostname": f"{meta['name']}.{meta['namespace']}.{cluster}.localhost"}]}
