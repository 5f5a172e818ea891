"""A cluster's gateway on Docker: Services have names and addresses inside pods, without the pods' knowing."""

import json
import os
import secrets
import signal
import socket
import threading
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import docker
import pytest

from lab.runtime import SandboxSpec
from lab.runtime.docker import DockerRuntime
from lab.runtime.docker.configs import network_name, sandbox_config
from lab.runtime.docker.places import places
from lab.runtime.stream import hear_out
from tests.labs import wait_until

from .conftest import CLUSTER, Bench, Heard

TOKEN = "only for these tests"
ASK = "import urllib.request as u; print(u.urlopen('http://{}', timeout=20).read().decode())"
RESOLVE = "import socket; print(socket.gethostbyname('{}'))"
ALL_NAMES = ("hello", "hello.default", "hello.default.svc", "hello.default.svc.cluster.local")


class Gateway:
    """The cluster's gateway, two pods of the demo and a Service of both."""

    def __init__(self, bench: Bench, engine: docker.APIClient):
        self.runtime = bench.runtime
        self.engine = engine
        self.name = f"{network_name(bench.runtime._lab_id, CLUSTER)}-gateway"
        self.pods = [bench.pod(f"web-{n}") for n in range(2)]
        self.containers = [bench.container(pod) for pod in self.pods]

    def serve(self) -> None:
        """Be there, and know the Service."""
        self.host, _, self.port = self.runtime.ensure_gateway(CLUSTER, TOKEN).rpartition(":")
        wait_until("its program to answer", lambda: self.ask({"do": "ping"}).get("ok"), 30, 0.05)
        assert self.ask({"do": "apply", "scope": CLUSTER, "desired": self.desired()}) == {"ok": True}

    def desired(self) -> dict:
        servers = {
            spec.uid: {"address": spec.address, "port": 8080, "weight": 1, "state": "ready", "pod": spec.name}
            for spec, _ in self.pods
        }
        return {
            "listeners": [{"address": "10.96.3.4", "port": 80, "mode": "http", "backend": "default/hello:http"}],
            "names": {"hello.default.svc.cluster.local": ["10.96.3.4"]},
            "backends": {"default/hello:http": {"mode": "http", "servers": servers}},
        }

    def ask(self, request: dict, token: str = TOKEN) -> dict:
        try:
            with socket.create_connection((self.host, int(self.port)), 5) as connection:
                connection.sendall(json.dumps({"token": token} | request).encode() + b"\n")
                return json.loads(connection.makefile().readline())
        except OSError as error:
            return {"error": str(error)}

    def inside(self, script: str) -> str:
        """What a program in a pod says."""
        done = hear_out(self.runtime.exec(self.containers[0], ["python3", "-c", script]), 60)
        return (done.stdout + done.stderr).decode().strip()

    def row(self) -> dict:
        return self.engine.inspect_container(self.name)


@pytest.fixture(scope="module")
def shared(docker_session: Bench, engine: docker.APIClient) -> Iterator[Gateway]:
    yield Gateway(docker_session, engine)
    docker_session.clear()


@pytest.fixture
def gateway(shared: Gateway) -> Gateway:
    shared.serve()
    return shared


@pytest.fixture
def other(engine: docker.APIClient, tmp_path: Path) -> Iterator[DockerRuntime]:
    """Another lab on the same engine, with nothing made yet."""
    runtime = DockerRuntime(f"test-{secrets.token_hex(4)}", tmp_path)
    yield runtime
    runtime.remove_everything()


def test_a_pod_reaches_a_service_by_every_name_and_by_its_address(gateway: Gateway):
    asked = "; ".join(ASK.format(name) for name in (*ALL_NAMES, "10.96.3.4"))
    answers = gateway.inside(asked).split("\n\n")
    assert len(answers) == 5 and all(answer.startswith("Hello from web-") for answer in answers)
    assert {answer.split()[2] for answer in answers} == {"web-0", "web-1"}


def test_a_name_that_nobody_has_is_not_waited_for(gateway: Gateway):
    assert "Name or service not known" in gateway.inside(RESOLVE.format("nobody.default.svc.cluster.local"))


def test_a_pod_gets_out_through_it(gateway: Gateway, engine: docker.APIClient):
    """To another network of this machine, as to anywhere else."""
    outside = str(next(ip_network(engine.inspect_network("bridge")["IPAM"]["Config"][0]["Subnet"]).hosts()))
    with socket.create_server((outside, 0)) as server:
        server.settimeout(20)
        script = f"import socket; socket.create_connection(('{outside}', {server.getsockname()[1]}), 20)"
        thread = threading.Thread(target=gateway.inside, args=(script,))
        thread.start()
        server.accept()[0].close()
        thread.join()


