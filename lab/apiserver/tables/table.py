"""Columns of each kind, and the Table that carries rows of them (`meta.k8s.io/v1`)."""

from collections.abc import Callable

from lab.apimachinery.kinds import Kind

from . import access, batch, cluster, network, own, pods, policy, storage, workloads

Cells = Callable[[dict, float], list]


class Columns:
    """How a kind is printed. `titles`: "Name, Ready, Desired:integer, IP*", where `*` is shown only by `-o wide`;
    `cells` makes those of one object, `conditions` what marks its row."""

    def __init__(self, titles: str, cells: Cells, conditions: Callable[[dict], list[dict]] | None = None):
        self.definitions = [_definition(title.strip()) for title in titles.split(",")]
        self.cells = cells
        self.conditions = conditions


def _definition(title: str) -> dict:
    name, _, kind = title.rstrip("*").partition(":")
    return {
        "name": name,
        "type": kind or "string",
        "format": "name" if name == "Name" else "",
        "description": "",
        "priority": 1 if title.endswith("*") else 0,
    }


SCALE = Columns("Name, Desired:integer, Available:integer, Age", workloads.scale_cells)

REPLICAS = Columns(
    "Name, Desired:integer, Current:integer, Ready:integer, Age, Containers*, Images*, Selector*",
    workloads.replicaset_cells,
)

COLUMNS = {
    "pods": Columns(
        "Name, Ready, Status, Restarts, Age, IP*, Node*, Nominated Node*, Readiness Gates*",
        pods.pod_cells,
        pods.pod_conditions,
    ),
    "deployments.apps": Columns(
        "Name, Ready, Up-to-date:integer, Available:integer, Age, Containers*, Images*, Selector*",
        workloads.deployment_cells,
    ),
    "replicasets.apps": REPLICAS,
    "replicationcontrollers": REPLICAS,
    "statefulsets.apps": Columns("Name, Ready, Age, Containers*, Images*", workloads.statefulset_cells),
    "daemonsets.apps": Columns(
        "Name, Desired:integer, Current:integer, Ready:integer, Up-to-date:integer, Available:integer,"
        " Node Selector, Age, Containers*, Images*, Selector*",
        workloads.daemonset_cells,
    ),
    "controllerrevisions.apps": Columns("Name, Controller, Revision:integer, Age", workloads.controllerrevision_cells),
    "podtemplates": Columns("Name, Containers, Images, Pod Labels", workloads.podtemplate_cells),
    "jobs.batch": Columns("Name, Status, Completions, Duration, Age, Containers*, Images*, Selector*", batch.job_cells),
    "cronjobs.batch": Columns(
        "Name, Schedule, TimeZone, Suspend:boolean, Active:integer, Last Schedule, Age, Containers*, Images*,"
        " Selector*",
        batch.cronjob_cells,
    ),
    "nodes": Columns(
        "Name, Status, Roles, Age, Version, Internal-IP*, External-IP*, OS-Image*, Kernel-Version*, Container-Runtime*",
        cluster.node_cells,
    ),
    "services": Columns("Name, Type, Cluster-IP, External-IP, Port(s), Age, Selector*", cluster.service_cells),
    "namespaces": Columns("Name, Status, Age", cluster.namespace_cells),
    "events": Columns(
        "Last Seen, Type, Reason, Object, Subobject*, Source*, Message, First Seen*, Count:integer*, Name*",
        cluster.event_cells,
    ),
    "configmaps": Columns("Name, Data, Age", cluster.configmap_cells),
    "secrets": Columns("Name, Type, Data:integer, Age", cluster.secret_cells),
    "leases.coordination.k8s.io": Columns("Name, Holder, Age", cluster.lease_cells),
    "endpoints": Columns("Name, Endpoints, Age", network.endpoints_cells),
    "endpointslices.discovery.k8s.io": Columns("Name, AddressType, Ports, Endpoints, Age", network.endpointslice_cells),
    "ingresses.networking.k8s.io": Columns("Name, Class, Hosts, Address, Ports, Age", network.ingress_cells),
    "horizontalpodautoscalers.autoscaling": Columns(
        "Name, Reference, Targets, MinPods, MaxPods, Replicas:integer, Age",
        workloads.horizontalpodautoscaler_cells,
    ),
    "persistentvolumes": Columns(
        "Name, Capacity, Access Modes, Reclaim Policy, Status, Claim, StorageClass, VolumeAttributesClass, Reason,"
        " Age, VolumeMode*",
        storage.persistentvolume_cells,
    ),
    "persistentvolumeclaims": Columns(
        "Name, Status, Volume, Capacity, Access Modes, StorageClass, VolumeAttributesClass, Age, VolumeMode*",
        storage.persistentvolumeclaim_cells,
    ),
    "storageclasses.storage.k8s.io": Columns(
        "Name, Provisioner, ReclaimPolicy, VolumeBindingMode, AllowVolumeExpansion, Age",
        storage.storageclass_cells,
    ),
    "poddisruptionbudgets.policy": Columns(
        "Name, Min Available, Max Unavailable, Allowed Disruptions:integer, Age",
        policy.poddisruptionbudget_cells,
    ),
    "resourcequotas": Columns("Name, Request, Limit, Age", policy.resourcequota_cells),
    "priorityclasses.scheduling.k8s.io": Columns(
        "Name, Value:integer, Global-Default:boolean, Age, PreemptionPolicy", policy.priorityclass_cells
    ),
    "serviceaccounts": Columns("Name, Secrets, Age", access.serviceaccount_cells),
    "rolebindings.rbac.authorization.k8s.io": Columns(
        "Name, Role, Age, Users*, Groups*, ServiceAccounts*", access.binding_cells
    ),
    "clusterrolebindings.rbac.authorization.k8s.io": Columns(
        "Name, Role, Age, Users*, Groups*, ServiceAccounts*", access.binding_cells
    ),
    "releases.orrery.io": Columns("Name, Deployment, Strategy, Phase, Weight, Age, Message*", own.release_cells),
    "visitors.orrery.io": Columns("Name, Service, Path, Rate, Phase, Age", own.visitors_cells),
    "builds.orrery.io": Columns("Name, Deployment, Image, Phase, Age, Message*", own.build_cells),
    "nodepools.orrery.io": Columns(
        "Name, Nodes:integer, Booting:integer, Min:integer, Max:integer, Age", own.nodepool_cells
    ),
    "lessons.orrery.io": Columns("Name, Step, Phase, Passed, Age", own.lesson_cells),
    "wheels.orrery.io": Columns("Name, Mode, Seconds, Steps, Age", own.wheel_cells),
}

