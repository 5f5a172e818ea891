"""Nodes come, are cordoned, drained and removed: what runs on them moves, and nothing is left behind."""

from collections.abc import Iterator

import pytest

from tests.labs import LabUnderTest, wait_until

from .audit import engine_of, wait_until_as_declared
from .nodes import NODES, a_node, add_node, left_as_found, nodes_of
from .steps import PODS, scale

LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
GPU = "nvidia.com/gpu"
ROLE = "node-role.kubernetes.io/control-plane"


@pytest.fixture
def lab(process_lab) -> Iterator[LabUnderTest]:
    with left_as_found(process_lab):
        yield process_lab


def a_pod(name: str, requests: dict[str, str]) -> dict:
    resources = {"requests": requests, "limits": requests}
    spec = {"containers": [{"name": "hello", "image": "orrery/hello:v1", "resources": resources}]}
    return {"metadata": {"name": name, "labels": {"for": "nodes"}}, "spec": spec}


def test_a_node_of_any_size_and_with_any_devices_takes_what_fits_nowhere_else(lab):
    add_node(lab, a_node("giant", labels={"tier": "gold"}, cpu="64", memory="512Gi", **{GPU: "4"}))
    giant = lab.get(f"{NODES}/giant")
    assert giant["status"]["allocatable"] == {
        "cpu": "64",
        "memory": "512Gi",
        "pods": "110",
        "ephemeral-storage": "20Gi",
        GPU: "4",
    }
    assert giant["metadata"]["labels"]["tier"] == "gold"
    lab.api("POST", PODS, a_pod("trainer", {GPU: "3"}))
    lab.api("POST", PODS, a_pod("solver", {"cpu": "32"}))
    wait_until("both to run on it", lambda: len(lab.ready_pods("for=nodes")) == 2)
    assert nodes_of(lab, "for=nodes") == {"giant"}
    lab.api("POST", PODS, a_pod("greedy", {GPU: "2"}))
    told = wait_until("the scheduler's verdict", lambda: why_pending(lab, "greedy"))
    assert told.startswith(f"0/5 nodes are available: 1 node(s) had untolerated taint(s), 4 Insufficient {GPU}.")
    for name in ("trainer", "solver", "greedy"):
        lab.api("DELETE", f"{PODS}/{name}")
    wait_until("them to be gone", lambda: not lab.pods("for=nodes"))


def why_pending(lab: LabUnderTest, name: str) -> str:
    conditions = lab.get(f"{PODS}/{name}").get("status", {}).get("conditions", ())
    return next((c["message"] for c in conditions if c["type"] == "PodScheduled" and c["status"] == "False"), "")


def test_kubectl_drains_a_node_and_nothing_comes_back_until_it_is_uncordoned(lab, kubectl_of):
    scale(lab, 6)
    wait_until_as_declared(lab)
    assert "node-b" in nodes_of(lab)
    refused = kubectl_of("drain", "node-b", "--dry-run=server")
    assert refused.returncode == 0, refused.stderr
    drained = kubectl_of("drain", "node-b", "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=60s")
    assert drained.returncode == 0, drained.stderr
    assert drained.stdout.splitlines()[-1] == "node/node-b drained"
    wait_until_as_declared(lab)
    assert nodes_of(lab) == {"node-a", "node-c"}
    scale(lab, 8)
    wait_until_as_declared(lab)
    assert nodes_of(lab) == {"node-a", "node-c"}
    assert "SchedulingDisabled" in kubectl_of("get", "node", "node-b").stdout
    assert kubectl_of("uncordon", "node-b").returncode == 0
    scale(lab, 10)
    wait_until_as_declared(lab)
    assert "node-b" in nodes_of(lab)


def test_kubectl_drain_names_the_pod_that_nobody_would_make_anew(lab, kubectl_of):
    bare = a_pod("bare", {"cpu": "10m"})
    bare["spec"]["nodeName"] = "node-c"
    lab.api("POST", PODS, bare)
    wait_until("it to run", lambda: lab.ready_pods("for=nodes"))
    refused = kubectl_of("drain", "node-c", "--ignore-daemonsets", "--timeout=20s")
    assert refused.returncode != 0
    assert "use --force to override" in refused.stderr and "default/bare" in refused.stderr
    forced = kubectl_of("drain", "node-c", "--ignore-daemonsets", "--force", "--timeout=60s")
    assert forced.returncode == 0, forced.stderr
    assert lab.pods("for=nodes") == []


def test_the_pods_of_a_removed_node_are_made_anew_elsewhere(lab):
    add_node(lab, a_node("fourth"))
    scale(lab, 8)
    wait_until_as_declared(lab)
    lost = {pod["metadata"]["uid"] for pod in lab.pods() if pod["spec"]["nodeName"] == "fourth"}
    assert lost
    lab.api("DELETE", f"{NODES}/fourth")
    wait_until("its pods to be forgotten", lambda: not lost & {pod["metadata"]["uid"] for pod in lab.pods()})
    wait_until_as_declared(lab)
    assert not [box for box in engine_of(lab).list_pods() if box.node == "fourth"]
    wait_until("its lease to be collected", lambda: not lab.get(f"{LEASES}/fourth"))


def test_a_node_that_was_removed_can_be_added_again_under_its_name(lab):
    add_node(lab, a_node("phoenix"))
    uid = lab.get(f"{NODES}/phoenix")["metadata"]["uid"]
    lab.api("DELETE", f"{NODES}/phoenix")
    add_node(lab, a_node("phoenix", cpu="2"))
    again = lab.get(f"{NODES}/phoenix")
    assert again["metadata"]["uid"] != uid
    assert again["status"]["capacity"]["cpu"] == "2"
    scale(lab, 8)
    wait_until_as_declared(lab)
    assert "phoenix" in nodes_of(lab)
