"""What a lab takes of its machine: memory, processor's time, and what else the kernel has only so much of."""

import contextlib
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields
from pathlib import Path

from lab.runtime.docker import labels
from lab.runtime.docker.cgroups import Cgroups
from lab.runtime.docker.engine import Engine
from lab.runtime.docker.network import COUNT as NETWORKS
from tests.labs import LabUnderTest

from .bench_idle import cpu_seconds, lab_processes, pss_mb

GIB, MIB = 24, 2**20  # of the machine that a class is to fit into
DAEMONS = ("dockerd", "containerd", "docker-proxy")
SHIM = "containerd-shim"
AT_ONCE = 8
CORES = os.cpu_count() or 1
KERNEL = Path("/proc/sys")


@dataclass(frozen=True)
class Sample:
    """MiB: `used` of the machine; `lab`: PSS of the lab's own processes together; `containers`: the working set of
    their cgroups; `engine`: PSS of the engine's daemons, and of the shims of the lab's containers. And how many:
    `threads` of the machine, `neighbours` and `flows` that its kernel keeps, `networks` of the lab; `fulls`: how often
    so far there was no room for one more neighbour."""

    used: float
    lab: float = 0.0
    containers: float = 0.0
    engine: float = 0.0
    threads: int = 0
    neighbours: int = 0
    flows: int = 0
    networks: int = 0
    fulls: int = 0
    processes: dict[str, float] = field(default_factory=dict)  # the lab's, by their names: PSS in MiB

    @property
    def told_apart(self) -> float:
        """MiB that nobody else on the machine takes."""
        return self.lab + self.containers + self.engine


@dataclass(frozen=True)
class Limit:
    what: str
    most: float
    alone: float  # what there is of it without a learner
    each: float  # what one more learner takes

    def learners(self) -> float:
        """How many find room. Pure."""
        return (self.most - self.alone) // self.each if self.each > 0 else float("inf")

    def __str__(self) -> str:
        of = f"{self.alone:.0f} of {self.most:.0f} without a learner, {self.each:.1f} each"
        return f"{self.what:<42} {self.learners():8.0f} learners   ({of})"


class Machine:
    def __init__(self, runtime: str):
        self._engine = Engine() if runtime == "docker" else None
        self._parents: dict[str, str] = {}  # of containers: the group that theirs is in

    def sample(self, lab: LabUnderTest | None = None) -> Sample:
        containers = self.containers(lab) if lab else []
        processes: dict[str, float] = {}
        for pid, name in lab_processes(lab.run()).items() if lab else ():
            processes[name] = processes.get(name, 0.0) + pss(pid)
        used = sum(usage[1] for usage in self._usages(lab, containers)) / MIB if lab else 0.0
        threads = int(Path("/proc/loadavg").read_text().split()[3].partition("/")[2])
        networks = len(self._networks(lab)) if lab else 0
        flows = number("net/netfilter/nf_conntrack_count")
        engine, (entries, fulls) = self._engine_mb(containers), neighbours()
        ours = sum(processes.values())
        return Sample(used_mb(), ours, used, engine, threads, entries, flows, networks, fulls, processes)

    def cpu(self, lab: LabUnderTest) -> dict[str, float]:
        """Seconds of the processor that each has taken so far: the lab's processes, the containers, the engine."""
        found: dict[str, float] = {}
        for pid, name in lab_processes(lab.run()).items():
            found[name] = found.get(name, 0.0) + cpu_of(pid)
        if self._engine:
            containers = self.containers(lab)
            found["containers"] = sum(usage[0] for usage in self._usages(lab, containers)) / 1e9
            found["engine"] = sum(map(cpu_of, engine_pids(containers)))
        return found

    def containers(self, lab: LabUnderTest) -> list[str]:
        """The lab's that run."""
        if not self._engine:
            return []
        return [row["Id"] for row in self._engine.client.containers(filters=labels.filter_of(lab_id(lab)))]

    def count_of_pods(self, lab: LabUnderTest) -> int:
        """Of its learners' clusters, on the engine: their containers run, the pause containers not counted."""
        if not self._engine:
            return 0
        rows = self._engine.client.containers(filters=labels.filter_of(lab_id(lab), kind="container"))
        return sum(row["Labels"][labels.CLUSTER] != "default" for row in rows)

    def _networks(self, lab: LabUnderTest) -> list[dict]:
        return self._engine.client.networks(filters=labels.filter_of(lab_id(lab))) if self._engine else []

    def _usages(self, lab: LabUnderTest, containers: list[str]) -> list[tuple[int, int]]:
        """Of each: nanoseconds of the processor, bytes."""
        if not self._engine:
            return []
        cgroups = Cgroups(self._engine, lab_id(lab))
        with ThreadPoolExecutor(AT_ONCE) as pool:
            parents = pool.map(self._parent, containers)
        return list(cgroups.usages(dict(zip(containers, parents, strict=True))).values())

    def _parent(self, container: str) -> str:
        if container not in self._parents:
            with contextlib.suppress(Exception):  # it has ended since it was listed
                found = self._engine.client.inspect_container(container)
                self._parents[container] = found["HostConfig"]["CgroupParent"]
        return self._parents.get(container, "")

    def _engine_mb(self, containers: list[str]) -> float:
        return sum(map(pss, engine_pids(containers))) if self._engine else 0.0

    def limits(self, alone: Sample, full: Sample, after: Sample, learners: int) -> list[Limit]:
        """What there is only so much of. `full`: all pods run; `after`: and they have played, of which processes
        remember something."""
        tasks = min(number("kernel/threads-max"), number("kernel/pid_max"))
        arp, flows = number("net/ipv4/neigh/default/gc_thresh3"), number("net/netfilter/nf_conntrack_max")
        memory = GIB * 1024
        most = [
            (f"memory: {GIB} GiB, in MiB", memory, alone.used, full.used),
            ("memory of lab, containers, engine alone", memory, alone.told_apart, full.told_apart),
            ("memory of those, after they played", memory, alone.told_apart, after.told_apart),
            ("processes and threads: pid_max", tasks, alone.threads, full.threads),
            ("neighbours: net.ipv4.neigh gc_thresh3", arp, alone.neighbours, full.neighbours),
            ("connections: nf_conntrack_max", flows, alone.flows, full.flows),
            ("networks: the lab's ranges", NETWORKS, alone.networks, full.networks),
        ]
        return [Limit(what, limit, base, (all_ - base) / learners) for what, limit, base, all_ in most if limit]


