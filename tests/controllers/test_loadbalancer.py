"""Where Services and Ingresses say that they can be reached from outside."""

from lab.apimachinery.kinds import INGRESSES, SERVICES
from lab.controllers.loadbalancer import LoadBalancerController

from .cluster import Cluster

LOOP = LoadBalancerController()


def service(cluster: Cluster, name: str, **spec) -> None:
    spec = {"ports": [{"port": 80}], "type": "LoadBalancer"} | spec
    cluster.client.create(SERVICES, {"metadata": {"name": name, "namespace": "default"}, "spec": spec})


def balancer(cluster: Cluster, name: str, kind=SERVICES) -> dict:
    cluster.settle(LOOP)
    return cluster.client.get(kind, "default", name)["status"]["loadBalancer"]


def test_a_balancer_has_a_name_at_the_front_door_for_as_long_as_it_is_one(cluster):
    service(cluster, "shop")
    assert balancer(cluster, "shop") == {"ingress": [{"hostname": f"shop.default.{cluster.name}.localhost"}]}
    assert cluster.events("EnsuredLoadBalancer") == ["Ensured load balancer"]
    [row] = cluster.client.history(SERVICES, "default", "shop", decided=True)
    assert row["why"] == {"decision": "EnsureLoadBalancer", "hosts": [f"shop.default.{cluster.name}.localhost"]}
    cluster.client.patch(SERVICES, "default", "shop", {"spec": {"type": "ClusterIP"}})
    assert balancer(cluster, "shop") == {}


def test_others_have_none(cluster):
    service(cluster, "inside", type="ClusterIP")
    service(cluster, "cloud", loadBalancerClass="cloud.example/nlb")
    assert balancer(cluster, "inside") == balancer(cluster, "cloud") == {}
    theirs = {"ingress": [{"ip": "192.0.2.7"}]}
    cluster.client.patch(SERVICES, "default", "cloud", {"status": {"loadBalancer": theirs}}, subresource="status")
    assert balancer(cluster, "cloud") == theirs


def test_an_ingress_is_reached_at_the_clusters_name(cluster):
    backend = {"service": {"name": "shop", "port": {"number": 80}}}
    about = {"name": "door", "namespace": "default"}
    cluster.client.create(INGRESSES, {"metadata": about, "spec": {"defaultBackend": backend}})
    assert balancer(cluster, "door", INGRESSES) == {"ingress": [{"hostname": f"{cluster.name}.localhost"}]}
