"""What is decided is kept with the row that follows from it: who goes, and because of what."""

import time

import pytest

from lab.apimachinery.kinds import (
    CRONJOBS,
    DAEMONSETS,
    JOBS,
    NAMESPACES,
    NODES,
    PODDISRUPTIONBUDGETS,
    PODS,
    REPLICASETS,
    STATEFULSETS,
)
from lab.apimachinery.meta import at, is_deleting
from lab.controllers.cronjob.plan import SCHEDULED
from lab.controllers.daemonset.nodes import node_of_daemon
from lab.controllers.poddisruptionbudget import DisruptionController
from lab.controllers.podgc import PodGCController
from lab.controllers.tainteviction import TaintEvictionController
from lab.store import changes

from .cluster import WORKLOADS, Cluster
from .working import Workshop, job_template

pytestmark = pytest.mark.django_db
TEMPLATE = {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "db", "image": "db:1"}]}}
SELECTOR = {"matchLabels": {"app": "db"}}


@pytest.fixture
def workshop(db) -> Workshop:
    return Workshop()


def ends(cluster: Cluster, kind=PODS) -> dict[str, dict]:
    """Name → the decision that it goes, of what is marked or taken away for the first time."""
    found = {}
    for row in changes(cluster.name, 0, 10_000):
        marked = row.deleted or is_deleting(row.object)
        if row.resource == kind.resource and marked and row.author != "tester":
            found.setdefault(row.name, row.why)
    return found


def test_whom_a_replica_set_lets_go_and_for_what_it_came_first(cluster):
    cluster.add_node("a")
    cluster.deploy(3)
    cluster.settle()
    first, second, third = cluster.pods()
    cluster.bind("a")
    cluster.run([cluster.client.get(PODS, "default", pod["metadata"]["name"]) for pod in (first, third)])
    cluster.patch(replicas=2)
    cluster.settle()
    why = {"decision": "DeletePods", "replicas": 2, "found": 3, "because": "does not run yet"}
    assert ends(cluster) == {second["metadata"]["name"]: why}
    cluster.patch(replicas=0)
    cluster.settle()
    assert ends(cluster)[first["metadata"]["name"]] == {**why, "replicas": 0, "found": 2, "because": ""}


def test_an_old_replica_set_goes_for_the_limit_of_what_is_kept(cluster):
    cluster.deploy(1, revisionHistoryLimit=0)
    cluster.run_all()
    old = cluster.replica_sets()[0]["metadata"]["name"]
    cluster.release("v2")
    cluster.run_all()
    assert ends(cluster, REPLICASETS) == {old: {"decision": "TrimHistory", "of": "revisionHistoryLimit", "limit": 0}}


def test_why_each_pod_of_a_set_goes(cluster):
    spec = {"replicas": 2, "selector": SELECTOR, "template": TEMPLATE, "serviceName": "db"}
    made = cluster.client.create(STATEFULSETS, {"metadata": {"name": "db", "namespace": "default"}, "spec": spec})
    cluster.run_all()
    cluster.client.patch(STATEFULSETS, "default", "db", {"spec": {"replicas": 1}})
    cluster.run_all()
    assert ends(cluster) == {"db-1": {"decision": "DeleteOrdinal", "ordinal": 1, "because": "1 wanted"}}
    was = cluster.client.get(STATEFULSETS, "default", "db")["status"]["currentRevision"]
    containers = [{"name": "db", "image": "db:2"}]
    cluster.client.patch(STATEFULSETS, "default", "db", {"spec": {"template": {"spec": {"containers": containers}}}})
    cluster.run_all()
    newest = cluster.client.get(STATEFULSETS, "default", "db")["status"]["updateRevision"]
    because = f"of revision {was}, not {newest}"
    assert newest != was and ends(cluster)["db-0"] == {"decision": "DeleteOrdinal", "ordinal": 0, "because": because}
    cluster.client.delete(STATEFULSETS, "default", made["metadata"]["name"])
    cluster.settle()
    gone = [row.why for row in changes(cluster.name, 0, 10_000) if row.author == "generic-garbage-collector"]
    assert {"decision": "CollectGarbage", "owners": ["StatefulSet db"]} in gone


def test_why_a_daemon_goes(cluster):
    for name in ("a", "b"):
        cluster.add_node(name)
        cluster.client.patch(NODES, "", name, {"spec": {"taints": None}})
    spec = {"selector": SELECTOR, "template": TEMPLATE}
    cluster.client.create(DAEMONSETS, {"metadata": {"name": "agent", "namespace": "default"}, "spec": spec})
    cluster.settle()
    pods = {node_of_daemon(pod): pod for pod in cluster.pods()}
    assert not cluster.client.bind([(pod, node, None) for node, pod in pods.items()])
    cluster.client.patch(NODES, "", "a", {"spec": {"taints": [{"key": "no", "effect": "NoExecute"}]}})
    cluster.settle()
    why = {"decision": "DeleteDaemonPod", "because": "it does not belong on its node"}
    assert ends(cluster) == {pods["a"]["metadata"]["name"]: why}


