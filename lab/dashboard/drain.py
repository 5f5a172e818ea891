"""Draining a node, as kubectl does it: what would move, what stays, and what stands in the way. Pure.

Source of the rules: k8s.io/kubectl/pkg/drain.
"""

from dataclasses import dataclass

from lab.apimachinery.meta import controller_of, is_deleting

MOVES, STAYS, BLOCKS, LEAVING = "moves", "stays", "blocks", "leaving"


@dataclass(frozen=True)
class Item:
    """One pod of the node: what a drain does with it (`moves`, `stays`, `blocks`, `leaving`), and why."""

    namespace: str
    name: str
    fate: str
    reason: str


def checklist(pods: list[dict]) -> list[Item]:
    """The fate of each pod of a node, those that block first."""
    order = (BLOCKS, LEAVING, MOVES, STAYS)
    items = [Item(pod["metadata"]["namespace"], pod["metadata"]["name"], *fate(pod)) for pod in pods]
    return sorted(items, key=lambda item: (order.index(item.fate), item.namespace, item.name))


def fate(pod: dict) -> tuple[str, str]:
    """What a drain does with a pod, and why."""
    owner = controller_of(pod)
    if pod.get("status", {}).get("phase") in ("Succeeded", "Failed"):
        return MOVES, "has ended: it is only removed"
    if is_deleting(pod):
        return LEAVING, "is on its way out"
    if owner and owner["kind"] == "DaemonSet":
        return STAYS, "belongs to a DaemonSet: every node has one"
    if owner is None:
        return BLOCKS, "nobody would make it again: kubectl drain needs --force"
    if any("emptyDir" in volume for volume in pod["spec"].get("volumes", ())):
        return BLOCKS, "its emptyDir would be lost: kubectl drain needs --delete-emptydir-data"
    return MOVES, f"{owner['kind']} {owner['name']} makes another elsewhere"
