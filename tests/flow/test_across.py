"""One cluster on two Docker engines, of which the second has a network that this machine does not reach: pods,
Services, names, probes, the front door and the API across both, by the link alone; which breaks and comes back."""

import http.client
import json
import os
import subprocess
from urllib.parse import urlsplit

import docker
import pytest

from ..labs import LabUnderTest, is_ready, wait_until
from .steps import MERGE

PODS, SERVICES, CONFIGMAPS = (f"/api/v1/namespaces/default/{kind}" for kind in ("pods", "services", "configmaps"))
HERE, THERE = "node-a", "node-b"
ASK = "import sys, urllib.request as r; print(r.urlopen(sys.argv[1], timeout=3).read().decode())"
CALL_API = """
import ssl, urllib.request as r
at = "/var/run/secrets/kubernetes.io/serviceaccount/"
asked = r.Request("https://kubernetes.default.svc/version")
asked.add_header("Authorization", "Bearer " + open(at + "token").read())
print(r.urlopen(asked, timeout=3, context=ssl.create_default_context(cafile=at + "ca.crt")).read().decode())
"""
SEND = """
import socket
server = socket.create_server(("", 9000))
while True:
    conn, size = server.accept()[0], 0
    while data := conn.recv(1 << 20): size += len(data)
    conn.sendall(str(size).encode()); conn.close()
"""
RECEIVE = """
import socket, sys
conn = socket.create_connection((sys.argv[1], 9000), 30); conn.sendall(b"x" * int(sys.argv[2])); conn.shutdown(1)
print(conn.recv(100).decode())
"""
SIZE = 50_000_000


@pytest.fixture
def lab(tmp_path, distant_engine):
    lab = LabUnderTest(tmp_path / "data", "docker", "--engine", f"b={distant_engine.address}")
    try:
        yield lab.start()
    finally:
        lab.clean_up()


class Across:
    def __init__(self, lab: LabUnderTest, kubectl: str):
        self.lab = lab
        self._kubectl = [kubectl, "--kubeconfig", os.devnull, "--server", f"{lab.address}/clusters/default"]

    def says(self, pod: str, *command: str) -> str:
        done = subprocess.run([*self._kubectl, "exec", pod, "--", *command], capture_output=True, timeout=60, text=True)
        return done.stdout if done.returncode == 0 else ""

    def asks(self, pod: str, url: str) -> str:
        return self.says(pod, "python3", "-c", ASK, url)

    def stand(self, node: str, engine: str) -> None:
        label = {"metadata": {"labels": {"orrery.io/engine": engine}}}
        self.lab.api("PATCH", f"/api/v1/nodes/{node}", label, content_type=MERGE)

    def pod(self, name: str, node: str) -> None:
        probe = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1}
        container = {"name": "main", "image": "orrery/hello:v1", "readinessProbe": probe}
        metadata = {"name": name, "labels": {"app": "web", "at": name}}
        self.lab.api("POST", PODS, {"metadata": metadata, "spec": {"nodeName": node, "containers": [container]}})

    def service(self, name: str, **selector: str) -> None:
        spec = {"selector": selector, "ports": [{"port": 80, "targetPort": 8080}]}
        self.lab.api("POST", SERVICES, {"metadata": {"name": name}, "spec": spec})

    def address(self, name: str) -> str:
        found = self.lab.get(f"{PODS}/{name}")
        return found["status"].get("podIP", "") if is_ready(found) else ""

    def front_door(self, service: str) -> int:
        door = http.client.HTTPConnection("127.0.0.1", urlsplit(self.lab.run()["front_door"]).port, timeout=3)
        try:
            door.request("GET", "/", headers={"Host": f"{service}.default.default.localhost"})
            return door.getresponse().status
        except OSError:
            return 0
        finally:
            door.close()


@pytest.fixture
def across(lab, kubectl) -> Across:
    return Across(lab, kubectl)


def named(client: docker.APIClient, word: str) -> list[str]:
    rows = client.containers(filters={"label": ["orrery.io/lab"]})
    return [row["Id"] for row in rows if word in row["Names"][0]]


