"""Every namespace has its ServiceAccount `default`."""

import pytest

from lab.apimachinery.kinds import CLUSTERROLES, NAMESPACES, SERVICEACCOUNTS
from lab.client.clusters import ensure_cluster
from lab.controllers.furnishing import ServiceAccountController
from lab.controllers.namespace import NamespaceController

pytestmark = pytest.mark.django_db
LOOPS = (ServiceAccountController(), NamespaceController())


def homes(cluster) -> set[str]:
    found = cluster.client.list(SERVICEACCOUNTS)
    assert {account["metadata"]["name"] for account in found} <= {"default"}
    return {account["metadata"]["namespace"] for account in found}


def test_each_namespace_is_given_one_at_once(cluster):
    cluster.settle(*LOOPS)
    first = {"default", "kube-system", "kube-public", "kube-node-lease"}
    assert homes(cluster) == first
    cluster.client.create(NAMESPACES, {"metadata": {"name": "shop"}})
    cluster.settle(*LOOPS)
    assert homes(cluster) == first | {"shop"}


def test_one_that_was_deleted_is_made_anew_but_not_in_a_namespace_on_its_way_out(cluster):
    cluster.client.create(NAMESPACES, {"metadata": {"name": "shop"}})
    cluster.settle(*LOOPS)
    before = cluster.client.get(SERVICEACCOUNTS, "shop", "default")["metadata"]["uid"]
    cluster.client.delete(SERVICEACCOUNTS, "shop", "default")
    cluster.settle(*LOOPS)
    assert cluster.client.get(SERVICEACCOUNTS, "shop", "default")["metadata"]["uid"] != before
    cluster.client.delete(NAMESPACES, "", "shop")
    cluster.settle(*LOOPS)
    assert cluster.client.find(NAMESPACES, "", "shop") is None
    assert "shop" not in homes(cluster)


def test_a_cluster_that_is_older_than_its_roles_is_given_them(cluster):
    assert {role["metadata"]["name"] for role in cluster.client.list(CLUSTERROLES)} >= {"cluster-admin", "view"}
    cluster.client.delete(CLUSTERROLES, "", "view")
    revision = cluster.revisions()
    ensure_cluster(cluster.name)
    assert cluster.client.find(CLUSTERROLES, "", "view")
    assert cluster.revisions() == revision + 1
    ensure_cluster(cluster.name)
    assert cluster.revisions() == revision + 1
