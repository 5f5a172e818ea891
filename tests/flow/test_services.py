"""Services as visitors, neighbours and operators meet them, on each real runtime: real requests, each one counted."""

import os
import secrets
import signal
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from ..labs import LabUnderTest, wait_until
from .stage import Stage
from .visiting import Visitors, address_of

MERGE = "application/merge-patch+json"
GATE = "test.orrery.io/open"
IMAGE = "orrery/hello:v1"
FETCH = """
import os, sys, time, urllib.request
for url in sys.argv[1:]:
    url = os.path.expandvars(url)
    for _ in range(100):
        try:
            print("asked", url, urllib.request.urlopen(url, timeout=5).read().decode().strip(), flush=True)
            break
        except OSError as error:
            last = error
            time.sleep(0.2)
    else:
        print("failed", url, last, flush=True)
print("done", flush=True)
"""


class Shop:
    """A namespace with a Deployment `web` of gated pods and a Service of the same name; its front door."""

    def __init__(self, stage: Stage):
        self.stage, self.lab, self.namespace = stage, stage.lab, stage.namespace
        self.door = address_of(stage.lab)

    def deploy(self, replicas: int, **spec) -> None:
        container = {"name": "web", "image": IMAGE, "ports": [{"name": "http", "containerPort": 8080}]}
        container["readinessProbe"] = {"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": 1}
        full = {"containers": [container], "readinessGates": [{"conditionType": GATE}], **spec}
        template = {"metadata": {"labels": {"app": "web"}}, "spec": full}
        declared = {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template}
        path = f"/apis/apps/v1/namespaces/{self.namespace}/deployments"
        self.lab.api("POST", path, {"metadata": {"name": "web"}, "spec": declared})

    def service(self, name: str = "web", **spec) -> dict:
        ports = [{"name": "http", "port": 80, "targetPort": "http"}]
        return self.stage.create(
            {"metadata": {"name": name}, "spec": {"selector": {"app": "web"}, "ports": ports, **spec}}, "services"
        )

    def pods(self) -> list[dict]:
        return self.lab.pods("app=web", self.namespace)

    def open(self, name: str, on: bool = True) -> None:
        """Let a pod be ready, or no longer, whatever its probes say."""
        change = {"status": {"conditions": [{"type": GATE, "status": str(on)}]}}
        path = f"{self.stage.path}/pods/{name}/status"
        self.lab.api("PATCH", path, change, content_type="application/strategic-merge-patch+json")

    def host(self, service: str = "web") -> str:
        return f"{service}.{self.namespace}.default.localhost"

    def ask(self, host: str = "", path: str = "/", port: int = 0) -> tuple[int, str, str]:
        """Status, the pod that answered, the words."""
        address = f"http://{self.door[0]}:{port or self.door[1]}{path}"
        request = urllib.request.Request(address, headers={"Host": host or self.host()})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.headers.get("X-Orrery-Pod", ""), answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, "", error.read().decode()

    def fetch(self, *urls: str) -> str:
        """What a neighbouring pod is told by each of these."""
        name = f"neighbour-{secrets.token_hex(2)}"
        container = {"name": "main", "image": IMAGE, "command": ["python3", "-c", FETCH, *urls]}
        self.stage.create({"metadata": {"name": name}, "spec": {"containers": [container], "restartPolicy": "Never"}})
        return self.stage.said(name, "done", 60)

    def answering(self, host: str = "", port: int = 0, tries: int = 12) -> set[str]:
        return {pod for _ in range(tries) for status, pod, _ in [self.ask(host, port=port)] if status == 200}


@pytest.fixture(scope="module", params=["docker", "process"])
def shop(request: pytest.FixtureRequest) -> Iterator[Shop]:
    """Two open pods behind `web`, on each runtime."""
    stage = Stage(request.getfixturevalue(f"{request.param}_lab"), f"shop-{secrets.token_hex(3)}")
    shop = Shop(stage)
    try:
        shop.service()
        shop.deploy(2)
        for pod in wait_until("two pods", lambda: len(found := shop.pods()) == 2 and found):
            shop.open(pod["metadata"]["name"])
        wait_until("both pods to answer", lambda: len(shop.answering()) == 2, 60)
        yield shop
    finally:
        stage.close()


