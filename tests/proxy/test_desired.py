"""From Services, slices and Ingresses to what a data plane should do. Pure."""

import json
from ipaddress import IPv4Network
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.proxy.desired import Picture, desired
from lab.proxy.watching import network_of
from lab.proxy.weights import MOST, weights

RUNTIMES = {"node-d": "docker", "node-p": "process", "node-s": "simulated"}


def a_service(name: str = "web", ports: list[dict] | None = None, notes: dict | None = None, **spec) -> dict:
    ports = [{"name": "http", "port": 80, "protocol": "TCP", "targetPort": 8080}] if ports is None else ports
    full = {"clusterIP": "10.96.0.10", "selector": {"app": "web"}, "ports": ports, **spec}
    return {"metadata": {"name": name, "namespace": "default", "annotations": notes or {}}, "spec": full}


def an_endpoint(n: int, node: str = "node-d", ready: bool = True, **more) -> dict:
    ref = {"kind": "Pod", "namespace": "default", "name": f"web-{n}", "uid": f"uid-{n}"}
    return {"addresses": [f"10.1.0.{n}"], "conditions": {"ready": ready}, "nodeName": node, "targetRef": ref, **more}


def a_slice(*endpoints: dict, port: int = 8080, name: str = "http", service: str = "web") -> tuple[str, dict]:
    return service, {
        "addressType": "IPv4",
        "ports": [{"name": name, "port": port, "protocol": "TCP"}],
        "endpoints": list(endpoints),
    }


def an_ingress(*rules: dict, name: str = "door", **spec) -> dict:
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {"rules": list(rules), **spec}}


def a_rule(
    path: str, service: str = "web", host: str = "shop.test", kind: str = "Prefix", port: object = "http"
) -> dict:
    told = {"number": port} if isinstance(port, int) else {"name": port}
    path = {"path": path, "pathType": kind, "backend": {"service": {"name": service, "port": told}}}
    return {**({"host": host} if host else {}), "http": {"paths": [path]}}


def of(services: list[dict], *slices: tuple, ingresses: tuple = (), plane: str = "host", **pods: dict) -> dict:
    """`versions` and `status`: of the pods, by name."""
    versions, more, grouped = pods.get("versions", {}), pods.get("status", {}), {}
    for service, one in slices:
        grouped.setdefault(("default", service), []).append(one)

    nodes = {e["targetRef"]["name"]: e["nodeName"] for _, one in slices for e in one["endpoints"] if "targetRef" in e}

    def find_pod(namespace: str, name: str) -> dict:
        labels, status = {"pod-template-hash": versions.get(name, "")}, {"podIP": name.replace("web-", "10.1.0.")}
        return {
            "metadata": {"name": name, "labels": labels},
            "spec": {"nodeName": nodes[name]},
            "status": status | more.get(name, {}),
        }

    return desired(Picture("west", services, grouped, list(ingresses), RUNTIMES, find_pod), plane)


def servers(document: dict, backend: str = "default/web:http") -> dict:
    return {server["pod"]: server for server in document["backends"][backend]["servers"].values()}


def test_each_web_port_of_several_has_a_name_at_the_front_door():
    ports = [
        {"name": "http", "port": 80},
        {"name": "web", "port": 8081, "appProtocol": "http"},
        {"name": "db", "port": 5432},
    ]
    hosts = {host["host"]: host["backend"] for host in of([a_service(ports=ports)])["hosts"]}
    own = "web.default.west.localhost"
    assert hosts == {own: "default/web:http", f"http.{own}": "default/web:http", f"web.{own}": "default/web:web"}


def test_it_leads_the_front_door_to_the_pods_of_a_service():
    document = of([a_service()], a_slice(an_endpoint(1), an_endpoint(2, "node-p")), versions={"web-1": "abc"})
    (host,) = document["hosts"]
    assert host == {"host": "web.default.west.localhost", "path": "/", "match": "prefix", "backend": "default/web:http"}
    first = servers(document)["web-1"]
    assert first == {
        "address": "10.1.0.1", "port": 8080, "weight": 1, "state": "ready",
        "pod": "web-1", "version": "abc", "node": "node-d",
    }  # fmt: skip
    assert set(document["backends"]["default/web:http"]["servers"]) == {"uid-1", "uid-2"}


