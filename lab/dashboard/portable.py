"""Objects as one would have written them, for another Kubernetes: without what a cluster has added. Pure."""

import copy
from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from lab.apimachinery.kinds import (
    BY_GVK,
    CONFIGMAPS,
    CONTROLLERREVISIONS,
    ENDPOINTS,
    ENDPOINTSLICES,
    EVENTS,
    LEASES,
    OWN,
    PODS,
    PRIORITYCLASSES,
    SERVICEACCOUNTS,
    SERVICES,
    Kind,
)
from lab.apimachinery.labels import REVISION_LABEL, TEMPLATE_GENERATION
from lab.apiserver.schemas.zero import complete
from lab.apiserver.strategies import Strategy, strategy_for

MADE_BY_CLUSTERS = (EVENTS, LEASES, ENDPOINTS, ENDPOINTSLICES, CONTROLLERREVISIONS)
IN_EVERY_NAMESPACE = {(SERVICEACCOUNTS, "default"), (CONFIGMAPS, "kube-root-ca.crt"), (SERVICES, "kubernetes")}
# Keys that a cluster writes into labels, annotations and selectors: whoever owns a prefix, and single ones.
PREFIXES = (
    "orrery.io/",
    "simulated.orrery.io/",
    "deployment.kubernetes.io/",
    "pv.kubernetes.io/",
    "volume.kubernetes.io/",
    "volume.beta.kubernetes.io/",
)
KEYS = {
    "kubectl.kubernetes.io/last-applied-configuration",
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
    "controller-uid",
    "job-name",
    REVISION_LABEL,
    TEMPLATE_GENERATION,
}
# Fields of a spec that are given out in a cluster, and mean nothing in the next.
GIVEN = {
    "Service": ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "healthCheckNodePort"),
    "PersistentVolumeClaim": ("volumeName",),
    "Pod": ("nodeName", "priority", "preemptionPolicy", "serviceAccount", "enableServiceLinks", "ephemeralContainers"),
}
SAID = ("replicas", "emptyDir")  # by whoever writes by hand, even where it is the default
CONTENTS = ("data", "binaryData", "stringData")  # of which nothing is a default, however many keys there are
TOKEN = "kube-api-access-"
TAINTS_WAITED_FOR = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
# Each field is tried with all the others, so an object takes the square of its size: one of 16 KiB, seconds. What is
# larger, or comes when others have taken as much, keeps its defaults, which is harmless: any cluster fills in the same.
LARGEST = 16 << 10  # bytes of JSON
MOST_TRIED = 2 * LARGEST**2  # squares of bytes, of all that is taken away at once


def is_portable(obj: dict) -> bool:
    """Whether somebody declared it, of a kind that every Kubernetes knows."""
    kind, meta = BY_GVK.get((obj["apiVersion"], obj["kind"])), obj["metadata"]
    if kind is None or kind.group == OWN or kind in MADE_BY_CLUSTERS or meta.get("ownerReferences"):
        return False
    if kind is PRIORITYCLASSES:
        return not meta["name"].startswith("system-")
    return kind.namespaced and (kind, meta["name"]) not in IN_EVERY_NAMESPACE and "deletionTimestamp" not in meta


def portable(objects: Iterable[dict], local_classes: frozenset[str] = frozenset()) -> Iterator[dict]:
    """Each object for `kubectl apply` into any namespace of any cluster. `local_classes`: names of the StorageClasses
    that only this cluster has; a claim of one gets the other cluster's default."""
    left = MOST_TRIED
    for obj in objects:
        whole = _whole(obj, local_classes)
        size = len(orjson.dumps({field: value for field, value in whole.items() if field not in CONTENTS}))
        if size > LARGEST or size**2 > left:
            yield whole
            continue
        left -= size**2
        yield _undefaulted(strategy_for(BY_GVK[obj["apiVersion"], obj["kind"]]), whole)


def _whole(obj: dict, local_classes: frozenset[str]) -> dict:
    """With all that is the object's own, and its defaults."""
    kind = BY_GVK[obj["apiVersion"], obj["kind"]]
    meta = {key: obj["metadata"][key] for key in ("name", "labels", "annotations") if key in obj["metadata"]}
    body = {key: value for key, value in obj.items() if key not in ("apiVersion", "kind", "metadata", "status")}
    whole = _without_marks({"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": meta, **body})
    _take_back(kind, whole.get("spec", {}), local_classes)
    return whole


def _without_marks(part: Any) -> Any:
    """Without the keys that clusters write, wherever they stand, and the maps that held nothing else."""
    if isinstance(part, list):
        return [_without_marks(each) for each in part]
    if not isinstance(part, dict):
        return part
    own = {key: value for key, value in part.items() if key not in KEYS and not key.startswith(PREFIXES)}
    kept = {key: _without_marks(value) for key, value in own.items()}
    return {key: value for key, value in kept.items() if value != {} or part[key] == {}}


def _take_back(kind: Kind, spec: dict, local_classes: frozenset[str]) -> None:
    headless = spec.get("clusterIP") == "None"
    for field in GIVEN.get(kind.kind, ()):
        spec.pop(field, None)
    if kind is SERVICES:
        spec |= {"clusterIP": "None"} if headless else {}
        for port in spec.get("ports", ()):
            port.pop("nodePort", None)
    if kind is PODS:
        _take_back_admission(spec)
    for claim in (spec, *(template["spec"] for template in spec.get("volumeClaimTemplates", ()))):
        if claim.get("storageClassName") in local_classes:
            del claim["storageClassName"]


def _take_back_admission(spec: dict) -> None:
    """What admission has put into a pod: the token of its account, and how long it bears with a lost node."""
    for container in (*spec["containers"], *spec.get("initContainers", ())):
        mounts = [each for each in container.pop("volumeMounts", ()) if not each["name"].startswith(TOKEN)]
        container |= {"volumeMounts": mounts} if mounts else {}
    of_its_own = {
        "volumes": [each for each in spec.pop("volumes", ()) if not each["name"].startswith(TOKEN)],
        "tolerations": [each for each in spec.pop("tolerations", ()) if each.get("key") not in TAINTS_WAITED_FOR],
    }
    spec |= {field: left for field, left in of_its_own.items() if left}


def _undefaulted(strategy: Strategy, obj: dict) -> dict:
    """Without each field that defaulting would fill in with the same again."""
    obj = copy.deepcopy(obj)
    wanted = _defaulted(strategy, obj)

    def thin(part: Any) -> None:
        for key in list(part) if isinstance(part, dict) else range(len(part)):
            value = part[key]
            if isinstance(part, dict) and key not in SAID:
                del part[key]
                if _defaulted(strategy, obj) == wanted:
                    continue
                part[key] = value
            if isinstance(value, dict | list):
                thin(value)

    for name, section in obj.items():
        if name not in ("metadata", *CONTENTS) and isinstance(section, dict):
            thin(section)
    return obj


def _defaulted(strategy: Strategy, obj: dict) -> dict | None:
    """None for what is no such object without the field that was left out."""
    filled = copy.deepcopy(obj)
    complete(filled, obj["apiVersion"], obj["kind"])
    try:
        strategy.default(filled)
    except (KeyError, TypeError):
        return None
    return filled