def test_a_pod_that_is_not_ready_is_asked_no_more_until_it_is_again(shop: Shop):
    first, second = sorted(shop.answering())
    with Visitors(shop.door, shop.host(), rate=50) as visitors:
        shop.open(first, False)
        wait_until("only the other to answer", lambda: shop.answering() == {second})
        shop.open(first)
        wait_until("both to answer again", lambda: shop.answering() == {first, second})
    assert not visitors.failures


def test_its_neighbours_reach_it_by_every_name_and_by_its_variables(shop: Shop):
    names = ["web", f"web.{shop.namespace}", f"web.{shop.namespace}.svc.cluster.local", "$WEB_SERVICE_HOST"]
    words = shop.fetch(*(f"http://{name}/" for name in names))
    assert words.count("Hello from web-") == len(names), words


def test_headless_services_pods_with_names_and_external_names_are_names_too(shop: Shop):
    shop.service("db", clusterIP="None", selector={"test": "db-0"}, ports=[])
    shop.service("outside", type="ExternalName", externalName=f"web.{shop.namespace}.svc.cluster.local", ports=[])
    spec = {"containers": [{"name": "main", "image": IMAGE}], "hostname": "db-0", "subdomain": "db"}
    shop.stage.create({"metadata": {"name": "db-0", "labels": {"test": "db-0"}}, "spec": spec})
    words = shop.fetch("http://db:8080/", "http://db-0.db:8080/", "http://outside/")
    assert (words.count("Hello from db-0"), words.count("Hello from web-")) == (2, 1), words


def test_a_node_port_is_a_port_of_this_machine(shop: Shop):
    made = shop.service("door", type="NodePort")
    port = made["spec"]["ports"][0]["nodePort"]
    ready = shop.answering()

    def answering() -> set[str]:
        try:
            return shop.answering(port=port)
        except OSError:
            return set()

    wait_until("both pods to answer at the node's port", lambda: answering() == ready)


def test_a_balancer_is_reached_at_the_name_that_it_tells_and_there_at_its_node_port_too(shop: Shop):
    port = shop.service("balancer", type="LoadBalancer")["spec"]["ports"][0]["nodePort"]
    path = f"{shop.stage.path}/services/balancer"
    (told,) = wait_until("its address", lambda: shop.lab.get(path)["status"]["loadBalancer"].get("ingress"))
    assert told["hostname"] == shop.host("balancer")
    wait_until("both pods to answer", lambda: len(shop.answering(told["hostname"])) == 2)
    assert shop.answering(told["hostname"], port=port) == shop.answering()


def test_a_node_port_that_somebody_else_has_is_told_on_the_service(shop: Shop):
    with socket.socket() as taken:
        port = next(port for port in range(32000, 32767) if taken.connect_ex(("127.0.0.1", port)))
    with socket.create_server(("127.0.0.1", port)):
        ports = [{"port": 80, "targetPort": "http", "nodePort": port}]
        shop.service("late", type="NodePort", ports=ports)
        shop.stage.told("late", "NodePortUnavailable", str(port))


def test_a_client_stays_with_its_pod_where_the_service_says_so(shop: Shop):
    shop.service("sticky", sessionAffinity="ClientIP")
    wait_until("it to answer", lambda: shop.ask(shop.host("sticky"))[0] == 200)
    assert len(shop.answering(shop.host("sticky"))) == 1


def test_an_ingress_leads_by_host_and_path(shop: Shop):
    host = f"{shop.namespace}.test"
    backend = {"service": {"name": "web", "port": {"name": "http"}}}
    paths = [{"path": "/env", "pathType": "Prefix", "backend": backend}]
    rules = [{"host": host, "http": {"paths": paths}}]
    path = f"/apis/networking.k8s.io/v1/namespaces/{shop.namespace}/ingresses"
    shop.lab.api("POST", path, {"metadata": {"name": "door"}, "spec": {"rules": rules}})
    wait_until("the path to lead there", lambda: "HOSTNAME" in shop.ask(host, "/env")[2])
    assert shop.ask(host, "/other")[0] == 404