def test_it_drains_a_pod_that_is_not_ready_instead_of_forgetting_it():
    document = of([a_service()], a_slice(an_endpoint(1, ready=False), an_endpoint(2)))
    states = {pod: (server["state"], server["weight"]) for pod, server in servers(document).items()}
    assert states == {"web-1": ("drain", 0), "web-2": ("ready", 1)}
    assert "note" not in document["backends"]["default/web:http"]


@pytest.mark.parametrize(
    ("pod_ready", "serving", "spec", "state"),
    [
        ("False", True, {}, "drain"),  # the slice does not know it yet
        ("True", True, {}, "ready"),
        ("False", None, {}, "ready"),  # a slice written by hand stands as it is
        ("False", True, {"publishNotReadyAddresses": True}, "ready"),
    ],
)
def test_a_pod_that_says_itself_that_it_is_ready_no_more_is_believed_at_once(pod_ready, serving, spec, state):
    conditions = {"ready": True} | ({} if serving is None else {"serving": serving})
    pods = {"web-1": {"conditions": [{"type": "Ready", "status": pod_ready}]}}
    document = of([a_service(**spec)], a_slice(an_endpoint(1, conditions=conditions)), status=pods)
    assert servers(document)["web-1"]["state"] == state


def test_it_never_asks_a_pod_that_is_only_simulated_and_says_so():
    document = of([a_service()], a_slice(an_endpoint(1, "node-s"), an_endpoint(2, "node-s")))
    backend = document["backends"]["default/web:http"]
    assert backend["servers"] == {}
    assert backend["note"] == "its 2 pods cannot be reached: simulated pods answer no requests"


@pytest.mark.parametrize(
    ("slices", "words"),
    [
        ([], "no pod with app=web has an address"),
        ([a_slice(an_endpoint(1, ready=False))], "none of its 1 pod is ready"),
        ([a_slice(an_endpoint(1), name="other")], "none of its 1 pod has a port 8080"),
    ],
)
def test_it_says_why_nobody_answers(slices, words):
    assert of([a_service()], *slices)["backends"]["default/web:http"]["note"] == words


def test_a_slice_written_by_hand_leads_to_no_address_of_this_machine_and_to_no_other_than_the_pods_own():
    forged = {**an_endpoint(1), "addresses": ["127.0.0.1"]}
    outside, inside = {"addresses": ["192.0.2.1"]}, [{"addresses": [ip]} for ip in ("127.0.0.1", "169.254.169.254")]
    backend = of([a_service()], a_slice(forged, outside, *inside))["backends"]["default/web:http"]
    assert [server["address"] for server in backend["servers"].values()] == ["192.0.2.1"]


def test_a_gateway_answers_at_cluster_addresses_and_the_host_at_node_ports():
    ports = [{"name": "http", "port": 80, "nodePort": 30080, "targetPort": 8080}]
    services, slices = [a_service(ports=ports, type="NodePort")], a_slice(an_endpoint(1), an_endpoint(2, "node-p"))
    gateway = of(services, slices, plane="gateway")
    assert gateway["listeners"] == [{"address": "10.96.0.10", "port": 80, "backend": "default/web:http"}]
    assert gateway["names"] == {"web.default.svc.cluster.local": ["10.96.0.10"]}
    assert gateway["hosts"] == []
    assert list(servers(gateway)) == ["web-1"]  # a local process is not on the cluster's network
    host = of(services, slices)
    assert {"address": "127.0.0.1", "port": 30080, "backend": "default/web:http"} in host["listeners"]
    assert set(servers(host)) == {"web-1", "web-2"}


def test_a_headless_service_is_the_names_of_its_ready_pods():
    service = a_service(clusterIP="None", ports=[])
    ready, not_ready = an_endpoint(1, hostname="db-0"), an_endpoint(2, ready=False, hostname="db-1")
    document = of([service], a_slice(ready, not_ready), plane="gateway")
    assert document["names"] == {
        "web.default.svc.cluster.local": ["10.1.0.1"],
        "db-0.web.default.svc.cluster.local": ["10.1.0.1"],
    }
    assert document["listeners"] == []


