"""Why a rollout stands, and why there are so many pods: in the words of whoever decided, by the rows that say so."""

import pytest

from lab.apimachinery.kinds import DAEMONSETS, DEPLOYMENTS, NODES, PODS, REPLICASETS, RESOURCEQUOTAS, STATEFULSETS
from lab.apimachinery.meta import condition
from lab.controllers.deployment.controller import DeploymentController
from tests.controllers.cluster import Cluster
from tests.labs import wait_until

from .asking import asked, first

pytestmark = pytest.mark.django_db


@pytest.fixture
def web():
    cluster = Cluster("why")
    cluster.add_node("n1")
    cluster.deploy(3)
    cluster.run_all()
    return cluster


def newest(cluster: Cluster, kind=DEPLOYMENTS, name: str = "web") -> int:
    return cluster.client.history(kind, "default", name, 1)[0]["revision"]


def test_a_rollout_that_is_done_says_so_by_the_row_of_its_condition(web):
    card = first(web.client, DEPLOYMENTS, "web")
    assert (card["question"], card["reason"]) == ("How far is the rollout?", "Complete")
    assert card["answer"] == "It is done: all 3 pods are of the present version and available."
    (ground,) = card["because"]
    assert (ground["name"], ground["revision"]) == ("condition Progressing", newest(web))
    assert ground["text"].endswith("has successfully progressed.")


def test_who_paused_it_and_how_it_goes_on(web):
    paused = web.patch(paused=True)
    web.release("v2")
    web.settle()
    card = first(web.client, DEPLOYMENTS, "web")
    assert (card["question"], card["reason"]) == ("Why has the rollout stopped?", "DeploymentPaused")
    assert card["answer"].startswith("tester has paused it")
    assert [one["revision"] for one in card["because"]] == [int(paused["metadata"]["resourceVersion"])]
    assert card["help"]["command"] == "kubectl rollout resume deployment/web"


def test_a_rollout_under_way_goes_by_its_controllers_decision(web):
    web.release("v2")
    web.settle()
    card = first(web.client, DEPLOYMENTS, "web")
    assert (card["reason"], card["help"]) == ("Progressing", None)
    assert card["answer"].startswith("1 of 3 pods is new, and 3 are available.")
    paced = card["because"][-1]
    assert (paced["decision"], paced["name"]) == ("ScaleReplicaSets", "maxSurge 1, maxUnavailable 0")
    assert paced["text"].startswith("at most 4 pods, at least 3 available")


def test_more_pods_than_it_wants_are_not_told_as_too_few(web):
    web.patch(replicas=1)
    web.settle(DeploymentController())  # who would tell pods to go does not turn
    card = first(web.client, DEPLOYMENTS, "web")
    assert (card["question"], card["reason"]) == ("How far is the rollout?", "Progressing")
    assert card["answer"] == "It has 3 pods and wants 1: the others are to go."


def test_a_quota_is_named_by_the_api_servers_own_refusal(web):
    quota = {"metadata": {"name": "few", "namespace": "default"}, "spec": {"hard": {"pods": "3"}}}
    web.client.create(RESOURCEQUOTAS, quota)
    web.patch(replicas=5)
    web.settle()
    card = first(web.client, DEPLOYMENTS, "web")
    assert (card["question"], card["reason"]) == ("Why are pods missing?", "FailedCreate")
    assert card["answer"] == (
        "The API server does not take its pods: quota few of namespace default allows pods=3, of which pods=3 are used,"
        " and one more asks for pods=1."
    )
    (ground,) = card["because"]
    assert (ground["name"], ground["revision"]) == ("condition ReplicaFailure", newest(web))
    assert card["help"]["command"] == (
        """kubectl patch resourcequota few --type=merge -p '{"spec": {"hard": {"pods": "5"}}}'"""
    )


def test_what_a_quota_counts_and_nobody_says_is_named(web):
    quota = {"metadata": {"name": "lean", "namespace": "default"}, "spec": {"hard": {"requests.cpu": "1", "pods": "9"}}}
    web.client.create(RESOURCEQUOTAS, quota)
    web.patch(replicas=5)
    web.settle()
    card = first(web.client, DEPLOYMENTS, "web")
    assert (card["question"], card["reason"]) == ("Why are pods missing?", "FailedCreate")
    assert "quota lean of namespace default counts requests.cpu, of which web says nothing." in card["answer"]
    assert card["help"]["command"] == "kubectl set resources deployment/web --requests=cpu=50m"


