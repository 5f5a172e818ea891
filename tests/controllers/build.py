"""Small objects for tests of the controllers, as the API server would have stored them."""

from lab.apimachinery.meta import new_uid
from lab.controllers.deployment.rollout import DESIRED_REPLICAS, MAX_REPLICAS


def a_template(version: str = "v1", **spec) -> dict:
    containers = [{"name": "web", "image": f"web:{version}"}]
    return {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": containers, **spec}}


def a_deployment(replicas: int = 10, surge: int | str = 0, unavailable: int | str = 0, **spec) -> dict:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default", "uid": new_uid(), "generation": 1},
        "spec": {
            "replicas": replicas,
            "progressDeadlineSeconds": 600,
            "revisionHistoryLimit": 10,
            "selector": {"matchLabels": {"app": "web"}},
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable},
            },
            "template": a_template(),
            **spec,
        },
    }


def recreating(deployment: dict) -> dict:
    return {**deployment, "spec": {**deployment["spec"], "strategy": {"type": "Recreate"}}}


def a_replica_set(
    name: str,
    replicas: int,
    available: int = 0,
    age: int = 0,
    desired: int | None = None,
    most: int | None = None,
    template: dict | None = None,
    revision: int = 0,
) -> dict:
    """`age` in hours: the higher, the older. `desired` and `most`: the size of Deployment that it was sized for."""
    notes = {DESIRED_REPLICAS: desired, MAX_REPLICAS: most, "deployment.kubernetes.io/revision": revision or None}
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": name,
            "namespace": "default",
            "uid": new_uid(),
            "generation": 1,
            "creationTimestamp": f"2026-05-20T{20 - age:02}:00:00Z",
            "annotations": {key: str(value) for key, value in notes.items() if value is not None},
        },
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "web"}},
            "template": template or a_template(name),
        },
        "status": {
            "replicas": replicas,
            "readyReplicas": available,
            "availableReplicas": available,
            "observedGeneration": 1,
        },
    }


def a_pod(name: str, node: str = "", phase: str = "Running", ready: bool = True, since: str = "", **meta) -> dict:
    condition = {"type": "Ready", "status": str(ready)}
    if since:
        condition["lastTransitionTime"] = since
    spec = {"containers": [{"name": "web", "image": "web"}]}
    if node:
        spec["nodeName"] = node
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "default", "uid": new_uid(), **meta},
        "spec": spec,
        "status": {"phase": phase, "conditions": [condition]},
    }


def a_node(name: str, ready: str = "True", taints: list[dict] | None = None, **spec) -> dict:
    if taints:
        spec["taints"] = taints
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "uid": new_uid()},
        "spec": spec,
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }
