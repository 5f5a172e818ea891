"""Rewinding and asking why with 100,000 revisions stored: the state at any revision, as the board draws it; the cards.

    python -m tests.bench.bench_history [revisions]

A cluster of ten nodes and three hundred pods that has run for a while: heartbeats, pods that come and go, events.
Timed, at random revisions: the state out of the log, the board's snapshot as it goes to the browser, a difference; of
random pods and nodes, why they are as they are; the same in Chromium. Then it runs on, and old revisions are compacted
away: how large the database gets. On SQLite, or on the database that TEST_DATABASE_URL names.
"""

import os
import random
import sys
import time
from collections.abc import Callable
from types import SimpleNamespace
from unittest.mock import patch

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

import orjson  # noqa: E402
from django.db import connection  # noqa: E402

from lab import store  # noqa: E402
from lab.apimachinery.kinds import LEASES, NODES, PODS  # noqa: E402
from lab.apimachinery.meta import key_of, split_key  # noqa: E402
from lab.client import Client  # noqa: E402
from lab.dashboard.past import board_at  # noqa: E402
from lab.explain import history  # noqa: E402
from lab.explain.why.cards import of_object as why  # noqa: E402
from lab.store import Write  # noqa: E402

from ..dashboard.build import a_deployment, a_node, a_pod, a_replicaset, an_event, ready, with_spec  # noqa: E402
from .bench_scheduler import control_plane  # noqa: E402
from .measure import Row  # noqa: E402
from .pages import CLUSTER, LOOKS, SPEEDS, chromium, explained, played, rewound, serving  # noqa: E402

PROMISED, PROMISED_WHY = 0.3, 0.1
SLOWEST = 3  # clicks of which the parts are told, beside the one in the middle
RATE = 20  # revisions a second: the pace at which the cluster has run
HOURS = 6  # ago it began, so that all of it is past


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with control_plane():
        measure(size)


