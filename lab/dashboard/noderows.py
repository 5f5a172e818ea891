"""Nodes → rows of the board: how much room a machine has, and what is the matter with it, in words. Pure."""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from lab.apimachinery.controlplane import CONTROL_PLANE, PARTITIONED, POWER, is_member
from lab.apimachinery.engines import engine_of
from lab.apimachinery.kinds import NODES
from lab.apimachinery.labels import BOOTS_UNTIL, NODEPOOL_LABEL, RUNTIME_LABEL, ZONE_LABEL
from lab.apimachinery.meta import condition, is_deleting, is_true, time_or_none
from lab.apimachinery.quantity import milli_value, value
from lab.apimachinery.taints import CANDIDATE, TO_BE_DELETED

from .rows import GPU, Row, amounts, compact, cores, head, percent, size

Requests = tuple[int, int, int]  # millis of CPU, bytes of memory, GPUs


def node_row(node: dict, used: Requests, count: int, leads: Sequence[str] = (), turns: Sequence[str] = ()) -> Row:
    """The column of a node, with what its `count` pods request of it; of a control-plane
    node, which components it `leads`. `turns`: of the wheels that it waits for, those that do not turn as ever.
    `gauges`: [percent requested, in words] of CPU, memory and its GPUs."""
    meta, spec, status = node["metadata"], node.get("spec", {}), node.get("status", {})
    labels, annotations = meta.get("labels", {}), meta.get("annotations", {})
    room = status.get("allocatable") or status.get("capacity") or {}
    whole = milli_value(room.get("cpu", 0)), value(room.get("memory", 0)), value(room.get(GPU, 0))
    runtime = labels.get(RUNTIME_LABEL)
    row = compact(
        {
            **head("node", NODES.resource, node),
            "zone": labels.get(ZONE_LABEL),
            "runtime": runtime,
            "pool": labels.get(NODEPOOL_LABEL),
            "until": boots_until(node),
            "ready": is_true(node, "Ready"),
            "status": node_status(node),
            "cordoned": spec.get("unschedulable", False),
            "off": is_off(node),
            "partitioned": annotations.get(PARTITIONED) == "true",
            "leaving": is_deleting(node),
            "member": is_member(node),
            "size": " · ".join(filter(None, (amounts(*whole), engine_of(node) if runtime != "simulated" else ""))),
            "gauges": gauges(used, whole),
            "room": _room_words(node, used, whole),
            "count": count,
        }
    )
    taints = [taint["key"] for taint in spec.get("taints", ()) if not says_itself(taint["key"])]
    return compact({**row, "flags": node_flags(row, leads, taints, turns)})


class Room:
    """What the pods of each node request of it, kept as they come and go: cheap however many there are."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[str, Requests]] = {}  # id of a pod → node's id, what it requests
        self._used: dict[str, Requests] = defaultdict(lambda: (0, 0, 0))  # id of a node → the sums
        self._count: Counter[str] = Counter()  # id of a node → how many pods

    def take(self, pod: str, node: str, asked: Requests) -> None:
        self._held[pod] = (node, asked)
        self._add(node, asked, 1)

    def give_back(self, pod: str) -> str:
        """The id of the node that it held something of; empty if it held nothing."""
        node, asked = self._held.pop(pod, ("", (0, 0, 0)))
        if node:
            self._add(node, asked, -1)
        return node

    def _add(self, node: str, asked: Requests, sign: int) -> None:
        cpu, memory, gpus = (have + sign * more for have, more in zip(self._used[node], asked, strict=True))
        self._used[node] = cpu, memory, gpus
        self._count[node] += sign

    def of(self, node: str) -> tuple[Requests, int]:
        """What is requested of a node, and by how many pods."""
        return self._used[node], self._count[node]


Flag = tuple[str, str]  # words, and how they look: bad, warn, leads, made-up, or plain


def node_flags(row: Row, leads: Sequence[str], taints: list[str], turns: Sequence[str] = ()) -> list[Flag]:
    """What is the matter with a node, in words."""
    leads_words = "leads" if len(leads) > 1 else f"leads {''.join(leads)}"
    silent = not row.get("ready") and not row.get("until")
    flags = [
        (row.get("runtime") == "simulated", "simulated", "made-up"),
        (row.get("off"), "powered off", "bad"),
        (row.get("partitioned") and not row.get("off"), "partitioned", "bad"),
        (silent, "no word" if row["status"] == "Unknown" else "not ready", "bad"),
        *((True, words, "bad") for words in turns),
        (leads, leads_words, "leads"),
        (row.get("cordoned"), "cordoned", "warn"),
        (row.get("leaving"), "leaving", "warn"),
    ]
    return [(words, look) for on, words, look in flags if on] + [SOLD.get(key, (f"taint {key}", "")) for key in taints]


# The cluster autoscaler's taints.
SOLD = {
    CANDIDATE: ("idle: sold soon", "warn"),
    TO_BE_DELETED: ("drained, to be sold", "warn"),
}


def gauges(used: Requests, whole: Requests) -> list[tuple[int, str]]:
    """How much of a node is requested."""
    words: tuple[Callable[[int], str], ...] = (cores, size, str)
    said = [
        (percent(part, all_), f"{written(part)} of {written(all_)} requested")
        for part, all_, written in zip(used, whole, words, strict=True)
    ]
    return said if whole[2] else said[:2]


def _room_words(node: dict, used: Requests, whole: Requests) -> str:
    """What is left of a node for pods to come."""
    if node.get("spec", {}).get("unschedulable"):
        return "closed to new pods"
    if not is_true(node, "Ready"):
        return ""
    cpu, memory, _ = (max(0, all_ - part) for part, all_ in zip(used, whole, strict=True))
    return f"{cores(cpu)} cpu · {size(memory)} free"


def says_itself(taint: str) -> bool:
    """Whether the row shows already what the taint is for."""
    return "node.kubernetes.io/" in taint or taint == CONTROL_PLANE


def boots_until(node: dict) -> float:
    """Until when a machine that was bought boots, in seconds since the epoch; 0 for any other, and where what
    is written is no time."""
    meta = node["metadata"]
    until = meta.get("annotations", {}).get(BOOTS_UNTIL)
    return (time_or_none(until) or 0) if until and RUNTIME_LABEL not in meta.get("labels", {}) else 0


def is_off(node: dict) -> bool:
    return node["metadata"].get("annotations", {}).get(POWER) == "off"


def usual_runtime(nodes: list[dict]) -> str:
    """What runs the first of the nodes that has a runtime: the likeliest for another; empty if none has."""
    found = (node["metadata"].get("labels", {}).get(RUNTIME_LABEL) for node in nodes)
    return next(filter(None, found), "")


def node_status(node: dict) -> str:
    """Ready, NotReady or Unknown, as kubectl has it; what else is the matter with the node has fields of its own."""
    ready = condition(node, "Ready")
    if ready is None or ready["status"] == "Unknown":
        return "Unknown"
    return "Ready" if ready["status"] == "True" else "NotReady"