def test_a_selector_that_matches_nothing_is_what_a_visitor_is_told(shop: Shop):
    shop.service("lost", selector={"app": "wbe"})
    told = wait_until("an answer", lambda: (t := shop.ask(shop.host("lost")))[0] == 503 and t)
    assert "no pod with app=wbe has an address" in told[2]
    slices = shop.lab.get(f"/apis/discovery.k8s.io/v1/namespaces/{shop.namespace}/endpointslices")["items"]
    (mine,) = [one for one in slices if one["metadata"]["labels"]["kubernetes.io/service-name"] == "lost"]
    assert not mine.get("endpoints")


def test_a_pod_that_ends_finishes_what_it_was_asked_and_is_asked_nothing_new(shop: Shop):
    """It is deleted in the middle of slow answers: not one of them is lost, and not one other request either."""
    (victim, *_) = sorted(shop.answering())
    with (
        Visitors(shop.door, shop.host(), rate=10, path="/slow?s=1") as patient,
        Visitors(shop.door, shop.host(), rate=50) as others,
    ):
        wait_until("slow answers to be on their way", lambda: len(patient.visits) > 5)
        shop.stage.delete(victim)
        wait_until("its replacement", lambda: len(shop.pods()) == 2 and victim not in names(shop.pods()), 60)
        for name in names(shop.pods()):
            shop.open(name)
        wait_until("two to answer", lambda: len(shop.answering()) == 2, 60)
    assert not patient.failures and not others.failures
    ended = shop.stage.history(victim)[-1]
    (drained,) = [c for c in ended["status"]["conditions"] if c["type"] == "orrery.io/Drained"]
    assert (drained["status"], drained["reason"]) == ("True", "NoRequests"), drained


def names(pods: list[dict]) -> set[str]:
    return {pod["metadata"]["name"] for pod in pods}


def test_no_request_fails_while_all_pods_are_replaced(shop: Shop):
    path = f"/apis/apps/v1/namespaces/{shop.namespace}/deployments"
    probe = {"httpGet": {"path": "/readyz", "port": 8080}, "periodSeconds": 1}
    container = {"name": "c", "image": IMAGE, "readinessProbe": probe}
    template = {"metadata": {"labels": {"app": "roll"}}, "spec": {"containers": [container]}}
    spec = {"replicas": 4, "selector": {"matchLabels": {"app": "roll"}}, "template": template}
    shop.lab.api("POST", path, {"metadata": {"name": "roll"}, "spec": spec})
    ports = [{"port": 80, "targetPort": 8080}]
    shop.service("roll", selector={"app": "roll"}, ports=ports)
    host = shop.host("roll")
    wait_until("four to answer", lambda: len(shop.answering(host)) == 4, 60)
    before = shop.answering(host)
    with Visitors(shop.door, host, rate=100) as visitors:
        release = {"spec": {"template": {"spec": {"containers": [{**container, "image": "orrery/hello:v2"}]}}}}
        shop.lab.api("PATCH", f"{path}/roll", release, content_type=MERGE)
        wait_until("four others to answer", lambda: len(now := shop.answering(host)) == 4 and not now & before, 60)
    assert not visitors.failures, visitors.failures[0]


def test_traffic_goes_on_while_nobody_is_there_to_control_it_and_the_data_plane_comes_back(own_lab: LabUnderTest):
    own_lab.start()
    own_lab.wait_for_ready_pods(3)
    door, host = address_of(own_lab), "hello.default.default.localhost"
    shop = Shop.__new__(Shop)
    shop.door, shop.lab = door, own_lab
    wait_until("all three to answer", lambda: len(shop.answering(host)) == 3)
    with Visitors(door, host, rate=50) as visitors:
        worker = own_lab.pid_of("worker")
        os.kill(worker, signal.SIGKILL)
        wait_until("another worker", lambda: own_lab.pid_of("worker") not in (worker, None))
        wait_until("some more visits", lambda: len(visitors.visits) > 150)
    assert not visitors.failures
    proxy = own_lab.pid_of("proxy")
    os.kill(proxy, signal.SIGKILL)
    wait_until("another data plane", lambda: own_lab.pid_of("proxy") not in (proxy, None))
    wait_until("it to answer", lambda: shop.answering(host), 20)
    patch = {"spec": {"replicas": 1}}
    own_lab.api("PATCH", "/apis/apps/v1/namespaces/default/deployments/hello", patch, content_type=MERGE)
    (left,) = own_lab.wait_for_ready_pods(1)
    wait_until("the new one to be told", lambda: shop.answering(host) == {left["metadata"]["name"]})
