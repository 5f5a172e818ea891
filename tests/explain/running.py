"""A real cluster in the tests' own process: the store, every loop in a thread, and the kubelet of simulated nodes."""

import threading
from pathlib import Path

from django.db import connections

from lab.apimachinery.kinds import NODES
from lab.client import Client
from lab.client.clusters import ensure_cluster, furnish
from lab.client.reconcile import catch_up
from lab.kubelet.agent import Agent
from lab.runtime.simulated.runtime import SimulatedRuntime
from lab.tasks import LOOPS


class Running:
    """It runs while it is entered. `client` writes as `tester`."""

    def __init__(self, name: str, folder: Path):
        ensure_cluster(name)
        furnish(name)
        self.client = Client(name, "tester")
        self.runtime = SimulatedRuntime(name, folder)
        self._agent = Agent(self.runtime, folder)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._turn)

    def _turn(self) -> None:
        while not self._stopping.wait(0.02):
            for loop in LOOPS.values():
                catch_up(self.client.cluster, loop)
        connections.close_all()

    def __enter__(self):
        self._agent.start()
        self._thread.start()
        return self

    def __exit__(self, *failure) -> None:
        self._stopping.set()
        self._thread.join()
        self._agent.stop()

    def add_node(self, name: str, cpu: str = "8", **labels: str) -> None:
        labels = {"kubernetes.io/hostname": name, "orrery.io/runtime": "simulated", **labels}
        capacity = {"cpu": cpu, "memory": "8Gi", "pods": "110"}
        self.client.create(NODES, {"metadata": {"name": name, "labels": labels}, "status": {"capacity": capacity}})
