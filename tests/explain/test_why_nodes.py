"""Why a node is silent, kept off, cannot be drained, and what became of its pods: by the rows that say so."""

from contextlib import suppress

import pytest
from django.conf import settings

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import LEASES, NODEPOOLS, NODES, PODDISRUPTIONBUDGETS, PODS
from lab.apimachinery.meta import micro_now
from lab.client import Client, Put
from lab.controllers.nodelifecycle import NODES_KEY, NodeLifecycleController
from lab.controllers.poddisruptionbudget import DisruptionController
from lab.controllers.stopwatch import Stopwatch
from lab.controllers.tainteviction import TaintEvictionController
from tests.controllers.cluster import Cluster
from tests.controllers.test_nodes import Clock, a_running_pod, beat

from .asking import asked, first

pytestmark = pytest.mark.django_db
UNREACHABLE = "node.kubernetes.io/unreachable"


@pytest.fixture
def nodes(db) -> Cluster:
    cluster = Cluster("nodes")
    for name in ("n1", "n2"):
        cluster.add_node(name)
        spec = {"holderIdentity": name, "renewTime": micro_now()}
        cluster.client.create(LEASES, {"metadata": {"name": name, "namespace": "kube-node-lease"}, "spec": spec})
    return cluster


def by_reason(client: Client, name: str, reason: str) -> dict:
    return next(card for card in asked(client, NODES, name) if card["reason"] == reason)


def revision_of(client: Client, kind, name: str, decision: str) -> int:
    namespace = "default" if kind.namespaced else ""
    rows = client.history(kind, namespace, name, decided=True)
    return next(row["revision"] for row in rows if row["why"]["decision"] == decision)


def test_a_node_that_is_well_says_so_and_who_made_it(nodes):
    cards = asked(nodes.client, NODES, "n1")
    assert [card["reason"] for card in cards] == ["Ready", "Created"]
    assert cards[0]["because"][0]["name"] == "condition Ready"


def test_silence_is_told_with_the_hand_on_the_switch_the_taints_and_the_pods_that_had_to_leave(nodes):
    clock = Clock()
    lifecycle, eviction = NodeLifecycleController(Stopwatch(clock)), TaintEvictionController(Stopwatch(clock))
    a_running_pod(nodes, "web", "n1")
    off = nodes.client.patch(NODES, "", "n1", {"metadata": {"annotations": {"orrery.io/power": "off"}}})
    controller = Client(nodes.name, lifecycle.author)
    lifecycle.sync(controller, NODES_KEY)
    clock.now += settings.CLOCK["node_grace"]
    beat(nodes, "n2")
    lifecycle.sync(controller, NODES_KEY)
    nodes.settle(eviction)
    card = first(nodes.client, NODES, "n1")
    assert (card["question"], card["reason"]) == ("Why is it not ready?", "NodeStatusUnknown")
    assert card["answer"].endswith("so nobody knows whether its pods still run. tester switched it off.")
    rows = {one["name"]: one["revision"] for one in card["because"]}
    assert rows["annotation orrery.io/power"] == int(off["metadata"]["resourceVersion"])
    assert rows["condition Ready"] == revision_of(nodes.client, NODES, "n1", "NodeStatusUnknown")
    assert rows[f"taint {UNREACHABLE}:NoExecute"] == revision_of(nodes.client, NODES, "n1", "TaintNode")
    assert card["help"]["command"] == "kubectl annotate node n1 orrery.io/power-"
    clock.now += settings.CLOCK["default_toleration"]
    eviction.sync(Client(nodes.name, eviction.author), "n1")
    card = by_reason(nodes.client, "n1", "TaintEviction")
    assert card["answer"].startswith(f"1 pod had to leave (web): it had the taint {UNREACHABLE}:NoExecute")
    assert card["because"][0]["revision"] == revision_of(nodes.client, PODS, "web", "DeletionByTaintManager")
    leaving = first(nodes.client, PODS, "web")
    assert "It began with a fault: node n1 fell silent." in leaving["answer"]
    assert "Node n1 is silent, so nobody can say whether its containers have ended" in leaving["answer"]
    assert leaving["help"]["command"].endswith("node.kubernetes.io/out-of-service=nodeshutdown:NoExecute")


def test_a_budget_that_holds_a_pod_is_what_blocks_the_drain(nodes):
    pod = a_running_pod(nodes, "web", "n1")
    pod = nodes.client.patch(PODS, "default", "web", {"metadata": {"labels": {"app": "web"}}})
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}
    nodes.client.create(PODDISRUPTIONBUDGETS, {"metadata": {"name": "web", "namespace": "default"}, "spec": spec})
    nodes.settle(DisruptionController())
    nodes.client.patch(NODES, "", "n1", {"spec": {"unschedulable": True}})
    with suppress(ApiError):
        nodes.client.evict(pod, "n1")
    card = first(nodes.client, NODES, "n1")
    assert (card["question"], card["reason"]) == ("Why is its drain blocked?", "DisruptionBudget")
    assert card["answer"] == (
        "Pod web has to stay for now. The disruption budget web needs 1 healthy pods and has 1 currently."
    )
    row = revision_of(nodes.client, PODDISRUPTIONBUDGETS, "web", "RefuseEviction")
    assert [(one["name"], one["revision"]) for one in card["because"]] == [("PodDisruptionBudget web", row)]
    assert "DisruptionBudget" not in {card["reason"] for card in asked(nodes.client, NODES, "n2")}


