"""What can be read of objects, by a word: `ready` of a Deployment, `nodes` of pods. Pure.

Words that count are summed over the objects a subject means, and are 0 where there are none; all others are read of
each. The tables are the list: the map shows them, a test compares.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import ENDPOINTSLICES, KINDS, Kind
from lab.apimachinery.meta import condition, is_deleting, is_true
from lab.apimachinery.selectors import parse_labels

from .claims import Claim, Reading, Subject, as_number, holds

STEP = re.compile(r"\.([^.\[\]]+)|\[([^\]]*)\]")
CONTAINED = ("Pod", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job")  # what has containers
SLICES_OF = "kubernetes.io/service-name"


class Objects(Protocol):
    """A state of a cluster: the live one, or one that was (`lab.store.View`)."""

    def list(self, resource: str, namespace: str = "") -> list[dict]: ...


def kind_of(word: str) -> Kind | None:
    """`deployment`, `deployments`, `deploy`, `deployments.apps` → the kind."""
    return WORDS.get(word.lower())


WORDS = {
    word: kind for kind in reversed(KINDS) for word in (kind.resource, kind.plural, kind.singular, *kind.short_names)
}


def find(objects: Objects, subject: Subject) -> list[dict]:
    """The objects that a subject means, by name. Raises ValueError for a kind that there is not."""
    kind = kind_of(subject.kind)
    if kind is None:
        raise ValueError(f'there is no kind "{subject.kind}"')
    found = objects.list(kind.resource, subject.namespace if kind.namespaced else "")
    if subject.name:
        return [obj for obj in found if obj["metadata"]["name"] == subject.name]
    if subject.labels:
        try:
            fits = parse_labels(subject.labels)
        except ApiError as error:
            raise ValueError(error.message) from None
        found = [obj for obj in found if fits.matches(obj["metadata"].get("labels", {}))]
    return sorted(found, key=lambda obj: obj["metadata"]["name"])


def can_read(reading: Reading) -> bool:
    """Whether objects say it. What visitors saw they do not, though Visitors are a kind."""
    kind, fact = kind_of(reading.subject.kind), reading.fact
    if kind is None:
        return False
    return fact.startswith(".") or fact in words_of(kind.kind) or (fact.startswith("env.") and kind.kind in CONTAINED)


def read(objects: Objects, reading: Reading) -> list[Any]:
    """What a reading says: one value where it counts, else one for each object. Raises ValueError for what it cannot
    mean."""
    kind, fact = kind_of(reading.subject.kind), reading.fact
    found = find(objects, reading.subject)
    if fact in EVERY:
        return [EVERY[fact](found)]
    assert kind is not None
    if fact.startswith("."):
        return [at_path(obj, fact) for obj in found]
    if fact == "endpoints" and kind.kind == "Service":
        return [sum(endpoints(objects, obj) for obj in found)]
    name, _, rest = fact.partition(".")
    if name == "env" and rest and kind.kind in CONTAINED:
        return [environment(obj).get(rest) for obj in found]
    if fact in COUNTS.get(kind.kind, {}):
        return [sum(COUNTS[kind.kind][fact](obj) for obj in found)]
    if fact in SPANS.get(kind.kind, {}):
        return [len(set(filter(None, map(SPANS[kind.kind][fact], found))))]
    if fact in VALUES.get(kind.kind, {}):
        return [VALUES[kind.kind][fact](obj) for obj in found]
    known = ", ".join(words_of(kind.kind))
    raise ValueError(f'"{fact}" cannot be read of a {kind.kind}; there are {known}, and any path like .spec.replicas')


def told(objects: Objects, reading: Reading, outside: Callable[[Reading], list[Any] | None]) -> list[Any]:
    """The same of what objects say, and of what only `outside` says, which has None for what is the objects'."""
    said = outside(reading)
    return read(objects, reading) if said is None else said


def all_hold(claim: Claim, read: list[Any]) -> bool:
    """Whether the claim holds of each value that was read. Of no object nothing holds but that it is not there
    (`== none`); that it is not on node-b is as false as that it is."""
    return all(holds(claim, one) for one in read) if read else claim.operator != "!=" and holds(claim, None)


def words_of(kind: str) -> list[str]:
    own = [*COUNTS.get(kind, {}), *SPANS.get(kind, {}), *VALUES.get(kind, {})]
    return [*own, *EVERY, *(["endpoints"] if kind == "Service" else [])]


def at_path(obj: Any, path: str) -> Any:
    """`.spec.containers[0].image`, `.metadata.labels[app.kubernetes.io/name]`; None where there is nothing."""
    for key, index in STEP.findall(path):
        step = key or index
        if isinstance(obj, dict):
            obj = obj.get(step)
        elif isinstance(obj, list) and step.isdigit() and int(step) < len(obj):
            obj = obj[int(step)]
        else:
            return None
    return obj


def template(obj: dict) -> dict:
    """What says which containers there are: of a pod itself, of a workload its template."""
    inner = obj.get("spec", {})
    return inner.get("template", {}).get("spec", inner)


def _first_container(obj: dict) -> dict:
    """Empty where a template has none, as a StatefulSet's may."""
    return (template(obj).get("containers") or [{}])[0]


