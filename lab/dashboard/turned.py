"""What the board says of wheels that do not run, where it matters: the loops, the top of the page, what waits. Pure.

`modes` is always: name of a wheel that does not run → how it turns.
"""

import re
from collections import Counter

from lab.apimachinery import wheels
from lab.apimachinery.kinds import BUILDS, DEPLOYMENTS, NODEPOOLS, NODES, SERVICES
from lab.apimachinery.wheels import KUBELET

from .noderows import SOLD, boots_until
from .rows import WORKLOADS, Row
from .workloadrows import ENDING

SAYING = {kind.resource for kind in (*WORKLOADS, SERVICES, NODES, NODEPOOLS, BUILDS)}  # of what their rows wait for
MACHINES = "clusterautoscaler"
TENDED = {NODEPOOLS.resource: MACHINES, BUILDS.resource: "build"}  # kinds that one loop looks after
STEPS = re.compile(r"^at (step \d+) of (\d+)$")


def stopped(modes: dict[str, str]) -> list[str]:
    """What the top of the page says of them, behind the id of what to open for it."""
    if len(modes) > 1:
        slow = sum(mode.startswith("slow") for mode in modes.values())
        counts = ((len(modes) - slow, "stopped"), (slow, "slow"))
        (first, word), *more = ((count, word) for count, word in counts if count)
        words = [f"{first} wheel{'' if first == 1 else 's'} {word}", *(f"{count} {word}" for count, word in more)]
        return ["loops/all", ", ".join(words)]
    return [f"loops/{wheels.LOOPS.get(name, name)}" for name in modes] + [
        f"{name} {mode}" for name, mode in modes.items()
    ]


def of_loops(modes: dict[str, str]) -> dict[str, str]:
    """author → how its loop turns, in the little room there is; empty if as ever. All kubelets are one loop there."""
    short = {name: STEPS.sub(r"\1/\2", mode) for name, mode in modes.items()}
    kubelets = Counter(re.split(r",| \d", mode)[0] for name, mode in short.items() if name.startswith(KUBELET))
    said = ", ".join(f"{count} {word}" for word, count in sorted(kubelets.items()))
    return {author: short.get(name, "") for name, author in wheels.LOOPS.items()} | {"kubelet": said}


def of_node(node: dict, modes: dict[str, str]) -> list[str]:
    """The same of those that a node waits for: its kubelet always, and who buys and sells it while it is at that."""
    name, taints = node["metadata"]["name"], node.get("spec", {}).get("taints") or ()
    traded = boots_until(node) or any(taint["key"] in SOLD for taint in taints)
    turning = {"kubelet": wheels.kubelet_of(name), **({MACHINES: MACHINES} if traded else {})}
    return [f"{word} {modes[loop]}" for word, loop in turning.items() if loop in modes]


def tended_by(resource: str, modes: dict[str, str]) -> str:
    """Of things of a kind that one loop looks after."""
    loop = TENDED.get(resource, "")
    return f"{loop} is {modes[loop]}" if loop in modes else ""


# Whose turning the card of a workload waits for, besides the scheduler's and its own kind's.
MAKERS = {DEPLOYMENTS.kind: ("deployment", "replicaset"), "CronJob": ("cronjob", "job")}
STEERING = {"release": "release", "scaler": "horizontalpodautoscaler"}  # of a card → who steers it


def held_by(
    row: Row, obj: dict, pods: list[Row], modes: dict[str, str], pools: bool = False, over: bool = False
) -> str:
    """Which wheels a workload waits for: those who steer it always, the others where there is something for them.
    `pools`: whether somebody would buy machines for what fits nowhere; `over`: whether the release on its card is."""
    if not modes:
        return ""
    loops = [loop for field, loop in STEERING.items() if field in row and not (over and field == "release")]
    late = [pod for pod in pods if pod["state"] != "ready"]
    if _is_to_be_made(row, obj, pods, late):
        loops += MAKERS.get(row["what"], (row["what"].lower(),))
    if any(not pod.get("node") for pod in late):
        loops.append("scheduler")
    if pools and any(pod.get("verdicts") and not pod.get("node") for pod in late):
        loops.append(MACHINES)
    loops += sorted({wheels.kubelet_of(pod["node"]) for pod in late if pod.get("node")})
    return ", ".join(f"{loop} is {modes[loop]}" for loop in loops if loop in modes)


def _is_to_be_made(row: Row, obj: dict, pods: list[Row], late: list[Row]) -> bool:
    """Whether its own controller has something to do: what was changed, pods to make or to end, another version."""
    generation = obj["metadata"].get("generation", 0)
    if obj.get("status", {}).get("observedGeneration", generation) < generation:
        return True
    if row["what"] in ENDING:
        return row.get("state") not in ("ready", "done", "failed")
    standing = sum(pod["state"] != "leaving" for pod in pods)
    rolling = "oldTotal" in row or row.get("state") != "ready" and not late
    return rolling or standing != row.get("desired", 0)
