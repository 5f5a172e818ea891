"""What might make a card say something that is not so: a past that is forgotten, a name used twice, a fault that is
over, two faults at once."""

import pytest

from lab.apimachinery.kinds import CONFIGMAPS, DEPLOYMENTS, NODES, PODDISRUPTIONBUDGETS, PODS, RESOURCEQUOTAS
from lab.controllers.poddisruptionbudget import DisruptionController
from lab.explain import thread
from lab.scheduler import SCHEDULER
from lab.store import compact
from tests.controllers.cluster import WORKLOADS, Cluster

from .asking import asked, first

pytestmark = pytest.mark.django_db


@pytest.fixture
def web():
    cluster = Cluster("doubts")
    cluster.add_node("n1")
    return cluster


def a_pod(cluster: Cluster, name: str, **spec) -> dict:
    spec = {"containers": [{"name": "main", "image": "web:1"}], **spec}
    return cluster.client.create(PODS, {"metadata": {"name": name, "namespace": "default"}, "spec": spec})


def test_a_decision_that_is_forgotten_is_not_taken_for_one_that_was_never_made(web):
    a_pod(web, "picky", nodeSelector={"disk": "ssd"})
    web.settle(SCHEDULER)
    assert first(web.client, PODS, "picky")["verdicts"]
    picky = web.client.get(PODS, "default", "picky")
    web.client.update_status(PODS, {**picky, "status": {**picky["status"], "qosClass": "Burstable"}})
    web.add_node("n2")
    compact(web.name, keep=1)
    card = first(web.client, PODS, "picky")
    assert (card["reason"], card["because"], card["help"]) == ("Unschedulable", [], None)
    assert "no longer kept" in card["answer"] and "0/1 nodes are available" in card["answer"]


def test_a_name_that_is_used_again_does_not_inherit_the_former_ones_fate(web):
    a_pod(web, "web", nodeSelector={"disk": "ssd"})
    web.settle(SCHEDULER)
    web.client.delete(PODS, "default", "web", grace_seconds=0)
    assert first(web.client, PODS, "web")["question"] == "Why is it gone?"
    made = a_pod(web, "web")
    cards = asked(web.client, PODS, "web")
    assert cards[0]["reason"] == "Pending"
    begun = int(made["metadata"]["resourceVersion"])
    assert min(ground["revision"] for card in cards for ground in card["because"]) == begun


def test_a_drain_that_was_given_up_is_not_blocked_any_more(web):
    web.deploy(1)
    web.settle()
    web.bind("n1")
    web.run_all()
    budget = {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}
    web.client.create(PODDISRUPTIONBUDGETS, {"metadata": {"name": "web", "namespace": "default"}, "spec": budget})
    web.settle(*WORKLOADS, DisruptionController())
    web.client.patch(NODES, "", "n1", {"spec": {"unschedulable": True}})
    assert not web.client.evict(web.pods()[0])
    assert first(web.client, NODES, "n1")["reason"] == "DisruptionBudget"
    web.client.patch(NODES, "", "n1", {"spec": {"unschedulable": None}})
    assert "DisruptionBudget" not in [card["reason"] for card in asked(web.client, NODES, "n1")]


def test_a_quota_that_was_raised_is_not_blamed_in_the_present(web):
    quota = {"metadata": {"name": "few", "namespace": "default"}, "spec": {"hard": {"pods": "1"}}}
    web.client.create(RESOURCEQUOTAS, quota)
    web.deploy(2)
    web.settle()
    assert "allows pods=1" in first(web.client, DEPLOYMENTS, "web")["answer"]
    raised = web.client.patch(RESOURCEQUOTAS, "default", "few", {"spec": {"hard": {"pods": "5"}}})
    card = first(web.client, DEPLOYMENTS, "web")
    assert "did not take its pods: quota few" in card["answer"] and "tester has changed it since" in card["answer"]
    assert card["because"][-1]["revision"] == int(raised["metadata"]["resourceVersion"])


def test_of_two_faults_at_once_neither_hides_the_other(web):
    a_pod(web, "picky", nodeSelector={"disk": "ssd"})
    web.client.patch(NODES, "", "n1", {"spec": {"taints": [{"key": "team", "effect": "NoSchedule"}]}})
    web.add_node("n2", unschedulable=True)
    web.settle(SCHEDULER)
    card = first(web.client, PODS, "picky")
    assert "taint team" in card["answer"] and "is cordoned" in card["answer"]
    commands = (card["help"] or {}).get("command", "")
    assert not commands.startswith(("kubectl uncordon", "kubectl taint"))  # neither would help: it wants an SSD


def test_what_another_namespace_keeps_is_not_told_beside_a_pod(web):
    made = {"metadata": {"name": "settings", "namespace": "kube-system"}, "data": {"word": "open"}}
    web.client.create(CONFIGMAPS, made)
    a_pod(web, "web")
    changed = web.client.patch(CONFIGMAPS, "kube-system", "settings", {"data": {"word": "sesame"}})
    web.client.caused_by(int(changed["metadata"]["resourceVersion"])).delete(PODS, "default", "web", grace_seconds=0)
    cards = asked(web.client, PODS, "web")
    its_thread = thread.of_object(web.client, PODS, "default", "web")
    assert "changed configmap settings" in cards[0]["answer"]
    assert "changed configmap settings" in [hop["text"] for hop in its_thread["hops"]]
    assert "sesame" not in str(cards) + str(its_thread)