def used_mb() -> float:
    told = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return (int(told["MemTotal"].split()[0]) - int(told["MemAvailable"].split()[0])) / 1024


def number(path: str) -> int:
    """0 where this kernel has no such thing."""
    try:
        return int((KERNEL / path).read_text())
    except (OSError, ValueError):
        return 0


def neighbours() -> tuple[int, int]:
    """The ARP entries of all network namespaces together, which is how the kernel limits them, and how often there was
    no room for one more. A line a processor: each has counted its own, and knows of all entries."""
    try:
        names, *lines = Path("/proc/net/stat/arp_cache").read_text().splitlines()
    except OSError:
        return 0, 0
    rows = [dict(zip(names.split(), line.split(), strict=True)) for line in lines]
    return int(rows[0]["entries"], 16), sum(int(row["table_fulls"], 16) for row in rows)


def engine_pids(containers: list[str]) -> Iterator[int]:
    """The engine's daemons, and the shims of these containers."""
    ours = set(containers)
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            name = (entry / "comm").read_text().strip()
            if name in DAEMONS:
                yield int(entry.name)
            elif name == SHIM:
                words = (entry / "cmdline").read_bytes().decode().split("\0")
                if ours.intersection(words):
                    yield int(entry.name)


def pss(pid: int) -> float:
    """0 for one that has ended, or that is another user's."""
    try:
        return pss_mb(pid)
    except (OSError, StopIteration):
        return 0.0


def cpu_of(pid: int) -> float:
    try:
        return cpu_seconds(pid)
    except OSError:
        return 0.0


def lab_id(lab: LabUnderTest) -> str:
    return (lab.data / "lab-id").read_text().strip()


def percent_of_a_core(machine: Machine, lab: LabUnderTest, seconds: float) -> dict[str, float]:
    """While this waits."""
    before, began = machine.cpu(lab), time.monotonic()
    time.sleep(seconds)
    after = machine.cpu(lab)
    passed = time.monotonic() - began
    return {name: max(0.0, 100 * (spent - before.get(name, 0.0)) / passed) for name, spent in after.items()}


def table(samples: dict[str, Sample]) -> str:
    names = [one.name for one in fields(Sample) if one.name != "processes"]
    lines = [f"{'MiB; how many':<26}" + "".join(f"{name:>12}" for name in names)]
    for when, sample in samples.items():
        lines.append(f"{when:<26}" + "".join(f"{getattr(sample, name):12.0f}" for name in names))
    return "\n".join(lines)
