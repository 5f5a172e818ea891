"""The stage of a step: a cluster becomes what a scene says, by the smallest change, whatever was done to it.

Level-triggered, like a controller: `plan` compares, `set_stage` takes one step, and is called until nothing is left. So
it may be killed anywhere. It acts on the cluster from outside (`hardware`), for a scene may begin where no control
plane is up.
"""

from dataclasses import dataclass, field
from pathlib import Path

import yaml

from lab.apimachinery.controlplane import PARTITIONED, POWER
from lab.apimachinery.kinds import (
    BY_GVK,
    BY_RESOURCE,
    CONTROLLERREVISIONS,
    DAEMONSETS,
    DEPLOYMENTS,
    ENDPOINTS,
    ENDPOINTSLICES,
    EVENTS,
    JOBS,
    LEASES,
    LESSONS,
    NODES,
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    PODS,
    REPLICASETS,
    STATEFULSETS,
    WHEELS,
    Kind,
)
from lab.apimachinery.labels import RUNTIME_LABEL
from lab.apimachinery.meta import controller_of, is_deleting, is_true
from lab.apimachinery.priorities import SYSTEM
from lab.apimachinery.wheels import RUNNING
from lab.client import Client, Put
from lab.client.clusters import ACCOUNT, FIRST_NAMESPACES, ROOT_CA, STANDARD
from lab.store import View

from .pages import SCENES, find_file

AUTHOR = "tutor"
BASE = "base.yaml"
# What others make of other things, and what is no part of a scene: it follows, or it stays.
LEFT = {
    kind.resource
    for kind in (EVENTS, LEASES, LESSONS, ENDPOINTS, ENDPOINTSLICES, CONTROLLERREVISIONS, PERSISTENTVOLUMES, WHEELS)
}
BUILT_IN = {("namespaces", name) for name in FIRST_NAMESPACES} | {
    ("services", "kubernetes"),
    ("endpoints", "kubernetes"),
    ("serviceaccounts", ACCOUNT),
    ("configmaps", ROOT_CA),
    ("storageclasses.storage.k8s.io", STANDARD["metadata"]["name"]),
    *(("priorityclasses.scheduling.k8s.io", name) for name in SYSTEM),
}
OWN_NAMESPACES = frozenset(FIRST_NAMESPACES) - {"default"}
# Annotations by which controllers and kubelets remember something.
OF_OTHERS = (
    "deployment.kubernetes.io/",
    "pv.kubernetes.io/",
    "volume.",
    "orrery.io/kubelet",
    "orrery.io/gateway",
    "orrery.io/api-server",
)
KEPT_SPECS = (JOBS.kind, PERSISTENTVOLUMECLAIMS.kind)  # what was filled in there may not be changed any more
LIFECYCLE = "node.kubernetes.io/"
SWITCHES = (POWER, PARTITIONED)
Key = tuple[str, str, str]  # resource, namespace, name


@dataclass
class Plan:
    """How everything of the scene is written (of what is so already the API server makes no revision), what goes, and
    which pods end at once."""

    puts: list[Put] = field(default_factory=list)
    gone: list[tuple[Kind, dict]] = field(default_factory=list)
    pods: list[dict] = field(default_factory=list)


def scene(folder: Path, name: str, runtime: str) -> list[dict]:
    """The objects of a scene, with those of `base.yaml` where it names no Node. Nodes are run by `runtime`."""
    file = find_file(folder, name)
    if file is None:
        raise FileNotFoundError(f"there is no scene {name}")
    found = [obj for obj in yaml.safe_load_all(file.read_text()) if obj]
    if not any(obj["kind"] == NODES.kind for obj in found):
        found = [*yaml.safe_load_all((SCENES / BASE).read_text()), *found]
    for obj in found:
        meta = obj["metadata"]
        if BY_GVK[obj["apiVersion"], obj["kind"]].namespaced:
            meta.setdefault("namespace", "default")
        if obj["kind"] == NODES.kind:
            meta.setdefault("labels", {}).setdefault(RUNTIME_LABEL, runtime)
    return found


def plan(view: View, wanted: list[dict]) -> Plan:
    """What is between the cluster and the scene. Pure."""
    found, keys = Plan(), {_key(obj) for obj in wanted}
    for obj in wanted:
        if put := _put(view, obj):
            found.puts.append(put)
    for wheel in view.list(WHEELS.resource):
        if wheel["spec"]["mode"] != RUNNING:
            found.puts.append(Put(WHEELS, {**wheel, "spec": {"mode": RUNNING}}))
    for resource, kind in BY_RESOURCE.items():
        for obj in view.list(resource):
            if _key(obj) in keys or resource in LEFT or _is_built_in(resource, obj):
                continue
            if kind is PODS:
                if _key(_root(view, obj)) not in keys and obj["metadata"].get("deletionGracePeriodSeconds") != 0:
                    found.pods.append(obj)
            elif not controller_of(obj) and not is_deleting(obj):
                found.gone.append((kind, obj))
    return found


