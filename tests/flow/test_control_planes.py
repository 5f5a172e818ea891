"""Three control planes lose their power, one by one: who steers, what stops, what goes on, and what is made up for."""

import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from ..labs import LabUnderTest, manage, wait_until
from .nodes import a_node, add_node, at_the_machine, left_as_found
from .steps import DEPLOYMENT, MERGE, PODS

ROLE = "node-role.kubernetes.io/control-plane"
MEMBERS = ["control-plane-a", "control-plane-b", "control-plane-c"]
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"


@pytest.fixture
def lab(process_lab) -> Iterator[LabUnderTest]:
    with left_as_found(process_lab):
        for name in MEMBERS[1:]:  # the first is there from the beginning
            zone = {"topology.kubernetes.io/zone": name[-1]}
            node = a_node(name, labels={ROLE: "", **zone})
            node["spec"] = {"taints": [{"key": ROLE, "effect": "NoSchedule"}]}
            add_node(process_lab, node)
        wait_until("a leader", lambda: leader(process_lab))
        yield process_lab
        for name in MEMBERS:
            at_the_machine(process_lab, "power-on", name)
        wait_until("the API to answer again", lambda: process_lab.get(PODS))


def leader(lab: LabUnderTest, component: str = "kube-controller-manager") -> str:
    lease = lab.get(f"{LEASES}/{component}")
    return lease["spec"]["holderIdentity"] if lease else ""


def delete_a_pod(lab: LabUnderTest) -> str:
    name = lab.wait_for_ready_pods(3)[0]["metadata"]["name"]
    lab.api("DELETE", f"{PODS}/{name}")
    return name


def test_with_one_or_two_of_three_down_the_next_takes_over_and_heals(lab):
    for dead, heir in zip(MEMBERS, MEMBERS[1:], strict=False):
        wait_until(f"{dead} to lead", lambda dead=dead: leader(lab) == leader(lab, "kube-scheduler") == dead)
        at_the_machine(lab, "power-off", dead)
        gone = delete_a_pod(lab)
        wait_until(f"{heir} to lead", lambda heir=heir: leader(lab) == heir)
        wait_until("the pod to be replaced", lambda gone=gone: is_healed(lab, gone))
    events = lab.get("/api/v1/namespaces/kube-system/events")["items"]
    told = [event["message"] for event in events if event["reason"] == "LeaderElection"]
    assert any("control-plane-c became leader, " in message and "was last heard of" in message for message in told)


def is_healed(lab: LabUnderTest, gone: str) -> bool:
    names = [pod["metadata"]["name"] for pod in lab.ready_pods()]
    return len(names) == 3 and gone not in names


def test_with_all_down_the_api_refuses_nothing_heals_pods_go_on_and_then_all_is_made_up_for(lab, kubectl, tmp_path):
    config = tmp_path / "config"
    config.write_text(manage("kubeconfig", data=lab.data).stdout)
    watch = urllib.request.urlopen(f"{lab.address}/clusters/default{PODS}?watch=true", timeout=30)
    pods = lab.ready_pods()
    for name in MEMBERS:
        at_the_machine(lab, "power-off", name)
    with pytest.raises(urllib.error.HTTPError) as refused:
        lab.api("GET", PODS)
    status = json.load(refused.value)
    assert (status["kind"], status["code"], status["reason"]) == ("Status", 503, "ServiceUnavailable")
    assert "control-plane-a, control-plane-b, control-plane-c are all without power" in status["message"]
    with pytest.raises(urllib.error.HTTPError):
        lab.api("PATCH", DEPLOYMENT, {"spec": {"replicas": 5}}, content_type=MERGE)
    notes = {"apiVersion": "orrery.io/v1", "kind": "Lesson", "metadata": {"name": "20-dark"}, "spec": {"step": "dark"}}
    lab.api("POST", "/apis/orrery.io/v1/lessons", notes)  # a teacher's notes lie beside the machine
    told = subprocess.run([kubectl, "--kubeconfig", config, "get", "pods"], capture_output=True, text=True, timeout=60)
    # Its own words where it has to ask what there is first, the server's where it remembers that from another time.
    assert told.returncode == 1 and ("unable to handle" in told.stderr or "without power" in told.stderr), told.stderr
    while watch.readline():  # the watch is cut off, as from a server that died
        pass
    for pod in pods:
        with urllib.request.urlopen(f"http://{pod['status']['podIP']}:8080/", timeout=5) as answer:
            assert answer.status == 200
    at_the_machine(lab, "power-off", "node-a")  # nobody can be told, and nobody does anything about it
    time.sleep(1)
    at_the_machine(lab, "power-on", "node-a")
    at_the_machine(lab, "power-on", "control-plane-b")
    wait_until("the API to answer again", lambda: lab.get(PODS))
    lab.api("PATCH", DEPLOYMENT, {"spec": {"replicas": 4}}, content_type=MERGE)
    lab.wait_for_ready_pods(4)
    assert leader(lab) == "control-plane-b"
