"""Scheduling at Kubernetes' largest size: 10,000 pods wait, 5,000 nodes are there; bound and stored a second.

    python -m tests.bench.bench_scheduler [pods [nodes]]

The control plane alone, in this process, on SQLite; the nodes are API objects that say they are ready. Timed is what
the scheduler's task does: from reading what waits in the log until all bindings are committed, each with its decision.
Beside it: the same rows inserted bare into the same log. Other workloads are those of Kubernetes' own scheduler_perf,
with what that asks of kube-scheduler at 5,000 nodes, API server and etcd included.
"""

import contextlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from unittest.mock import patch

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402

from lab.apimachinery.kinds import NODES, PODS  # noqa: E402
from lab.client import Client  # noqa: E402
from lab.client.clusters import delete_cluster, ensure_cluster  # noqa: E402
from lab.client.reconcile import catch_up  # noqa: E402
from lab.models import Cluster, Revision  # noqa: E402
from lab.scheduler import SCHEDULER  # noqa: E402
from lab.store.log import INSERT  # noqa: E402
from lab.supervisor.broker import server_program  # noqa: E402
from lab.supervisor.probe import answers_ping  # noqa: E402
from tests.labs import wait_until  # noqa: E402

PROMISED, ROUNDS, MOST_SECONDS = 5000, 5, 240
ZONE, HOST, ZONES = "topology.kubernetes.io/zone", "kubernetes.io/hostname", 3
AT_ONCE = 1000
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
LABELS = {"app": "bench"}
ITSELF = {"labelSelector": {"matchLabels": LABELS}}


@dataclass(frozen=True)
class Workload:
    """Pods of one kind. `share`: of the number asked for; `asked`: what scheduler_perf asks for, pods a second."""

    what: str
    asked: int = 0
    share: float = 1.0
    spec: dict = field(default_factory=dict)
    replicas: int = 0  # so many pods of one ReplicaSet; 0: they belong to nobody
    arriving: int = 0  # so many come at a time; 0: all at once


PLAIN = Workload("pods of one template", 680)
OTHERS = (
    Workload("the same, 500 arriving at a time", 680, arriving=500),
    Workload("of ReplicaSets of 100, spread over hosts and zones", replicas=100),
    Workload(
        "spread over zones, at most 5 apart",
        460,
        spec={
            "topologySpreadConstraints": [
                {"topologyKey": ZONE, "maxSkew": 5, "whenUnsatisfiable": "DoNotSchedule", **ITSELF}
            ]
        },
    ),
    Workload(
        "for nodes of two zones of three",
        220,
        spec={
            "affinity": {
                "nodeAffinity": {
                    REQUIRED: {
                        "nodeSelectorTerms": [
                            {"matchExpressions": [{"key": ZONE, "operator": "In", "values": ["zone-0", "zone-1"]}]}
                        ]
                    }
                }
            }
        },
    ),
    Workload(
        "each on a host of its own",
        60,
        share=0.2,
        spec={"affinity": {"podAntiAffinity": {REQUIRED: [{"topologyKey": HOST, **ITSELF}]}}},
    ),
    Workload(
        "all in one zone",
        35,
        share=0.5,
        spec={"affinity": {"podAffinity": {REQUIRED: [{"topologyKey": ZONE, **ITSELF}]}}},
    ),
)


@dataclass
class Result:
    """`bound`: seconds until all bindings were committed; `cpu`: of the processor, until then; `settled`: until events
    were stored too and all was still."""

    pods: int
    bound: float
    cpu: float
    settled: float
    bare: float  # seconds for the same rows, inserted bare


def main(pods: str = "10000", nodes: str = "5000") -> None:
    until = time.monotonic() + MOST_SECONDS
    with control_plane():
        found = [schedule(PLAIN, int(pods), int(nodes)) for _ in range(ROUNDS)]
        show(PLAIN, found)
        rate = statistics.median(each.pods / each.bound for each in found)
        print(f"{'':<52} at least {PROMISED:,}: {'kept' if rate >= PROMISED else 'MISSED'}")
        for workload in OTHERS:
            if time.monotonic() > until:
                print(f"{workload.what:<52} left out: {MOST_SECONDS} s are over")
                continue
            show(workload, [schedule(workload, int(int(pods) * workload.share), int(nodes))])


