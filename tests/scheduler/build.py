"""Nodes and pods in as few words as a test needs."""

from dataclasses import replace

import orjson

from lab.scheduler.batch import Outcome, schedule
from lab.scheduler.cache import Cache
from lab.scheduler.scores import LEAST_ALLOCATED

GI = 1024**3


def node(name: str = "node-1", cpu: str = "4", memory: str = "8Gi", pods: int = 110, **more) -> dict:
    """`labels`, `taints`, `unschedulable`, `images` {name: bytes}; every other word is a resource that it offers."""
    labels = {"kubernetes.io/hostname": name, **more.pop("labels", {})}
    spec = {field: more.pop(field) for field in ("taints", "unschedulable") if field in more}
    images = [{"names": [name], "sizeBytes": size} for name, size in more.pop("images", {}).items()]
    offers = {"cpu": cpu, "memory": memory, "pods": str(pods), **{k: str(v) for k, v in more.items()}}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
        "status": {"allocatable": offers, "images": images, "conditions": [{"type": "Ready", "status": "True"}]},
    }


def pod(name: str = "web", cpu: str = "", memory: str = "", node: str = "", **more) -> dict:
    """`labels`, `owner`, `owner_kind`, `status`, `created`, `requests` {resource: quantity}, `image`, `ports`,
    `deleting`; every other word is a field of the spec."""
    requests = {**({"cpu": cpu} if cpu else {}), **({"memory": memory} if memory else {}), **more.pop("requests", {})}
    metadata = {
        "name": name,
        "namespace": more.pop("namespace", "default"),
        "uid": f"uid-{name}",
        "labels": more.pop("labels", {}),
        "annotations": more.pop("annotations", {}),
        "creationTimestamp": more.pop("created", "2026-01-01T00:00:00Z"),
    }
    if owner := more.pop("owner", ""):
        kind = more.pop("owner_kind", "ReplicaSet")
        ref = {"apiVersion": "apps/v1", "kind": kind, "name": owner, "uid": f"uid-{owner}", "controller": True}
        metadata["ownerReferences"] = [ref]
    if more.pop("deleting", False):
        metadata["deletionTimestamp"] = "2026-01-01T00:00:30Z"
    status = more.pop("status", {})
    container = {"name": "app", "image": more.pop("image", "web:1"), "resources": {"requests": requests}}
    if ports := more.pop("ports", None):
        container["ports"] = ports
    spec = {"containers": [container], **more}
    if node:
        spec["nodeName"] = node
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}


def run(nodes: list[dict], pods: list[dict], strategy: str = LEAST_ALLOCATED) -> Outcome:
    """One run of the scheduler over all of these that wait."""
    cache = cache_of(nodes, pods, strategy)
    return recorded(schedule(cache, list(cache.pending)))


def recorded(outcome: Outcome) -> Outcome:
    """With its decisions as they are stored and read again."""
    bindings = [(pod, node, read(why)) for pod, node, why in outcome.bindings]
    unschedulable = [replace(missed, why=read(missed.why)) for missed in outcome.unschedulable]
    return replace(outcome, bindings=bindings, unschedulable=unschedulable)


def read(why: dict | None) -> dict | None:
    return orjson.loads(orjson.dumps(why))


def places(outcome: Outcome) -> dict[str, str]:
    """Pod's name → node's name, in the order in which they were placed."""
    return {pod["metadata"]["name"]: node for pod, node, _ in outcome.bindings}


def words(outcome: Outcome) -> dict[str, str]:
    """Pod's name → what is said of it, for those that fit nowhere."""
    return {missed.pod["metadata"]["name"]: missed.message for missed in outcome.unschedulable}


def cache_of(nodes: list[dict], pods: list[dict] = (), strategy: str = LEAST_ALLOCATED) -> Cache:
    cache = Cache(strategy)
    for each in nodes:
        cache.set_node(each)
    for each in pods:
        cache.set_pod(each)
    return cache


def term(key: str, weight: int = 0, **labels: str) -> dict:
    """A term of pod affinity; with a weight, a preferred one."""
    asked = {"topologyKey": key, "labelSelector": {"matchLabels": labels}}
    return {"weight": weight, "podAffinityTerm": asked} if weight else asked


def affinity(kind: str, *terms: dict) -> dict:
    """`kind` is podAffinity or podAntiAffinity; terms with a weight are preferred, the others required."""
    required = [each for each in terms if "weight" not in each]
    preferred = [each for each in terms if "weight" in each]
    return {
        kind: {
            "requiredDuringSchedulingIgnoredDuringExecution": required,
            "preferredDuringSchedulingIgnoredDuringExecution": preferred,
        }
    }
