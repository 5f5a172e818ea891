"""Ten replicas, and one to fifty, beside the bare engine with the same number in flight, and beside Docker Swarm.

    python -m tests.bench.bench_scale [rounds]

Ours counts until the last pod is ready, probe included. The bare engine makes the same things: a pause container and
the application in its namespace, eight pods at a time, and is done when the last has started.
"""

import sys
import time

from docker import APIClient

from tests.labs import LabUnderTest, wait_until

from .bench_selfheal import running, swarm_service
from .measure import BareEngine, PodWatch, Row, is_ready, running_lab

LEAST_SHARE = 0.9  # of what the bare engine does in the same time
DEPLOYMENT = "/apis/apps/v1/namespaces/default/deployments/hello"


def main(rounds: str = "3") -> None:
    steps = ((0, 10), (1, 50))
    ours: dict = {step: [] for step in steps}
    bares: dict = {step: [] for step in steps}
    swarms: dict = {step: [] for step in steps}
    with running_lab("docker") as lab:
        bare, watch = BareEngine(), PodWatch(lab)
        try:
            for _ in range(int(rounds)):
                for step in steps:
                    first, last = step
                    ours[step].append(scale(lab, watch, first, last))
                    lab.wait_for_ready_pods(scaled(lab, 0), seconds=120)
                    bares[step].append(bare.pods(last - first))
                    bare.clear()
            for step in steps:
                swarms[step].append(swarm_scales(bare.client, *step))
        finally:
            watch.close()
            bare.close()
    for step in steps:
        name = f"{step[0]} -> {step[1]}"
        print(Row(f"{name}: bare engine, 8 pods in flight", bares[step]))
        print(Row(f"{name}: lab, all ready", ours[step], bares[step], most=1 / LEAST_SHARE))
        print(Row(f"{name}: Swarm, all running", swarms[step]))


def scaled(lab: LabUnderTest, replicas: int) -> int:
    patch = {"spec": {"replicas": replicas}}
    lab.api("PATCH", f"{DEPLOYMENT}/scale", patch, content_type="application/merge-patch+json")
    return replicas


def scale(lab: LabUnderTest, watch: PodWatch, first: int, last: int) -> float:
    lab.wait_for_ready_pods(scaled(lab, first), seconds=120)
    began = time.monotonic()
    scaled(lab, last)
    known = {pod["metadata"]["uid"] for pod in lab.pods()} if first else set()
    fresh = last - first

    def new_and_ready(pod: dict) -> bool:
        return is_ready(pod) and pod["metadata"]["uid"] not in known

    return watch.wait_for_count(f"{fresh} more ready pods", began, fresh, new_and_ready, 300) - began


def swarm_scales(client: APIClient, first: int, last: int) -> float:
    with swarm_service(client, 0, first) as service:
        wait_until(f"{first} containers", lambda: len(running(client, service)) == first, 60)
        was = client.inspect_service(service)
        began = time.monotonic()
        spec = was["Spec"]
        mode = {"Replicated": {"Replicas": last}}
        client.update_service(service, was["Version"]["Index"], spec["TaskTemplate"], spec["Name"], mode=mode)
        wait_until(f"{last} containers", lambda: len(running(client, service)) == last, 300, step=0.05)
        return time.monotonic() - began


if __name__ == "__main__":
    main(*sys.argv[1:])
