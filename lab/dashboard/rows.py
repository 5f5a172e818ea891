"""Objects of a cluster → rows of the board. Pure: one function a kind of row, each from the objects it is made of.

A row is a flat dict with an `id` that is unique on the board, a `kind`, and what the browser draws and nothing else:
what is missing, empty or zero is left out, so that a thousand rows stay small on the wire. What can be said in words is
said here, so that the browser only puts it in its place. Times are seconds since the epoch.
"""

from lab.apimachinery.kinds import (
    CRONJOBS,
    DAEMONSETS,
    DEPLOYMENTS,
    EVENTS,
    HORIZONTALPODAUTOSCALERS,
    JOBS,
    NODEPOOLS,
    NODES,
    PODS,
    RELEASES,
    REPLICASETS,
    REPLICATIONCONTROLLERS,
    SERVICES,
    STATEFULSETS,
    VISITORS,
)
from lab.apimachinery.meta import controller_of, key_of, parse_time
from lab.apimachinery.quantity import milli_value, value
from lab.apiserver.tables.pods import summary
from lab.client.images import tag_of

from .status import next_try, pod_state

Row = dict
GPU = "nvidia.com/gpu"
REVISION = "deployment.kubernetes.io/revision"
FORMER_REVISIONS = "deployment.kubernetes.io/revision-history"
LONGEST_TAG = 8  # characters of an image's tag that have room on a tile
# What makes pods, or makes what makes them, in the order in which the board shows them.
WORKLOADS = (DEPLOYMENTS, STATEFULSETS, DAEMONSETS, REPLICASETS, REPLICATIONCONTROLLERS, CRONJOBS, JOBS)
BY_NAME = {kind.kind: kind for kind in WORKLOADS}


def row_id(resource: str, obj: dict) -> str:
    """`pods/default/web-1`, `nodes/worker-1`: also what a deep link to the row says."""
    return f"{resource}/{key_of(obj)}"


def owner_id(obj: dict) -> str:
    """The id of the workload that controls a pod, a replica set or a Job, by name as it stands in the reference."""
    ref = controller_of(obj)
    if ref is None or ref["kind"] not in BY_NAME:
        return ""
    return f"{BY_NAME[ref['kind']].resource}/{obj['metadata']['namespace']}/{ref['name']}"


def compact(row: Row) -> Row:
    """The row without what is empty: a missing field and an empty one mean the same to the browser."""
    return {key: held for key, held in row.items() if held not in (None, "", 0, False, [], {})}


def percent(part: int, whole: int) -> int:
    return min(100, round(100 * part / whole)) if whole else 0


def head(kind: str, resource: str, obj: dict) -> Row:
    """What every row of an object begins with."""
    meta = obj["metadata"]
    return {"id": row_id(resource, obj), "kind": kind, "namespace": meta.get("namespace"), "name": meta["name"]}


def created_at(obj: dict) -> float:
    return parse_time(obj["metadata"]["creationTimestamp"]) if "creationTimestamp" in obj["metadata"] else 0


def revision_of(obj: dict) -> int:
    """The revision of a deployment, or the one that a replica set stands for; 0 where there is none yet."""
    return _number(obj["metadata"].get("annotations", {}).get(REVISION, ""))


def _number(text: str) -> int:
    """Anybody may write such an annotation: what is no number, or none that a browser can hold, counts as none."""
    return int(text) if text.isdecimal() and len(text) < 16 else 0


def version_of(replicaset: dict) -> int:
    """The revision that first brought the replica set's template: going back to it makes a new revision of it, but what
    runs stays what it was."""
    former = replicaset["metadata"].get("annotations", {}).get(FORMER_REVISIONS)
    return _number(former.partition(",")[0]) if former else revision_of(replicaset)


def version_name(replicaset: dict) -> str:
    """What people call a version: `v2` of the image `orrery/hello:v2`, or the number of its template."""
    return _short_tag(replicaset["spec"].get("template", {}).get("spec", {})) or f"v{version_of(replicaset)}"


def _short_tag(spec: dict) -> str:
    """The tag of a pod's first image, if there is room for it on a tile."""
    tag = tag_of((spec.get("containers") or [{}])[0].get("image", ""))
    return tag if len(tag) <= LONGEST_TAG else ""


def requests_of(pod: dict) -> tuple[int, int, int]:
    """What a pod asks of its node: millis of CPU, bytes of memory, GPUs. Init containers run one by one before the
    others, so the pod needs the greater of their greatest and the sum of the rest."""
    spec = pod["spec"]
    together = [_container_requests(container) for container in spec.get("containers", ())]
    alone = [_container_requests(container) for container in spec.get("initContainers", ())]
    cpu, memory, gpu = (max(0, sum(ask[i] for ask in together), *(ask[i] for ask in alone)) for i in range(3))
    return cpu, memory, gpu


