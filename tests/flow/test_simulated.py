"""Two hundred nodes and a thousand pods that exist nowhere, treated by everything else as if they did."""

import os
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.labs import LabUnderTest, is_alive, is_ready, wait_until

NODES, PODS = 200, 1000
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
RULE = "simulated.orrery.io/"
PATIENCE = 100.0


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A lab without any engine, with all its nodes Ready and all its pods too."""
    lab = LabUnderTest(tmp_path_factory.mktemp("simulated") / "data", "simulated")
    try:
        lab.start()
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda number: add_node(lab, f"sim-{number}"), range(NODES)))
        wait_until("all nodes to be Ready", lambda: all(map(is_ready, lab.api("GET", "/api/v1/nodes")["items"])))
        deploy(lab, "many", PODS, node_selector={"group": "sim"})
        yield lab
    finally:
        lab.clean_up()


def add_node(lab: LabUnderTest, name: str, group: str = "sim") -> None:
    labels = {"kubernetes.io/hostname": name, "orrery.io/runtime": "simulated", "group": group}
    status = {"capacity": {"cpu": "4", "memory": "8Gi", "pods": "110"}}
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}, "status": status}
    lab.api("POST", "/api/v1/nodes", node)


def deploy(lab: LabUnderTest, name: str, replicas: int, node_selector: dict | None = None, **more) -> None:
    labels, annotations, image = {"app": name}, more.get("annotations", {}), more.get("image", "registry.example/app:1")
    probe = {"httpGet": {"path": "/", "port": 80}, "periodSeconds": 1}
    container = {"name": "main", "image": image, "readinessProbe": probe}
    spec = {"containers": [container], "nodeSelector": node_selector or {}}
    template = {"metadata": {"labels": labels, "annotations": annotations}, "spec": spec}
    wanted = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": wanted}
    lab.api("POST", DEPLOYMENTS, body)


def wait_for_all(lab: LabUnderTest) -> list[dict]:
    def look() -> list[dict]:
        ready = lab.ready_pods("app=many")
        return ready if len(ready) == PODS else []

    return wait_until(f"{PODS} ready pods", look, PATIENCE, step=1.0)


def waiting_reason(lab: LabUnderTest, app: str) -> str:
    states = [
        status["state"] for pod in lab.pods(f"app={app}") for status in pod["status"].get("containerStatuses", ())
    ]
    return next((state["waiting"].get("reason", "") for state in states if "waiting" in state), "")


def test_a_thousand_pods_run_and_are_ready_on_two_hundred_nodes(lab):
    pods = wait_for_all(lab)
    assert {pod["status"]["phase"] for pod in pods} == {"Running"}
    spread = Counter(pod["spec"]["nodeName"] for pod in pods)
    assert len(spread) == NODES and max(spread.values()) < 10
    assert len({pod["status"]["podIP"] for pod in pods}) == PODS


def test_its_nodes_and_containers_say_what_they_are(lab):
    pod = wait_for_all(lab)[0]
    assert pod["status"]["containerStatuses"][0]["containerID"].startswith("simulated://")
    node = lab.api("GET", f"/api/v1/nodes/{pod['spec']['nodeName']}")
    assert node["status"]["nodeInfo"]["containerRuntimeVersion"] == "simulated://1"
    assert is_ready(node)


def test_a_killed_worker_restarts_no_pod(lab):
    before = {pod["metadata"]["uid"] for pod in wait_for_all(lab)}
    worker = lab.pid_of("worker")
    os.kill(worker, signal.SIGKILL)
    new = wait_until("a new worker", lambda: (pid := lab.pid_of("worker")) != worker and pid)
    assert is_alive(new)
    deploy(lab, "after", 1)
    lab.wait_for_ready_pods(1, "app=after", seconds=PATIENCE)
    pods = wait_for_all(lab)
    assert {pod["metadata"]["uid"] for pod in pods} == before
    assert {status["restartCount"] for pod in pods for status in pod["status"]["containerStatuses"]} == {0}


def test_the_pods_of_a_node_that_is_powered_off_are_replaced_on_others(lab):
    lost = wait_for_all(lab)[0]["spec"]["nodeName"]
    path = f"/api/v1/nodes/{lost}"
    off = {"metadata": {"annotations": {"orrery.io/power": "off"}}}
    lab.api("PATCH", path, off, content_type="application/merge-patch+json")

    def moved() -> bool:
        ready = lab.ready_pods("app=many")
        return len(ready) == PODS and lost not in {pod["spec"]["nodeName"] for pod in ready}

    wait_until("a thousand ready pods elsewhere", moved, PATIENCE, step=1.0)
    ready = next(c for c in lab.api("GET", path)["status"]["conditions"] if c["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("Unknown", "NodeStatusUnknown")
    others = [node for node in lab.api("GET", "/api/v1/nodes")["items"] if node["metadata"]["name"] != lost]
    assert all(map(is_ready, others))
    lab.api("PATCH", path, {"metadata": {"annotations": {"orrery.io/power": None}}},
            content_type="application/merge-patch+json")  # fmt: skip
    wait_until("the node to be back", lambda: is_ready(lab.api("GET", path)), PATIENCE)


def test_a_rule_makes_pods_crash(lab):
    deploy(lab, "crashing", 3, annotations={f"{RULE}crash-after": "200ms", f"{RULE}exit-code": "7"})
    wait_until("CrashLoopBackOff", lambda: waiting_reason(lab, "crashing") == "CrashLoopBackOff", PATIENCE)
    ended = lab.pods("app=crashing")[0]["status"]["containerStatuses"][0]["lastState"]["terminated"]
    assert (ended["exitCode"], ended["reason"]) == (7, "Error")


def test_an_image_that_is_missing_by_its_name_is_not_pulled(lab):
    deploy(lab, "imageless", 1, image="registry.example/missing:1")
    wait_until("ImagePullBackOff", lambda: waiting_reason(lab, "imageless") == "ImagePullBackOff", PATIENCE)


def test_a_simulated_node_joins_a_cluster_of_real_ones(process_lab):
    process_lab.wait_for_ready_pods(3)
    add_node(process_lab, "pretender", group="pretenders")
    try:
        deploy(process_lab, "pretended", 2, node_selector={"group": "pretenders"})
        pods = process_lab.wait_for_ready_pods(2, "app=pretended", seconds=PATIENCE)
        assert {pod["spec"]["nodeName"] for pod in pods} == {"pretender"}
        schemes = {pod["status"]["containerStatuses"][0]["containerID"].partition(":")[0] for pod in pods}
        assert schemes == {"simulated"}
        own = process_lab.wait_for_ready_pods(3)
        assert all(pod["status"]["containerStatuses"][0]["containerID"].startswith("process://") for pod in own)
    finally:
        process_lab.api("DELETE", f"{DEPLOYMENTS}/pretended")
        wait_until("no pretended pods", lambda: not process_lab.pods("app=pretended"))
        process_lab.api("DELETE", "/api/v1/nodes/pretender")
