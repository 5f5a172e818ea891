"""A cluster with one node, its kubelets in this process, on the real store and real local processes."""

import dataclasses
import time
from collections.abc import Callable

from lab.apimachinery.kinds import LEASES, NODES, PODS
from lab.apimachinery.leases import LEASE_NAMESPACE
from lab.client import Client
from lab.client.clusters import ensure_cluster, furnish
from lab.kubelet.agent import Agent
from lab.runtime import RuntimeEvent, RuntimeFailure, Sandbox
from lab.runtime.process.runtime import ProcessRuntime
from tests.labs import wait_until

NODE = {
    "metadata": {"name": "node-a", "labels": {"orrery.io/runtime": "process"}},
    "status": {"capacity": {"cpu": "4", "memory": "8Gi", "pods": "110"}},
}


class Fickle(ProcessRuntime):
    """An engine that may lag behind its own events, as Docker does, or not answer at all."""

    lag = 0.0  # seconds for which a dead container is listed as running still
    silent = False
    listening = False
    address_hidden_of = ""  # a pod whose address it does not tell
    stuck = ""  # a pod whose sandbox it cannot remove
    while_cutting: Callable[[], object] = staticmethod(lambda: None)  # what happens while it cuts off a network

    def __init__(self, lab_id, data_dir):
        super().__init__(lab_id, data_dir)
        present = self.images.present
        self.images.present = lambda: self._answering() and present()
        self.parted: list[bool] = []  # each word about a network, cut off or not

    def _answering(self) -> bool:
        if self.silent:
            raise RuntimeFailure("EngineUnavailable", "it does not answer")
        return True

    def list_pods(self) -> list[Sandbox]:
        self._answering()
        return [self._as_listed(sandbox) for sandbox in super().list_pods()]

    def _as_listed(self, sandbox: Sandbox) -> Sandbox:
        address = "" if sandbox.name == self.address_hidden_of else sandbox.address
        since = time.time() - self.lag
        containers = tuple(
            dataclasses.replace(c, state="running", exit_code=0, finished_at=0.0)
            if c.state == "exited" and c.finished_at > since
            else c
            for c in sandbox.containers
        )
        return dataclasses.replace(sandbox, address=address, containers=containers)

    def set_partitioned(self, sandbox_id: str, partitioned: bool) -> None:
        super().set_partitioned(sandbox_id, partitioned)
        self.parted.append(partitioned)
        if partitioned:
            self.while_cutting()

    def remove_pod_sandbox(self, sandbox_id: str) -> None:
        if any(box.id == sandbox_id and box.name == self.stuck for box in super().list_pods()):
            raise RuntimeFailure("Busy", "device or resource busy")
        super().remove_pod_sandbox(sandbox_id)

    def listen(self, on_event, stopped) -> None:
        def hear(event: RuntimeEvent) -> None:
            self.listening = True
            on_event(event)

        super().listen(hear, stopped)


class World:
    """One cluster with one node, and kubelets that a test starts and stops."""

    def __init__(self, folder):
        ensure_cluster("world")
        furnish("world")
        self.client = Client("world", "tester")
        self.folder = folder
        self.runtime = Fickle("world", folder)
        self.agents: list[Agent] = []
        self.client.create(NODES, NODE)

    def start(self) -> Agent:
        agent = Agent(self.runtime, self.folder)
        self.agents.append(agent)
        agent.start()
        return agent

    def pod(self, name: str = "web", **spec) -> dict:
        containers = [{"name": "web", "image": "orrery/hello:v1"}]
        made = {"metadata": {"name": name, "namespace": "default"}, "spec": {"containers": containers, **spec}}
        return self.client.create(PODS, {**made, "spec": {**made["spec"], "nodeName": "node-a"}})

    def now(self, name: str = "web") -> dict:
        return self.client.find(PODS, "default", name) or {}

    def running(self, name: str = "web", restarts: int = 0) -> dict:
        """The pod, once its container runs after so many restarts."""

        def look() -> dict | None:
            found = self.now(name)
            status = (found.get("status", {}).get("containerStatuses") or [{"state": {}}])[0]
            return found if "running" in status["state"] and status["restartCount"] == restarts else None

        return wait_until(f"{name} to run after {restarts} restarts", look, 30, 0.02)

    def node_is_ready(self, name: str = "node-a") -> bool:
        conditions = self.client.get(NODES, "", name)["status"].get("conditions", ())
        return {"Ready": "True"}.items() <= {c["type"]: c["status"] for c in conditions}.items()

    def heartbeat(self) -> str:
        """When the last one was; "" before the first."""
        lease = self.client.find(LEASES, LEASE_NAMESPACE, "node-a") or {"spec": {}}
        return lease["spec"].get("renewTime", "")

    def hear_heartbeats(self) -> None:
        first = wait_until("a heartbeat", self.heartbeat, 20)
        wait_until("another one", lambda: self.heartbeat() > first, 5)

    def boxes(self) -> list[Sandbox]:
        return ProcessRuntime("world", self.folder).list_pods()

    def stop(self) -> None:
        for agent in self.agents:
            agent.stop()
        self.runtime.remove_everything()

    def kill(self) -> None:
        """The container's process dies."""
        (container,) = [c for c in self.boxes()[0].containers if c.state == "running"]
        self.runtime.kill_container(container.id)
