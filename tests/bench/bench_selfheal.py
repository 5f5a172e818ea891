"""Self-healing on Docker, beside what the bare engine needs to start the same, and beside Docker Swarm.

    python -m tests.bench.bench_selfheal [rounds]

Killed: the container's process gets SIGKILL; until the same pod is ready again. Beside it: create and start of the
same image on a user network. Deleted: a pod is deleted; until its replacement is ready. Beside it: pause container
and application, one after the other. Rounds alternate, so that a slow minute of the machine hits all of them.
Swarm makes the engine a manager on the loopback and leaves it again; it heals after 5 s unless told otherwise.
"""

import contextlib
import sys
import time
from collections.abc import Iterator

import docker
from docker.types import ContainerSpec, RestartPolicy, ServiceMode, TaskTemplate

from tests.labs import LabUnderTest, wait_until

from .measure import IMAGE, BareEngine, PodWatch, Row, ready_and, running_lab, timed

SWARM_DELAYS = {"no delay": 0, "its default delay": 5}
NANOSECONDS = 1_000_000_000


def main(rounds: str = "15") -> None:
    killed, deleted, started, pods = [], [], [], []
    with running_lab("docker") as lab:
        bare, watch = BareEngine(), PodWatch(lab)
        try:
            for _ in range(int(rounds)):
                killed.append(kill_and_heal(lab, watch, bare.client))
                started.append(timed(bare.container))
                deleted.append(delete_and_replace(lab, watch))
                pods.append(timed(bare.pod))
                bare.clear()
                lab.wait_for_ready_pods(3)
            swarm = {name: swarm_heals(bare.client, delay, 3) for name, delay in SWARM_DELAYS.items()}
        finally:
            watch.close()
            bare.close()
    print(Row("bare: create and start on a user network", started))
    print(Row("bare: pause and application", pods))
    print(Row("process killed -> same pod ready", killed, started, most=1.0))
    print(Row("pod deleted -> replacement ready", deleted, pods, most=1.5))
    for name, samples in swarm.items():
        print(Row(f"Swarm, {name}: container killed -> another runs", samples))


def kill_and_heal(lab: LabUnderTest, watch: PodWatch, client: docker.APIClient) -> float:
    """The pod's restart count tells the container after the kill from the one before. It is one that was not killed
    before: a second death in a row would be left waiting, as Kubernetes does."""
    pod = min(lab.wait_for_ready_pods(3), key=restarts_of)
    uid, restarts = pod["metadata"]["uid"], restarts_of(pod)
    container = pod["status"]["containerStatuses"][0]["containerID"].partition("://")[2]
    began = time.monotonic()
    client.kill(container, "SIGKILL")
    healed = ready_and(lambda seen: seen["metadata"]["uid"] == uid and restarts_of(seen) > restarts)
    return watch.wait_for("the pod ready again", began, healed) - began


def restarts_of(pod: dict) -> int:
    return sum(each["restartCount"] for each in pod["status"].get("containerStatuses", ()))


def delete_and_replace(lab: LabUnderTest, watch: PodWatch) -> float:
    pods = lab.wait_for_ready_pods(3)
    known = {pod["metadata"]["uid"] for pod in pods}
    victim = max(pods, key=restarts_of)
    began = time.monotonic()
    lab.api("DELETE", f"/api/v1/namespaces/default/pods/{victim['metadata']['name']}")
    fresh = ready_and(lambda seen: seen["metadata"]["uid"] not in known)
    return watch.wait_for("a replacement ready", began, fresh) - began


def swarm_heals(client: docker.APIClient, delay: int, rounds: int) -> list[float]:
    """Seconds from the kill of a service's only container to the start of the next."""
    samples = []
    with swarm_service(client, delay, replicas=1) as service:
        for _ in range(rounds):
            (before,) = wait_until("a container of the service", lambda: running(client, service), 60)
            began = time.monotonic()
            client.kill(before, "SIGKILL")
            wait_until("another container", lambda before=before: running(client, service) - {before}, 60, step=0.01)
            samples.append(time.monotonic() - began)
    return samples


@contextlib.contextmanager
def swarm_service(client: docker.APIClient, delay: int, replicas: int) -> Iterator[str]:
    client.init_swarm(advertise_addr="127.0.0.1", listen_addr="127.0.0.1")
    try:
        restart = RestartPolicy(condition="any", delay=delay * NANOSECONDS)
        task = TaskTemplate(ContainerSpec(IMAGE), restart_policy=restart)
        yield client.create_service(task, mode=ServiceMode("replicated", replicas))["ID"]
    finally:
        client.leave_swarm(force=True)


def running(client: docker.APIClient, service: str) -> set[str]:
    return {row["Id"] for row in client.containers(filters={"label": f"com.docker.swarm.service.id={service}"})}


if __name__ == "__main__":
    main(*sys.argv[1:])
