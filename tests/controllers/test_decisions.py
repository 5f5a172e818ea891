"""What is decided is kept with the row that follows from it: who goes, and because of what."""

import copy
import time

import pytest

from lab.apimachinery.kinds import (
    CRONJOBS,
    DAEMONSETS,
    DEPLOYMENTS,
    JOBS,
    NAMESPACES,
    NODES,
    PERSISTENTVOLUMECLAIMS,
    PODDISRUPTIONBUDGETS,
    PODS,
    REPLICASETS,
    RESOURCEQUOTAS,
    STATEFULSETS,
)
from lab.apimachinery.meta import at, condition, is_deleting
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


def decided(cluster: Cluster, kind, name: str) -> list[dict]:
    """What was decided about an object, newest first."""
    return [row["why"] for row in cluster.client.history(kind, "default", name, decided=True)]


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
    due = first["metadata"]["annotations"][SCHEDULED]
    assert why == {"decision": "ReplaceJob", "due": due}
    started = decided(workshop, JOBS, first["metadata"]["name"])[-1]
    missed = started.pop("missed")
    assert started == {"decision": "StartJob", "schedule": "* * * * *", "due": due} and missed in (59, 60)


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
    assert decided(cluster, PODS, first["metadata"]["name"])[0] == {
        "decision": "EvictionByEvictionAPI",
        "budget": "web",
        "left": 0,
        "drains": "a",
    }
    refused, charged = decided(cluster, PODDISRUPTIONBUDGETS, "web")
    assert charged == {"decision": "AllowDisruption", "pod": first["metadata"]["name"], "left": 0}
    name, words = second["metadata"]["name"], "The disruption budget web does not allow evicting pods currently"
    assert refused == {"decision": "RefuseEviction", "pod": name, "message": words}


def test_an_eviction_that_is_refused_again_and_again_is_told_once(cluster):
    loops = (*WORKLOADS, DisruptionController())
    cluster.add_node("a")
    cluster.deploy(2)
    cluster.settle(*loops)
    cluster.bind("a")
    cluster.run(cluster.pods())
    wanted = {"selector": {"matchLabels": {"app": "web"}}, "minAvailable": 2}
    cluster.client.create(PODDISRUPTIONBUDGETS, {"metadata": {"name": "web", "namespace": "default"}, "spec": wanted})
    cluster.settle(*loops)
    for _ in range(3):
        assert not any([cluster.client.evict(pod, drains="a") for pod in cluster.pods()])
        cluster.settle(*loops)
    refused = decided(cluster, PODDISRUPTIONBUDGETS, "web")
    assert [why["pod"] for why in refused[::-1]] == [pod["metadata"]["name"] for pod in cluster.pods()]
    words = "The disruption budget web needs 2 healthy pods and has 2 currently"
    assert {(why["drains"], why["message"]) for why in refused} == {("a", words)}


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


def test_a_pod_that_is_let_go_of_and_taken_up_again_says_by_whom(cluster):
    cluster.deploy(1)
    cluster.settle()
    [pod], [rs] = cluster.pods(), cluster.replica_sets()
    name, owner = pod["metadata"]["name"], f"ReplicaSet {rs['metadata']['name']}"
    cluster.client.patch(PODS, "default", name, {"metadata": {"labels": {"app": "mine"}}})
    cluster.settle()
    assert decided(cluster, PODS, name)[0] == {"decision": "Release", "owner": owner}
    cluster.client.patch(PODS, "default", name, {"metadata": {"labels": {"app": "web"}}})
    cluster.settle()
    assert {"decision": "Adopt", "owner": owner} in decided(cluster, PODS, name)


def test_what_is_left_behind_says_by_whom(cluster):
    cluster.deploy(1)
    cluster.settle()
    [rs] = cluster.replica_sets()
    cluster.client.delete(DEPLOYMENTS, "default", "web", propagation="Orphan")
    cluster.settle()
    assert decided(cluster, REPLICASETS, rs["metadata"]["name"])[0] == {"decision": "Orphan", "owner": "Deployment web"}