def _container_requests(container: dict) -> tuple[int, int, int]:
    asked = container.get("resources", {}).get("requests", {})
    return milli_value(asked.get("cpu", 0)), value(asked.get("memory", 0)), value(asked.get(GPU, 0))


def amounts(cpu: int, memory: int, gpu: int) -> str:
    """`0.1 cpu · 64 MiB · 1 gpu` of millis, bytes and GPUs; what there is none of is not told."""
    said = (cpu, f"{cores(cpu)} cpu"), (memory, size(memory)), (gpu, f"{gpu} gpu")
    return " · ".join(words for amount, words in said if amount)


def cores(millis: int) -> str:
    return f"{round(millis / 1000, 2):g}"


def size(count: int) -> str:
    """`64 MiB`, `1.5 GiB`."""
    return f"{round(count / 2**30, 1):g} GiB" if count >= 2**30 else f"{round(count / 2**20)} MiB"


def pod_row(pod: dict, *owners: dict) -> Row:
    """The tile of a pod. `owners`: its controller and that one's, as far as they are known. `version` counts the
    templates of the deployment that made it, where one did."""
    meta = pod["metadata"]
    word, ready, total, restarts, _ = summary(pod)
    state, asks, ref = pod_state(pod, word), amounts(*requests_of(pod)), controller_of(pod)
    top = owners[-1] if owners else None
    replicaset = next((owner for owner in owners if owner["kind"] == REPLICASETS.kind), None)
    version, named = version_of(replicaset) if replicaset else 0, top["metadata"] if top else ref
    return compact(
        {
            **head("pod", PODS.resource, pod),
            "uid": meta.get("uid"),
            "app": named["name"] if named else meta["name"],
            "suffix": meta["name"].removeprefix(f"{ref['name']}-") if ref else "",
            "owner": row_id(BY_NAME[top["kind"]].resource, top) if top else "",
            "replicaset": replicaset["metadata"]["name"] if replicaset else "",
            "version": version,
            "called": version_name(replicaset) if replicaset and version else _short_tag(pod["spec"]) if ref else "",
            "node": pod["spec"].get("nodeName"),
            "state": state,
            "status": word,
            "ready": f"{ready}/{total}",
            "restarts": restarts,
            "until": next_try(pod),
            "ip": pod.get("status", {}).get("podIP"),
            "created": created_at(pod),
            "asks": asks,
            "note": note(state, word, pod.get("status", {}).get("podIP", ""), asks),
        }
    )


def note(state: str, word: str, address: str, asks: str) -> str:
    """The line below a pod's name: what one would ask next of a pod in this state. `word` is kubectl's."""
    if state == "starting" and word == "Running":
        return "starting · not ready yet"
    notes = {"unready": "not ready", "pending": f"needs {asks or 'a node'}", "ready": address}
    return notes.get(state) or word.replace("BackOff", "") or word


def event_row(event: dict) -> Row:
    """One line of the tape."""
    about, count = event.get("involvedObject", {}), event.get("count", 1)
    reporter = event.get("reportingComponent") or event.get("source", {}).get("component")
    return compact(
        {
            "id": row_id(EVENTS.resource, event),
            "kind": "event",
            "at": event_time(event),
            "type": event.get("type"),
            "reason": event.get("reason"),
            "about": f"{about.get('kind', '').lower()}/{about.get('name', '')}",
            "target": target_of(about),
            "revision": event["metadata"].get("resourceVersion"),
            "text": event.get("message"),
            "from": " ".join(filter(None, (reporter, f"×{count}" if count > 1 else ""))),
        }
    )


def event_time(event: dict) -> float:
    """When an event was last seen: it is counted up, not repeated, so this moves."""
    when = event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp")
    return parse_time(when) if when else 0


def seen(obj: dict) -> str:
    """When an event was last seen; for any other object, when it was made."""
    return obj.get("lastTimestamp") or obj["metadata"].get("creationTimestamp", "")


# Kinds that have a drawer, by the name under which an event knows them.
TOLD = {
    kind.kind: kind
    for kind in (PODS, NODES, *WORKLOADS, SERVICES, RELEASES, VISITORS, HORIZONTALPODAUTOSCALERS, NODEPOOLS)
}


def target_of(about: dict) -> str:
    """The row that an event is about, if the board has one for it."""
    kind = TOLD.get(about.get("kind", ""))
    if kind is None:
        return ""
    namespace = about.get("namespace", "") if kind.namespaced else ""
    return "/".join(part for part in (kind.resource, namespace, about.get("name", "")) if part)
