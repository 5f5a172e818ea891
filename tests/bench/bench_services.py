"""How soon a pod that cannot answer is asked no more, and what the death of one costs.

    python -m tests.bench.bench_services [rounds [runtime]]

Unready: a pod's readiness is taken away (by a readiness gate, so at a known moment) under 300 requests a second; from
the revision that says so to the last request that was still sent to it. Killed: its process gets SIGKILL under the
same load; how many requests failed, and how many of them had begun only after it was dead.
"""

import sqlite3
import sys
import time

import docker
import orjson

from tests.flow.visiting import Visitors, address_of
from tests.labs import LabUnderTest, is_ready, wait_until

from .measure import IMAGE, Row, running_lab

RATE = 300
GATE = "bench.orrery.io/open"
HOST = "gated.default.default.localhost"
PODS = "/api/v1/namespaces/default/pods"
STRATEGIC = "application/strategic-merge-patch+json"


def main(rounds: str = "15", runtime: str = "docker") -> None:
    with running_lab(runtime) as lab:
        pods = gated_pods(lab)
        silent, failed = zip(*(take_away(lab, pods[n % len(pods)]) for n in range(int(rounds))), strict=True)
        killed = [kill(lab) for _ in range(max(1, int(rounds) // 5))] if runtime == "docker" else []
    print(Row("readiness lost -> last new request", list(silent)))
    print(f"requests that failed meanwhile: {sum(failed)}; latest {max(silent) * 1000:.0f} ms (at most 100 promised)")
    print("killed pod: (failed, of them begun after its death)", killed)


def gated_pods(lab: LabUnderTest) -> list[str]:
    """Three pods behind a Service, ready as soon as their gate is open."""
    spec = {"readinessGates": [{"conditionType": GATE}], "containers": [{"name": "c", "image": IMAGE}]}
    template = {"metadata": {"labels": {"app": "gated"}}, "spec": spec}
    declared = {"replicas": 3, "selector": {"matchLabels": {"app": "gated"}}, "template": template}
    deployment = {"metadata": {"name": "gated"}, "spec": declared}
    lab.api("POST", "/apis/apps/v1/namespaces/default/deployments", deployment)
    service = {"selector": {"app": "gated"}, "ports": [{"port": 80, "targetPort": 8080}]}
    lab.api("POST", "/api/v1/namespaces/default/services", {"metadata": {"name": "gated"}, "spec": service})
    names = wait_until("three pods", lambda: len(found := names_of(lab)) == 3 and found)
    for name in names:
        turn(lab, name, True)
    lab.wait_for_ready_pods(3, "app=gated")
    time.sleep(1)
    return names


def names_of(lab: LabUnderTest) -> list[str]:
    return sorted(pod["metadata"]["name"] for pod in lab.pods("app=gated"))


def turn(lab: LabUnderTest, name: str, on: bool) -> None:
    change = {"status": {"conditions": [{"type": GATE, "status": str(on)}]}}
    lab.api("PATCH", f"{PODS}/{name}/status", change, content_type=STRATEGIC)


def take_away(lab: LabUnderTest, name: str) -> tuple[float, int]:
    """Seconds from the revision that says NotReady until the last request was sent there; how many requests failed."""
    with Visitors(address_of(lab), HOST, RATE) as visitors:
        time.sleep(0.3)
        since = lab.get(PODS)["metadata"]["resourceVersion"]
        turn(lab, name, False)
        wait_until("it to be unready", lambda: not is_ready(lab.get(f"{PODS}/{name}")), step=0.005)
        time.sleep(0.5)
    turn(lab, name, True)
    wait_until("it to be ready", lambda: is_ready(lab.get(f"{PODS}/{name}")))
    time.sleep(0.3)
    told = unready_at(lab, name, int(since)) - (time.time() - time.monotonic())
    last = max((visit.began for visit in visitors.visits if visit.pod == name), default=told)
    return last - told, len(visitors.failures)


def unready_at(lab: LabUnderTest, name: str, since: int) -> float:
    """When the log took in that the pod is not ready."""
    with sqlite3.connect(lab.data / "orrery.sqlite3") as database:
        rows = database.execute(
            "SELECT time, object FROM lab_revision WHERE resource = 'pods' AND name = ? AND revision > ?"
            " ORDER BY revision",
            [name, since],
        )
        return next(when for when, raw in rows if not is_ready(orjson.loads(raw)))


def kill(lab: LabUnderTest) -> tuple[int, int]:
    """SIGKILL to one pod's process under load of slow requests: (failed, of them begun after its death)."""
    pods = lab.wait_for_ready_pods(3, "app=gated")
    pod = min(pods, key=lambda pod: sum(each["restartCount"] for each in pod["status"]["containerStatuses"]))
    container = pod["status"]["containerStatuses"][0]["containerID"].partition("://")[2]
    with Visitors(address_of(lab), HOST, RATE, path="/slow?s=0.1") as visitors:
        time.sleep(1)
        docker.APIClient().kill(container, "SIGKILL")
        dead = time.monotonic()
        time.sleep(2)
    lab.wait_for_ready_pods(3, "app=gated")
    return len(visitors.failures), sum(visit.began > dead for visit in visitors.failures)


if __name__ == "__main__":
    main(*sys.argv[1:])
