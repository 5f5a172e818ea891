"""Claims and volumes → rows of the board: what keeps data, and who uses it. Pure.

Data outlives its pod. A claim that a pod mounts is told in that pod's drawer; one that nobody mounts, and a volume that
belongs to no claim, are easily forgotten, and stand in a line of their own.
"""

from lab.apimachinery.kinds import PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES
from lab.apimachinery.meta import is_deleting
from lab.apimachinery.pods import is_finished

from .rows import Row, compact, head

STATES = {"Bound": "ready", "Available": "ready", "Lost": "failed", "Failed": "failed", "Released": "unready"}


def claim_names(pod: dict) -> list[str]:
    """The claims of its namespace that the pod's volumes are of."""
    sources = [volume.get("persistentVolumeClaim") or {} for volume in pod["spec"].get("volumes", ())]
    return [source["claimName"] for source in sources if source.get("claimName")]


def claims_of(pod: dict) -> list[str]:
    """The ids of the rows of these claims."""
    return [f"{PERSISTENTVOLUMECLAIMS.resource}/{pod['metadata']['namespace']}/{name}" for name in claim_names(pod)]


def claim_row(claim: dict, pods: list[dict]) -> Row:
    """A claim, by its state and size, and how many `pods` that have not ended mount it."""
    size, used = size_of(claim), sum(not is_finished(pod) for pod in pods)
    phase = claim.get("status", {}).get("phase", "Pending")
    said = "is on its way out" if is_deleting(claim) else "" if phase == "Bound" else phase.lower()
    return compact(
        {
            **head("claim", PERSISTENTVOLUMECLAIMS.resource, claim),
            "state": STATES.get(phase, "pending"),
            "status": phase,
            "what": "claim",
            "text": " · ".join(filter(None, (size, said, "" if used else "no pod uses it"))),
            "used": used,
        }
    )


def volume_row(volume: dict) -> Row | None:
    """A volume that belongs to no claim; one that does is told by its claim, and has no row."""
    phase = volume.get("status", {}).get("phase", "Pending")
    if phase == "Bound":
        return None
    former = (volume["spec"].get("claimRef") or {}).get("name", "")
    said = f"released by {former}" if phase == "Released" else phase.lower()
    return compact(
        {
            **head("claim", PERSISTENTVOLUMES.resource, volume),
            "state": STATES.get(phase, "pending"),
            "status": phase,
            "what": "volume",
            "text": " · ".join(filter(None, (size_of(volume), said))),
        }
    )


def size_of(obj: dict) -> str:
    """What a claim has, or asks for until it has it; what a volume holds."""
    spec = obj["spec"]
    held = (
        obj.get("status", {}).get("capacity") or spec.get("capacity") or (spec.get("resources") or {}).get("requests")
    )
    return (held or {}).get("storage", "")
