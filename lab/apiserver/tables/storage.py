"""Lines of the kinds that keep data: PersistentVolume and its claim, StorageClass. Columns as kubectl has them."""

from lab.apimachinery.volumes import DEFAULT_CLASS, annotation

from .cells import UNKNOWN, age

SHORT = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}
UNSET = "<unset>"


def persistentvolume_cells(volume: dict, now: float) -> list:
    spec, status = volume["spec"], volume.get("status", {})
    claim = spec.get("claimRef")
    return [
        volume["metadata"]["name"],
        spec.get("capacity", {}).get("storage", ""),
        _modes(spec),
        spec.get("persistentVolumeReclaimPolicy", ""),
        _phase(volume),
        f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
        spec.get("storageClassName", ""),
        spec.get("volumeAttributesClassName") or UNSET,
        status.get("reason", ""),
        age(volume, now),
        spec.get("volumeMode") or UNSET,
    ]


def persistentvolumeclaim_cells(claim: dict, now: float) -> list:
    """Capacity and access modes are those of the volume: there are none before it has one."""
    spec, status = claim["spec"], claim.get("status", {})
    bound = bool(spec.get("volumeName"))
    return [
        claim["metadata"]["name"],
        _phase(claim),
        spec.get("volumeName", ""),
        status.get("capacity", {}).get("storage", "") if bound else "",
        _modes(status) if bound else "",
        spec.get("storageClassName") or "",
        spec.get("volumeAttributesClassName") or UNSET,
        age(claim, now),
        spec.get("volumeMode") or UNSET,
    ]


def storageclass_cells(storage_class: dict, now: float) -> list:
    name = storage_class["metadata"]["name"]
    return [
        f"{name} (default)" if annotation(storage_class, DEFAULT_CLASS) == "true" else name,
        storage_class.get("provisioner", UNKNOWN),
        storage_class.get("reclaimPolicy", "Delete"),
        storage_class.get("volumeBindingMode", "Immediate"),
        "true" if storage_class.get("allowVolumeExpansion") else "false",
        age(storage_class, now),
    ]


def _phase(obj: dict) -> str:
    return "Terminating" if "deletionTimestamp" in obj["metadata"] else obj.get("status", {}).get("phase", "")


def _modes(holder: dict) -> str:
    """In Kubernetes' own order, whatever the object's is."""
    asked = holder.get("accessModes") or ()
    return ",".join(short for mode, short in SHORT.items() if mode in asked)
