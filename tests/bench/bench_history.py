"""Rewinding with 100,000 revisions stored: the state at any revision, as the board draws it.

    python -m tests.bench.bench_history [revisions]

A cluster of ten nodes and three hundred pods that has run for a while: heartbeats, pods that come and go, events.
Timed, at random revisions: the state out of the log, and the same up to the board's rows as they go to the browser. On
SQLite, or on the database that TEST_DATABASE_URL names.
"""

import os
import random
import sys
import time
from collections.abc import Callable
from unittest.mock import patch

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

import orjson  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from lab import store  # noqa: E402
from lab.dashboard.board import Board  # noqa: E402
from lab.store import Write  # noqa: E402

from ..dashboard.build import a_deployment, a_node, a_pod, a_replicaset, an_event, ready, with_spec  # noqa: E402
from .measure import Row  # noqa: E402

LOOKS, PROMISED = 30, 0.3
CLUSTER = "history"


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    call_command("migrate", verbosity=0)
    store.create_cluster(CLUSTER)
    began = time.perf_counter()
    with patch("lab.store.hints.announce"):  # nobody is there to hear that the log grew
        head = fill(size)
    seconds = time.perf_counter() - began
    print(f"{head} revisions written in {seconds:.0f} s, {size_on_disk() / head:.0f} bytes each on {connection.vendor}")
    for what, ask in LOOKED_AT.items():
        looks = [random.randint(1, head) for _ in range(LOOKS)]
        samples = [timed(lambda at=at, ask=ask: ask(at)) for at in looks]
        verdict = "kept" if max(samples) <= PROMISED else "MISSED"
        print(Row(what, samples), f" most {max(samples) * 1000:.0f} ms (at most {PROMISED * 1000:.0f}: {verdict})")


def fill(size: int) -> int:
    """A cluster that has run for a while: of ten revisions four are heartbeats, four a pod's life, two its events."""
    chance, known, head = random.Random(6), {}, 0
    owners = [a_deployment(f"web-{number}", replicas=30) for number in range(10)]
    sets = [a_replicaset(owner, replicas=30, ready=30) for owner in owners]
    nodes = [f"node-{number}" for number in range(10)]
    alive: list[dict] = []
    told: list[tuple[str, dict, bool]] = []

    def write(author: str, *objects: tuple[str, dict, bool], why: dict | None = None) -> None:
        nonlocal head
        writes = []
        for resource, obj, deleted in objects:
            key = (resource, obj["metadata"]["namespace"], obj["metadata"]["name"])
            writes.append(Write(*key, obj, known.pop(key, 0), deleted, why))
            if not deleted:
                known[key] = head + len(writes)
        head = store.append(CLUSTER, writes, author)

    write("bootstrap", *(("nodes", full(a_node(name)), False) for name in nodes))
    write("kubectl", *(("deployments.apps", obj, False) for obj in owners))
    write("deployment-controller", *(("replicasets.apps", obj, False) for obj in sets))
    while head < size:
        write("kubelet", *(("leases.coordination.k8s.io", a_lease(name), False) for name in nodes))
        made = [
            full(a_pod(f"{chance.choice(sets)['metadata']['name']}-{head + n}", chance.choice(sets))) for n in range(3)
        ]
        write("replicaset-controller", *(("pods", pod, False) for pod in made))
        bound = [with_spec(pod, nodeName=chance.choice(nodes)) for pod in made]
        write("scheduler", *(("pods", pod, False) for pod in bound), why=DECISION)
        write("kubelet", *(("pods", ready(pod), False) for pod in bound))
        events = [an_event(f"e{head + n}", pod) for n, pod in enumerate(bound)]
        write("kubelet", *(("events", event, False) for event in events))
        told += [("events", event, True) for event in events]
        write("kubelet", *told[:-1000])
        del told[:-1000]
        alive += map(ready, bound)
        gone, alive = alive[: max(0, len(alive) - 300)], alive[max(0, len(alive) - 300) :]
        write("kubelet", *(("pods", pod, True) for pod in gone))
    return head


# What a scheduler leaves of ten nodes, and the managedFields, volumes and conditions that a stored pod has besides.
DECISION = {
    "decision": "Scheduled",
    "nodes": [{"node": f"node-{n}", "fits": True, "scores": {"NodeResourcesFit": 70}, "total": 270} for n in range(10)],
}


def full(obj: dict) -> dict:
    return {**obj, "metadata": {**obj["metadata"], "annotations": {"orrery.io/filling": "x" * 1200}}}


def a_lease(node: str) -> dict:
    metadata = {"name": node, "namespace": "kube-node-lease"}
    spec = {"holderIdentity": node, "renewTime": "2026-05-20T10:00:00.000000Z", "leaseDurationSeconds": 8}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}


def board_at(revision: int) -> bytes:
    """As a snapshot goes to the browser."""
    return orjson.dumps(list(Board(store.state_at(CLUSTER, revision)).rows.values()))


LOOKED_AT: dict[str, Callable] = {
    "state out of the log": lambda at: store.state_at(CLUSTER, at),
    "rows of the board": board_at,
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
