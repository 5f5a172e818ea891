"""`kubectl top`: what pods and nodes use, out of what the kubelets publish."""

from pathlib import Path

import pytest

from lab import metrics
from lab.apimachinery.kinds import NODES, PODS
from lab.client import Client
from lab.client.clusters import ensure_cluster

from .conftest import Api, pod
from .test_kubectl import Kubectl

POD_METRICS = "/apis/metrics.k8s.io/v1beta1/namespaces/default/pods"
NODE_METRICS = "/apis/metrics.k8s.io/v1beta1/nodes"


@pytest.fixture
def used(api: Api) -> Client:
    """Two pods on one node of two, and one of which nobody knows what it uses."""
    ensure_cluster("default")
    client = Client("default", "tester")
    capacity = {"cpu": "4", "memory": "8Gi", "pods": "110"}
    for name in ("node-a", "node-b"):
        client.create(NODES, {"metadata": {"name": name}, "status": {"capacity": capacity, "allocatable": capacity}})
    figures = {}
    for name, millis in (("web-1", 250.0), ("web-2", 10.5), ("new", None)):
        made = pod(name, app=name.partition("-")[0])
        made["metadata"]["namespace"], made["spec"]["nodeName"] = "default", "node-a"
        uid = client.create(PODS, made)["metadata"]["uid"]
        if millis is not None:
            one = {"cpuMillis": millis, "memoryBytes": 64 * 2**20}
            figures[uid] = one | {"containers": {"app": one}}
    metrics.publish("default", metrics.POD_USAGE, "tester", figures)
    return client


def test_what_a_pod_uses_is_told_for_each_container(api, used):
    told = api.get(f"{POD_METRICS}/web-1").json
    assert (told["kind"], told["apiVersion"]) == ("PodMetrics", "metrics.k8s.io/v1beta1")
    assert told["metadata"]["labels"] == {"app": "web"}
    assert told["containers"] == [{"name": "app", "usage": {"cpu": "250000000n", "memory": "65536Ki"}}]


def test_a_list_has_those_of_which_figures_are_known_and_obeys_selectors(api, used):
    listed = api.get(POD_METRICS).json
    assert (listed["kind"], [one["metadata"]["name"] for one in listed["items"]]) == (
        "PodMetricsList",
        ["web-1", "web-2"],
    )
    assert len(api.get("/apis/metrics.k8s.io/v1beta1/pods").json["items"]) == 2
    assert api.get(f"{POD_METRICS}?labelSelector=app%3Dnone").json["items"] == []
    nodes = api.get(NODE_METRICS).json["items"]
    told = [(one["metadata"]["name"], one["usage"]["cpu"]) for one in nodes]
    assert told == [("node-a", "260500000n"), ("node-b", "0n")]


def test_figures_are_read_and_nothing_else(api, used):
    assert api.get(f"{POD_METRICS}/new").json["message"] == 'podmetrics.metrics.k8s.io "default/new" not found'
    assert api.get(f"{POD_METRICS}/none").json["message"] == 'pods "none" not found'
    assert api.get(f"{NODE_METRICS}/node-c").json["message"] == 'nodes "node-c" not found'
    assert api.ask("DELETE", f"{POD_METRICS}/web-1").code == 405
    assert api.ask("POST", POD_METRICS, {}, Content_Type="application/json").code == 405


def test_kubectl_top_shows_them(used, kubectl: str, kubeconfig: Path):
    k = Kubectl(kubectl, kubeconfig)
    assert k.rows("top", "pods") == [
        ["NAME", "CPU(cores)", "MEMORY(bytes)"],
        ["web-1", "250m", "64Mi"],
        ["web-2", "11m", "64Mi"],
    ]
    assert ["web-1", "app", "250m", "64Mi"] in k.rows("top", "pod", "web-1", "--containers")
    assert k.rows("top", "nodes")[1][:3] == ["node-a", "261m", "6%"]
    assert k.rows("get", "pods")[0][0] == "NAME"  # and a pod is still a pod
