"""What an idle lab costs: three nodes, ten pods, nobody looking. CPU of one core, and memory of all its processes.

    python -m tests.bench.bench_idle [docker|process]

Memory is PSS: pages that several processes share count once. The pods' own processes are not the lab's.
"""

import os
import sys
import time
from pathlib import Path

from .measure import running_lab

SETTLE_SECONDS, SECONDS = 15, 30
MOST_CPU_PERCENT, MOST_MB = 3.0, 250.0
TICKS = os.sysconf("SC_CLK_TCK")


def main(runtime: str = "docker") -> None:
    with running_lab(runtime) as lab:
        ten = {"spec": {"replicas": 10}}
        path = "/apis/apps/v1/namespaces/default/deployments/hello/scale"
        lab.api("PATCH", path, ten, content_type="application/merge-patch+json")
        lab.wait_for_ready_pods(10, seconds=120)
        time.sleep(SETTLE_SECONDS)
        processes = lab_processes(lab.run())
        before = {pid: cpu_seconds(pid) for pid in processes}
        time.sleep(SECONDS)
        used = {pid: (cpu_seconds(pid) - before[pid]) / SECONDS * 100 for pid in processes}
        memory = {pid: pss_mb(pid) for pid in processes}
    print(f"idle lab on {runtime}, three nodes, ten pods, {SECONDS} s")
    for pid, name in processes.items():
        print(f"  {name:<12} {used[pid]:5.2f} % of a core {memory[pid]:7.1f} MB")
    print(f"  {'together':<12} {sum(used.values()):5.2f} % of a core {sum(memory.values()):7.1f} MB")
    print(f"  allowed      {MOST_CPU_PERCENT:5.2f} %           {MOST_MB:7.1f} MB")


def lab_processes(run: dict) -> dict[int, str]:
    """Process id → name: the supervisor, its guard, and its children, without what the process engine runs."""
    names = {process["pid"]: process["name"] for process in run["processes"]}
    found = {run["pid"]: "supervisor"}
    pods_below = {pid for pid, name in names.items() if name == "engine"}
    for entry in sorted(Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended since it was listed
            continue
        if parent in found and parent not in pods_below:
            found[int(entry.name)] = names.get(int(entry.name), "guard" if parent == run["pid"] else found[parent])
    return found


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def pss_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