def test_a_port_with_a_name_is_found_by_it_and_pods_without_a_name_are_called_by_their_address():
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]
    found = a_slice(an_endpoint(1), an_endpoint(2))
    with_address, headless = (
        of([a_service(ports=ports, **spec)], found, plane="gateway") for spec in ({}, {"clusterIP": "None"})
    )
    name = "web.default.svc.cluster.local"
    assert with_address["services"] == {f"_http._tcp.{name}": [(80, name)]}
    assert headless["services"] == {f"_http._tcp.{name}": [(8080, f"10-1-0-{n}.{name}") for n in (1, 2)]}
    assert headless["names"][f"10-1-0-2.{name}"] == ["10.1.0.2"]


def test_an_external_name_is_an_alias_and_nothing_else():
    service = {"metadata": {"name": "out", "namespace": "default"}, "spec": {"type": "ExternalName"}}
    service["spec"]["externalName"] = "example.org."
    document = of([service], plane="gateway")
    assert document["aliases"] == {"out.default.svc.cluster.local": "example.org"}
    assert document["backends"] == {}


@pytest.mark.parametrize(
    ("port", "mode"),
    [
        ({"name": "web-ui", "port": 9999}, "http"),
        ({"port": 8080}, "http"),
        ({"name": "db", "port": 5432}, "tcp"),
        ({"name": "http", "port": 80, "appProtocol": "redis"}, "tcp"),
        ({"name": "db", "port": 5432, "appProtocol": "http"}, "http"),
    ],
)
def test_it_takes_a_port_for_what_it_says_or_looks_like(port, mode):
    (backend,) = of([a_service(ports=[port])])["backends"].values()
    assert backend["mode"] == mode


def test_udp_is_left_out():
    assert of([a_service(ports=[{"name": "dns", "port": 53, "protocol": "UDP"}])])["backends"] == {}


def test_the_front_door_leads_to_the_first_port_that_speaks_http():
    ports = [{"name": "db", "port": 5432}, {"name": "http-admin", "port": 9000}]
    assert of([a_service(ports=ports)])["hosts"][0]["backend"] == "default/web:http-admin"


def test_affinity_is_as_long_as_the_service_says():
    config = {"clientIP": {"timeoutSeconds": 60}}
    (backend,) = of([a_service(sessionAffinity="ClientIP", sessionAffinityConfig=config)])["backends"].values()
    assert backend["affinitySeconds"] == 60


def test_ingress_rules_stand_with_the_exact_path_and_the_longest_first():
    rules = (a_rule("/"), a_rule("/cart/old"), a_rule("/cart", kind="Exact"), a_rule("/cart"))
    hosts = [
        host for host in of([a_service()], ingresses=(an_ingress(*rules),))["hosts"] if host["host"] == "shop.test"
    ]
    assert [(host["path"], host["match"]) for host in hosts] == [
        ("/cart", "exact"), ("/cart/old", "prefix"), ("/cart", "prefix"), ("/", "prefix"),
    ]  # fmt: skip


def test_an_ingress_speaks_http_to_whatever_it_leads_to():
    service = a_service(ports=[{"name": "api", "port": 9000}])
    document = of([service], ingresses=(an_ingress(a_rule("/", port=9000)),))
    assert document["backends"]["default/web:api"]["mode"] == "http"
    assert document["hosts"][-1]["backend"] == "default/web:api"


def test_an_ingress_to_a_service_that_is_not_there_says_so():
    document = of([], ingresses=(an_ingress(a_rule("/", service="gone")),))
    assert document["hosts"][0]["backend"] == "default/gone:http"
    assert "there is no such Service" in document["backends"]["default/gone:http"]["note"]


