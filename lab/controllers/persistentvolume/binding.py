"""Which volume for which claim, and what is written on both. Pure.

A binding is two references, the claim's to the volume and the volume's to the claim with its uid. It is for one claim
alone and for good. Source: FindMatchingVolume in k8s.io/component-helpers/storage/volume/pv_helpers.go.
"""

from lab.apimachinery.meta import is_deleting, now
from lab.apimachinery.nodeaffinity import parse_terms
from lab.apimachinery.selectors import parse_label_selector
from lab.apimachinery.volumes import (
    BIND_COMPLETED,
    BOUND_BY_CONTROLLER,
    DRIVER,
    PROVISIONED_BY,
    annotation,
    mismatch,
    node_terms,
    placed,
    storage_of,
)


def best_volume(claim: dict, volumes: list[dict], node: dict | None, any_free: bool = True) -> dict | None:
    """The volume that is reserved for the claim already, else the smallest free one that is large enough. None if there
    is none. `node`: where it must be to be had. Without `any_free` only a reserved one counts."""
    fitting = [volume for volume in volumes if not mismatch(volume, claim) and (node is None or reaches(volume, node))]
    reserved = [volume for volume in fitting if is_for(volume, claim)]
    if reserved:
        return min(reserved, key=_size_and_name)
    free = [volume for volume in fitting if any_free and is_free(volume) and _is_selected(volume, claim)]
    return min(free, key=_size_and_name, default=None)


def _size_and_name(volume: dict) -> tuple[int, str]:
    return storage_of(volume), volume["metadata"]["name"]


def is_for(volume: dict, claim: dict) -> bool:
    """Whether it is bound to the claim or, by a reference without uid, reserved for one of that name."""
    ref, meta = volume["spec"].get("claimRef"), claim["metadata"]
    same_name = ref and (ref.get("namespace"), ref.get("name")) == (meta["namespace"], meta["name"])
    return bool(same_name) and ref.get("uid", meta["uid"]) == meta["uid"] and not is_deleting(volume)


def is_free(volume: dict) -> bool:
    phase = volume.get("status", {}).get("phase")
    return not volume["spec"].get("claimRef") and phase == "Available" and not is_deleting(volume)


def _is_selected(volume: dict, claim: dict) -> bool:
    selector = claim["spec"].get("selector")
    return not selector or parse_label_selector(selector).matches(volume["metadata"].get("labels"))


def reaches(volume: dict, node: dict) -> bool:
    """Whether the volume can be had on the node: one of the terms of its affinity matches, or it has none."""
    labels, name = node["metadata"].get("labels") or {}, node["metadata"]["name"]
    terms = parse_terms(node_terms(volume))
    return not terms or any(term.matches(name, labels) for term in terms)


def claimed(volume: dict, claim: dict) -> dict:
    """The volume with its half of the binding; the same one where nothing is to be changed."""
    meta = claim["metadata"]
    ref = volume["spec"].get("claimRef") or {}
    if ref.get("uid") == meta["uid"]:
        return volume
    new_ref = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "namespace": meta["namespace"]}
    new_ref |= {"name": meta["name"], "uid": meta["uid"], "resourceVersion": meta["resourceVersion"]}
    # Whoever reserved it by hand finds it reserved again when the claim turns elsewhere.
    annotated = volume if ref else _annotated(volume, {BOUND_BY_CONTROLLER: "yes"})
    return {**annotated, "spec": {**volume["spec"], "claimRef": new_ref}}


def unclaimed(volume: dict) -> dict:
    """The volume free again, or only reserved, if that is how it was found."""
    spec, ref = {**volume["spec"]}, volume["spec"]["claimRef"]
    if annotation(volume, BOUND_BY_CONTROLLER):
        del spec["claimRef"]
    else:
        spec["claimRef"] = {key: ref[key] for key in ref.keys() - {"uid", "resourceVersion"}}
    return {**volume, "spec": spec}


def given(claim: dict, volume: dict) -> dict:
    """The claim with its half of the binding; the same one where nothing is to be changed."""
    name = volume["metadata"]["name"]
    if claim["spec"].get("volumeName") == name and annotation(claim, BIND_COMPLETED):
        return claim
    marks = {BIND_COMPLETED: "yes"}
    if not claim["spec"].get("volumeName"):
        marks[BOUND_BY_CONTROLLER] = "yes"
    return {**_annotated(claim, marks), "spec": {**claim["spec"], "volumeName": name}}


def _annotated(obj: dict, more: dict[str, str]) -> dict:
    annotations = {**(obj["metadata"].get("annotations") or {}), **more}
    return {**obj, "metadata": {**obj["metadata"], "annotations": annotations}}


def in_phase(volume: dict, phase: str) -> dict:
    status = volume.get("status", {})
    if status.get("phase") == phase:
        return volume
    return {**volume, "status": {**status, "phase": phase, "lastPhaseTransitionTime": now()}}


def bound(claim: dict, volume: dict) -> dict:
    """The claim with a status that says what it got: more than it asked for, maybe."""
    got = {"accessModes": volume["spec"]["accessModes"], "capacity": volume["spec"]["capacity"]}
    status = {**claim.get("status", {}), "phase": "Bound", **got}
    return claim if status == claim.get("status") else {**claim, "status": status}


def provisioned(claim: dict, storage_class: dict, runtime: str) -> dict:
    """A new volume for the claim, as the class says, on the engine called `runtime`; "": the first pod's decides.

    Only the object: the engine makes the volume when the first container wants to see it.
    """
    meta, asked = claim["metadata"], claim["spec"]
    name = f"pvc-{meta['uid']}"
    policy = storage_class["reclaimPolicy"]
    volume = {
        "metadata": {"name": name, "annotations": {PROVISIONED_BY: DRIVER}},
        "spec": {
            "capacity": {"storage": asked["resources"]["requests"]["storage"]},
            "accessModes": asked["accessModes"],
            "volumeMode": asked["volumeMode"],
            "storageClassName": storage_class["metadata"]["name"],
            "persistentVolumeReclaimPolicy": policy,
            "claimRef": {"kind": "PersistentVolumeClaim", "apiVersion": "v1", "uid": meta["uid"]}
            | {"namespace": meta["namespace"], "name": meta["name"]},
            "csi": {"driver": DRIVER, "volumeHandle": name},
        },
    }
    return placed(volume, runtime) if runtime else volume