def set_stage(client: Client, wanted: list[dict]) -> bool:
    """Take one step towards the scene; True when it is there, and everything in it is ready."""
    todo = plan(client.view(), wanted)
    before = [put.object["metadata"].get("resourceVersion") for put in todo.puts]
    after = [obj["metadata"]["resourceVersion"] for obj in client.write(todo.puts)]
    for kind, obj in todo.gone:
        client.delete(kind, obj["metadata"].get("namespace", ""), obj["metadata"]["name"], uid=obj["metadata"]["uid"])
    client.delete_these(PODS, todo.pods, grace_seconds=0)
    return before == after and not todo.gone and not todo.pods and settled(client.view(), wanted)


def settled(view: View, wanted: list[dict]) -> bool:
    """Whether what the scene has is up: its nodes, its workloads, and nobody else's pods."""
    keys = {_key(obj) for obj in wanted}
    strangers = [pod for pod in view.list(PODS.resource) if _key(_root(view, pod)) not in keys]
    return not any(not _is_built_in(PODS.resource, pod) for pod in strangers) and all(
        _is_up(view.get(*_key(obj)), obj) for obj in wanted
    )


def _is_up(obj: dict | None, wanted: dict) -> bool:
    if obj is None:
        return False
    status, kind = obj.get("status", {}), obj["kind"]
    if wanted["metadata"].get("annotations", {}).get("orrery.io/scene") == "broken":
        return True  # it is part of the scene that it never comes up
    if kind == NODES.kind:
        return is_true(obj, "Ready") or any(key in obj["metadata"].get("annotations", {}) for key in SWITCHES)
    if kind in (DEPLOYMENTS.kind, STATEFULSETS.kind, REPLICASETS.kind):
        seen = status.get("observedGeneration") == obj["metadata"].get("generation")
        sizes = (status.get("replicas", 0), status.get("readyReplicas", 0), status.get("updatedReplicas", None))
        wants = obj["spec"].get("replicas", 1)
        return seen and all(size in (wants, None) for size in sizes)
    if kind == DAEMONSETS.kind:
        return status.get("numberReady", 0) == status.get("desiredNumberScheduled", 0)
    return kind != PODS.kind or is_true(obj, "Ready")


def _put(view: View, wanted: dict) -> Put | None:
    """The write that makes an object as the scene has it. Of one that is there, spec and data, labels and annotations
    are put back, and what controllers and kubelets keep in it stays."""
    kind, old = BY_GVK[wanted["apiVersion"], wanted["kind"]], view.get(*_key(wanted))
    if old is None:
        return Put(kind, wanted)
    if is_deleting(old) or kind is PODS:
        return None  # it is made anew when it is gone; a pod's specification cannot be put back
    meta = {**old["metadata"], "labels": _labels(wanted, old), "annotations": _annotations(wanted, old)}
    new = {**old, **{key: value for key, value in wanted.items() if key != "status"}, "metadata": meta}
    if kind is NODES:
        new["spec"] = {**old.get("spec", {}), **wanted.get("spec", {}), "taints": _taints(wanted, old)}
        new["spec"].pop("unschedulable", None)
    elif kind.kind in KEPT_SPECS:
        new["spec"] = {**old["spec"], **wanted["spec"]}
    return Put(kind, new)


def _labels(wanted: dict, old: dict) -> dict:
    theirs = {key: value for key, value in old["metadata"].get("labels", {}).items() if key == RUNTIME_LABEL}
    return {**theirs, **wanted["metadata"].get("labels", {})}


def _annotations(wanted: dict, old: dict) -> dict:
    have = old["metadata"].get("annotations", {})
    theirs = {key: value for key, value in have.items() if key.startswith(OF_OTHERS)}
    return {**theirs, **wanted["metadata"].get("annotations", {})}


def _taints(wanted: dict, old: dict) -> list[dict]:
    """Those of the scene, and those by which the node lifecycle controller says that a node is silent: they go when it
    is not."""
    theirs = [taint for taint in old.get("spec", {}).get("taints", ()) if taint["key"].startswith(LIFECYCLE)]
    return [*wanted.get("spec", {}).get("taints", ()), *(t for t in theirs if t["key"] != f"{LIFECYCLE}unschedulable")]


def _root(view: View, obj: dict) -> dict:
    """Who made it in the end: the owner of its owner, as far as they are there."""
    while (ref := controller_of(obj)) and (kind := BY_GVK.get((ref["apiVersion"], ref["kind"]))):
        namespace = obj["metadata"].get("namespace", "") if kind.namespaced else ""
        owner = view.get(kind.resource, namespace, ref["name"])
        if owner is None or owner["metadata"]["uid"] != ref["uid"]:
            return obj
        obj = owner
    return obj


def _is_built_in(resource: str, obj: dict) -> bool:
    meta = obj["metadata"]
    return (
        (resource, meta["name"]) in BUILT_IN
        or meta.get("namespace") in OWN_NAMESPACES
        or "kubernetes.io/bootstrapping" in meta.get("labels", {})
    )


def _key(obj: dict) -> Key:
    kind = BY_GVK[obj["apiVersion"], obj["kind"]]
    return kind.resource, obj["metadata"].get("namespace", "") if kind.namespaced else "", obj["metadata"]["name"]
