"""The kernel's files for groups of processes (cgroups): limits for a whole node, and what containers use.

A node is a parent group; the engine puts the node's containers below it, so the kernel itself keeps them within the
node's capacity. Works where we are root on the engine's host and the engine uses the cgroupfs driver; elsewhere a
node's capacity is the scheduler's accounting only. Version 2 (one tree) was written from the kernel's documentation.
"""

import logging
import os
from pathlib import Path

from .engine import Engine

logger = logging.getLogger(__name__)

ROOT = Path("/sys/fs/cgroup")
ALL = "/orrery"  # the group of all labs
PERIOD_MICROSECONDS = 100_000  # the kernel's default: a limit of half a core is 50 ms of every 100


class Cgroups:
    def __init__(self, engine: Engine, lab_id: str):
        self._engine = engine
        self._lab = f"{ALL}/{lab_id}"
        self._one_tree = (ROOT / "cgroup.controllers").exists()

    def enforceable(self) -> bool:
        facts = self._engine.facts()
        return self._engine.on_this_host() and os.geteuid() == 0 and facts.get("CgroupDriver") == "cgroupfs"

    def set_node(self, cluster: str, node: str, cpu_millis: int, memory_bytes: int) -> str:
        """Limit a node; the group's name for the engine (`cgroup_parent`), or "" where there can be none. A capacity
        that the kernel does not take (zero: none is said) leaves the node in its group, and a name that is a file's of
        the kernel leaves it in its cluster's: whoever makes nodes chooses both."""
        if not self.enforceable():
            return ""
        group = f"{self._lab}/{cluster}/{node}"
        try:
            if self._one_tree:
                self._make_with_controllers(group)
            self._weigh(ALL, (os.cpu_count() or 1) * 1000)
            self._weigh(group, cpu_millis)
        except OSError as error:
            logger.warning("node %s keeps its limits in the accounts only: %s", node, error)
            whole = f"{self._lab}/{cluster}"
            return whole if (ROOT / ("" if self._one_tree else "memory") / whole.strip("/")).is_dir() else ""
        quota = cpu_millis * PERIOD_MICROSECONDS // 1000
        if self._one_tree:
            self._limit("", group, "cpu.max", f"{quota or 'max'} {PERIOD_MICROSECONDS}")
            self._limit("", group, "memory.max", str(memory_bytes or "max"))
        else:
            self._limit("cpu", group, "cpu.cfs_quota_us", str(quota or -1))
            self._limit("memory", group, "memory.limit_in_bytes", str(memory_bytes or -1))
        return group

    def _limit(self, controller: str, group: str, file: str, value: str) -> None:
        try:
            self._write(controller, group, file, value)
        except OSError as error:
            logger.warning("%s of %s stays as it was, %s is not taken: %s", file, group, value, error)

    def set_cluster(self, cluster: str, memory_bytes: int, processes: int) -> None:
        """Limit all nodes of a cluster together, whatever capacity they have; nothing where it cannot be done."""
        if not self.enforceable():
            return
        group = f"{self._lab}/{cluster}"
        try:
            if self._one_tree:
                self._make_with_controllers(group)
            self._write("" if self._one_tree else "pids", group, "pids.max", str(processes))
            file = "memory.max" if self._one_tree else "memory.limit_in_bytes"
            self._write("" if self._one_tree else "memory", group, file, str(memory_bytes))
        except OSError as error:
            logger.warning("cluster %s has no limit of its own: %s", cluster, error)

    def _weigh(self, group: str, cpu_millis: int) -> None:
        """What it gets where CPU is short: for each core as much as a process or a group has by itself, as Kubernetes'
        kubepods. Without, all pods together would weigh no more than one busy process beside them, and miss probes."""
        if self._one_tree:
            self._write("", group, "cpu.weight", str(min(max(cpu_millis // 10, 1), 10_000)))
        else:
            self._write("cpu", group, "cpu.shares", str(min(max(cpu_millis * 1024 // 1000, 2), 262_144)))

    def grant(self, parent: str, cpu_millis: int) -> int:
        """`cpu_millis` as far as `parent` has it: version 1 refuses a child that may use more than its parent."""
        if not parent or self._one_tree:
            return cpu_millis
        try:
            quota = int((ROOT / "cpu" / parent.strip("/") / "cpu.cfs_quota_us").read_text())
        except (OSError, ValueError):
            return cpu_millis
        return min(cpu_millis, quota * 1000 // PERIOD_MICROSECONDS) if quota > 0 else cpu_millis

    def usages(self, parents: dict[str, str]) -> dict[str, tuple[int, int]]:
        """Container's id → (CPU nanoseconds, bytes of memory that cannot simply be dropped: the working set) of those
        that are readable. `parents`: container's id → the group that its own is in, "" for the engine's."""
        read = {container_id: self._usage(container_id, parent) for container_id, parent in parents.items()}
        return {container_id: usage for container_id, usage in read.items() if usage}

    def _usage(self, container_id: str, parent: str) -> tuple[int, int] | None:
        if self._engine.facts().get("CgroupDriver") == "systemd":
            place = f"{parent or 'system.slice'}/docker-{container_id}.scope"
        else:
            place = f"{parent or 'docker'}/{container_id}"
        place = place.strip("/")
        try:
            if self._one_tree:
                group = ROOT / place
                cpu = _table(group / "cpu.stat")["usage_usec"] * 1000
                used, idle = int((group / "memory.current").read_text()), _table(group / "memory.stat")["inactive_file"]
            else:
                memory = ROOT / "memory" / place
                cpu = int((ROOT / "cpuacct" / place / "cpuacct.usage").read_text())
                used = int((memory / "memory.usage_in_bytes").read_text())
                idle = _table(memory / "memory.stat")["total_inactive_file"]
        except (OSError, KeyError, ValueError):
            return None
        return cpu, max(used - idle, 0)

    def remove(self, cluster: str = "") -> None:
        """Remove the empty groups of a cluster, or of the whole lab; groups in use stay."""
        if not self.enforceable():
            return
        below = self._lab.strip("/") + (f"/{cluster}" if cluster else "")
        for tree in [ROOT] if self._one_tree else [path for path in ROOT.iterdir() if path.is_dir()]:
            folders = sorted((tree / below).glob("**/"), reverse=True)  # the deepest first
            for folder in [*folders, *([] if cluster else [tree / ALL.strip("/")])]:
                try:
                    folder.rmdir()
                except OSError:
                    continue  # in use, by us or by another lab

    def _write(self, controller: str, group: str, file: str, value: str) -> None:
        folder = ROOT / controller / group.strip("/")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(value)

    def _make_with_controllers(self, group: str) -> None:
        """In the one tree a group has only the controllers that its parent passes on."""
        folder = ROOT
        for part in group.strip("/").split("/"):
            (folder / "cgroup.subtree_control").write_text("+cpu +memory +pids")
            folder = folder / part
            folder.mkdir(exist_ok=True)
        (folder / "cgroup.subtree_control").write_text("+cpu +memory +pids")


def _table(path: Path) -> dict[str, int]:
    return {key: int(value) for key, value in (line.split() for line in path.read_text().splitlines())}