def show(workload: Workload, results: list[Result]) -> None:
    def rate(seconds: str) -> float:
        return statistics.median(each.pods / getattr(each, seconds) for each in results)

    times = f"; {rate('bound') / workload.asked:.0f} × scheduler_perf's {workload.asked}" if workload.asked else ""
    print(
        f"{workload.what:<52} {rate('bound'):7,.0f} pods/s ({rate('cpu'):,.0f} per second of the processor), "
        f"{rate('settled'):,.0f} with events and all; {rate('bound') / rate('bare'):.2f} of bare rows{times}"
    )


@contextlib.contextmanager
def control_plane() -> Iterator[None]:
    """An empty database and a broker of this process's own."""
    command = [server_program(), "--port", str(settings.BROKER_PORT), "--bind", "127.0.0.1", "--save", ""]
    server = subprocess.Popen(command, cwd=settings.DATA_DIR, stdout=subprocess.DEVNULL)
    try:
        wait_until("the broker to answer", lambda: answers_ping(settings.REDIS_URL), step=0.01)
        call_command("migrate", verbosity=0)
        yield
    finally:
        server.kill()
        server.wait()


def schedule(workload: Workload, pods: int, nodes: int) -> Result:
    """Make a cluster, let the pods wait in it, and time the scheduler."""
    ensure_cluster("bench")
    client = Client("bench", "bench")
    for first in range(0, nodes, AT_ONCE):
        client.create_many(NODES, [a_node(number) for number in range(first, min(first + AT_ONCE, nodes))])
    catch_up("bench", SCHEDULER)
    times = []
    arriving = workload.arriving or pods
    for first in range(0, pods, arriving):
        for at in range(first, first + arriving, AT_ONCE):
            numbers = range(at, min(at + AT_ONCE, first + arriving))
            client.create_many(PODS, [a_pod(number, workload) for number in numbers])
        times.append(timed_turns())
    placed = sum("nodeName" in pod["spec"] for pod in client.list(PODS))
    assert placed == pods, f"{pods - placed} pods of {pods} have no node"
    bound, cpu, settled = map(sum, zip(*times, strict=True))
    result = Result(pods, bound, cpu, settled, bare_inserts(pods))
    delete_cluster("bench")
    return result


def timed_turns() -> tuple[float, float, float]:
    """Turn the scheduler's loop until it rests: seconds, and the processor's, until the last binding; until the end."""
    began, cpu_began, last, cpu = time.monotonic(), time.process_time(), 0.0, 0.0
    bind = Client.bind

    def timed_bind(client: Client, bindings: list, causes: dict) -> dict:
        nonlocal last, cpu
        refused = bind(client, bindings, causes)
        last, cpu = time.monotonic() - began, time.process_time() - cpu_began
        return refused

    with patch.object(Client, "bind", timed_bind):
        catch_up("bench", SCHEDULER)
    return last, cpu, time.monotonic() - began


def bare_inserts(count: int) -> float:
    """Seconds for the rows of the bindings themselves, inserted into the same table by nothing but the database."""
    columns = ["revision", "resource", "namespace", "name", "object", "created", "deleted", "previous", "time"]
    columns += ["author", "cause", "why"]
    bindings = Revision.objects.filter(cluster__name="bench", resource="pods", author=SCHEDULER.author)
    other = Cluster.objects.create(name="bare", uid="bare")
    rows = [(other.pk, *row) for row in bindings.values_list(*columns)[:count]]
    began = time.monotonic()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(INSERT, rows)
    seconds = time.monotonic() - began
    delete_cluster("bare")
    return seconds


def a_node(number: int) -> dict:
    """Of the size that scheduler_perf takes."""
    name = f"node-{number}"
    offers = {"cpu": "4", "memory": "32Gi", "pods": "110"}
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady"}
    return {
        "metadata": {"name": name, "labels": {HOST: name, ZONE: f"zone-{number % ZONES}"}},
        "status": {"capacity": offers, "allocatable": offers, "conditions": [ready]},
    }


def a_pod(number: int, workload: Workload, prefix: str = "pod") -> dict:
    requests = {"cpu": "100m", "memory": "500Mi"}
    container = {"name": "pause", "image": "orrery/pause:1", "resources": {"requests": requests}}
    metadata = {"name": f"{prefix}-{number}", "namespace": "default", "labels": LABELS}
    if workload.replicas:
        owner = f"{prefix}-rs-{number // workload.replicas}"
        ref = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": owner, "uid": owner, "controller": True}
        metadata["ownerReferences"] = [ref]
    return {"metadata": metadata, "spec": {"containers": [container], **workload.spec}}


if __name__ == "__main__":
    main(*sys.argv[1:3])
