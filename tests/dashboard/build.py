"""Objects as the API server stores them, and changes of them as the log tells them, for the board's pure parts."""

import copy
import itertools

from lab.apimachinery.kinds import BY_GVK
from lab.client import Change

REVISIONS = itertools.count(1)


def a_deployment(
    name: str = "web", replicas: int = 3, revision: int = 1, image: str = "orrery/hello:v1", **spec
) -> dict:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta(name, annotations={"deployment.kubernetes.io/revision": str(revision)}),
        "spec": {
            "replicas": replicas,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": {"spec": {"containers": [{"name": name, "image": image}]}},
            **spec,
        },
    }


def a_replicaset(deployment: dict, revision: int = 1, replicas: int = 3, ready: int = 0) -> dict:
    name = f"{deployment['metadata']['name']}-rs{revision}"
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": meta(name, deployment, annotations={"deployment.kubernetes.io/revision": str(revision)}),
        "spec": {"replicas": replicas},
        "status": {"replicas": replicas, "readyReplicas": ready},
    }


def a_pod(name: str = "web-rs1-abcde", owner: dict | None = None, node: str = "", cpu: str = "100m", **status) -> dict:
    container = {"name": "web", "image": "orrery/hello:v1", "resources": {"requests": {"cpu": cpu, "memory": "64Mi"}}}
    spec = {"containers": [container]} | ({"nodeName": node} if node else {})
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta(name, owner),
        "spec": spec,
        "status": {"phase": "Pending", **status},
    }


def ready(pod: dict, since: str = "2026-05-20T10:00:05Z", truth: bool = True, restarts: int = 0) -> dict:
    """The pod with its container running, ready or not, since when."""
    container = {
        "name": "web",
        "ready": truth,
        "restartCount": restarts,
        "state": {"running": {"startedAt": "2026-05-20T10:00:01Z"}},
    }
    conditions = [{"type": "Ready", "status": str(truth), "lastTransitionTime": since}]
    return with_status(pod, phase="Running", podIP="10.1.1.2", conditions=conditions, containerStatuses=[container])


def crashed(pod: dict, wait: str = "40s", finished: str = "2026-05-20T10:00:20Z", restarts: int = 4) -> dict:
    """The pod in back-off after its process ended with exit code 3."""
    message = f"back-off {wait} restarting failed container=web pod=web_default(1)"
    ended = {"exitCode": 3, "reason": "Error", "startedAt": "2026-05-20T10:00:02Z", "finishedAt": finished}
    container = {
        "name": "web",
        "ready": False,
        "restartCount": restarts,
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": message}},
        "lastState": {"terminated": ended},
    }
    conditions = [{"type": "Ready", "status": "False"}]
    return with_status(pod, phase="Running", conditions=conditions, containerStatuses=[container])


def leaving(obj: dict) -> dict:
    return {**obj, "metadata": {**obj["metadata"], "deletionTimestamp": "2026-05-20T10:01:00Z"}}


def a_node(name: str = "node-a", truth: str = "True", cpu: str = "4", memory: str = "8Gi", **spec) -> dict:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": meta(name, labels={"orrery.io/runtime": "docker", "topology.kubernetes.io/zone": "a"})
        | {"namespace": ""},
        "spec": spec,
        "status": {
            "allocatable": {"cpu": cpu, "memory": memory, "pods": "110"},
            "conditions": [{"type": "Ready", "status": truth}],
        },
    }


def an_event(
    name: str, about: dict, reason: str = "Started", when: str = "2026-05-20T10:00:00Z", count: int = 1
) -> dict:
    of = {"kind": about["kind"], "name": about["metadata"]["name"], "namespace": about["metadata"]["namespace"]}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": meta(name),
        "involvedObject": of,
        "type": "Normal",
        "reason": reason,
        "message": "something happened",
        "count": count,
        "lastTimestamp": when,
        "source": {"component": "kubelet"},
    }


def meta(name: str, owner: dict | None = None, **more) -> dict:
    found = {
        "name": name,
        "namespace": "default",
        "uid": f"uid-{name}",
        "creationTimestamp": "2026-05-20T10:00:00Z",
        **more,
    }
    if owner:
        ref = {
            "kind": owner["kind"],
            "name": owner["metadata"]["name"],
            "uid": owner["metadata"]["uid"],
            "controller": True,
        }
        found["ownerReferences"] = [ref]
    return found


def with_status(obj: dict, **status) -> dict:
    return {**obj, "status": {**obj.get("status", {}), **status}}


def with_spec(obj: dict, **spec) -> dict:
    return {**obj, "spec": {**obj["spec"], **spec}}


def change(
    obj: dict, old: dict | None = None, author: str = "kubectl", time: float = 0, deleted: bool = False
) -> Change:
    """The log's row that made `obj` of `old`."""
    resource = BY_GVK[obj["apiVersion"], obj["kind"]].resource
    of = obj["metadata"]
    created = old is None and not deleted
    return Change(
        next(REVISIONS),
        resource,
        of.get("namespace", ""),
        of["name"],
        copy.deepcopy(obj),
        old,
        created,
        deleted,
        time,
        author,
        0,
    )
