"""Rolling updates of ten replicas under 200 requests a second: failed of all, and seconds each; beside Docker Swarm.

    python -m tests.bench.bench_rolling [updates [updates under Swarm]]

Ours: two more at a time, none less, readiness probe, through the front door; nothing is retried. An update is over when
ten new pods are ready and no old one is left. Swarm: the same image, start-first, two at a time, until ten new tasks
run and no old one does. Its published ports need IPVS, which not every kernel has, so its visitor is a container on
the same network that asks the name of the service, with a new connection for each request.
"""

import contextlib
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator

import docker
from docker.types import ContainerSpec, EndpointSpec, ServiceMode, TaskTemplate, UpdateConfig

from tests.flow.visiting import Visitors, address_of
from tests.labs import LabUnderTest, is_ready, wait_until

from .measure import IMAGE, Row, running_lab

REPLICAS = 10
RATE = 200
HOST = "hello.default.default.localhost"
DEPLOYMENT = "/apis/apps/v1/namespaces/default/deployments/hello"
MERGE = "application/merge-patch+json"
NAME = "orrery-bench-rolling"
SWARM_VISITOR = """
import asyncio, collections, socket, sys, time
said, tasks, began, count = collections.Counter(), set(), time.monotonic(), 0
async def visit(loop):
    try:
        async with asyncio.timeout(20):
            address = (await loop.run_in_executor(None, socket.getaddrinfo, NAME, 8080))[0][4][0]
            reader, writer = await asyncio.open_connection(address, 8080)
            writer.write(b"GET / HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n")
            line = await reader.readline()
            await reader.read()
            writer.close()
            said["ok" if b" 200 " in line else "failed"] += 1
    except Exception as error:
        said["failed"] += 1
        said[type(error).__name__] += 1
async def main():
    global count
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(max(0, began + count / RATE - time.monotonic()))
        task = asyncio.create_task(visit(loop))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        count += 1
        if count % RATE == 0:
            print(dict(said), flush=True)
asyncio.run(main())
"""


def main(updates: str = "100", swarm_updates: str = "5") -> None:
    ours, visits, failures = [], 0, Counter()
    with running_lab("docker") as lab:
        grow(lab)
        for update in range(int(updates)):
            with Visitors(address_of(lab), HOST, RATE) as visitors:
                ours.append(roll(lab, f"v{update}"))
            visits += len(visitors.visits)
            failures.update(f"{visit.status} {visit.trouble}" for visit in visitors.failures)
            so_far = f"{failures.total()} of {visits} failed so far"
            print(f"update {update + 1} of {updates}: {ours[-1]:.1f} s, {so_far}", file=sys.stderr)
    print(Row(f"lab: rolling update of {REPLICAS}", ours), flush=True)
    print(f"lab: {failures.total()} of {visits} requests failed {dict(failures)}", flush=True)
    if int(swarm_updates):
        seconds, said = swarm_rolls(int(swarm_updates))
        print(Row(f"Swarm, start-first, two at a time: {REPLICAS}", seconds))
        print(f"Swarm: {said}")


def grow(lab: LabUnderTest) -> None:
    strategy = {"rollingUpdate": {"maxSurge": 2, "maxUnavailable": 0}}
    lab.api("PATCH", DEPLOYMENT, {"spec": {"replicas": REPLICAS, "strategy": strategy}}, content_type=MERGE)
    lab.wait_for_ready_pods(REPLICAS, seconds=120)


def roll(lab: LabUnderTest, version: str) -> float:
    """Seconds from the change of the template to ten new pods, all ready, and no other."""
    old = {pod["metadata"]["uid"] for pod in lab.pods()}
    began = time.monotonic()
    template = {"spec": {"template": {"metadata": {"annotations": {"bench": version}}}}}
    lab.api("PATCH", DEPLOYMENT, template, content_type=MERGE)

    def done() -> bool:
        pods = lab.pods()
        return len(pods) == REPLICAS and all(is_ready(pod) and pod["metadata"]["uid"] not in old for pod in pods)

    wait_until("ten new pods", done, 120, step=0.05)
    return time.monotonic() - began


def swarm_rolls(updates: int) -> tuple[list[float], str]:
    client = docker.APIClient(timeout=120)
    with swarm_service(client) as (service, visitor):
        seconds = [swarm_roll(client, service, str(update)) for update in range(updates)]
        time.sleep(1.5)
        return seconds, client.logs(visitor).decode().strip().splitlines()[-1]


@contextlib.contextmanager
def swarm_service(client: docker.APIClient) -> Iterator[tuple[str, str]]:
    """Ten running tasks, and the visitor's container; the engine is no Swarm any more afterwards."""
    client.init_swarm(advertise_addr="127.0.0.1", listen_addr="127.0.0.1")
    visitor = ""
    try:
        client.create_network(NAME, driver="overlay", attachable=True)
        order = UpdateConfig(parallelism=2, delay=0, order="start-first", monitor=1_000_000)
        service = client.create_service(
            TaskTemplate(ContainerSpec(IMAGE, env={"ROUND": "first"}), networks=[NAME]),
            name=NAME,
            mode=ServiceMode("replicated", REPLICAS),
            update_config=order,
            endpoint_spec=EndpointSpec(mode="dnsrr"),
        )["ID"]
        wait_until("ten tasks", lambda: len(rounds(client, service)) == REPLICAS, 120)
        script = f"NAME, RATE = {NAME!r}, {RATE}\n{SWARM_VISITOR}"
        config = client.create_host_config(network_mode=NAME)
        visitor = client.create_container(IMAGE, entrypoint=["python3", "-u", "-c", script], host_config=config)["Id"]
        client.start(visitor)
        wait_until("the visitor to be at it", lambda: client.logs(visitor), 30)
        yield service, visitor
    finally:
        if visitor:
            client.remove_container(visitor, force=True)
        client.leave_swarm(force=True)


def swarm_roll(client: docker.APIClient, service: str, name: str) -> float:
    was = client.inspect_service(service)
    spec = was["Spec"]
    template = json.loads(json.dumps(spec["TaskTemplate"]))
    template["ContainerSpec"]["Env"] = [f"ROUND={name}"]
    began = time.monotonic()
    client.update_service(
        service, was["Version"]["Index"], template, spec["Name"], mode=spec["Mode"],
        update_config=spec["UpdateConfig"], endpoint_spec=spec["EndpointSpec"],
    )  # fmt: skip
    wait_until("ten new tasks", lambda: rounds(client, service) == [f"ROUND={name}"] * REPLICAS, 120, step=0.05)
    return time.monotonic() - began


def rounds(client: docker.APIClient, service: str) -> list[str]:
    """Of each task whose container runs, which update it belongs to."""
    tasks = client.tasks(filters={"service": service})
    running = (task for task in tasks if task["Status"]["State"] == "running")
    return [task["Spec"]["ContainerSpec"]["Env"][0] for task in running]


if __name__ == "__main__":
    main(*sys.argv[1:])
