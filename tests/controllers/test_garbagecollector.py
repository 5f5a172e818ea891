"""What is owned goes when its last owner goes; in which of three ways was asked for when the owner was deleted."""

import pytest

from lab.apimachinery.kinds import CONFIGMAPS, DEPLOYMENTS, LEASES, NODES, PODS, REPLICASETS, SECRETS
from lab.apimachinery.meta import is_deleting, owner_reference
from lab.controllers.garbagecollector import GarbageCollector
from lab.controllers.owners import index_of
from tests.loops import run_until_quiet

from .cluster import Cluster

pytestmark = pytest.mark.django_db


def make(cluster: Cluster, name: str, *owners: dict, block: bool = True, **meta) -> dict:
    refs = [{**owner_reference(owner, controller=False), "blockOwnerDeletion": block} for owner in owners]
    full = {"name": name, "namespace": "default", "ownerReferences": refs, **meta}
    return cluster.client.create(CONFIGMAPS, {"metadata": full})


def collect(cluster: Cluster) -> None:
    run_until_quiet(cluster.name, [GarbageCollector()])


def left(cluster: Cluster) -> list[str]:
    return sorted(obj["metadata"]["name"] for obj in cluster.client.list(CONFIGMAPS))


def delete(cluster: Cluster, name: str, policy: str) -> bool:
    return cluster.client.delete(CONFIGMAPS, "default", name, propagation=policy)


def test_deleting_a_deployment_takes_its_replica_sets_and_pods_along(cluster):
    cluster.deploy(3)
    cluster.run_all()
    cluster.client.delete(DEPLOYMENTS, "default", "web")
    cluster.settle()
    assert cluster.replica_sets() == [] and cluster.pods() == []


def test_background_lets_the_owner_go_first(cluster):
    child = make(cluster, "child", make(cluster, "owner"))
    make(cluster, "grandchild", child)
    assert delete(cluster, "owner", "Background")
    assert left(cluster) == ["child", "grandchild"]
    collect(cluster)
    assert left(cluster) == []


def test_foreground_keeps_the_owner_until_its_dependents_are_gone(cluster):
    owner = make(cluster, "owner")
    held = make(cluster, "held", owner, finalizers=["example.com/wait"])
    make(cluster, "free", owner, block=False)
    collect(cluster)
    assert not delete(cluster, "owner", "Foreground")
    collect(cluster)
    assert left(cluster) == ["held", "owner"], "all of them go, and those that block are waited for"
    assert is_deleting(cluster.client.get(CONFIGMAPS, "default", "held"))
    waiting = cluster.client.get(CONFIGMAPS, "default", held["metadata"]["name"])
    done = {key: value for key, value in waiting["metadata"].items() if key != "finalizers"}
    cluster.client.update(CONFIGMAPS, {**waiting, "metadata": done})
    collect(cluster)
    assert left(cluster) == []


def test_foreground_of_a_deployment_ends_with_the_deployment(cluster):
    cluster.add_node("n1")
    cluster.deploy(2)
    cluster.settle()
    cluster.bind("n1")
    cluster.run_all()
    cluster.client.delete(DEPLOYMENTS, "default", "web", propagation="Foreground")
    cluster.settle()
    assert len(cluster.pods()) == 2 and all(map(is_deleting, cluster.pods()))
    assert is_deleting(cluster.deployment())
    cluster.end(cluster.pods())
    cluster.settle()
    assert [cluster.client.list(kind) for kind in (DEPLOYMENTS, REPLICASETS, PODS)] == [[], [], []]


def test_orphan_makes_the_dependents_forget_their_owner(cluster):
    make(cluster, "child", make(cluster, "owner"))
    assert not delete(cluster, "owner", "Orphan")
    collect(cluster)
    assert left(cluster) == ["child"]
    assert "ownerReferences" not in cluster.client.get(CONFIGMAPS, "default", "child")["metadata"]


def test_what_has_another_owner_stays_and_forgets_the_one_that_is_gone(cluster):
    one, two = make(cluster, "one"), make(cluster, "two")
    make(cluster, "child", one, two)
    delete(cluster, "one", "Background")
    collect(cluster)
    child = cluster.client.get(CONFIGMAPS, "default", "child")
    assert [ref["name"] for ref in child["metadata"]["ownerReferences"]] == ["two"]


