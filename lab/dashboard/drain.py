"""Draining a node, as kubectl does it: what would move, what stays, and what stands in the way. Pure.

Source of the rules: k8s.io/kubectl/pkg/drain.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from lab.apimachinery.budgets import Budget, beyond
from lab.apimachinery.meta import controller_of, is_deleting, key_of
from lab.apimachinery.pods import is_finished

MOVES, STAYS, BLOCKS, LEAVING = "moves", "stays", "blocks", "leaving"
ENDED = "has ended: it is only removed"


@dataclass(frozen=True)
class Item:
    """One pod of the node: what a drain does with it (`moves`, `stays`, `blocks`, `leaving`), and why."""

    namespace: str
    name: str
    fate: str
    reason: str


def checklist(pods: list[dict], budgets: Iterable[Budget] = ()) -> list[Item]:
    """The fate of each pod of a node, those that block first; who moves only when a budget lets it is told so."""
    order = (BLOCKS, LEAVING, MOVES, STAYS)
    fates = [(pod, *fate(pod)) for pod in pods]
    moving = [pod for pod, what, why in fates if what == MOVES and why != ENDED]
    held = beyond(budgets, ((key_of(pod), pod["metadata"].get("labels")) for pod in moving))
    items = []
    for pod, what, why in fates:
        if budget := held.get(key_of(pod)):
            why += f", once its disruption budget {budget} allows it"
        items.append(Item(pod["metadata"]["namespace"], pod["metadata"]["name"], what, why))
    return sorted(items, key=lambda item: (order.index(item.fate), item.namespace, item.name))


def fate(pod: dict) -> tuple[str, str]:
    """What a drain does with a pod, and why."""
    owner = controller_of(pod)
    if is_finished(pod):
        return MOVES, ENDED
    if is_deleting(pod):
        return LEAVING, "is on its way out"
    if owner and owner["kind"] == "DaemonSet":
        return STAYS, "belongs to a DaemonSet: every node has one"
    if owner is None:
        return BLOCKS, "nobody would make it again: kubectl drain needs --force"
    if any("emptyDir" in volume for volume in pod["spec"].get("volumes", ())):
        return BLOCKS, "its emptyDir would be lost: kubectl drain needs --delete-emptydir-data"
    return MOVES, f"{owner['kind']} {owner['name']} makes another elsewhere"
