"""The names that volumes, claims and classes know each other by, and what every part asks of them. Pure.

Kubernetes leaves making volumes to drivers (CSI). This lab has one driver, `orrery.io/volumes`: a volume of the engine
that runs a node's containers. What is asked for (`storage: 1Gi`) is compared when a claim looks for a volume, and told
by `kubectl get pvc`; no engine here holds a pod to it.
"""

from .engines import kind_of, labels_of
from .labels import RUNTIME_LABEL
from .quantity import value

DRIVER = "orrery.io/volumes"
CLAIM_PROTECTION = "kubernetes.io/pvc-protection"
VOLUME_PROTECTION = "kubernetes.io/pv-protection"
# Kubernetes' own name: not before whoever made the volume has removed it, or kept it, as its reclaim policy says.
PROVISIONER_FINALIZER = "external-provisioner.volume.kubernetes.io/finalizer"
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"
MADE = "orrery.io/made"  # on a volume: the engine has made it; gone from there, it is lost and not made anew
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
EXCLUSIVE = "ReadWriteOncePod"  # the access mode of a claim that is for one pod alone


def annotation(obj: dict, name: str) -> str:
    return (obj["metadata"].get("annotations") or {}).get(name, "")


def claim_names(pod_spec: dict) -> tuple[str, ...]:
    """The claims that a pod mounts."""
    volumes = pod_spec.get("volumes")
    if not volumes:
        return ()
    return tuple(v["persistentVolumeClaim"].get("claimName", "") for v in volumes if "persistentVolumeClaim" in v)


def is_bound(claim: dict) -> bool:
    """Whether both sides have been written: a claim that only names a volume may still be refused by it."""
    return bool(claim["spec"].get("volumeName") and annotation(claim, BIND_COMPLETED))


def mismatch(volume: dict, claim: dict) -> str:
    """Why the volume is not what the claim asks for, in Kubernetes' words; "" if it is."""
    has, asked = volume["spec"], claim["spec"]
    if storage_of(volume) < value(asked["resources"]["requests"]["storage"]):
        return "requested PV is too small"
    if has.get("storageClassName", "") != (asked.get("storageClassName") or ""):
        return "storageClassName does not match"
    if has.get("volumeMode") != asked.get("volumeMode"):
        return "incompatible volumeMode"
    if not set(asked["accessModes"]) <= set(has["accessModes"]):
        return "incompatible accessMode"
    return ""


def storage_of(volume: dict) -> int:
    return value(volume["spec"]["capacity"]["storage"])


def default_class(classes: list[dict]) -> str | None:
    """The class of a claim that names none: of several defaults the newest, then the first by name; None if there is
    no default. Source: GetDefaultClass in k8s.io/kubernetes/pkg/volume/util."""
    defaults = [one["metadata"] for one in classes if annotation(one, DEFAULT_CLASS) == "true"]
    newest = max((about["creationTimestamp"] for about in defaults), default=None)
    return min((about["name"] for about in defaults if about["creationTimestamp"] == newest), default=None)


def waits_for_consumer(storage_class: dict | None) -> bool:
    return storage_class is not None and storage_class.get("volumeBindingMode") == "WaitForFirstConsumer"


def node_terms(volume: dict) -> list[dict]:
    """The node selector terms of which one must match a node that the volume can be had on; none: any node."""
    affinity = volume["spec"].get("nodeAffinity") or {}
    return (affinity.get("required") or {}).get("nodeSelectorTerms") or []


def placed(volume: dict, engine: str) -> dict:
    """The volume as one that lies on this engine: pods go where it is, and that engine's kubelet will remove it. It may
    be that already."""
    meta = {**volume["metadata"], "labels": {**(volume["metadata"].get("labels") or {}), **labels_of(engine)}}
    spec = {**volume["spec"]}
    held = meta.get("finalizers") or []
    if spec["persistentVolumeReclaimPolicy"] == "Delete" and PROVISIONER_FINALIZER not in held:
        meta["finalizers"] = [*held, PROVISIONER_FINALIZER]
    if not spec.get("nodeAffinity"):
        expression = {"key": RUNTIME_LABEL, "operator": "In", "values": [kind_of(engine)]}
        spec["nodeAffinity"] = {"required": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}
    return {**volume, "metadata": meta, "spec": spec}
