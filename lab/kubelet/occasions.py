"""What makes the kubelet act on a pod: a revision of the log, the clock, or a fault of which the engine or a probe
tells. Pure.

A fault begins a thread of its own. The row that first tells of it says so (`why.fault`) and has no cause; whatever
follows of it, the restart and the readiness after that, is caused by that row.
"""

from collections.abc import Callable, Container, Iterator
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


def occasion_between(
    before: dict, after: dict, ours: Container[str], failing: Callable[[str], str] = lambda container: ""
) -> Occasion | None:
    """What the new status tells of that nobody has ordered: a fault, or a deadline that has passed. None: of nothing.

    `ours`: ids of the containers that the kubelet has stopped itself. `failing`: the id of one → what its probe said.
    """
    if after.get("reason") == DEADLINE_EXCEEDED != before.get("reason"):
        return Occasion()
    if fault := _death(before, after, ours) or _sickness(before, after, failing):
        return Occasion(fault=fault)
    return None


def _death(before: dict, after: dict, ours: Container[str]) -> dict | None:
    known = dict(_ends(before))
    for (name, container_id), ended in _ends(after):
        new = (name, container_id) not in known and container_id.rpartition("//")[2] not in ours
        if new and ended["exitCode"] and ended.get("reason") != "StartError":
            told = {field: ended[field] for field in ("exitCode", "signal", "reason") if field in ended}
            return {"container": name, **told, "ended": told["reason"], "reason": "ContainerDied"}
    return None


def _ends(status: dict) -> Iterator[tuple[tuple[str, str], dict]]:
    """(container's name, its id) → how it ended, of all ends that a status still speaks of."""
    for name, told in container_statuses({"status": status}).items():
        for state in (told.get("state") or {}, told.get("lastState") or {}):
            if ended := state.get("terminated"):
                yield (name, ended.get("containerID") or ""), ended


def _sickness(before: dict, after: dict, failing: Callable[[str], str]) -> dict | None:
    """A container that runs on, and is ready no more: its probe has failed."""
    for old, told in _running_on(before, after):
        if old.get("ready") and not told.get("ready"):
            said = failing(told["containerID"].rpartition("//")[2])
            return {"reason": "NotReady", "container": told["name"], "message": said}
    return None


def succeeded(before: dict, after: dict) -> dict | None:
    """The decision that containers that run on are ready from now on: nobody but their probes says so."""
    names = [told["name"] for old, told in _running_on(before, after) if told.get("ready") and not old.get("ready")]
    return {"decision": "ProbeSucceeded", "containers": names} if names else None


def _running_on(before: dict, after: dict) -> Iterator[tuple[dict, dict]]:
    """The statuses of the same container in both, then and now."""
    was = container_statuses({"status": before})
    for name, told in container_statuses({"status": after}).items():
        old = was.get(name, {})
        runs = all("running" in (one.get("state") or {}) for one in (old, told))
        if runs and old.get("containerID") == told.get("containerID"):
            yield old, told
