"""Whose turn is it? The loops and kubelets that would have to act on an object next, by the names of their wheels."""

from collections.abc import Iterator

from lab.apimachinery import wheels
from lab.apimachinery.jobs import TRACKING, finished_as
from lab.apimachinery.kinds import (
    BUILDS,
    CRONJOBS,
    DAEMONSETS,
    DEPLOYMENTS,
    HORIZONTALPODAUTOSCALERS,
    JOBS,
    NAMESPACES,
    NODEPOOLS,
    NODES,
    PERSISTENTVOLUMECLAIMS,
    PERSISTENTVOLUMES,
    PODDISRUPTIONBUDGETS,
    PODS,
    RELEASES,
    REPLICASETS,
    REPLICATIONCONTROLLERS,
    RESOURCEQUOTAS,
    SERVICEACCOUNTS,
    SERVICES,
    STATEFULSETS,
    Kind,
)
from lab.apimachinery.meta import condition, is_deleting
from lab.apimachinery.pods import is_finished
from lab.apimachinery.taints import CANDIDATE, TO_BE_DELETED
from lab.apimachinery.volumes import CLAIM_PROTECTION, VOLUME_PROTECTION
from lab.apiserver.deletion import FINALIZER_OF

from .subject import Subject

BUILDING = "Building"
MACHINES = ("clusterautoscaler",)
# The loops that must turn before a change of such an object has all its effect, in the order of their turns.
LOOPS: dict[Kind, tuple[str, ...]] = {
    DEPLOYMENTS: ("deployment", "replicaset"),
    REPLICASETS: ("replicaset",),
    REPLICATIONCONTROLLERS: ("replicationcontroller",),
    STATEFULSETS: ("statefulset",),
    DAEMONSETS: ("daemonset",),
    JOBS: ("job",),
    CRONJOBS: ("cronjob", "job"),
    SERVICES: ("endpointslice",),
    RELEASES: ("release", "deployment", "replicaset"),
    HORIZONTALPODAUTOSCALERS: ("horizontalpodautoscaler",),
    PERSISTENTVOLUMECLAIMS: ("persistentvolume-binder",),
    PERSISTENTVOLUMES: ("persistentvolume-binder",),
    NODEPOOLS: MACHINES,
    PODDISRUPTIONBUDGETS: ("disruption",),
    RESOURCEQUOTAS: ("resourcequota",),
    NAMESPACES: ("namespace",),
    BUILDS: ("build",),
}
# Whose turn it is to let go of what is told to end, by the finalizer that holds it.
LETTING_GO = {
    FINALIZER_OF["Foreground"]: "garbagecollector",
    FINALIZER_OF["Orphan"]: "garbagecollector",
    CLAIM_PROTECTION: "volume-protection",
    VOLUME_PROTECTION: "volume-protection",
    TRACKING: "job",
}


def loops_of(subject: Subject) -> tuple[str, ...]:
    obj = subject.obj
    if subject.kind is NODES:
        return (*_trading(obj), wheels.kubelet_of(subject.name), "nodelifecycle", *_evicting(obj))
    if subject.kind is PODS and not is_finished(obj):
        return tuple(_of_pod(subject))
    if is_deleting(obj) and subject.kind not in (NAMESPACES, RELEASES):
        holds = obj["metadata"].get("finalizers") or ()
        return tuple(dict.fromkeys(LETTING_GO[one] for one in holds if one in LETTING_GO))
    if subject.kind is JOBS and finished_as(obj):
        return ("ttlafterfinished",) if "ttlSecondsAfterFinished" in obj["spec"] else ()
    status = obj.get("status", {})
    if "finishedAt" in status or subject.kind is BUILDS and status.get("phase") == BUILDING:
        return ()  # a build that has begun goes on by itself until there is an image
    return (*LOOPS.get(subject.kind, ()), *_also(subject))


def _of_pod(subject: Subject) -> Iterator[str]:
    spec = subject.obj["spec"]
    if not spec.get("nodeName"):
        yield "scheduler"
        if any(_is_unbound(subject, volume) for volume in spec.get("volumes") or ()):
            yield "persistentvolume-binder"
        if (condition(subject.obj, "PodScheduled") or {}).get("reason") == "Unschedulable":
            yield from MACHINES if subject.client.list(NODEPOOLS) else ()
        return
    yield wheels.kubelet_of(spec["nodeName"])
    node = subject.client.find(NODES, "", spec["nodeName"])
    yield from _evicting(node) if node else ("podgc",)


def _is_unbound(subject: Subject, volume: dict) -> bool:
    name = (volume.get("persistentVolumeClaim") or {}).get("claimName")
    claim = subject.client.find(PERSISTENTVOLUMECLAIMS, subject.namespace, name) if name else None
    return claim is not None and claim.get("status", {}).get("phase") != "Bound"


def _trading(node: dict) -> tuple[str, ...]:
    """Who has bought a node that boots, or sells one that nobody needs."""
    boots = (condition(node, "Ready") or {}).get("reason") == "NodeBooting"
    sold = any(taint["key"] in (CANDIDATE, TO_BE_DELETED) for taint in node["spec"].get("taints") or ())
    return MACHINES if boots or sold else ()


def _evicting(node: dict) -> tuple[str, ...]:
    """Who sends pods away from a node that does not want them."""
    taints = node["spec"].get("taints") or ()
    return ("tainteviction",) if any(taint["effect"] == "NoExecute" for taint in taints) else ()


def _also(subject: Subject) -> Iterator[str]:
    """Who has to act besides, by how things are."""
    spec = subject.obj.get("spec", {})
    if subject.kind is SERVICES and spec.get("type") == "LoadBalancer":
        yield "loadbalancer"
    if "template" in spec and subject.client.find(SERVICEACCOUNTS, subject.namespace, "default") is None:
        yield "serviceaccount"  # without an account no pod is let in