def test_who_cordoned_it_and_who_tainted_it(nodes):
    cordoned = nodes.client.patch(NODES, "", "n1", {"spec": {"unschedulable": True}})
    taints = [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]
    tainted = nodes.client.patch(NODES, "", "n1", {"spec": {"taints": taints}})
    card = first(nodes.client, NODES, "n1")
    assert (card["question"], card["reason"]) == ("Why does nothing new come to it?", "Cordoned")
    assert card["answer"].startswith("tester cordoned it ")
    assert [one["revision"] for one in card["because"]] == [int(cordoned["metadata"]["resourceVersion"])]
    assert card["help"]["command"] == "kubectl uncordon n1"
    card = by_reason(nodes.client, "n1", "Tainted")
    assert card["answer"] == "It has the taint gpu=yes:NoSchedule: only pods that tolerate it may come."
    assert [one["revision"] for one in card["because"]] == [int(tainted["metadata"]["resourceVersion"])]
    assert card["help"]["command"] == "kubectl taint node n1 gpu:NoSchedule-"


@pytest.mark.parametrize(
    ("why", "answer"),
    [
        ({"decision": "BuyNode", "bought": "n1", "pool": "small", "size": "2 cpu", "for": ["default/web"]},
         "It bought it for 1 pod (web) that had no room."),
        ({"decision": "FindNodeIdle", "idle": "n1", "utilization": 0.12, "moves": {}},
         "It could do without it: 12 % of it is asked for, and no pod needs it. It is sold if that stays so."),
        ({"decision": "KeepNode", "needed": "web would find no room elsewhere"},
         "It wanted to sell it, and keeps it: web would find no room elsewhere."),
        ({"decision": "SellNode", "sold": "n1", "utilization": 0.1, "moves": {"default/web": "n2"}, "idleSeconds": 60},
         "It sells it, after 60 s in which nobody needed it: 10 % of it was asked for, and its 1 pod (web) would find"
         " room elsewhere."),
    ],
)  # fmt: skip
def test_what_the_cluster_autoscaler_decided_of_it(nodes, why, answer):
    node = nodes.client.get(NODES, "", "n1")
    autoscaler = Client(nodes.name, "cluster-autoscaler")
    autoscaler.write([Put(NODES, {**node, "metadata": {**node["metadata"], "labels": {"seen": "yes"}}}, why=why)])
    card = by_reason(nodes.client, "n1", why["decision"])
    assert card["answer"] == answer
    assert [one["revision"] for one in card["because"]] == [revision_of(nodes.client, NODES, "n1", why["decision"])]


def test_a_pod_that_a_full_pool_buys_nothing_for_says_so(nodes):
    spec = {"capacity": {"cpu": "8", "memory": "8Gi"}, "minNodes": 0, "maxNodes": 2}
    nodes.client.create(NODEPOOLS, {"metadata": {"name": "small"}, "spec": spec})
    meta = {"name": "great", "namespace": "default"}
    made = nodes.client.create(PODS, {"metadata": meta, "spec": {"containers": [{"name": "web", "image": "web"}]}})
    verdict = {"decision": "Unschedulable", "chosen": None, "evaluated": 2, "feasible": 0, "nodes": []}
    status = {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "none"}]}
    counts = {"Insufficient cpu": 2}
    scheduler = Client(nodes.name, "scheduler")
    scheduler.write([Put(PODS, {**made, "status": status}, "status", {**verdict, "counts": counts})])
    pool = nodes.client.get(NODEPOOLS, "", "small")
    refused = {"default/great": {"max node group size reached": 1}}
    autoscaler = Client(nodes.name, "cluster-autoscaler")
    told = {**pool, "status": {"nodes": 2, "message": "no new node helps 1 waiting pod"}}
    autoscaler.write([Put(NODEPOOLS, told, "status", {"decision": "BuyNothing", "refused": refused})])
    card = first(nodes.client, PODS, "great")
    assert card["answer"] == "None of 2 nodes takes it: 2 have too little CPU free."
    assert (card["because"][-1]["name"], card["because"][-1]["text"]) == (
        "nodepool small", "buys no node for it: max node group size reached",
    )  # fmt: skip
    assert card["help"]["command"].endswith('"maxNodes":3}}\'')


def test_a_node_that_is_gone_says_who_removed_it(nodes):
    nodes.client.delete(NODES, "", "n1")
    card = first(nodes.client, NODES, "n1")
    assert (card["question"], card["reason"], card["answer"]) == (
        "Why is it gone?", "Deleted", "tester deleted it.",
    )  # fmt: skip
