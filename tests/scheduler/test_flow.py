"""The scheduler in a real cluster: what it stores, what it tells, and what wakes it."""

import gc
import time
import weakref

import pytest

from lab.apimachinery import meta
from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import CONFIGMAPS, EVENTS, NAMESPACES, NODES, PODDISRUPTIONBUDGETS, PODS, PRIORITYCLASSES
from lab.client import Client
from lab.client.clusters import delete_cluster, ensure_cluster
from lab.client.reconcile import catch_up
from lab.controllers import owners
from lab.scheduler import Scheduler

from .build import affinity, node, pod, term

pytestmark = pytest.mark.django_db


class Cluster:
    """A cluster without kubelets, and its scheduler, turned by hand."""

    def __init__(self, name: str = "sched"):
        ensure_cluster(name)
        self.name = name
        self.client = Client(name, "tester")
        self.scheduler = Scheduler()

    def turn(self) -> int:
        return catch_up(self.name, self.scheduler)

    def settle(self, seconds: float = 5.0) -> None:
        """Turn until all have a node, back-offs included."""
        deadline = time.monotonic() + seconds
        while any(not each["spec"].get("nodeName") for each in self.client.list(PODS)):
            assert time.monotonic() < deadline, self.messages()
            self.turn()
            time.sleep(0.02)

    def nodes(self, *nodes: dict) -> None:
        self.client.create_many(NODES, list(nodes))

    def pods(self, *pods: dict) -> None:
        """As anybody would create them: without uid and status."""
        self.client.create_many(PODS, [{k: v for k, v in each.items() if k != "status"} for each in pods])

    def classes(self, **values: int) -> None:
        for name, value in values.items():
            self.client.create(PRIORITYCLASSES, {"metadata": {"name": name}, "value": value})

    def get(self, name: str) -> dict:
        return self.client.get(PODS, "default", name)

    def where(self, *names: str) -> list[str | None]:
        return [self.get(name)["spec"].get("nodeName") for name in names]

    def messages(self) -> list[str]:
        return [meta.condition(each, "PodScheduled")["message"] for each in self.client.list(PODS)]

    def events(self, reason: str) -> list[dict]:
        return [event for event in self.client.list(EVENTS) if event["reason"] == reason]

    def newest_why(self, name: str) -> dict:
        return next(row["why"] for row in self.client.history(PODS, "default", name) if row["why"])


@pytest.fixture
def cluster(db) -> Cluster:
    return Cluster()


def test_it_binds_tells_and_keeps_the_decision(cluster):
    cluster.nodes(node("a"), node("b", cpu="2"))
    cluster.pods(pod("web", cpu="1"))
    cluster.turn()
    bound = cluster.get("web")
    assert bound["spec"]["nodeName"] == "a"
    assert meta.is_true(bound, "PodScheduled")
    (event,) = cluster.events("Scheduled")
    assert event["message"] == "Successfully assigned default/web to a"
    assert event["source"]["component"] == event["reportingComponent"] == "default-scheduler"
    newest = cluster.client.history(PODS, "default", "web")[0]
    assert newest["author"] == "scheduler"
    assert newest["why"]["chosen"] == "a"
    assert [verdict["node"] for verdict in newest["why"]["nodes"]] == ["a", "b"]


def test_a_batch_is_one_transaction_for_the_bindings_and_one_for_the_events(cluster):
    cluster.nodes(node("a"))
    cluster.turn()
    cluster.pods(*(pod(f"p{number}", cpu="100m") for number in range(10)))
    before = cluster.client.view().revision
    cluster.turn()
    rows = cluster.client.changes_since(before)
    assert [row.resource for row in rows] == ["pods"] * 10 + ["events"] * 10
    assert len({row.time for row in rows}) == 2
    made = list(range(before - 9, before + 1))  # each pod is bound because it was made
    assert [row.cause for row in rows] == made * 2


def test_a_pod_that_fits_nowhere_says_why(cluster):
    cluster.nodes(node("a"), node("b"), node("c"))
    cluster.pods(pod("big", cpu="64"))
    cluster.turn()
    words = (
        "0/3 nodes are available: 3 Insufficient cpu. "
        "preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling."
    )
    condition = meta.condition(cluster.get("big"), "PodScheduled")
    assert (condition["status"], condition["reason"], condition["message"]) == ("False", "Unschedulable", words)
    (event,) = cluster.events("FailedScheduling")
    assert (event["type"], event["message"]) == ("Warning", words)
    assert cluster.newest_why("big")["counts"] == {"Insufficient cpu": 3}


def test_the_same_verdict_is_not_written_twice(cluster):
    cluster.nodes(node("a"))
    cluster.pods(pod("big", cpu="64"))
    cluster.turn()
    before = cluster.client.view().revision
    cluster.client.patch(NODES, "", "a", {"metadata": {"labels": {"x": "y"}}})
    time.sleep(0.3)  # the back-off
    cluster.turn()
    assert [row.resource for row in cluster.client.changes_since(before)] == ["nodes"]