def test_why_a_job_lets_its_pods_go(workshop):
    workshop.submit(parallelism=2, completions=2)
    workshop.change(parallelism=1)
    assert list(ends(workshop).values()) == [{"decision": "DeleteJobPods", "because": "1 wanted at once"}]
    workshop.change(suspend=True)
    assert {"decision": "DeleteJobPods", "because": "the job is suspended"} in ends(workshop).values()


def test_a_job_that_is_over_goes_when_its_time_is(workshop):
    workshop.submit()
    workshop.work()
    workshop.client.patch(JOBS, "default", "work", {"spec": {"ttlSecondsAfterFinished": 0}})
    workshop.settle()
    assert ends(workshop, JOBS)["work"] == {"decision": "Expire", "of": "ttlSecondsAfterFinished", "seconds": 0}


def test_why_a_cronjob_lets_its_jobs_go(workshop):
    kept = {"concurrencyPolicy": "Replace", "successfulJobsHistoryLimit": 0}
    spec = {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": job_template()}}, **kept}
    made = {"metadata": {"name": "tick", "namespace": "default"}, "spec": spec}
    late = {"status": {"lastScheduleTime": at(time.time() - 3600)}}
    workshop.client.create(CRONJOBS, made)
    workshop.client.patch(CRONJOBS, "default", "tick", late, "status")
    workshop.settle()
    [first] = workshop.client.list(JOBS)
    workshop.client.patch(CRONJOBS, "default", "tick", late, "status")
    workshop.settle()
    [why] = ends(workshop, JOBS).values()
    assert why == {"decision": "ReplaceJob", "due": first["metadata"]["annotations"][SCHEDULED]}


def test_an_evicted_pod_says_which_budget_let_it_go(cluster):
    loops = (*WORKLOADS, DisruptionController())
    cluster.add_node("a")
    cluster.deploy(2)
    cluster.settle(*loops)
    cluster.bind("a")
    cluster.run(cluster.pods())
    budget = {"metadata": {"name": "web", "namespace": "default"}}
    wanted = {"selector": {"matchLabels": {"app": "web"}}, "minAvailable": 1}
    cluster.client.create(PODDISRUPTIONBUDGETS, {**budget, "spec": wanted})
    cluster.settle(*loops)
    first, second = cluster.pods()
    assert cluster.client.evict(first, drains="a") and not cluster.client.evict(second)
    [row] = [row for row in cluster.client.history(PODS, "default", first["metadata"]["name"], decided=True)][:1]
    assert row["why"] == {"decision": "EvictionByEvictionAPI", "budget": "web", "left": 0, "drains": "a"}
    [charged] = cluster.client.history(PODDISRUPTIONBUDGETS, "default", "web", decided=True)
    assert charged["why"] == {"decision": "AllowDisruption", "pod": first["metadata"]["name"], "left": 0}


def test_a_taint_that_drives_a_pod_away_is_named(cluster):
    cluster.add_node("a")
    cluster.deploy(1)
    cluster.settle()
    cluster.bind("a")
    cluster.client.patch(NODES, "", "a", {"spec": {"taints": [{"key": "gone", "effect": "NoExecute"}]}})
    cluster.settle(TaintEvictionController())
    taint = {"node": "a", "taint": "gone:NoExecute", "tolerationSeconds": 0}
    assert list(ends(cluster).values()) == [{"decision": "DeletionByTaintManager", **taint}]


def test_what_nobody_will_ever_finish_says_why_it_is_removed(cluster):
    cluster.add_node("a")
    cluster.deploy(1)
    cluster.settle()
    cluster.bind("a")
    cluster.client.delete(NODES, "", "a")
    cluster.settle(PodGCController())
    assert list(ends(cluster).values()) == [{"decision": "DeletionByPodGC", "because": "its node a is gone"}]


def test_what_is_in_a_namespace_goes_with_it(cluster):
    cluster.client.create(NAMESPACES, {"metadata": {"name": "tmp"}})
    spec = {"containers": [{"name": "web", "image": "web:1"}]}
    cluster.client.create(PODS, {"metadata": {"name": "web", "namespace": "tmp"}, "spec": spec})
    cluster.client.delete(NAMESPACES, "", "tmp")
    cluster.settle()
    assert ends(cluster)["web"] == {"decision": "EmptyNamespace", "namespace": "tmp"}
