"""Services and Ingresses as the API keeps them: what it gives out, what it refuses, and what it warns of."""

import threading

import pytest

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import INGRESSES, SERVICES
from lab.client import Client
from lab.client.clusters import ensure_cluster

pytestmark = pytest.mark.django_db
JSON = "application/json"


@pytest.fixture
def client() -> Client:
    ensure_cluster("serving")
    return Client("serving", "test")


def service(name: str = "web", **spec) -> dict:
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80}]} | spec
    return {"metadata": {"name": name, "namespace": "default"}, "spec": spec}


def refusal(client: Client, kind, obj: dict) -> str:
    with pytest.raises(ApiError) as refused:
        client.create(kind, obj)
    assert refused.value.code == 422
    return refused.value.message


def changed(client: Client, name: str = "web", **spec) -> dict:
    return client.patch(SERVICES, "default", name, {"spec": spec})["spec"]


def test_no_two_services_have_one_address_or_one_node_port(client):
    door = [{"port": 80, "nodePort": 30080}]
    mine = client.create(SERVICES, service(type="NodePort", ports=door))["spec"]["clusterIP"]
    taken = refusal(client, SERVICES, service("other", clusterIP=mine))
    assert f'spec.clusterIPs: Invalid value: ["{mine}"]' in taken and "provided IP is already allocated" in taken
    taken = refusal(client, SERVICES, service("other", type="NodePort", ports=door))
    assert "spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated" in taken
    client.create(SERVICES, service("other"))
    with pytest.raises(ApiError, match="provided port is already allocated"):
        changed(client, "other", type="NodePort", ports=door)
    assert changed(client, sessionAffinity="ClientIP")["clusterIP"] == mine  # its own are no obstacle


def test_an_address_that_is_changed_in_one_place_is_refused_for_that_alone(client):
    client.create(SERVICES, service())
    with pytest.raises(ApiError) as refused:
        changed(client, clusterIP="10.96.7.7")
    words = 'spec.clusterIPs[0]: Invalid value: ["10.96.7.7"]: may not change once set'
    assert refused.value.message == f'Service "web" is invalid: {words}'


def test_a_service_that_changes_its_type_gets_what_that_type_has_and_loses_what_it_has_not(client):
    address = client.create(SERVICES, service())["spec"]["clusterIP"]
    outward = changed(client, type="LoadBalancer")
    assert outward["clusterIP"] == address and outward["ports"][0]["nodePort"] in range(30000, 32768)
    assert (outward["externalTrafficPolicy"], outward["allocateLoadBalancerNodePorts"]) == ("Cluster", True)
    inward = changed(client, type="ClusterIP")
    assert inward["clusterIP"] == address and "nodePort" not in inward["ports"][0]
    assert not {"externalTrafficPolicy", "allocateLoadBalancerNodePorts"} & inward.keys()
    alias = changed(client, type="ExternalName", externalName="example.org")
    assert not {"clusterIP", "clusterIPs", "internalTrafficPolicy", "ipFamilies"} & alias.keys()
    assert changed(client, type="ClusterIP", externalName=None)["clusterIPs"][0].startswith("10.96.")


def test_a_balancer_that_wants_no_node_ports_gets_none(client):
    made = client.create(SERVICES, service(type="LoadBalancer", allocateLoadBalancerNodePorts=False))
    assert "nodePort" not in made["spec"]["ports"][0]