def measure(size: int) -> None:
    store.create_cluster(CLUSTER)
    began = time.perf_counter()
    cluster = Busy()
    head = cluster.run(size)
    seconds = time.perf_counter() - began
    print(f"{head} revisions written in {seconds:.0f} s, {size_on_disk() / head:.0f} bytes each on {connection.vendor}")
    for what, ask in LOOKED_AT.items():
        looks = [random.randint(1, head) for _ in range(LOOKS)]
        say(what, [timed(lambda at=at, ask=ask: ask(at)) for at in looks], PROMISED)
    client = Client(CLUSTER, "bench")
    for kind in (PODS, NODES):
        asked = [(kind, *split_key(key_of(obj))) for obj in random.choices(client.list(kind), k=LOOKS)]
        say(f"why a {kind.kind} is as it is", [timed(lambda of=of: why(client, *of)) for of in asked], PROMISED_WHY)
    with serving() as port, chromium() as browser:
        say("the page at another revision: asked → drawn", list(rewound(browser, port, head)), PROMISED)
        clicks = sorted(explained(browser, port), key=lambda click: click.drawn)
        say("a tile clicked → why it is so is drawn", [click.drawn / 1000 for click in clicks], PROMISED_WHY)
        for click in (clicks[len(clicks) // 2], *clicks[-SLOWEST:]):
            print(f"{'':<58} {click}")
        for speed in SPEEDS:
            print(played(browser, port, random.randint(head // 10, head // 2), speed))
    began = time.perf_counter()
    told = history.overview(Client(CLUSTER, "bench"))
    print(f"{len(told['marks'])} marks found in {(time.perf_counter() - began) * 1000:.0f} ms")
    for _ in range(5):
        head = cluster.run(head + size // 2, compacting=size)
        print(f"{head} revisions, of which {size} are kept: {size_on_disk() / 2**20:.0f} MiB")


def say(what: str, samples: list[float], promised: float) -> None:
    most = max(samples)
    verdict = "kept" if most <= promised else "MISSED"
    print(Row(what, samples), f" most {most * 1000:.0f} ms (at most {promised * 1000:.0f}: {verdict})")


class Busy:
    """A cluster that runs: of ten revisions four are heartbeats, four a pod's life, two its events."""

    def __init__(self) -> None:
        self.head, self.known, self.chance = 0, {}, random.Random(6)
        self.began = time.time() - HOURS * 3600
        self.alive: list[dict] = []
        self.told: list[tuple[str, dict, bool]] = []
        owners = [a_deployment(f"web-{number}", replicas=30) for number in range(10)]
        self.sets = [a_replicaset(owner, replicas=30, ready=30) for owner in owners]
        self.nodes = [f"node-{number}" for number in range(10)]
        self.write("bootstrap", *(("nodes", full(a_node(name)), False) for name in self.nodes))
        self.write("kubectl", *(("deployments.apps", obj, False) for obj in owners))
        self.write("deployment-controller", *(("replicasets.apps", obj, False) for obj in self.sets))

    def write(self, author: str, *objects: tuple[str, dict, bool], why: dict | None = None) -> None:
        writes = []
        for resource, obj, deleted in objects:
            key = (resource, obj["metadata"]["namespace"], obj["metadata"]["name"])
            writes.append(Write(*key, obj, self.known.pop(key, 0), deleted, why))
            if not deleted:
                self.known[key] = self.head + len(writes)
        # Nobody is there to hear that the log grew; and it grows faster than the clock of its rows says.
        clock = SimpleNamespace(time=lambda: self.began + self.head / RATE)
        with patch("lab.store.hints.announce"), patch("lab.store.log.time", clock):
            self.head = store.append(CLUSTER, writes, author)

    def run(self, size: int, compacting: int = 0) -> int:
        """Up to `size` revisions; `compacting`, every thousand or so, to what is kept."""
        turns = 0
        while self.head < size:
            self.turn()
            turns += 1
            if compacting and turns % 40 == 0:
                store.compact(CLUSTER, compacting)
        return self.head

    def turn(self) -> None:
        self.write("kubelet", *(("leases.coordination.k8s.io", a_lease(name), False) for name in self.nodes))
        owners = [self.chance.choice(self.sets) for _ in range(3)]
        made = [full(a_pod(f"{obj['metadata']['name']}-{self.head + n}", obj)) for n, obj in enumerate(owners)]
        self.write("replicaset-controller", *(("pods", pod, False) for pod in made))
        bound = [with_spec(pod, nodeName=self.chance.choice(self.nodes)) for pod in made]
        self.write("scheduler", *(("pods", pod, False) for pod in bound), why=DECISION)
        self.write("kubelet", *(("pods", ready(pod), False) for pod in bound))
        events = [("events", an_event(f"e{self.head + n}", pod), False) for n, pod in enumerate(bound)]
        self.write("kubelet", *events)
        self.told += [(resource, event, True) for resource, event, _ in events]
        self.write("kubelet", *self.told[:-1000])
        self.alive += map(ready, bound)
        self.write("kubelet", *(("pods", pod, True) for pod in self.alive[:-300]))
        del self.told[:-1000], self.alive[:-300]


# What a scheduler leaves of ten nodes, and the managedFields, volumes and conditions that a stored pod has besides.
DECISION = {
    "decision": "Schedule",
    "chosen": "node-0",
    "evaluated": 10,
    "feasible": 10,
    "counts": {},
    "nodes": [{"node": f"node-{n}", "fits": True, "scores": {"NodeResourcesFit": 70}, "total": 270} for n in range(10)],
}


def full(obj: dict) -> dict:
    return {**obj, "metadata": {**obj["metadata"], "annotations": {"orrery.io/filling": "x" * 1200}}}


def a_lease(node: str) -> dict:
    metadata = {"name": node, "namespace": "kube-node-lease"}
    spec = {"holderIdentity": node, "renewTime": "2026-05-20T10:00:00.000000Z", "leaseDurationSeconds": 8}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}


LOOKED_AT: dict[str, Callable] = {
    "the state out of the log": lambda at: store.state_at(CLUSTER, at),
    "the board's snapshot": lambda at: orjson.dumps(list(board_at(CLUSTER, at).rows.values())),
    "the difference of two moments": lambda at: history.between(Client(CLUSTER, "bench"), max(1, at - 1000), at),
    "the history of a heartbeat": lambda at: history.of_object(
        Client(CLUSTER, "bench"), LEASES, "kube-node-lease", f"node-{at % 10}"
    ),
}


def size_on_disk() -> int:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        else:
            cursor.execute("SELECT pg_total_relation_size('lab_revision')")
        return cursor.fetchone()[0]


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