def test_the_default_backend_has_what_no_rule_wants():
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    other = a_service("other", clusterIP="10.96.0.11")
    ingress = an_ingress(a_rule("/cart", service="other"), defaultBackend=backend)
    hosts = of([a_service(), other], ingresses=(ingress,))["hosts"]
    found = {(host["host"], host["path"]): host["backend"] for host in hosts}
    assert found["shop.test", "/cart"] == "default/other:http"
    assert found["shop.test", "/"] == found["", "/"] == found["west.localhost", "/"] == "default/web:http"


def test_the_weights_of_a_service_become_those_of_its_servers():
    notes = {"orrery.io/weights": json.dumps({"old": 75, "new": 25})}
    versions = {"web-1": "old", "web-2": "old", "web-3": "new"}
    found = servers(of([a_service(notes=notes)], a_slice(*map(an_endpoint, (1, 2, 3))), versions=versions))
    assert [found[f"web-{n}"]["weight"] for n in (1, 2, 3)] == [256, 256, 171]


@pytest.mark.parametrize("words", ["{", "[1]", '{"old": "many"}', "7"])
def test_weights_that_cannot_be_read_are_ignored(words):
    found = servers(of([a_service(notes={"orrery.io/weights": words})], a_slice(an_endpoint(1))))
    assert found["web-1"]["weight"] == 1


def test_a_version_without_a_ready_pod_leaves_its_share_to_the_others():
    assert weights({"old": 95, "new": 5}, {"a": "old", "b": "old"}) == {"a": MOST, "b": MOST}
    assert weights({"old": 95, "new": 5}, {"a": "third"}) == {"a": 1}
    assert weights({"old": 100}, {"a": "old", "b": "new"})["b"] == 0


@given(
    st.integers(1, 99),
    st.integers(1, 20),
    st.integers(1, 20),
)
def test_shares_are_kept_to_half_a_point(percent, old, new):
    versions = {f"o{n}": "old" for n in range(old)} | {f"n{n}": "new" for n in range(new)}
    found = weights({"new": percent, "old": 100 - percent}, versions)
    assert max(found.values()) <= MOST
    share = 100 * sum(weight for server, weight in found.items() if server[0] == "n") / sum(found.values())
    assert abs(share - percent) <= 0.5


@pytest.mark.parametrize("plane", ["host", "gateway"])
def test_a_strangers_endpoints_lie_in_their_own_network_or_are_none(plane):
    addresses = ("10.64.1.2", "10.65.1.2", "192.168.1.1")
    slices = {("default", "web"): [a_slice(*({"addresses": [each]} for each in addresses))[1]]}
    picture = Picture("west", [a_service()], slices, [], RUNTIMES, lambda *_: None)
    for within, left in ((None, set(addresses)), ("10.64.0.0/16", {"10.64.1.2"}), ("0.0.0.0/32", set())):
        picture.within = IPv4Network(within) if within else None
        backend = desired(picture, plane)["backends"]["default/web:http"]
        assert {server["address"] for server in backend["servers"].values()} == left


def test_a_strangers_service_leads_neither_to_the_machine_nor_to_the_gateway_but_for_the_api():
    """Of its range the first /24 is the lab's: asked from the host, its end there is the machine and all it offers."""
    addresses = ("10.64.0.1", "10.64.0.3", "10.64.0.9", "10.64.1.2")
    made = [{"addresses": [each]} for each in addresses]
    for plane, name, left in (("host", "web", {"10.64.1.2"}), ("gateway", "web", {"10.64.1.2"}),
                              ("gateway", "kubernetes", set(addresses))):  # fmt: skip
        slices = {("default", name): [a_slice(*made)[1]]}
        picture = Picture("west", [a_service(name)], slices, [], RUNTIMES, lambda *_: None)
        picture.within = IPv4Network("10.64.0.0/16")
        backend = desired(picture, plane)["backends"][f"default/{name}:http"]
        assert {server["address"] for server in backend["servers"].values()} == left


def test_a_strangers_service_has_no_port_of_this_machine():
    ports = [{"name": "http", "port": 80, "nodePort": 30080, "targetPort": 8080}]
    service = a_service(ports=ports, type="NodePort", clusterIP="None")
    picture = Picture("west", [service], {}, [], RUNTIMES, lambda *_: None)
    assert desired(picture, "host")["listeners"]
    picture.within = IPv4Network("10.64.0.0/16")
    assert not desired(picture, "host")["listeners"]