@pytest.mark.timeout(600)
def test_the_nodes_of_a_cluster_stand_on_two_engines_and_nobody_in_it_notices(across, distant_engine):
    across.pod("here", HERE)
    wait_until("a pod here", lambda: across.address("here"), 60)
    across.stand(THERE, "b")
    across.pod("there", THERE)
    there = wait_until("a pod there, whose probe comes from here", lambda: across.address("there"), 90)
    with docker.APIClient(distant_engine.host) as client:
        assert len(named(client, "k8s_main_there")) == 1
    here = across.address("here")
    for name in ("here", "there"):
        across.service(name, at=name)

    assert "there" in wait_until("a pod here to reach one there", lambda: across.asks("here", f"http://{there}:8080/"))
    assert "here" in wait_until("and back", lambda: across.asks("there", f"http://{here}:8080/"))
    for one, other in (("here", "there"), ("there", "here")):
        said = wait_until("a Service by its name", lambda o=other, at=one: across.asks(at, f"http://{o}"), 60)
        assert other in said
    for name in ("here", "there"):
        assert json.loads(across.says(name, "python3", "-c", CALL_API))["major"] == "1"
        wait_until("the front door", lambda at=name: across.front_door(at) == 200)

    program = subprocess.Popen([*across._kubectl, "exec", "there", "--", "python3", "-c", SEND])
    try:
        sent = wait_until("much at once", lambda: across.says("here", "python3", "-c", RECEIVE, there, str(SIZE)))
        assert int(sent) == SIZE
    finally:
        program.kill()
        program.wait()

    for host in (None, distant_engine.host):
        with docker.APIClient(host) as client:
            for link in named(client, "-link"):
                client.kill(link)
    wait_until("the link to be back", lambda: across.asks("here", f"http://{there}:8080/"), 60)

    across.stand(THERE, "")
    with docker.APIClient(distant_engine.host) as client:
        wait_until("nothing to be left there", lambda: not named(client, "k8s_main_there"), 60)
    wait_until("it here again", lambda: "there" in across.asks("here", "http://there"), 90)


def test_the_files_of_a_pods_volumes_come_to_an_engine_that_sees_none_of_ours(across):
    lab = across.lab
    across.stand(THERE, "b")
    settings = {"metadata": {"name": "settings"}, "data": {"colour": "green", "old": "x"}}
    lab.api("POST", CONFIGMAPS, settings)
    container = {"name": "main", "image": "orrery/python:3", "command": ["sleep", "600"]}
    volumes = [{"name": "settings", "configMap": {"name": "settings"}}, {"name": "scratch", "emptyDir": {}}]
    mounts = [{"name": "settings", "mountPath": "/etc/app"}, {"name": "scratch", "mountPath": "/work"}]
    only = {"name": "settings", "mountPath": "/etc/one", "subPath": "colour"}
    spec = {"nodeName": THERE, "volumes": volumes, "containers": [{**container, "volumeMounts": [*mounts, only]}]}
    lab.api("POST", PODS, {"metadata": {"name": "reader"}, "spec": spec})
    wait_until("its files", lambda: across.says("reader", "cat", "/etc/app/colour", "/etc/one") == "greengreen", 60)
    across.says("reader", "sh", "-c", "echo kept > /work/note; echo bad > /etc/app/colour")
    changed = {"data": {"colour": "blue", "old": None}}
    lab.api("PATCH", f"{CONFIGMAPS}/settings", changed, content_type=MERGE)
    wait_until("the change", lambda: across.says("reader", "cat", "/etc/app/colour", "/work/note") == "bluekept\n", 60)
    assert across.says("reader", "cat", "/var/run/secrets/kubernetes.io/serviceaccount/token")
    below = {**container, "volumeMounts": [{"name": "scratch", "mountPath": "/work", "subPath": "a"}]}
    spec = {"nodeName": THERE, "volumes": volumes, "containers": [below]}
    lab.api("POST", PODS, {"metadata": {"name": "below"}, "spec": spec})
    wait_until("why not", lambda: "a subPath of an emptyDir is not to be had" in str(lab.get(f"{PODS}/below")), 60)
