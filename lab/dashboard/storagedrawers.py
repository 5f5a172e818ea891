"""What the drawer shows of a claim and of a volume: who uses it, where it lies, and what its end would end."""

from lab.apimachinery.kinds import PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES, PODS
from lab.apimachinery.labels import RUNTIME_LABEL
from lab.client import Client

from .rows import pod_row
from .storagerows import STATES, claim_names, claim_row, size_of


def claim_head(client: Client, claim: dict) -> dict:
    meta = claim["metadata"]
    users = [pod for pod in client.list(PODS, meta["namespace"]) if meta["name"] in claim_names(pod)]
    row = claim_row(claim, users)
    return {
        "row": row,
        "state": row["state"],
        "headline": ", ".join(
            filter(None, (row["status"], size_of(claim), "" if row.get("used") else "no pod uses it"))
        ),
        "users": [pod_row(pod) for pod in users],
    }


def claims_told(client: Client, namespace: str, names: list[str], pods: list[dict]) -> list[dict]:
    """The claims by their rows, and how they stand in words; `pods`: those that mount them. They outlive pods."""
    found = []
    for name in names:
        claim = client.find(PERSISTENTVOLUMECLAIMS, namespace, name)
        users = [pod for pod in pods if name in claim_names(pod)]
        row = claim_row(claim, users) if claim else {"name": name, "state": "failed"}
        told = (
            [row["status"], row.get("text"), claim["spec"].get("volumeName")] if claim else ["there is no such claim"]
        )
        found.append({**row, "told": " · ".join(filter(None, told))})
    return found


def claim_overview(client: Client, claim: dict) -> dict:
    spec = claim["spec"]
    volume = client.find(PERSISTENTVOLUMES, "", spec["volumeName"]) if spec.get("volumeName") else None
    kept = (volume or {}).get("spec", {}).get("persistentVolumeReclaimPolicy") == "Retain"
    return {
        "asks": (spec.get("resources") or {}).get("requests", {}).get("storage", ""),
        "has": size_of(claim) if volume else "",
        "modes": spec.get("accessModes", ()),
        "class": spec.get("storageClassName", ""),
        "volume": volume,
        "engine": _engine(volume),
        "ends": "its volume stays, as Released, with what is on it" if kept else "its volume and what is on it go too",
    }


def volume_head(client: Client, volume: dict) -> dict:
    phase = volume.get("status", {}).get("phase", "Pending")
    return {"state": STATES.get(phase, "pending"), "headline": f"{phase}, {size_of(volume)}"}


def volume_overview(client: Client, volume: dict) -> dict:
    spec = volume["spec"]
    return {
        "size": size_of(volume),
        "spec": spec,
        "claim": spec.get("claimRef"),
        "bound": volume.get("status", {}).get("phase") == "Bound",
        "engine": _engine(volume),
    }


def _engine(volume: dict | None) -> str:
    return (volume or {}).get("metadata", {}).get("labels", {}).get(RUNTIME_LABEL, "")