def test_a_new_node_lets_it_fit(cluster):
    cluster.pods(pod("web", cpu="1"))
    cluster.turn()
    assert cluster.messages() == ["no nodes available to schedule pods"]
    cluster.nodes(node("a"))
    cluster.settle()
    assert cluster.where("web") == ["a"]
    assert meta.is_true(cluster.get("web"), "PodScheduled")


def test_a_pod_that_goes_leaves_room_for_one_that_waits(cluster):
    cluster.nodes(node("a", cpu="1"))
    cluster.pods(pod("first", cpu="1"), pod("second", cpu="1"))
    cluster.turn()
    assert cluster.where("first", "second") == ["a", None]
    cluster.client.delete(PODS, "default", "first", grace_seconds=0)
    cluster.settle()
    assert cluster.where("second") == ["a"]


def test_one_that_waits_for_company_is_tried_when_company_comes(cluster):
    cluster.nodes(node("a", labels={"zone": "1"}), node("b", labels={"zone": "2"}))
    cluster.pods(pod("guest", affinity=affinity("podAffinity", term("zone", app="host"))))
    cluster.turn()
    assert cluster.where("guest") == [None]
    cluster.pods(pod("host", labels={"app": "host"}))
    cluster.settle()
    assert cluster.where("guest") == cluster.where("host")


def test_nothing_waiting_and_nothing_new_means_no_turn(cluster):
    cluster.nodes(node("a"))
    cluster.pods(pod("web"))
    cluster.turn()
    before = cluster.client.view().revision
    assert cluster.turn() == 0
    assert cluster.client.view().revision == before


def test_preemption_in_a_cluster(cluster):
    cluster.nodes(node("a"))
    cluster.classes(low=1, high=100)
    cluster.pods(pod("low", cpu="4", priorityClassName="low", terminationGracePeriodSeconds=5))
    cluster.turn()
    cluster.pods(pod("high", cpu="4", priorityClassName="high"))
    cluster.turn()
    low, high = cluster.get("low"), cluster.get("high")
    assert high["status"]["nominatedNodeName"] == "a"
    assert meta.is_deleting(low)
    assert low["metadata"]["deletionGracePeriodSeconds"] == 5
    target = meta.condition(low, "DisruptionTarget")
    assert (target["status"], target["reason"]) == ("True", "PreemptionByScheduler")
    assert target["message"] == "default-scheduler: preempting to accommodate a higher priority pod"
    (event,) = cluster.events("Preempted")
    assert event["message"] == f"Preempted by pod {high['metadata']['uid']} on node a"
    assert event["involvedObject"]["name"] == "low"
    assert cluster.newest_why("high")["victims"] == ["default/low"]
    by = {"by": "default/high", "node": "a", "priority": 1, "byPriority": 100}
    assert cluster.newest_why("low") == {"decision": "PreemptionByScheduler", **by}
    cluster.client.delete(PODS, "default", "low", grace_seconds=0)  # its containers have ended
    cluster.settle()
    assert cluster.where("high") == ["a"]
    assert "nominatedNodeName" not in cluster.get("high")["status"]


def test_preemption_goes_where_no_disruption_budget_is_broken(cluster):
    cluster.nodes(node("a"), node("b"))
    cluster.classes(high=100)
    labels = {"app": "kept"}
    cluster.pods(pod("kept", cpu="4", labels=labels, nodeSelector={"kubernetes.io/hostname": "a"}))
    cluster.pods(pod("other", cpu="4", nodeSelector={"kubernetes.io/hostname": "b"}))
    budget = {"metadata": {"name": "kept", "namespace": "default"}, "spec": {"selector": {"matchLabels": labels}}}
    cluster.client.create(PODDISRUPTIONBUDGETS, budget)
    cluster.turn()
    cluster.pods(pod("high", cpu="4", priorityClassName="high"))
    cluster.turn()
    assert cluster.get("high")["status"]["nominatedNodeName"] == "b"
    assert cluster.newest_why("high")["victims"] == ["default/other"]


def test_while_its_victim_ends_nobody_lesser_takes_the_room(cluster):
    cluster.nodes(node("a"))
    cluster.classes(high=100)
    cluster.pods(pod("low", cpu="3", terminationGracePeriodSeconds=5))
    cluster.turn()
    cluster.pods(pod("high", cpu="4", priorityClassName="high"))
    cluster.turn()
    cluster.pods(pod("late", cpu="1"))
    catch_up(cluster.name, Scheduler())  # another process, which knows of the promise only what is stored
    assert cluster.where("low", "high", "late") == ["a", None, None]
    cluster.client.delete(PODS, "default", "low", grace_seconds=0)
    catch_up(cluster.name, Scheduler())
    assert cluster.where("high", "late") == ["a", None]


def test_a_scheduler_that_knows_nothing_any_more_finds_everything_in_the_log(cluster):
    cluster.nodes(node("a", cpu="2"), node("b", cpu="2"))
    cluster.pods(*(pod(f"p{number}", cpu="1") for number in range(3)))
    cluster.turn()
    cluster.scheduler = Scheduler()
    cluster.pods(pod("last", cpu="1"), pod("too-much", cpu="1"))
    cluster.turn()
    on = [each["spec"].get("nodeName") for each in cluster.client.list(PODS)]
    assert sorted(on, key=str) == [None, "a", "a", "b", "b"]