def environment(obj: dict) -> dict[str, str]:
    """As it is written of the first container; a variable that comes from elsewhere has no value here."""
    return {one["name"]: one.get("value") for one in _first_container(obj).get("env", ())}


def endpoints(objects: Objects, service: dict) -> int:
    """How many pods it sends requests to: those of its endpoints that are ready."""
    meta = service["metadata"]
    slices = objects.list(ENDPOINTSLICES.resource, meta["namespace"])
    mine = [one for one in slices if one["metadata"].get("labels", {}).get(SLICES_OF) == meta["name"]]
    return sum(one.get("conditions", {}).get("ready") is not False for each in mine for one in each["endpoints"] or ())


def _status(field: str) -> Callable[[dict], Any]:
    return lambda obj: obj.get("status", {}).get(field, 0)


def _updated(obj: dict) -> int:
    """Pods of the template that is asked for now: none as long as the status still speaks of an older one."""
    status = obj.get("status", {})
    is_of_now = status.get("observedGeneration", 0) >= obj["metadata"].get("generation", 0)
    return status.get("updatedReplicas", 0) if is_of_now else 0


def _spec(field: str, otherwise: Any = None) -> Callable[[dict], Any]:
    return lambda obj: obj.get("spec", {}).get(field, otherwise)


def _image(obj: dict) -> str | None:
    return _first_container(obj).get("image")


def _containers(pod: dict) -> list[dict]:
    return pod.get("status", {}).get("containerStatuses", [])


def _restarts(pod: dict) -> int:
    return sum(one.get("restartCount", 0) for one in _containers(pod))


def _waits_for(pod: dict) -> str | None:
    """Why a container does not run, in the kubelet's word: CrashLoopBackOff, ImagePullBackOff …"""
    states = (one.get("state", {}) for one in _containers(pod))
    return next((state["waiting"].get("reason") for state in states if "waiting" in state), None)


def _reason(kind: str) -> Callable[[dict], Any]:
    return lambda obj: (condition(obj, kind) or {}).get("reason")


def _milli(field: str) -> Callable[[dict], Any]:
    return lambda node: as_number(node.get("status", {}).get("allocatable", {}).get(field))


def _total(found: Iterable[dict]) -> int:
    return len(list(found))


EVERY: dict[str, Callable[[list[dict]], Any]] = {"count": _total, "exists": bool}
WORKLOAD: dict[str, Callable[[dict], int]] = {"replicas": _spec("replicas", 1), "ready": _status("readyReplicas")}
# kind → word → what of one object is added up
COUNTS: dict[str, dict[str, Callable[[dict], int]]] = {
    "Deployment": {**WORKLOAD, "available": _status("availableReplicas"), "updated": _updated},
    "ReplicaSet": WORKLOAD,
    "StatefulSet": {**WORKLOAD, "updated": _updated},
    "DaemonSet": {"ready": _status("numberReady"), "wanted": _status("desiredNumberScheduled")},
    "Job": {"succeeded": _status("succeeded"), "failed": _status("failed"), "active": _status("active")},
    "Pod": {
        "ready": lambda pod: int(is_true(pod, "Ready") and not is_deleting(pod)),
        "running": lambda pod: int(pod.get("status", {}).get("phase") == "Running" and not is_deleting(pod)),
        "pending": lambda pod: int(pod.get("status", {}).get("phase") == "Pending"),
        "ending": lambda pod: int(is_deleting(pod)),
        "restarts": _restarts,
        "containers": lambda pod: len(pod["spec"]["containers"]),
    },
    "Node": {
        "ready": lambda node: int(is_true(node, "Ready")),
        "cordoned": lambda node: int(bool(node.get("spec", {}).get("unschedulable"))),
    },
}
# kind → word → of how many different ones
SPANS: dict[str, dict[str, Callable[[dict], Any]]] = {
    "Pod": {
        "nodes": lambda pod: pod["spec"].get("nodeName"),
        "addresses": lambda pod: pod.get("status", {}).get("podIP"),
        "imageIds": lambda pod: next((one.get("imageID") for one in _containers(pod)), None),
    },
}
# kind → word → what is read of each object
VALUES: dict[str, dict[str, Callable[[dict], Any]]] = {
    "Deployment": {
        "image": _image,
        "paused": _spec("paused", False),
        "revision": lambda obj: at_path(obj, ".metadata.annotations[deployment.kubernetes.io/revision]"),
        "progress": _reason("Progressing"),
    },
    "StatefulSet": {"image": _image},
    "DaemonSet": {"image": _image},
    "Pod": {
        "node": _spec("nodeName"),
        "phase": lambda pod: pod.get("status", {}).get("phase"),
        "address": lambda pod: pod.get("status", {}).get("podIP"),
        "image": _image,
        "waiting": _waits_for,
        "unschedulable": lambda pod: _reason("PodScheduled")(pod) == "Unschedulable",
    },
    "Node": {"cpu": _milli("cpu"), "memory": _milli("memory"), "pods": _milli("pods")},
    "Wheel": {"mode": _spec("mode")},
    "HorizontalPodAutoscaler": {"desired": _status("desiredReplicas"), "current": _status("currentReplicas")},
    "PersistentVolumeClaim": {"phase": _status("phase")},
    "Release": {"phase": _status("phase"), "weight": _status("weight")},
    "Build": {"phase": _status("phase"), "image": _status("image")},
}
