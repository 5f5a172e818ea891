"""What leads pods to the API: its certificate in every namespace, and its own Service."""

import pytest
from django.conf import settings

from lab.apimachinery.kinds import CONFIGMAPS, ENDPOINTS, ENDPOINTSLICES, NAMESPACES, NODES, SERVICES
from lab.apimachinery.services import API_SERVER
from lab.client.clusters import ROOT_CA
from lab.controllers.endpoints.controller import EndpointSliceController
from lab.controllers.furnishing import RootCAPublisher
from lab.controllers.kubernetesservice import KubernetesServiceController
from lab.controllers.namespace import NamespaceController

pytestmark = pytest.mark.django_db
CERTIFICATES = (RootCAPublisher(), NamespaceController())
SERVICE = (KubernetesServiceController(), EndpointSliceController())


def say(cluster, name: str, where: str) -> None:
    cluster.client.create(NODES, {"metadata": {"name": name, "annotations": {API_SERVER: where}}})


def ends(cluster) -> tuple:
    """(addresses and ports of the Endpoints, those of the slice)."""
    endpoints = cluster.client.get(ENDPOINTS, "default", "kubernetes")
    one = cluster.client.get(ENDPOINTSLICES, "default", "kubernetes")
    old = [
        (a["ip"], port["port"]) for s in endpoints.get("subsets") or () for a in s["addresses"] for port in s["ports"]
    ]
    new = [(address, port["port"]) for e in one["endpoints"] for address in e["addresses"] for port in one["ports"]]
    return old, new


def test_each_namespace_has_the_authoritys_certificate_and_gets_it_back(cluster):
    cluster.client.create(NAMESPACES, {"metadata": {"name": "shop"}})
    cluster.settle(*CERTIFICATES)
    wanted = {"ca.crt": (settings.PKI_DIR / "ca.crt").read_text()}
    for namespace in ("default", "kube-system", "kube-public", "kube-node-lease", "shop"):
        assert cluster.client.get(CONFIGMAPS, namespace, ROOT_CA)["data"] == wanted
    cluster.client.delete(CONFIGMAPS, "shop", ROOT_CA)
    cluster.client.patch(CONFIGMAPS, "default", ROOT_CA, {"data": {"ca.crt": "another", "more": "x"}})
    cluster.settle(*CERTIFICATES)
    assert cluster.client.get(CONFIGMAPS, "shop", ROOT_CA)["data"] == wanted
    assert cluster.client.get(CONFIGMAPS, "default", ROOT_CA)["data"] == wanted
    cluster.client.delete(NAMESPACES, "", "shop")
    cluster.settle(*CERTIFICATES)
    assert cluster.client.find(NAMESPACES, "", "shop") is None


def test_the_api_has_its_service_with_the_first_address_and_gets_it_back(cluster):
    say(cluster, "a", "10.64.0.1:6443")
    cluster.settle(*SERVICE)
    made = cluster.client.get(SERVICES, "default", "kubernetes")
    assert made["spec"]["clusterIP"] == "10.96.0.1" and made["metadata"]["labels"]["component"] == "apiserver"
    (port,) = made["spec"]["ports"]
    assert (port["name"], port["port"], port["targetPort"]) == ("https", 443, 6443)
    assert ends(cluster) == ([("10.64.0.1", 6443)],) * 2
    revision = cluster.revisions()
    cluster.settle(*SERVICE)
    assert cluster.revisions() == revision
    for kind in (SERVICES, ENDPOINTS, ENDPOINTSLICES):
        cluster.client.delete(kind, "default", "kubernetes")
        cluster.settle(*SERVICE)
        assert cluster.client.get(SERVICES, "default", "kubernetes")["spec"]["clusterIP"] == "10.96.0.1"
        assert ends(cluster) == ([("10.64.0.1", 6443)],) * 2


def test_the_endpoints_follow_the_api_and_keep_to_networks_where_there_are_any(cluster):
    say(cluster, "local", "127.0.0.1:8090")
    say(cluster, "nonsense", "somewhere")
    cluster.settle(*SERVICE)
    assert ends(cluster) == ([("127.0.0.1", 8090)],) * 2
    cluster.client.patch(NODES, "", "local", {"metadata": {"annotations": {API_SERVER: "127.0.0.1:9000"}}})
    cluster.settle(*SERVICE)
    assert ends(cluster) == ([("127.0.0.1", 9000)],) * 2
    say(cluster, "docker", "10.64.0.1:6443")
    cluster.settle(*SERVICE)
    assert ends(cluster) == ([("10.64.0.1", 6443)],) * 2
    cluster.client.delete(NODES, "", "docker")
    cluster.settle(*SERVICE)
    assert ends(cluster) == ([("127.0.0.1", 9000)],) * 2