def test_killed_it_is_back_with_all_it_knew(gateway: Gateway):
    before = gateway.row()["State"]["Pid"]
    os.kill(before, signal.SIGKILL)
    wait_until("another process", lambda: gateway.row()["State"]["Pid"] not in (0, before), 20, 0.02)
    assert gateway.inside(ASK.format("hello")).startswith("Hello from")


@pytest.mark.parametrize(
    ("policy", "config", "servers", "searches", "options"),
    [
        ("ClusterFirst", {}, ["10.64.0.2"], 3, ["ndots:5"]),
        ("Default", {}, [], 0, []),
        ("None", {"nameservers": ["10.1.1.1"], "searches": ["my.test"]}, ["10.1.1.1"], 1, []),
        ("ClusterFirst", {"options": [{"name": "ndots", "value": "2"}, {"name": "edns0"}]}, ["10.64.0.2"], 3,
         ["ndots:5", "ndots:2", "edns0"]),
    ],
)  # fmt: skip
def test_a_pod_may_say_how_it_looks_names_up(policy, config, servers, searches, options):
    spec = SandboxSpec(CLUSTER, "node-a", "shop", "web", "uid", dns_policy=policy, dns_config=config)
    host = sandbox_config("lab", spec, "image", places("10.64.0.0/16", "docker"))["HostConfig"]
    assert host["Dns"] == servers and len(host["DnsSearch"]) == searches
    assert [option for option in host["DnsOptions"] if option in options] == options
    assert "shop.svc.cluster.local" in host["DnsSearch"] or searches < 3


def test_there_is_one_and_it_stays_the_same(gateway: Gateway):
    first = gateway.row()
    assert gateway.runtime.ensure_gateway(CLUSTER, TOKEN) == f"{gateway.host}:{gateway.port}"
    assert gateway.row()["Id"] == first["Id"]
    gateway.runtime.ensure_gateway(CLUSTER, "another token")
    assert gateway.row()["Id"] != first["Id"]
    gateway.runtime.ensure_gateway(CLUSTER, TOKEN)


def test_removed_by_hand_it_is_made_again_as_soon_as_that_is_heard(gateway: Gateway):
    heard = Heard(gateway.runtime)
    try:
        gateway.engine.remove_container(gateway.name, force=True)
        wait_until("a reason to look at everything", lambda: [e.kind for e in heard.events].count("relist") > 1)
    finally:
        assert heard.stop()
    gateway.runtime.ensure_gateway(CLUSTER, TOKEN)
    wait_until("it to answer", lambda: gateway.ask({"do": "ping"}).get("ok"), 20, 0.05)


def test_whoever_shows_no_token_is_refused(gateway: Gateway):
    assert "token" in gateway.ask({"do": "apply", "scope": CLUSTER, "desired": {}}, token="")["error"]
    assert gateway.inside(ASK.format("hello")).startswith("Hello from")


def test_it_is_no_pod_and_holds_little_power(gateway: Gateway):
    assert all(sandbox.uid for sandbox in gateway.runtime.list_pods())
    assert gateway.row()["Id"] not in {sandbox.id for sandbox in gateway.runtime.list_pods()}
    host = gateway.row()["HostConfig"]
    assert host["CapDrop"] == ["ALL"] and host["CapAdd"] == ["NET_ADMIN", "NET_BIND_SERVICE"]
    assert not host["Privileged"] and host["SecurityOpt"] == ["no-new-privileges"]


def test_it_goes_with_the_pods_of_the_lab(other: DockerRuntime, engine: docker.APIClient):
    other.ensure_network("a")
    other.ensure_gateway("a", TOKEN)
    filters = {"label": f"orrery.io/lab={other._lab_id}"}
    assert len(engine.containers(all=True, filters=filters)) == 1
    other.remove_gateways()
    assert engine.containers(all=True, filters=filters) == []
    other.ensure_gateway("a", TOKEN)
    other.remove_network("a")
    assert engine.networks(filters=filters) == []


def test_a_network_of_an_older_lab_is_made_anew_if_nobody_is_in_it(other: DockerRuntime, engine: docker.APIClient):
    name = network_name(other._lab_id, "a")
    about = {"orrery.io/lab": other._lab_id, "orrery.io/cluster": "a"}
    subnet = other.ensure_network("a")
    other.remove_network("a")
    ipam = {"Driver": "default", "Config": [{"Subnet": subnet}]}
    old = engine.create_network(name, driver="bridge", ipam=ipam, labels=about)["Id"]
    guest = engine.create_container("orrery/hello:v1", name=f"{name}-guest", labels=about)["Id"]
    engine.connect_container_to_network(guest, old)
    engine.start(guest)
    assert other.ensure_network("a") == subnet
    assert other.ensure_gateway("a", TOKEN) == ""
    engine.remove_container(guest, force=True)
    other.ensure_network("a")
    assert engine.inspect_network(name)["Id"] != old
    assert other.ensure_gateway("a", TOKEN) != ""
