"""Objects of a cluster → rows of the board. Pure: one function a kind of row, each from the objects it is made of.

A row is a flat dict with an `id` that is unique on the board, a `kind`, and what the browser draws and nothing else:
what is missing, empty or zero is left out, so that a thousand rows stay small on the wire. Times are seconds since
the epoch, CPU is in thousandths of a core, memory in bytes.
"""

from lab.apimachinery.controlplane import CONTROL_PLANE, is_member
from lab.apimachinery.kinds import (
    DEPLOYMENTS,
    EVENTS,
    HORIZONTALPODAUTOSCALERS,
    NODEPOOLS,
    NODES,
    PODS,
    RELEASES,
    SERVICES,
    VISITORS,
)
from lab.apimachinery.meta import condition, is_deleting, is_true, key_of, parse_time
from lab.apimachinery.quantity import milli_value, value
from lab.apiserver.tables.pods import summary

from .status import next_try, pod_state

Row = dict
GPU = "nvidia.com/gpu"
REVISION = "deployment.kubernetes.io/revision"
RUNTIME_LABEL = "orrery.io/runtime"
POOL_LABEL = "orrery.io/nodepool"
ZONE_LABEL = "topology.kubernetes.io/zone"


def row_id(resource: str, obj: dict) -> str:
    """`pods/default/web-1`, `nodes/worker-1`: also what a deep link to the row says."""
    return f"{resource}/{key_of(obj)}"


def compact(row: Row) -> Row:
    """The row without what is empty: a missing field and an empty one mean the same to the browser."""
    return {key: held for key, held in row.items() if held not in (None, "", 0, False, [], {})}


def percent(part: int, whole: int) -> int:
    return min(100, round(100 * part / whole)) if whole else 0


def created_at(obj: dict) -> float:
    return parse_time(obj["metadata"]["creationTimestamp"]) if "creationTimestamp" in obj["metadata"] else 0


def revision_of(obj: dict) -> int:
    """The revision of a deployment, or the one that a replica set stands for; 0 where there is none yet."""
    return int(obj["metadata"].get("annotations", {}).get(REVISION, 0))


def requests_of(pod: dict) -> tuple[int, int, int]:
    """What a pod asks of its node: millis of CPU, bytes of memory, GPUs. Init containers run one by one before the
    others, so the pod needs the greater of their greatest and the sum of the rest."""
    spec = pod["spec"]
    together = [_container_requests(container) for container in spec.get("containers", ())]
    alone = [_container_requests(container) for container in spec.get("initContainers", ())]
    return tuple(max(sum(ask[i] for ask in together), max((ask[i] for ask in alone), default=0)) for i in range(3))


def _container_requests(container: dict) -> tuple[int, int, int]:
    asked = container.get("resources", {}).get("requests", {})
    return milli_value(asked.get("cpu", 0)), value(asked.get("memory", 0)), int(asked.get(GPU, 0))


def is_over(pod: dict) -> bool:
    """A pod that has ended: it is still listed, but its node's capacity is free again."""
    return pod.get("status", {}).get("phase") in ("Succeeded", "Failed")


def pod_row(pod: dict, replicaset: dict | None = None, deployment: dict | None = None) -> Row:
    """The tile of a pod. `version` is the revision of its deployment that made it, where one did."""
    meta = pod["metadata"]
    word, ready, total, restarts, _ = summary(pod)
    cpu, memory, gpu = requests_of(pod)
    owner = deployment or replicaset
    base = owner["metadata"]["name"] if owner else meta["name"]
    return compact(
        {
            "id": row_id(PODS.resource, pod),
            "kind": "pod",
            "namespace": meta.get("namespace"),
            "name": meta["name"],
            "uid": meta.get("uid"),
            "app": base,
            "suffix": meta["name"].rpartition("-")[2] if owner else "",
            "owner": row_id(DEPLOYMENTS.resource, deployment) if deployment else "",
            "replicaset": replicaset["metadata"]["name"] if replicaset else "",
            "version": revision_of(replicaset) if replicaset else 0,
            "node": pod["spec"].get("nodeName"),
            "state": pod_state(pod, word),
            "status": word,
            "ready": f"{ready}/{total}",
            "restarts": restarts,
            "until": next_try(pod),
            "ip": pod.get("status", {}).get("podIP"),
            "created": created_at(pod),
            "cpu": cpu,
            "memory": memory,
            "gpu": gpu,
        }
    )


def node_row(node: dict, used: tuple[int, int, int], count: int, leads: list[str] = ()) -> Row:
    """The column of a node, with what its `count` pods request of it (`used`: millis, bytes, GPUs); of a control-plane
    node, which components it `leads`."""
    meta, spec, status = node["metadata"], node.get("spec", {}), node.get("status", {})
    labels, annotations = meta.get("labels", {}), meta.get("annotations", {})
    room = status.get("allocatable") or status.get("capacity") or {}
    ready = condition(node, "Ready")
    return compact(
        {
            "id": row_id(NODES.resource, node),
            "kind": "node",
            "name": meta["name"],
            "zone": labels.get(ZONE_LABEL),
            "runtime": labels.get(RUNTIME_LABEL),
            "pool": labels.get(POOL_LABEL),
            "until": boots_until(node),
            "ready": is_true(node, "Ready"),
            "status": node_status(node),
            "reason": ready.get("reason") if ready and ready["status"] != "True" else "",
            "cordoned": spec.get("unschedulable", False),
            "off": annotations.get("orrery.io/power") == "off",
            "partitioned": annotations.get("orrery.io/partitioned") == "true",
            "leaving": is_deleting(node),
            "taints": [taint["key"] for taint in spec.get("taints", ()) if not says_itself(taint["key"])],
            "member": is_member(node),
            "leads": leads,
            "created": created_at(node),
            "cpu": milli_value(room.get("cpu", 0)),
            "memory": value(room.get("memory", 0)),
            "gpu": int(room.get(GPU, 0)),
            "most": int(room.get("pods", 0)),
            "usedCpu": used[0],
            "usedMemory": used[1],
            "usedGpu": used[2],
            "count": count,
        }
    )