@pytest.mark.parametrize("policy", ["Background", "Foreground"])
def test_a_circle_of_owners_does_not_hold_itself(cluster, policy):
    one = make(cluster, "one")
    two = make(cluster, "two", one)
    refs = [owner_reference(two, controller=False)]
    cluster.client.patch(CONFIGMAPS, "default", "one", {"metadata": {"ownerReferences": refs}})
    collect(cluster)
    assert left(cluster) == ["one", "two"]
    delete(cluster, "one", policy)
    collect(cluster)
    assert left(cluster) == []


def test_what_is_made_for_an_owner_that_is_already_gone_is_collected(cluster):
    owner = make(cluster, "owner")
    delete(cluster, "owner", "Background")
    collect(cluster)
    make(cluster, "late", owner)
    collect(cluster)
    assert left(cluster) == []


def test_an_owner_of_the_same_name_but_another_uid_is_not_the_owner(cluster):
    owner = make(cluster, "owner")
    make(cluster, "child", owner)
    delete(cluster, "owner", "Background")
    make(cluster, "owner")
    collect(cluster)
    assert left(cluster) == ["owner"]


def test_an_owner_in_another_namespace_is_none(cluster):
    meta = {"name": "far", "namespace": "kube-system"}
    far = cluster.client.create(SECRETS, {"metadata": meta})
    make(cluster, "child", far)
    collect(cluster)
    assert left(cluster) == []


def test_an_owner_of_a_kind_that_is_not_served_here_keeps_what_it_owns(cluster):
    """Nobody can tell whether it is gone: what somebody's operator owns must not vanish as soon as it is applied."""
    ref = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "web", "uid": "5a0c"}
    meta = {"name": "child", "namespace": "default", "ownerReferences": [ref]}
    cluster.client.create(CONFIGMAPS, {"metadata": meta})
    collect(cluster)
    assert left(cluster) == ["child"]


def test_what_is_in_no_namespace_is_not_collected_for_an_owner_in_one(cluster):
    owner = make(cluster, "owner")
    refs = [owner_reference(owner, controller=False)]
    cluster.client.create(NODES, {"metadata": {"name": "n1", "ownerReferences": refs}})
    delete(cluster, "owner", "Background")
    collect(cluster)
    assert cluster.client.find(NODES, "", "n1")


def test_a_lease_that_a_kubelet_renews_once_more_after_its_node_was_removed_goes_too(cluster):
    node = cluster.add_node("n1")
    cluster.client.delete(NODES, "", "n1")
    collect(cluster)
    meta = {"name": "n1", "namespace": "kube-node-lease", "ownerReferences": [owner_reference(node, controller=False)]}
    cluster.client.create(LEASES, {"metadata": meta, "spec": {"holderIdentity": "n1"}})
    collect(cluster)
    assert cluster.client.list(LEASES) == []


def test_a_collector_that_starts_late_finds_what_was_left(cluster):
    """All events were missed: it looks at everything there is."""
    owner = make(cluster, "owner")
    make(cluster, "child", owner)
    delete(cluster, "owner", "Background")
    late = GarbageCollector()
    assert set(late.all_keys(cluster.client)) == {cluster.client.get(CONFIGMAPS, "default", "child")["metadata"]["uid"]}
    collect(cluster)
    assert left(cluster) == []


def test_the_index_of_owners_follows_the_log(cluster):
    owner = make(cluster, "owner")
    uid = owner["metadata"]["uid"]
    assert index_of(cluster.client.view()).dependents(uid) == []
    make(cluster, "child", owner)
    assert index_of(cluster.client.view()).dependents(uid) == [("configmaps", "default", "child")]
    assert index_of(cluster.client.view()).place(uid) == ("configmaps", "default", "owner")
    cluster.client.patch(CONFIGMAPS, "default", "child", {"metadata": {"ownerReferences": None}})
    assert index_of(cluster.client.view()).dependents(uid) == []
    delete(cluster, "owner", "Background")
    assert index_of(cluster.client.view()).place(uid) is None
