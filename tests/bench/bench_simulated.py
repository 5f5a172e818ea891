"""Many simulated nodes: how long until all are Ready and all pods on them too, and what they cost when nothing happens.

    python -m tests.bench.bench_simulated [nodes] [pods]

Every node is made by a request of its own; the pods are the replicas of Deployments of a thousand.
"""

import sys
import time
from concurrent.futures import ThreadPoolExecutor

from tests.labs import LabUnderTest, is_ready, wait_until

from .bench_idle import cpu_seconds, lab_processes, pss_mb
from .measure import running_lab, timed

IN_FLIGHT, A_DEPLOYMENT = 8, 1000
SETTLE_SECONDS, SECONDS = 20, 30


def main(nodes: str = "1000", pods: str = "1000") -> None:
    with running_lab("simulated") as lab:
        print(f"{nodes} simulated nodes, {pods} pods", flush=True)
        report("nodes accepted by the API", timed(lambda: make_nodes(lab, int(nodes))))
        report("then until all are Ready", timed(lambda: await_nodes(lab, int(nodes) + 3)))
        report("idle with nodes alone", None)
        print_idle(lab)
        report("pods: create accepted -> all Ready", timed(lambda: run_pods(lab, int(pods))))
        report("idle with pods", None)
        print_idle(lab)
        report("pods: scaled to 0 -> all gone", timed(lambda: end_pods(lab, int(pods))))


def report(what: str, seconds: float | None) -> None:
    print(f"{what:<44} {'' if seconds is None else f'{seconds:7.1f} s'}", flush=True)


def make_nodes(lab: LabUnderTest, count: int) -> None:
    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        list(pool.map(lambda number: lab.api("POST", "/api/v1/nodes", node(number)), range(count)))


def node(number: int) -> dict:
    name = f"sim-{number:04d}"
    labels = {"kubernetes.io/hostname": name, "orrery.io/runtime": "simulated"}
    labels["topology.kubernetes.io/zone"] = "abc"[number % 3]
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "status": {"capacity": {"cpu": "4", "memory": "8Gi", "pods": "110"}},
    }


def await_nodes(lab: LabUnderTest, count: int) -> None:
    def ready() -> bool:
        return sum(map(is_ready, lab.api("GET", "/api/v1/nodes")["items"])) >= count

    wait_until(f"{count} nodes Ready", ready, 300, step=0.5)


def deployments(count: int) -> list[tuple[str, int]]:
    sizes = [A_DEPLOYMENT] * (count // A_DEPLOYMENT) + [count % A_DEPLOYMENT]
    return [(f"many-{number}", size) for number, size in enumerate(sizes) if size]


def run_pods(lab: LabUnderTest, count: int) -> None:
    path = "/apis/apps/v1/namespaces/default/deployments"
    for name, size in deployments(count):
        container = {"name": "main", "image": "registry.example/app:1"}
        container["resources"] = {"requests": {"cpu": "100m"}}
        container["readinessProbe"] = {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 1}
        template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
        spec = {"replicas": size, "selector": {"matchLabels": {"app": name}}, "template": template}
        lab.api("POST", path, {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec})
    for name, size in deployments(count):
        wait_until(f"{size} replicas of {name}", lambda: ready_replicas(lab, name) == size, 900, step=0.5)  # noqa: B023


def ready_replicas(lab: LabUnderTest, name: str) -> int:
    return (
        lab.api("GET", f"/apis/apps/v1/namespaces/default/deployments/{name}").get("status", {}).get("readyReplicas", 0)
    )


def end_pods(lab: LabUnderTest, count: int) -> None:
    for name, _ in deployments(count):
        path = f"/apis/apps/v1/namespaces/default/deployments/{name}/scale"
        lab.api("PATCH", path, {"spec": {"replicas": 0}}, content_type="application/merge-patch+json")

    def left() -> int:
        return len(lab.api("GET", "/api/v1/namespaces/default/pods")["items"])

    wait_until("only the demo's pods left", lambda: left() <= 3, 900, step=1.0)


def print_idle(lab: LabUnderTest) -> None:
    time.sleep(SETTLE_SECONDS)
    processes = lab_processes(lab.run())
    before = {pid: cpu_seconds(pid) for pid in processes}
    revision = head(lab)
    time.sleep(SECONDS)
    rows = (head(lab) - revision) / SECONDS
    used = {pid: (cpu_seconds(pid) - before[pid]) / SECONDS * 100 for pid in processes}
    for pid, name in processes.items():
        print(f"  {name:<12} {used[pid]:6.2f} % of a core {pss_mb(pid):7.1f} MB")
    total = sum(used.values())
    print(f"  {'together':<12} {total:6.2f} % of a core; {rows:.1f} rows a second into the log", flush=True)


def head(lab: LabUnderTest) -> int:
    return int(lab.api("GET", "/api/v1/namespaces/kube-public/configmaps")["metadata"]["resourceVersion"])


if __name__ == "__main__":
    main(*sys.argv[1:])
