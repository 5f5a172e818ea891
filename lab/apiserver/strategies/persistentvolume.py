"""PersistentVolume: storage that is there. Source: ValidatePersistentVolume in pkg/apis/core/validation/validation.go.

Kubernetes knows twenty places where storage may lie. Here it lies on the engine that runs the containers, and a volume
says so as it would of any driver: `csi: {driver: orrery.io/volumes, volumeHandle: <its name there>}`.
"""

from collections.abc import Iterator

from lab.apimachinery import names
from lab.apimachinery.errors import Cause
from lab.apimachinery.quantity import milli_value
from lab.apimachinery.volumes import DRIVER, EXCLUSIVE, VOLUME_PROTECTION

from .base import Strategy
from .causes import forbidden, invalid, must_be_named, named, one_of, required, unsupported
from .podspec.placement import validate_node_selector
from .podspec.resources import canonicalise
from .storageclass import RECLAIM_POLICIES

ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", EXCLUSIVE)
NOT_A_SOURCE = {
    "accessModes",
    "capacity",
    "claimRef",
    "mountOptions",
    "nodeAffinity",
    "persistentVolumeReclaimPolicy",
    "storageClassName",
    "volumeAttributesClassName",
    "volumeMode",
}
ONLY_OURS = f"the lab has volumes of its engine only: use csi with driver {DRIVER}, and a name as volumeHandle"
NO_BLOCKS = "the lab has no block devices: use Filesystem"


class PersistentVolumeStrategy(Strategy):
    first_status = {"phase": "Pending"}
    finalizer = VOLUME_PROTECTION

    def default(self, obj: dict) -> None:
        spec = obj.setdefault("spec", {})
        spec.setdefault("persistentVolumeReclaimPolicy", "Retain")
        spec.setdefault("volumeMode", "Filesystem")
        canonicalise(spec.get("capacity"))

    def validate(self, obj: dict) -> Iterator[Cause]:
        spec = obj["spec"]
        yield from validate_modes(spec)
        storage = (spec.get("capacity") or {}).get("storage")
        if not storage:
            yield required("spec.capacity")
        elif len(spec["capacity"]) > 1:
            yield unsupported("spec.capacity", spec["capacity"], ("storage",))
        elif milli_value(storage) <= 0:
            yield invalid("spec.capacity[storage]", storage, "must be greater than zero")
        yield from one_of("spec.persistentVolumeReclaimPolicy", spec["persistentVolumeReclaimPolicy"], RECLAIM_POLICIES)
        yield from named("spec.storageClassName", spec.get("storageClassName"), names.dns_subdomain)
        yield from _validate_source(spec)
        if (affinity := spec.get("nodeAffinity") or {}).get("required"):
            yield from validate_node_selector(affinity["required"], "spec.nodeAffinity.required")

    def validate_change(self, new: dict, old: dict) -> Iterator[Cause]:
        yield from self.validate(new)
        if new["spec"].get("csi") != old["spec"].get("csi"):
            yield forbidden("spec.persistentvolumesource", "spec.persistentvolumesource is immutable after creation")
        if old["spec"].get("nodeAffinity") and new["spec"].get("nodeAffinity") != old["spec"]["nodeAffinity"]:
            yield invalid("spec.nodeAffinity", new["spec"].get("nodeAffinity"), "field is immutable")


def _validate_source(spec: dict) -> Iterator[Cause]:
    sources = sorted(spec.keys() - NOT_A_SOURCE)
    if not sources:
        yield required("spec", "must specify a volume type")
    for source in sources:
        if source != "csi":
            yield forbidden(f"spec.{source}", ONLY_OURS)
    csi = spec.get("csi")
    if csi is None:
        return
    if csi.get("driver") != DRIVER:
        yield unsupported("spec.csi.driver", csi.get("driver", ""), (DRIVER,))
    yield from must_be_named("spec.csi.volumeHandle", csi.get("volumeHandle"), names.dns_subdomain)


def validate_modes(spec: dict) -> Iterator[Cause]:
    """Access modes and volume mode: what a volume offers and a claim asks for."""
    modes = spec.get("accessModes") or ()
    if not modes:
        yield required("spec.accessModes", "at least 1 access mode is required")
    for mode in modes:
        if mode not in ACCESS_MODES:
            yield unsupported("spec.accessModes", mode, ACCESS_MODES)
    if EXCLUSIVE in modes and len(modes) > 1:
        yield forbidden("spec.accessModes", f"may not use {EXCLUSIVE} with other access modes")
    if spec["volumeMode"] == "Block":
        yield forbidden("spec.volumeMode", NO_BLOCKS)
    else:
        yield from one_of("spec.volumeMode", spec["volumeMode"], ("Block", "Filesystem"))
