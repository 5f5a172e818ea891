"""Which Leases a kubelet writes: one for each of a few nodes, one for all of many, none for a node that is silent."""

import pytest

from lab.apimachinery.kinds import LEASES, NODES
from lab.apimachinery.leases import LEASE_NAMESPACE, RENEWED_WITH, renew_time, renewed_with
from lab.client import Client
from lab.client.clusters import ensure_cluster
from lab.kubelet.heartbeats import TOGETHER_FROM, renewals
from lab.kubelet.nodes import POWER, NodeRecord
from tests.labs import wait_until

from .world import NODE

KUBELET = "kubelet-simulated"


class Api:
    """The Leases as they would be stored."""

    def __init__(self, nodes: int):
        self.leases: dict[str, dict] = {}
        self.records = [self._record(f"n{number}") for number in range(nodes)]

    def _record(self, name: str) -> NodeRecord:
        return NodeRecord("c", {"metadata": {"name": name, "uid": f"uid-{name}", "annotations": {}}})

    def power(self, name: str, state: str) -> None:
        record = next(record for record in self.records if record.name == name)
        record.node["metadata"]["annotations"][POWER] = state

    def renew(self) -> list[str]:
        """One round; the names of the Leases that were written, in order."""
        written = renewals(KUBELET, self.records, self.leases.get, 8)
        self.leases |= {lease["metadata"]["name"]: lease for lease in written}
        return [lease["metadata"]["name"] for lease in written]

    def renewed(self, name: str) -> str | None:
        return renew_time(self.leases[name], self.leases.get)


def test_a_few_nodes_are_renewed_one_by_one_as_in_kubernetes():
    api = Api(3)
    assert api.renew() == api.renew() == ["n0", "n1", "n2"]
    lease = api.leases["n1"]
    assert lease["metadata"]["namespace"] == "kube-node-lease"
    assert lease["metadata"]["ownerReferences"] == [{"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": "uid-n1"}]
    assert (lease["spec"]["holderIdentity"], lease["spec"]["leaseDurationSeconds"]) == ("n1", 8)


def test_many_nodes_join_one_lease_and_from_then_on_only_that_is_written():
    api = Api(TOGETHER_FROM)
    assert api.renew() == [*(record.name for record in api.records), KUBELET]
    before = api.renewed("n7")
    assert api.renew() == [KUBELET]
    assert renewed_with(api.leases["n7"]) == KUBELET
    assert before < api.renewed("n7") == api.leases[KUBELET]["spec"]["renewTime"]


def test_a_node_that_falls_silent_leaves_before_the_joint_lease_is_renewed_without_it():
    api = Api(TOGETHER_FROM + 1)
    api.renew()
    last = api.renewed("n7")
    api.power("n7", "off")
    assert api.renew() == ["n7", KUBELET]
    assert api.renewed("n7") == last
    assert api.renew() == [KUBELET]
    assert api.renewed("n7") == last < api.renewed("n8")


def test_a_node_that_is_on_again_joins_again():
    api = Api(TOGETHER_FROM + 1)
    api.power("n7", "off")
    api.renew()
    assert "n7" not in api.leases
    api.power("n7", "on")
    assert api.renew() == ["n7", KUBELET]
    assert api.renewed("n7") == api.leases[KUBELET]["spec"]["renewTime"]


def test_those_who_have_become_few_stand_alone_again():
    api = Api(TOGETHER_FROM)
    api.renew()
    api.records = api.records[:3]
    assert api.renew() == ["n0", "n1", "n2"]
    assert not renewed_with(api.leases["n1"])
    assert RENEWED_WITH not in api.leases["n1"]["metadata"]["annotations"]


def test_a_lease_whose_joint_one_was_deleted_counts_by_itself():
    api = Api(TOGETHER_FROM)
    api.renew()
    del api.leases[KUBELET]
    assert api.renewed("n1") == api.leases["n1"]["spec"]["renewTime"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("understood", [True, False])
def test_an_odd_lease_of_somebodys_stops_no_heartbeat_of_others(world, monkeypatch, understood):
    """Without its heart a kubelet loses its hold, and so would each that came in its place."""
    ensure_cluster("odd")
    client, joined = Client("odd", "kubectl"), {"namespace": LEASE_NAMESPACE, "annotations": {RENEWED_WITH: "x"}}
    client.create(NODES, {"metadata": {**NODE["metadata"], "name": "odd", "annotations": {POWER: "off"}}})
    assert client.create(LEASES, {"metadata": {"name": "odd", **joined}})["spec"] == {}
    if not understood:
        monkeypatch.setattr("lab.kubelet.nodeagent.renewals", _unless_odd)
    agent = world.start()
    wait_until("the odd cluster to be read", lambda: agent.desired.has_read("odd"), 20)
    for _ in range(2):
        world.hear_heartbeats()
    assert not agent.stopped


def _unless_odd(kubelet: str, records, *about) -> list[dict]:
    records = list(records)
    assert all(record.cluster != "odd" for record in records)
    return renewals(kubelet, records, *about)