def test_why_so_many_is_asked_of_whoever_wrote_the_number(web):
    declared = asked(web.client, DEPLOYMENTS, "web")[1]
    assert (declared["question"], declared["reason"]) == ("Why 3 replicas?", "AsDeclared")
    assert declared["answer"] == "tester made it with 3 replicas, and nobody has changed that."
    scaled = web.patch(replicas=10)
    web.run_all()
    card = asked(web.client, DEPLOYMENTS, "web")[1]
    assert (card["question"], card["reason"]) == ("Why 10 replicas?", "ScaledByHand")
    assert card["answer"] == "tester set it from 3 to 10."
    assert [one["revision"] for one in card["because"]] == [int(scaled["metadata"]["resourceVersion"])]


def test_a_replica_set_counts_its_pods_and_says_who_gave_it_its_number(web):
    (rs,) = web.replica_sets()
    name = rs["metadata"]["name"]
    ready, size = asked(web.client, REPLICASETS, name)[:2]
    assert (ready["answer"], ready["reason"]) == ("All 3 pods are ready.", "Complete")
    assert ready["because"][0]["revision"] == newest(web, REPLICASETS, name)
    assert (size["question"], size["reason"]) == ("Why 3 replicas?", "ScaledByDeployment")
    assert size["answer"] == "Its deployment wants 3 replicas. Of its 3 now 3 are of this version, the present one."
    assert size["because"][0]["decision"] == "ScaleReplicaSets"
    web.patch(replicas=0)
    web.run_all()
    assert [card["answer"] for card in asked(web.client, REPLICASETS, name)][0] == "It wants no pods."


def test_a_stateful_set_is_refused_by_an_event_and_waits_in_order(web):
    few = {"metadata": {"name": "few", "namespace": "default"}, "spec": {"hard": {"pods": "4"}}}
    web.client.create(RESOURCEQUOTAS, few)
    template = {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "db", "image": "db"}]}}
    spec = {"replicas": 2, "serviceName": "db", "selector": {"matchLabels": {"app": "db"}}, "template": template}
    web.client.create(STATEFULSETS, {"metadata": {"name": "db", "namespace": "default"}, "spec": spec})
    web.settle()
    assert first(web.client, STATEFULSETS, "db")["answer"].startswith("None of its 2 pods is ready.")
    web.run_all()
    refused, ready = asked(web.client, STATEFULSETS, "db")[:2]
    assert (refused["question"], refused["reason"]) == ("Why are pods missing?", "FailedCreate")
    assert refused["because"][0]["name"] == "event FailedCreate"
    assert (ready["answer"], ready["reason"]) == ("1 of its 2 pods is ready.", "Progressing")


def test_a_daemon_set_has_one_pod_on_each_node_and_keeps_old_ones_where_it_is_told_to(web):
    web.client.patch(NODES, "", "n1", {"spec": {"taints": None}})  # as the node controller does once it is ready
    template = {"metadata": {"labels": {"app": "agent"}}, "spec": {"containers": [{"name": "a", "image": "a:1"}]}}
    spec = {"selector": {"matchLabels": {"app": "agent"}}, "template": template, "updateStrategy": {"type": "OnDelete"}}
    web.client.create(DAEMONSETS, {"metadata": {"name": "agent", "namespace": "default"}, "spec": spec})
    web.settle()
    web.bind("n1")
    web.run_all()
    newer = {"spec": {"template": {"spec": {"containers": [{"name": "a", "image": "a:2"}]}}}}
    web.client.patch(DAEMONSETS, "default", "agent", newer)
    web.run_all()
    ready, old, size = asked(web.client, DAEMONSETS, "agent")[:3]
    assert (ready["answer"], ready["reason"]) == ("Its one pod is ready.", "Complete")
    assert (old["question"], old["reason"]) == ("Why are there old pods?", "OnDelete")
    assert old["because"][0]["revision"] == web.client.history(DAEMONSETS, "default", "agent")[-1]["revision"]
    assert (size["question"], size["reason"]) == ("Why 1 pod?", "OnePerNode")


def test_what_is_gone_says_who_had_it_deleted(web):
    (rs,) = web.replica_sets()
    web.client.delete(DEPLOYMENTS, "default", "web")
    web.settle()
    gone, made = asked(web.client, DEPLOYMENTS, "web")
    assert (gone["question"], gone["reason"], gone["answer"]) == (
        "Why is it gone?",
        "Deleted",
        "tester deleted it.",
    )
    assert made["question"] == "Why is it there?"
    of_set = first(web.client, REPLICASETS, rs["metadata"]["name"])
    assert of_set["reason"] == "Deleted"
    assert of_set["answer"] == "The garbage collector deleted it: Deployment web is gone."
    assert of_set["because"][0]["decision"] == "CollectGarbage"