def says_itself(taint: str) -> bool:
    """Whether the row shows already what the taint is for."""
    return "node.kubernetes.io/" in taint or taint == CONTROL_PLANE


def boots_until(node: dict) -> float:
    """Until when a machine that was bought boots, in seconds since the epoch; 0 for any other."""
    meta = node["metadata"]
    until = meta.get("annotations", {}).get("orrery.io/boots-until")
    return parse_time(until) if until and RUNTIME_LABEL not in meta.get("labels", {}) else 0


def node_status(node: dict) -> str:
    """Ready, NotReady or Unknown, as kubectl has it; what else is the matter with the node has fields of its own."""
    ready = condition(node, "Ready")
    if ready is None or ready["status"] == "Unknown":
        return "Unknown"
    return "Ready" if ready["status"] == "True" else "NotReady"


def deployment_row(deployment: dict, replicasets: list[dict], pods: list[Row]) -> Row:
    """The card of a deployment: how many replicas of the newest version stand, how many of older ones, what is wrong.

    `pods` are the rows of its pods: the card says at a glance what the tiles say one by one.
    """
    meta, spec, status = deployment["metadata"], deployment["spec"], deployment.get("status", {})
    revision = revision_of(deployment)
    standing = [rs for rs in replicasets if rs.get("status", {}).get("replicas") or rs["spec"].get("replicas")]
    old = [rs for rs in standing if revision_of(rs) != revision]
    new = [rs for rs in standing if revision_of(rs) == revision]
    rolling = spec.get("strategy", {}).get("rollingUpdate", {})
    return compact(
        {
            "id": row_id(DEPLOYMENTS.resource, deployment),
            "kind": "deployment",
            "namespace": meta.get("namespace"),
            "name": meta["name"],
            "image": spec["template"]["spec"]["containers"][0].get("image", ""),
            "container": spec["template"]["spec"]["containers"][0]["name"],
            "desired": spec.get("replicas", 1),
            "total": status.get("replicas", 0),
            "ready": status.get("readyReplicas", 0),
            "available": status.get("availableReplicas", 0),
            "revision": revision,
            "newReady": _ready(new),
            "newTotal": _total(new),
            "oldReady": _ready(old),
            "oldTotal": _total(old),
            "oldRevision": max((revision_of(rs) for rs in old), default=0),
            "surge": str(rolling.get("maxSurge", "")),
            "unavailable": str(rolling.get("maxUnavailable", "")),
            "paused": spec.get("paused", False),
            "stuck": _stuck(deployment),
            "trouble": trouble(pods),
            "until": min((row["until"] for row in pods if row.get("until")), default=None),
            "leaving": is_deleting(deployment),
            "created": created_at(deployment),
        }
    )


def _ready(replicasets: list[dict]) -> int:
    return sum(rs.get("status", {}).get("readyReplicas", 0) for rs in replicasets)


def _total(replicasets: list[dict]) -> int:
    return sum(rs.get("status", {}).get("replicas", 0) for rs in replicasets)


def _stuck(deployment: dict) -> str:
    progressing = condition(deployment, "Progressing")
    if progressing and progressing["status"] == "False":
        return progressing.get("reason", "")
    return ""


TROUBLES = {"failed": "failing", "backoff": "in back-off", "pending": "without a node", "unready": "not ready"}


def trouble(pods: list[Row]) -> str:
    """What is wrong with these pods, worst first: "1 in back-off, 2 without a node"; empty if nothing is."""
    counts = {state: sum(row["state"] == state for row in pods) for state in TROUBLES}
    return ", ".join(f"{count} {TROUBLES[state]}" for state, count in counts.items() if count)


def event_row(event: dict) -> Row:
    """One line of the tape."""
    about = event.get("involvedObject", {})
    return compact(
        {
            "id": row_id(EVENTS.resource, event),
            "kind": "event",
            "at": event_time(event),
            "type": event.get("type"),
            "reason": event.get("reason"),
            "about": f"{about.get('kind', '').lower()}/{about.get('name', '')}",
            "target": target_of(about),
            "text": event.get("message"),
            "from": event.get("reportingComponent") or event.get("source", {}).get("component"),
            "count": event.get("count", 1) if event.get("count", 1) > 1 else 0,
        }
    )


def event_time(event: dict) -> float:
    """When an event was last seen: it is counted up, not repeated, so this moves."""
    when = event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp")
    return parse_time(when) if when else 0


# Kinds that have a drawer, by the name under which an event knows them.
TOLD = {
    kind.kind: kind
    for kind in (PODS, NODES, DEPLOYMENTS, SERVICES, RELEASES, VISITORS, HORIZONTALPODAUTOSCALERS, NODEPOOLS)
}


def target_of(about: dict) -> str:
    """The row that an event is about, if the board has one for it."""
    kind = TOLD.get(about.get("kind", ""))
    if kind is None:
        return ""
    namespace = about.get("namespace", "") if kind.namespaced else ""
    return "/".join(part for part in (kind.resource, namespace, about.get("name", "")) if part)