def test_what_a_replica_set_may_not_make_is_told_once(cluster):
    hard = {"hard": {"count/pods": "1"}}
    cluster.client.create(RESOURCEQUOTAS, {"metadata": {"name": "few", "namespace": "default"}, "spec": hard})
    cluster.deploy(3)
    cluster.settle()
    name = cluster.replica_sets()[0]["metadata"]["name"]
    why = decided(cluster, REPLICASETS, name)[0]
    assert (why["decision"], why["replicas"], why["found"]) == ("FailedCreate", 3, 1)
    assert "exceeded quota: few" in why["message"]
    looked = cluster.client.patch(REPLICASETS, "default", name, {"metadata": {"annotations": {"look": "again"}}})
    cluster.settle()
    assert cluster.replica_sets()[0]["metadata"]["resourceVersion"] == looked["metadata"]["resourceVersion"]


def test_how_a_rollout_stands_is_told_when_it_stands_otherwise(cluster):
    cluster.deploy(1, progressDeadlineSeconds=60)
    cluster.settle()
    late = copy.deepcopy(cluster.deployment())
    progress = condition(late, "Progressing")
    progress["lastUpdateTime"] = at(time.time() - 61)
    cluster.client.update_status(DEPLOYMENTS, late)
    cluster.settle()
    cluster.patch(paused=True)
    cluster.settle()
    told = [why for why in decided(cluster, DEPLOYMENTS, "web") if why["decision"] == "JudgeRollout"][::-1]
    assert [why["reason"] for why in told] == ["NewReplicaSetCreated", "ReplicaSetUpdated", "ProgressDeadlineExceeded"]
    assert told[2]["progressDeadlineSeconds"] == 60 and "has timed out progressing." in told[2]["message"]


def test_a_paused_rollout_is_told_so(cluster):
    cluster.deploy(1, progressDeadlineSeconds=60)
    cluster.run_all()
    cluster.patch(paused=True)
    cluster.settle()
    newest = decided(cluster, DEPLOYMENTS, "web")[0]
    assert (newest["decision"], newest["reason"]) == ("JudgeRollout", "DeploymentPaused")


def test_an_undo_says_to_which_revision(cluster):
    cluster.deploy(1)
    cluster.run_all()
    [first] = cluster.replica_sets()
    cluster.release("v2")
    cluster.run_all()
    cluster.release("v1")
    cluster.run_all()
    sizes = [why for why in decided(cluster, REPLICASETS, first["metadata"]["name"]) if "rollbackTo" in why]
    assert [(why["decision"], why["rollbackTo"]) for why in sizes] == [("ScaleReplicaSets", 1)]


def test_a_job_says_for_which_reason_it_is_over(workshop):
    workshop.submit(backoffLimit=0)
    workshop.work(code=1)
    assert decided(workshop, JOBS, "work")[0]["ended"] == "BackoffLimitExceeded"


def test_what_a_finalizer_has_kept_goes_with_a_reason(cluster):
    made = cluster.deploy(1)
    cluster.settle()
    cluster.client.delete(DEPLOYMENTS, "default", "web", propagation="Foreground")
    cluster.run_all()
    because = {"finalizer": "foregroundDeletion", "because": "no dependent keeps it"}
    assert decided(cluster, DEPLOYMENTS, made["metadata"]["name"])[0] == {"decision": "RemoveFinalizer", **because}


def test_a_claim_of_a_set_says_for_which_pod_it_is(cluster):
    claim = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"]}}
    claim["spec"]["resources"] = {"requests": {"storage": "1Gi"}}
    spec = {"replicas": 1, "selector": SELECTOR, "template": TEMPLATE, "volumeClaimTemplates": [claim]}
    cluster.client.create(STATEFULSETS, {"metadata": {"name": "db", "namespace": "default"}, "spec": spec})
    cluster.settle()
    assert decided(cluster, PERSISTENTVOLUMECLAIMS, "data-db-0") == [{"decision": "CreateClaim", "ordinal": 0}]
