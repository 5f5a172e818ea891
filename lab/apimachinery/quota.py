"""What objects take of a ResourceQuota. Pure: the API server asks it before a write, its controller for the status.

Source: pkg/quota/v1/evaluator/core and k8s.io/apiserver/pkg/quota/v1/generic.
"""

import functools
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal

import orjson

from .kinds import PERSISTENTVOLUMECLAIMS, PODS, RESOURCEQUOTAS, SERVICES
from .meta import is_deleting, parse_time
from .podresources import pod_resources
from .pods import is_finished
from .quantity import Amount, parse_amount
from .services import OUTWARD

Usage = dict[str, Amount]
NOTHING, ONE = Amount(Decimal(0)), Amount(Decimal(1))
COUNT = "count/"
# Kinds that were counted before anything could be, by their names alone.
COUNTED = (
    "configmaps",
    "replicationcontrollers",
    "secrets",
    PERSISTENTVOLUMECLAIMS.resource,
    RESOURCEQUOTAS.resource,
    SERVICES.resource,
)
COMPUTE = ("cpu", "memory", "ephemeral-storage")
STORAGE = "requests.storage"
CLASS = ".storageclass.storage.k8s.io/"
# What a pod has to say for each of its containers, if a quota counts it.
EXPLICIT = ("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory")


def amounts(quantities: dict | None) -> Usage:
    return {name: parse_amount(quantity) for name, quantity in (quantities or {}).items()}


def hard(quota: dict) -> Usage:
    """What the quota allows."""
    return amounts(quota["spec"].get("hard"))


def used(quota: dict, objects: Callable[[str], Iterable[dict]], now: float) -> Usage:
    """What is taken of all that the quota counts; `objects` lists those of a resource in the quota's namespace."""
    total = dict.fromkeys(hard(quota), NOTHING)
    for resource in {_resource_of(name) for name in total}:
        for obj in objects(resource):
            for name, amount in share(quota, resource, obj, now).items():
                total[name] += amount
    return total


def _resource_of(name: str) -> str:
    """The objects by which a name of a quota is used up."""
    if name.startswith(COUNT):
        return name.removeprefix(COUNT)
    if name in COUNTED:
        return name
    if name.startswith("services."):
        return SERVICES.resource
    return PERSISTENTVOLUMECLAIMS.resource if name == STORAGE or CLASS in name else PODS.resource


def share(quota: dict, resource: str, obj: dict, now: float) -> Usage:
    """What one object takes of this quota."""
    if not covers(quota, resource, obj):
        return {}
    counted = quota["spec"].get("hard") or {}
    return {name: amount for name, amount in usage(resource, obj, now).items() if name in counted}


def usage(resource: str, obj: dict, now: float) -> Usage:
    """All that an object takes, by the names that a quota may count."""
    taken = {COUNT + resource: ONE}
    if resource in COUNTED:
        taken[resource] = ONE
    if resource == PODS.resource and ends_at(obj) > now:
        taken |= _of_pod(obj["spec"])
    elif resource == SERVICES.resource:
        taken |= _of_service(obj["spec"])
    elif resource == PERSISTENTVOLUMECLAIMS.resource:
        taken |= _of_claim(obj["spec"])
    return taken


def ends_at(pod: dict) -> float:
    """Until when a pod counts, in seconds since the epoch. One that has finished takes nothing any more, nor does one
    whose grace is over: nobody may ever hear that it has ended, for its node may be gone."""
    if is_finished(pod):
        return 0.0
    if not is_deleting(pod):
        return float("inf")
    # Kubernetes waits for the grace once more, in case clocks differ.
    return parse_time(pod["metadata"]["deletionTimestamp"]) + pod["metadata"].get("deletionGracePeriodSeconds", 0)


def _of_pod(spec: dict) -> Usage:
    """Worked out once for all pods that ask for the same: it is asked of each pod of a namespace, under a lock."""
    said = {
        field: [{"resources": c.get("resources"), "restartPolicy": c.get("restartPolicy")} for c in spec[field]]
        for field in ("containers", "initContainers")
        if spec.get(field)
    }
    return _asked_by(orjson.dumps({**said, "resources": spec.get("resources"), "overhead": spec.get("overhead")}))


