"""What makes the kubelet act on a pod: a revision of the log, the clock, or a fault of which the engine or a probe
tells. Pure.

A fault begins a thread of its own. The row that first tells of it says so (`why.fault`) and has no cause; whatever
follows of it, the restart and the readiness after that, is caused by that row.
"""

from collections.abc import Container, Iterator
from dataclasses import dataclass

from .phase import DEADLINE_EXCEEDED
from .pods import container_statuses


@dataclass
class Occasion:
    """`revision` is 0 while no row tells of it: it has come from the clock, or is a `fault`. The status writer fills
    in which row does."""

    revision: int = 0
    fault: dict | None = None  # {"reason": "ContainerDied" | "Unhealthy" | "NotReady", "container", …}

    @property
    def is_news(self) -> bool:
        """A fault of which no row tells yet."""
        return self.fault is not None and not self.revision

    def begins(self, why: dict | None) -> dict | None:
        """The decision of a row that is due to this; the first one after a fault tells of it."""
        if not self.fault or self.revision:
            return why
        return {"decision": self.fault["reason"], **(why or {}), "fault": self.fault}


def occasion_between(before: dict, after: dict, ours: Container[str]) -> Occasion | None:
    """What the new status tells of that nobody has ordered: a fault, or a deadline that has passed. None: of nothing.

    `ours`: ids of the containers that the kubelet has stopped itself.
    """
    if after.get("reason") == DEADLINE_EXCEEDED != before.get("reason"):
        return Occasion()
    if fault := _death(before, after, ours) or _sickness(before, after):
        return Occasion(fault=fault)
    return None


def _death(before: dict, after: dict, ours: Container[str]) -> dict | None:
    known = dict(_ends(before))
    for (name, container_id), ended in _ends(after):
        new = (name, container_id) not in known and container_id.rpartition("//")[2] not in ours
        if new and ended["exitCode"] and ended.get("reason") != "ContainerCannotRun":
            told = {field: ended[field] for field in ("exitCode", "signal", "reason") if field in ended}
            return {"container": name, **told, "ended": told["reason"], "reason": "ContainerDied"}
    return None


def _ends(status: dict) -> Iterator[tuple[tuple[str, str], dict]]:
    """(container's name, its id) → how it ended, of all ends that a status still speaks of."""
    for name, told in container_statuses({"status": status}).items():
        for state in (told.get("state") or {}, told.get("lastState") or {}):
            if ended := state.get("terminated"):
                yield (name, ended.get("containerID") or ""), ended


def _sickness(before: dict, after: dict) -> dict | None:
    """A container that runs on, and is ready no more: its probe has failed."""
    was = container_statuses({"status": before})
    for name, told in container_statuses({"status": after}).items():
        old = was.get(name, {})
        same = old.get("containerID") == told.get("containerID") and "running" in (told.get("state") or {})
        if same and old.get("ready") and not told.get("ready"):
            return {"reason": "NotReady", "container": name}
    return None
