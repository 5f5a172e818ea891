"""A cluster for flow tests: the real store, the real loops, turned by hand; and a driver that plays the kubelets."""

from lab.apimachinery.kinds import DEPLOYMENTS, NODES, PODS, REPLICASETS
from lab.apimachinery.meta import is_deleting, now
from lab.client import Client, Put
from lab.client.clusters import ensure_cluster
from lab.controllers.daemonset.controller import DaemonSetController
from lab.controllers.deployment.controller import DeploymentController
from lab.controllers.garbagecollector import GarbageCollector
from lab.controllers.namespace import NamespaceController
from lab.controllers.replicaset import ReplicaSetController, ReplicationControllerController
from lab.controllers.statefulset.controller import StatefulSetController
from tests.loops import run_until_quiet

WORKLOADS = (
    DeploymentController(),
    ReplicaSetController(),
    StatefulSetController(),
    DaemonSetController(),
    ReplicationControllerController(),
    GarbageCollector(),
    NamespaceController(),
)


class Cluster:
    """One cluster, whose pods become ready when the test says so."""

    def __init__(self, name: str = "flow"):
        ensure_cluster(name)
        self.name = name
        self.client = Client(name, "tester")

    def settle(self, *controllers) -> int:
        """Turn the loops until they rest."""
        return run_until_quiet(self.name, controllers or WORKLOADS)

    def add_node(self, name: str, **spec) -> dict:
        node = {"metadata": {"name": name}, "spec": spec}
        self.client.create(NODES, node)
        return self.report_node(name)

    def report_node(self, name: str, ready: str = "True") -> dict:
        """What a kubelet tells of its node when it is well."""
        node = self.client.get(NODES, "", name)
        condition = {"type": "Ready", "status": ready, "reason": "KubeletReady", "lastHeartbeatTime": now()}
        return self.client.update_status(NODES, {**node, "status": {"conditions": [condition]}})

    def bind(self, node: str) -> None:
        """Bind every pod that has no node."""
        loose = [pod for pod in self.pods() if not pod["spec"].get("nodeName")]
        refused = self.client.bind([(pod, node, None) for pod in loose])
        assert not refused

    def run(self, pods: list[dict], ready: bool = True) -> None:
        """Report pods as running, in one transaction."""
        condition = {"type": "Ready", "status": str(ready), "lastTransitionTime": now()}
        running = {"phase": "Running", "conditions": [condition]}
        self.client.write(
            [Put(PODS, {**pod, "status": {**pod.get("status", {}), **running}}, "status") for pod in pods]
        )

    def run_all(self) -> None:
        """Let everything that was asked for happen: pods run, and those that shall go end, until nothing moves."""
        while True:
            self.settle()
            waiting = [pod for pod in self.pods() if pod.get("status", {}).get("phase") != "Running"]
            leaving = [pod for pod in self.pods() if is_deleting(pod)]
            if not waiting and not leaving:
                return
            self.run([pod for pod in waiting if pod not in leaving])
            self.end(leaving)

    def end(self, pods: list[dict]) -> None:
        """Say that the containers of pods that shall go have ended."""
        for pod in pods:
            self.client.delete(PODS, "default", pod["metadata"]["name"], grace_seconds=0)

    def pods(self) -> list[dict]:
        return sorted(self.client.list(PODS), key=lambda pod: pod["metadata"]["name"])

    def replica_sets(self) -> list[dict]:
        return sorted(self.client.list(REPLICASETS), key=lambda rs: rs["metadata"].get("creationTimestamp"))

    def deployment(self, name: str = "web") -> dict:
        return self.client.get(DEPLOYMENTS, "default", name)

    def deploy(self, replicas: int = 3, version: str = "v1", name: str = "web", **spec) -> dict:
        template = {
            "metadata": {"labels": {"app": name}},
            "spec": {"containers": [{"name": "web", "image": f"web:{version}"}]},
        }
        full = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template, **spec}
        return self.client.create(DEPLOYMENTS, {"metadata": {"name": name, "namespace": "default"}, "spec": full})

    def patch(self, **spec) -> dict:
        return self.client.patch(DEPLOYMENTS, "default", "web", {"spec": spec})

    def release(self, version: str) -> dict:
        """Another image: a rollout."""
        containers = [{"name": "web", "image": f"web:{version}"}]
        return self.patch(template={"spec": {"containers": containers}})

    def events(self, reason: str) -> list[str]:
        from_log = [event for event in self.client.view().list("events") if event["reason"] == reason]
        return sorted(event["message"] for event in from_log)

    def revisions(self) -> int:
        return self.client.view().revision
