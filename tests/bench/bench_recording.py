"""What it costs to record decisions: blocks of pods that are scheduled by turns with and without it, in one run.

    python -m tests.bench.bench_recording [pairs [workload]]

As `bench_scheduler` does it: the control plane alone, in this process, on SQLite; timed is what the scheduler's task
does, from reading what waits in the log until the last binding is committed. A block with and a block without make a
pair, which of them comes first takes turns, and after each pair the nodes are empty again: so what else the machine
does, and how full nodes and database are, falls on both. Of each pair the ratio is taken; of these the median, and
between which two of them the true one lies with 95 % (by their order, whatever their distribution), in the processor's
time and in the clock's.
"""

import contextlib
import math
import os
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from unittest.mock import patch

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
django.setup()

from lab import store  # noqa: E402
from lab.apimachinery.kinds import NODES, PODS  # noqa: E402
from lab.client import Client  # noqa: E402
from lab.client.clusters import delete_cluster, ensure_cluster  # noqa: E402
from lab.client.reconcile import catch_up  # noqa: E402
from lab.scheduler import SCHEDULER  # noqa: E402
from lab.scheduler.sampling import EXACT_NODES  # noqa: E402

from .bench_scheduler import AT_ONCE, Workload, a_node, a_pod, control_plane, timed_turns  # noqa: E402

MOST, PAIRS, KEPT = 1.10, 150, 20_000
CLUSTER = "bench"


@dataclass(frozen=True)
class Block:
    workload: Workload
    nodes: int
    pods: int


# In clusters of up to a hundred nodes each node's verdict is recorded with each pod.
BLOCKS = (
    Block(Workload("pods of one template, 5,000 nodes"), 5000, 200),
    Block(Workload("of ReplicaSets of 100, 5,000 nodes", replicas=100), 5000, 100),
    Block(Workload("pods of one template, 100 nodes"), EXACT_NODES, 50),
    Block(Workload("of ReplicaSets of 100, 100 nodes", replicas=100), EXACT_NODES, 100),
)


def main(pairs: str = str(PAIRS), only: str = "") -> None:
    with control_plane():
        for block in BLOCKS:
            if only in block.workload.what:
                measure(block, int(pairs))


def measure(block: Block, pairs: int) -> None:
    ensure_cluster(CLUSTER)
    client = Client(CLUSTER, "bench")
    for first in range(0, block.nodes, AT_ONCE):
        client.create_many(NODES, [a_node(number) for number in range(first, min(first + AT_ONCE, block.nodes))])
    found: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    for pair in range(-1, pairs):
        for recorded in (pair % 2 == 0, pair % 2 != 0):
            times = scheduled(client, block, recorded)
            if pair >= 0:  # the one before warms up
                found[recorded].append(times)
        clear(client)
    delete_cluster(CLUSTER)
    show(block, found[True], found[False])


def scheduled(client: Client, block: Block, recorded: bool) -> tuple[float, float]:
    """Seconds of the clock, and the processor's, for one block."""
    name = "on" if recorded else "off"
    pods = [a_pod(number, block.workload, name) for number in range(block.pods)]
    client.create_many(PODS, pods)
    with contextlib.nullcontext() if recorded else patch("lab.scheduler.batch.explain", lambda *_: None):
        bound, cpu, _ = timed_turns()
    return bound, cpu


def clear(client: Client) -> None:
    """Past the API server, for there is no kubelet that would let the pods go."""
    pods = client.list(PODS)
    assert all("nodeName" in pod["spec"] for pod in pods)
    store.append(CLUSTER, list(_removals(pods)), "bench")
    catch_up(CLUSTER, SCHEDULER)
    store.compact(CLUSTER, KEPT)


def _removals(pods: list[dict]) -> Iterator[store.Write]:
    for pod in pods:
        meta = pod["metadata"]
        yield store.Write(
            PODS.resource, meta["namespace"], meta["name"], pod, int(meta["resourceVersion"]), deleted=True
        )


def show(block: Block, recorded: list[tuple[float, float]], without: list[tuple[float, float]]) -> None:
    pods = block.pods / statistics.median(clock for clock, _ in recorded)
    told = [ratio([one[at] / other[at] for one, other in zip(recorded, without, strict=True)]) for at in (1, 0)]
    (_, least, most), _ = told
    verdict = "kept" if most <= MOST else "MISSED" if least > MOST else "not told apart"
    cpu, clock = (f"{middle:.3f} ({low:.3f} to {high:.3f})" for middle, low, high in told)
    print(f"{block.workload.what:<36} {pods:6,.0f} pods/s; {len(recorded)} pairs of {block.pods}")
    print(f"{'':<36} {cpu} of the processor's time without, {clock} of the clock's; at most {MOST:.2f}: {verdict}")


def ratio(ratios: list[float]) -> tuple[float, float, float]:
    """The median, and between which of them that of all lies with 95 %: each is on either side of it like a coin."""
    ordered, count = sorted(ratios), len(ratios)
    at = max(0, math.floor(count / 2 - 0.98 * math.sqrt(count)))
    return statistics.median(ordered), ordered[at], ordered[-1 - at]


if __name__ == "__main__":
    main(*sys.argv[1:3])