def test_a_number_is_asked_for_however_often_its_object_was_written_since(web, monkeypatch):
    monkeypatch.setattr("lab.explain.why.subject.MOST_ROWS", 2)
    scaled = web.patch(replicas=2)
    for count in range(4):
        web.client.patch(DEPLOYMENTS, "default", "web", {"metadata": {"labels": {"count": str(count)}}})
    web.run_all()
    card = asked(web.client, DEPLOYMENTS, "web")[1]
    assert (card["reason"], card["answer"]) == ("ScaledByHand", "tester set it from 3 to 2.")
    assert card["because"][0]["revision"] == int(scaled["metadata"]["resourceVersion"])
    # So far back that nobody knows: nothing is said, unless it has been so from the beginning.
    monkeypatch.setattr("lab.explain.why.subject.FAR", 2)
    assert not [one for one in asked(web.client, DEPLOYMENTS, "web") if one["question"].startswith("Why 2")]
    web.patch(replicas=3)
    for count in range(4):
        web.client.patch(DEPLOYMENTS, "default", "web", {"metadata": {"labels": {"count": str(count)}}})
    assert asked(web.client, DEPLOYMENTS, "web")[1]["reason"] == "AsDeclared"


def complain(cluster: Cluster, image: str) -> str:
    """The kubelet's word on the pod of an image that cannot be had; the pod's name."""
    cluster.bind("n1")
    (pod,) = [each for each in cluster.pods() if each["spec"]["containers"][0]["image"] == image]
    waiting = {"name": "web", "state": {"waiting": {"reason": "ErrImagePull", "message": "no such image"}}}
    status = {**pod["status"], "phase": "Pending", "containerStatuses": [waiting]}
    cluster.client.update_status(PODS, {**pod, "status": status})
    return pod["metadata"]["name"]


def test_a_stuck_rollout_quotes_its_new_pods_own_card_and_shows_the_way_back(web):
    web.release("v2")
    web.settle()
    name = complain(web, "web:v2")
    card, pod = first(web.client, DEPLOYMENTS, "web"), first(web.client, PODS, name)
    assert (card["question"], card["reason"]) == ("Why has the rollout stopped?", "RolloutStuck")
    assert card["answer"] == f"1 of 3 pods is new, and 3 are available. Pod {name} is not ready: {pod['answer']}"
    assert card["because"][:-1] == pod["because"]
    assert card["because"][-1]["decision"] == "ScaleReplicaSets"
    assert card["help"] == {"text": "Go back to the version before.", "command": "kubectl rollout undo deployment/web"}


def test_the_way_back_leads_past_a_version_that_never_served(web):
    web.release("v2")
    web.settle()
    complain(web, "web:v2")
    web.release("v3")
    web.settle()
    complain(web, "web:v3")
    assert first(web.client, DEPLOYMENTS, "web")["help"] == {
        "text": "Go back to revision 1, which serves.",
        "command": "kubectl rollout undo deployment/web --to-revision=1",
    }


def test_a_version_before_that_never_served_is_no_way_out():
    cluster = Cluster("why")
    cluster.add_node("n1")
    cluster.deploy(3)
    cluster.settle()
    cluster.release("v2")
    cluster.settle()
    complain(cluster, "web:v2")
    card = first(cluster.client, DEPLOYMENTS, "web")
    assert (card["reason"], card["help"]["text"][:24]) == ("RolloutStuck", "Name an image that exist")


def test_when_its_time_is_up_the_deadline_says_so_first(web):
    web.patch(progressDeadlineSeconds=1)
    web.release("v2")
    web.settle()
    complain(web, "web:v2")

    def is_late() -> bool:
        web.settle()
        return condition(web.deployment(), "Progressing")["status"] == "False"

    wait_until("its time to be up", is_late)
    card = first(web.client, DEPLOYMENTS, "web")
    assert (card["question"], card["reason"]) == ("Why has the rollout stopped?", "ProgressDeadlineExceeded")
    assert "For 1 s nothing came of it. Pod web-" in card["answer"]
    assert (card["because"][0]["name"], card["because"][0]["revision"]) == ("condition Progressing", newest(web))


def test_pods_that_fail_after_the_rollout_was_done_have_not_stopped_it(web):
    web.bind("n1")
    web.run(web.pods(), ready=False)
    web.settle()
    card = first(web.client, DEPLOYMENTS, "web")
    assert card["question"] == "Why are its pods not ready?"
    assert card["answer"].startswith("0 of 3 pods are available. Pod web-")