@functools.lru_cache(maxsize=4096)
def _asked_by(signature: bytes) -> Usage:
    spec = orjson.loads(signature)
    both = (pod_resources(spec, which, amounts) for which in ("requests", "limits"))
    return {PODS.resource: ONE} | _compute(*both)


def _compute(requests: Usage, limits: Usage) -> Usage:
    """Requests count by their bare names too, as they did before there were quotas for limits."""
    taken = {f"requests.{name}": amount for name, amount in requests.items()}
    taken |= {name: amount for name, amount in requests.items() if name in COMPUTE or name.startswith("hugepages-")}
    return taken | {f"limits.{name}": amount for name, amount in limits.items() if name in COMPUTE}


def _of_service(spec: dict) -> Usage:
    kind, ports = spec.get("type"), spec.get("ports") or ()
    if kind == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is False:
        ports = [port for port in ports if port.get("nodePort")]
    taken = {"services.nodeports": Amount(Decimal(len(ports)))} if kind in OUTWARD else {}
    return taken | ({"services.loadbalancers": ONE} if kind == "LoadBalancer" else {})


def _of_claim(spec: dict) -> Usage:
    asked = parse_amount(((spec.get("resources") or {}).get("requests") or {}).get("storage", 0))
    taken = {STORAGE: asked}
    if name := spec.get("storageClassName"):
        taken |= {f"{name}{CLASS}persistentvolumeclaims": ONE, f"{name}{CLASS}{STORAGE}": asked}
    return taken


def unspecified(quota: dict, pod: dict) -> dict[str, list[str]]:
    """Counted resource → the containers that do not say how much of it they need: such a pod could not be counted."""
    counted = [name for name in EXPLICIT if name in (quota["spec"].get("hard") or {})]
    lacking: dict[str, list[str]] = {}
    for container in [*pod["spec"].get("containers", ()), *(pod["spec"].get("initContainers") or ())]:
        resources = container.get("resources") or {}
        said = _compute(amounts(resources.get("requests")), amounts(resources.get("limits")))
        for name in counted:
            if name not in said:
                lacking.setdefault(name, []).append(container["name"])
    return {name: sorted(lacking[name]) for name in sorted(lacking)}


def covers(quota: dict, resource: str, obj: dict) -> bool:
    """Whether the quota is about this object. One with scopes is about pods alone, and about those in all of them."""
    scopes = list(requirements(quota["spec"]))
    return not scopes or (resource == PODS.resource and all(_is_in(scope, obj) for scope in scopes))


def requirements(spec: dict) -> Iterator[dict]:
    """Both ways in which a quota can name its scopes, as `{scopeName, operator, values}`."""
    for name in spec.get("scopes") or ():
        yield {"scopeName": name, "operator": "Exists"}
    yield from (spec.get("scopeSelector") or {}).get("matchExpressions") or ()


def _is_in(scope: dict, pod: dict) -> bool:
    name, spec = scope["scopeName"], pod["spec"]
    if name == "PriorityClass":
        return _selects(scope, spec.get("priorityClassName", ""))
    if name.endswith("Terminating"):
        return (spec.get("activeDeadlineSeconds") is not None) is (name == "Terminating")
    if name.endswith("BestEffort"):
        return (pod.get("status", {}).get("qosClass") == "BestEffort") is (name == "BestEffort")
    return _crosses_namespaces(spec.get("affinity") or {})


def _selects(scope: dict, priority_class: str) -> bool:
    operator, values = scope["operator"], scope.get("values") or ()
    if operator in ("Exists", "DoesNotExist"):
        return bool(priority_class) is (operator == "Exists")
    return (priority_class in values) is (operator == "In")


def _crosses_namespaces(affinity: dict) -> bool:
    """Whether the pod's rules about other pods reach into other namespaces."""
    for rules in (affinity.get("podAffinity") or {}, affinity.get("podAntiAffinity") or {}):
        for listed in rules.values():
            for term in (one.get("podAffinityTerm", one) for one in listed or ()):
                if term.get("namespaces") or term.get("namespaceSelector") is not None:
                    return True
    return False
