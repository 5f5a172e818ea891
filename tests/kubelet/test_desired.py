"""What should be, read from the log of each cluster, where a look fails in its middle."""

import pytest
from django.db import OperationalError

from lab.apimachinery.kinds import NODES, PODS
from lab.client import Client
from lab.client.clusters import ensure_cluster
from lab.kubelet.agent import Agent

from .world import NODE

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_pods_of_a_new_node_are_read_though_the_first_try_failed_and_another_cluster_came_between(world, tmp_path):
    """They were there before their node: it has come from another engine, or was made anew."""
    ensure_cluster("other")
    spec = {"nodeName": "node-b", "containers": [{"name": "web", "image": "orrery/hello:v1"}]}
    pod = world.client.create(PODS, {"metadata": {"name": "early", "namespace": "default"}, "spec": spec})
    desired = Agent(world.runtime, tmp_path).desired
    clients = {cluster: Client(cluster, "kubelet") for cluster in ("world", "other")}
    for cluster, client in clients.items():
        desired.catch_up(cluster, client)
    world.client.create(NODES, {**NODE, "metadata": {**NODE["metadata"], "name": "node-b"}})

    class Away(Client):
        def list(self, *about, **more):
            raise OperationalError("the database is away")

    with pytest.raises(OperationalError):
        desired.catch_up("world", Away("world", "kubelet"))
    for cluster in ("other", "world"):
        desired.catch_up(cluster, clients[cluster])
    assert desired._parts.pods.get(pod["metadata"]["uid"])
