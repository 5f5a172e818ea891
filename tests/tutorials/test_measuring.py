"""What a container costs on this machine is read of what was noted when it started, and of nothing else."""

import pytest

from lab import metrics
from lab.apimachinery.kinds import PODS
from lab.client import Client, Put
from lab.client.clusters import ensure_cluster, furnish
from lab.tutorials.measuring import read_machine

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    ensure_cluster("measured")
    furnish("measured")
    return Client("measured", "a test")


def started(client: Client, name: str, create: float, start: float, image: str = "orrery/hello:v1") -> dict:
    spec = {"containers": [{"name": "main", "image": image}]}
    pod = client.create(PODS, {"metadata": {"name": name, "namespace": "default"}, "spec": spec})
    did = [
        {"call": "RunPodSandbox", "at": 100.0, "seconds": 0.5},
        {"call": "CreateContainer", "container": "main", "at": 100.5, "seconds": create},
        {"call": "StartContainer", "container": "main", "at": 100.5 + create, "seconds": start},
    ]
    status = {**pod.get("status", {}), "phase": "Running"}
    client.write([Put(PODS, {**pod, "status": status}, "status", why={"decision": "SyncPod", "did": did})])
    return pod


def test_a_start_is_the_median_of_those_that_the_kubelet_noted(client):
    assert read_machine(client, "containers.startMs") is None
    for name, create, start in (("a", 0.1, 0.1), ("b", 0.1, 0.2), ("c", 1.0, 1.0)):
        started(client, name, create, start)
    started(client, "other", 9.0, 9.0, image="orrery/bank:v1")
    assert read_machine(client, "containers.startMs") == 300
    assert read_machine(client, "containers.podMs") == 800


def test_memory_is_what_kubelets_publish_of_them(client):
    pod = started(client, "a", 0.1, 0.1)
    figures = {pod["metadata"]["uid"]: {"cpuMillis": 1.0, "memoryBytes": 6 << 20, "containers": {}}}
    metrics.publish("measured", metrics.POD_USAGE, "kubelet/test", figures)
    assert read_machine(client, "containers.memoryMiB") == 6


def test_a_word_that_nobody_measures_is_refused_with_those_that_there_are(client):
    with pytest.raises(ValueError, match=r"containers\.startMs"):
        read_machine(client, "speed")