# Kubernetes' answer for kinds without columns of their own: a date, not an age.
PLAIN = Columns(
    "Name, Created At:date",
    lambda obj, now: [obj["metadata"]["name"], obj["metadata"].get("creationTimestamp")],
)


def columns_for(kind: Kind) -> Columns:
    return COLUMNS.get(kind.resource, PLAIN)


def partial_metadata(obj: dict) -> dict:
    """The object's metadata alone: what a row carries so that a client can tell which object it stands for."""
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


def row(columns: Columns, obj: dict, now: float, include: str = "Metadata") -> dict:
    """One line. `include` is the client's `includeObject`: None, Metadata or Object."""
    made: dict = {"cells": columns.cells(obj, now)}
    conditions = columns.conditions(obj) if columns.conditions else None
    if conditions:
        made["conditions"] = conditions
    if include == "Object":
        made["object"] = obj
    elif include != "None":
        made["object"] = partial_metadata(obj)
    return made


def table(
    columns: Columns, items: list[dict], metadata: dict, now: float, include: str = "Metadata", headed: bool = True,
    version: str = "v1",
) -> dict:  # fmt: skip
    """The whole Table. `headed` is False for all but the first event of a watch, which repeat no column definitions."""
    return {
        "kind": "Table",
        "apiVersion": f"meta.k8s.io/{version}",
        "metadata": metadata,
        "columnDefinitions": columns.definitions if headed else [],
        "rows": [row(columns, obj, now, include) for obj in items],
    }