def test_affinity_has_a_time_only_where_there_is_affinity(client):
    client.create(SERVICES, service(sessionAffinity="ClientIP"))
    assert (
        client.get(SERVICES, "default", "web")["spec"]["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"] == 10800
    )
    assert "sessionAffinityConfig" not in changed(client, sessionAffinity="None")


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"clusterIP": "10.96.0.9", "clusterIPs": ["10.96.0.8"]}, "first value must match `clusterIP`"),
        ({"ipFamilies": ["IPv6"]}, "only IPv4 is configured on this cluster"),
        ({"ipFamilyPolicy": "RequireDualStack"}, "this cluster is not configured for dual-stack services"),
        (
            {"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 86401}}},
            "must be greater than 0 and less than 86400",
        ),
        ({"externalTrafficPolicy": "Local"}, "may only be set for externally-accessible services"),
        ({"loadBalancerClass": "some/one"}, "spec.loadBalancerClass: Forbidden: may only be used when `type` is"),
        ({"trafficDistribution": "Nearby"}, "spec.trafficDistribution: Unsupported value"),
        ({"externalIPs": ["127.0.0.1"]}, "may not be in the loopback range"),
        ({"type": "ExternalName", "externalName": "a.b", "clusterIP": "10.96.0.9"}, "may not be set for ExternalName"),
        (
            {"type": "NodePort", "ports": [{"name": n, "port": p, "nodePort": 30001} for n, p in (("a", 1), ("b", 2))]},
            "spec.ports[1].nodePort: Duplicate value: 30001",
        ),
        ({"ports": [{"port": 80, "appProtocol": "two words"}]}, "spec.ports[0].appProtocol: Invalid value"),
    ],
)  # fmt: skip
def test_what_kubernetes_refuses_is_refused(client, spec, words):
    assert words in refusal(client, SERVICES, service(**spec))


def test_of_many_that_want_one_port_at_once_one_gets_it(api):
    together, codes = threading.Barrier(8), []

    def want(number: int) -> None:
        obj = service(f"door-{number}", type="NodePort", ports=[{"port": 80, "nodePort": 31000}])
        together.wait()
        codes.append(api.ask("POST", "/api/v1/namespaces/default/services", obj, Content_Type=JSON).code)

    threads = [threading.Thread(target=want, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == [201] + [422] * 7


def ingress(path: dict | None = None, **rule) -> dict:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    full = {"path": "/", "pathType": "Prefix", "backend": backend} | (path or {})
    spec = {"rules": [{"host": "shop.test", "http": {"paths": [full]}} | rule]}
    return {"metadata": {"name": "door", "namespace": "default"}, "spec": spec}


def of_spec(**spec) -> dict:
    whole = ingress()
    return whole | {"spec": whole["spec"] | spec}


@pytest.mark.parametrize(
    ("obj", "words"),
    [
        (ingress(host="10.0.0.1"), "must be a DNS name, not an IP address"),
        (ingress(host="*.*.test"), "a wildcard DNS-1123 subdomain must start with '*.'"),
        (
            of_spec(tls=[{"hosts": ["Shop.test"]}]),
            'spec.tls[0].hosts: Invalid value: "Shop.test": a lowercase RFC 1123',
        ),
        (of_spec(tls=[{"secretName": "a_b"}]), 'spec.tls[0].secretName: Invalid value: "a_b"'),
        (of_spec(defaultBackend={}), 'spec.defaultBackend: Invalid value: "": resource or service backend is required'),
        (ingress(http={"paths": []}), "spec.rules[0].http.paths: Required value"),
        (ingress({"path": "/a//b"}), "must not contain '//'"),
        (ingress({"path": "/a/.."}), "cannot end with '/..'"),
        (ingress({"backend": {"resource": {"kind": "Bucket", "name": "b"}}}), "the front door leads to Services only"),
        (
            ingress({"backend": {"service": {"name": "web", "port": {"name": "http", "number": 80}}}}),
            "cannot set both port name & port number",
        ),
    ],
)
def test_an_ingress_that_kubernetes_refuses_is_refused(client, obj, words):
    assert words in refusal(client, INGRESSES, obj)


def test_what_is_taken_but_not_done_is_warned_of(api):
    ports = [{"name": "web", "port": 80}, {"name": "dns", "port": 53, "protocol": "UDP"}]
    obj = service(type="NodePort", externalTrafficPolicy="Local", ports=ports)
    reply = api.ask("POST", "/api/v1/namespaces/default/services", obj, Content_Type=JSON)
    assert reply.code == 201
    assert "spec.ports[1].protocol: UDP is not forwarded here: only TCP is" in reply.headers["warning"]
    assert "Local" in reply.headers["warning"]
    reply = api.ask("POST", "/api/v1/namespaces/default/services", service("plain"), Content_Type=JSON)
    assert reply.code == 201 and "warning" not in reply.headers