def test_a_strangers_ingress_answers_to_no_name_that_is_the_machines_or_nobodys():
    ingress = an_ingress(a_rule("/", host=""), a_rule("/", host="localhost"), a_rule("/shop"),
                         defaultBackend={"service": {"name": "web", "port": {"name": "http"}}})  # fmt: skip
    picture = Picture("west", [a_service()], {}, [ingress], RUNTIMES, lambda *_: None)
    assert {host["host"] for host in desired(picture, "host")["hosts"]} >= {"", "localhost"}
    picture.within = IPv4Network("10.64.0.0/16")
    named = {host["host"] for host in desired(picture, "host")["hosts"]}
    assert named == {"web.default.west.localhost", "west.localhost", "shop.test"}


def a_node(engine: str, pods: str = "", gateway: str = "", kubelet: str = "") -> dict:
    meta = {"name": engine, "labels": {"orrery.io/runtime": engine}}
    notes = {"orrery.io/gateway": gateway, "orrery.io/kubelet": kubelet}
    return {"metadata": meta | {"annotations": notes}, "spec": {"podCIDR": pods}}


@pytest.mark.parametrize(
    ("nodes", "network"),
    [
        ([a_node("docker", "10.64.1.0/24", "10.64.0.3:9000"), a_node("docker", "10.64.2.0/24")], "10.64.0.0/16"),
        ([a_node("process"), a_node("process", "127.171.2.0/24", kubelet="http://127.0.0.1:1")], "127.171.0.0/16"),
        ([a_node("process", "127.0.0.0/16")], "0.0.0.0/32"),  # no kubelet has said so
        ([a_node("docker", "10.64.1.0/24"), a_node("simulated", "10.65.1.0/24")], "0.0.0.0/32"),
    ],
)
def test_a_clusters_own_network_is_its_gateways_or_that_of_its_processes(nodes, network):
    assert network_of(SimpleNamespace(list=lambda resource: nodes)) == IPv4Network(network)


def of_api(plane: str, *nodes: tuple[str, int]) -> dict:
    port = {"name": "https", "port": 443, "protocol": "TCP", "targetPort": 6443}
    service = a_service("kubernetes", [port], clusterIP="10.96.0.1", selector=None)
    slices = {("default", "kubernetes"): [a_slice({"addresses": ["10.64.0.1"]}, port=6443, name="https")[1]]}
    picture = Picture("west", [service], slices, [], {"node-d": "docker"}, lambda *_: None)
    picture.api, picture.api_for_pods = ("127.0.0.1", 8090), list(nodes)
    return desired(picture, plane)


def test_the_gateway_passes_what_is_for_the_api_on_to_where_the_host_has_it():
    told = of_api("gateway")
    backend = told["backends"]["default/kubernetes:https"]
    assert backend["mode"] == "tcp"
    assert [(s["address"], s["port"]) for s in backend["servers"].values()] == [("10.64.0.1", 6443)]
    assert told["listeners"] == [{"address": "10.96.0.1", "port": 443, "backend": "default/kubernetes:https"}]
    assert told["names"]["kubernetes.default.svc.cluster.local"] == ["10.96.0.1"]


def test_the_host_has_the_api_at_its_address_on_the_pods_network_alone_and_never_asks_a_slice():
    told = of_api("host", ("10.64.0.1", 6443), ("127.0.0.1", 8090), ("0.0.0.0", 6443), ("8.8.8.8", 6443))
    assert [(one["address"], one["port"]) for one in told["listeners"]] == [("10.64.0.1", 6443)]
    backend = told["backends"]["default/kubernetes:https"]
    assert [(s["address"], s["port"]) for s in backend["servers"].values()] == [("127.0.0.1", 8090)]


def test_what_is_sealed_is_passed_on_as_it_is():
    told = of([a_service(ports=[{"name": "https-web", "port": 8443, "protocol": "TCP"}])])
    assert told["backends"]["default/web:https-web"]["mode"] == "tcp"