def test_two_schedulers_that_take_turns_never_overcommit(cluster):
    cluster.nodes(node("a", cpu="4"), node("b", cpu="4"))
    other = Scheduler()
    for number in range(10):
        cluster.pods(pod(f"p{number}", cpu="1"))
        catch_up(cluster.name, other if number % 2 else cluster.scheduler)
    on = [each["spec"].get("nodeName") for each in cluster.client.list(PODS)]
    assert sorted(on, key=str) == [None] * 2 + ["a"] * 4 + ["b"] * 4


def test_a_pod_bound_by_hand_is_counted(cluster):
    cluster.nodes(node("a", cpu="1"))
    cluster.turn()
    cluster.pods(pod("mine", cpu="1", schedulerName="me"))
    cluster.client.bind([(cluster.get("mine"), "a", None)])
    cluster.pods(pod("web", cpu="1"))
    cluster.turn()
    assert cluster.where("web") == [None]


def test_who_is_faster_wins_and_the_scheduler_tries_the_pod_no_more(cluster, monkeypatch):
    cluster.nodes(node("a"), node("b", cpu="8"))
    cluster.pods(pod("web", cpu="1"))
    was = Client.bind

    def late(client, *asked):
        monkeypatch.setattr(Client, "bind", was)
        cluster.client.bind([(cluster.get("web"), "a", None)])
        return client.bind(*asked)

    monkeypatch.setattr(Client, "bind", late)
    cluster.turn()
    assert cluster.where("web") == ["a"]
    assert cluster.events("Scheduled") == []
    cluster.pods(pod("next", cpu="3500m"))
    cluster.turn()
    assert cluster.where("next") == ["b"]


def test_a_gated_pod_cannot_be_bound(cluster):
    cluster.nodes(node("a"))
    cluster.pods(pod("web", schedulingGates=[{"name": "wait"}]))
    refused = cluster.client.bind([(cluster.get("web"), "a", None)])
    assert isinstance(refused["default/web"], ApiError)
    assert refused["default/web"].message.endswith("pod web has non-empty .spec.schedulingGates")
    cluster.turn()
    assert cluster.where("web") == [None]
    cluster.client.patch(PODS, "default", "web", {"spec": {"schedulingGates": None}})
    cluster.turn()
    assert cluster.where("web") == ["a"]


def test_the_cluster_can_choose_to_pack(cluster):
    config = {"metadata": {"name": "scheduler-config", "namespace": "kube-system"}}
    cluster.client.create(CONFIGMAPS, {**config, "data": {"scoringStrategy": "MostAllocated"}})
    cluster.nodes(node("a"), node("b"))
    cluster.pods(*(pod(f"p{number}", cpu="1", memory="1Gi") for number in range(3)))
    cluster.turn()
    assert len(set(cluster.where("p0", "p1", "p2"))) == 1


def test_labels_of_a_new_namespace_are_known(cluster):
    cluster.nodes(node("a", labels={"zone": "1"}), node("b", labels={"zone": "2"}, cpu="64", memory="64Gi"))
    cluster.turn()
    cluster.client.create(NAMESPACES, {"metadata": {"name": "data", "labels": {"team": "x"}}})
    there = pod("db", namespace="data", nodeSelector={"zone": "1"}, labels={"app": "db"})
    cluster.pods(there)
    cluster.turn()
    wanted = {**term("zone", app="db"), "namespaceSelector": {"matchLabels": {"team": "x"}}}
    cluster.pods(pod("web", affinity=affinity("podAffinity", wanted)))
    cluster.turn()
    assert cluster.where("web") == ["a"]


def test_a_cluster_made_anew_under_the_same_name_begins_anew(cluster):
    cluster.nodes(node("a", cpu="1"))
    cluster.pods(pod("web", cpu="1"))
    cluster.turn()
    delete_cluster(cluster.name)
    ensure_cluster(cluster.name)
    cluster.nodes(node("a", cpu="1"))
    cluster.pods(pod("web", cpu="1"))
    cluster.turn()
    assert cluster.where("web") == ["a"]


def test_what_one_run_has_no_time_for_the_next_one_does(cluster, monkeypatch):
    monkeypatch.setattr("lab.scheduler.scheduler.RUN_SECONDS", 0.0)
    cluster.nodes(node("a"))
    cluster.turn()
    cluster.pods(*(pod(f"p{number}") for number in range(5)))
    cluster.turn()
    assert cluster.where("p0", "p1", "p2", "p3", "p4") == ["a"] * 5


@pytest.mark.django_db(transaction=True)
def test_what_is_remembered_of_a_cluster_goes_with_it(cluster):
    cluster.nodes(node("n1"))
    cluster.pods(pod("a"))
    cluster.settle()
    owners.index_of(cluster.client.view())
    state = weakref.ref(cluster.client.view())
    assert len(cluster.scheduler._remembered) == 1 and state() in owners._indexes
    delete_cluster(cluster.name)
    with pytest.raises(ApiError):
        cluster.client.view()
    gc.collect()
    assert state() is None and not cluster.scheduler._remembered
