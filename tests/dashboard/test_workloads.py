"""Workloads of every kind as rows: what is wanted, what stands, in what state that is, and in which words."""

import pytest

from lab.apimachinery.kinds import STATEFULSETS
from lab.apimachinery.meta import owner_reference
from lab.client import Client
from lab.client.clusters import ensure_cluster
from lab.dashboard.board import Board
from lab.dashboard.drawers import drawer
from lab.dashboard.schedulewords import schedule_words
from lab.dashboard.workloadrows import workload_row

from .build import a_deployment, a_pod, a_replicaset, change, leaving, meta, ready, with_spec, with_status

TEMPLATE = {"spec": {"containers": [{"name": "app", "image": "orrery/hello:v1"}]}}
GROUPS = {"StatefulSet": "apps/v1", "DaemonSet": "apps/v1", "ReplicaSet": "apps/v1", "ReplicationController": "v1"}


def a_workload(kind: str, name: str = "it", owner: dict | None = None, status: dict | None = None, **spec) -> dict:
    of = {"apiVersion": GROUPS.get(kind, "batch/v1"), "kind": kind, "metadata": meta(name, owner)}
    return {**of, "spec": {"template": TEMPLATE, **spec}, "status": status or {}}


def a_cronjob(name: str = "tick", schedule: str = "*/5 * * * *", status: dict | None = None, **spec) -> dict:
    held = {"schedule": schedule, "timeZone": "Etc/UTC", "jobTemplate": {"spec": {"template": TEMPLATE}}, **spec}
    return {**a_workload("CronJob", name, status=status), "spec": held}


def condition(kind: str, reason: str, message: str = "") -> dict:
    return {"type": kind, "status": "True", "reason": reason, "message": message}


HALF = {"replicas": 3, "readyReplicas": 1}
NODES = {"desiredNumberScheduled": 3, "numberReady": 3, "updatedNumberScheduled": 1}
TIMES = {"startTime": "2026-05-20T10:00:00Z", "completionTime": "2026-05-20T10:00:12Z"}
DONE = {"succeeded": 2, "conditions": [condition("Complete", "Done")], **TIMES}
FAILED = {"failed": 3, "conditions": [condition("Failed", "BackoffLimitExceeded", "too often")]}


@pytest.mark.parametrize(
    ("obj", "state", "words"),
    [
        (a_workload("StatefulSet", replicas=3, status=HALF), "starting", "1 of 3 ready"),
        (a_workload("ReplicaSet", replicas=1, status=HALF), "ready", "1 of 1 ready"),
        (a_workload("ReplicationController", replicas=0), "ready", "0 of 0 ready"),
        (a_workload("DaemonSet", status=NODES), "starting", "ready on 3 of 3 nodes, 1 of 3 updated"),
        (a_workload("Job", completions=2, status={"active": 1}), "starting", "0 of 2 done, 1 at work"),
        (a_workload("Job", status={"succeeded": 1, "active": 2}), "starting", "1 done, 2 at work"),
        (a_workload("Job", completions=2, status=DONE), "done", "complete, 2 of 2 done, in 12s"),
        (a_workload("Job", completions=2, status=FAILED), "failed", "failed, 0 of 2 done, 3 failed"),
        (a_workload("Job", completions=2, suspend=True), "unready", "suspended, 0 of 2 done"),
        (a_cronjob(), "ready", "every 5 minutes"),
        (a_cronjob(suspend=True), "unready", "every 5 minutes, suspended"),
    ],
)
def test_each_kind_says_how_it_stands(obj, state, words):
    row = workload_row(obj, [], [])
    assert (row["kind"], row["what"], row["state"], row["words"]) == ("workload", obj["kind"], state, words)


def test_a_statefulset_that_rolls_says_how_far_it_is():
    rolling = {**HALF, "readyReplicas": 3, "currentRevision": "a", "updateRevision": "b", "updatedReplicas": 1}
    row = workload_row(a_workload("StatefulSet", replicas=3, status=rolling), [], [])
    assert (row["state"], row["words"]) == ("starting", "3 of 3 ready, 1 of 3 updated")


def test_the_next_run_follows_from_the_last_and_a_suspended_one_has_none():
    row = workload_row(a_cronjob(status={"lastScheduleTime": "1970-01-01T00:05:00Z"}), [], [])
    assert (row["last"], row["next"]) == (300, 600)
    assert "next" not in workload_row(a_cronjob(suspend=True), [], [])
    assert "next" not in workload_row(a_cronjob(timeZone="Nowhere/Else"), [], [])


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ("* * * * *", "every minute"),
        ("*/10 * * * *", "every 10 minutes"),
        ("*/7 * * * *", "*/7 * * * *"),
        ("30 * * * *", "every hour at :30"),
        ("@hourly", "every hour at :00"),
        ("5 */6 * * *", "every 6 hours at :05"),
        ("0 3 * * *", "every day at 03:00"),
        ("15 18 * * 5", "every Friday at 18:15"),
        ("0 9 * * 1-5", "every weekday at 09:00"),
        ("* * * * 1", "* * * * 1"),
        ("0 0 1 * *", "0 0 1 * *"),
        ("1,2 * * * *", "1,2 * * * *"),
    ],
)
def test_a_simple_schedule_is_said_in_words_and_any_other_as_it_stands(schedule, words):
    assert schedule_words(schedule) == words


def test_a_job_of_a_cronjob_is_a_part_of_its_card_and_its_pods_are_the_cronjob_s():
    cronjob = a_cronjob()
    job = a_workload("Job", "tick-1", cronjob, completions=1)
    board = Board([cronjob, job, a_pod("tick-1-abcde", job, node="node-a")])
    assert board.rows["jobs.batch/default/tick-1"]["kind"] == "part"
    assert board.rows["jobs.batch/default/tick-1"]["owner"] == "cronjobs.batch/default/tick"
    pod = board.rows["pods/default/tick-1-abcde"]
    assert (pod["app"], pod["suffix"], pod["owner"]) == ("tick", "abcde", "cronjobs.batch/default/tick")


def test_a_replica_set_has_a_card_only_if_nobody_owns_it():
    deployment = a_deployment()
    owned = a_replicaset(deployment)
    bare = a_workload("ReplicaSet", "bare", replicas=1)
    board = Board([deployment, with_spec(owned, template=TEMPLATE), bare])
    assert "replicasets.apps/default/bare" in board.rows
    assert f"replicasets.apps/default/{owned['metadata']['name']}" not in board.rows


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job"])
def test_whatever_the_order_the_rows_are_those_of_a_fresh_reading(kind):
    workload = a_workload(kind, replicas=2)
    lost = ready(a_pod("it-1", workload, node="node-a"), truth=False)
    board = Board([lost])
    board.apply([change(workload)])
    id_ = board.rows["pods/default/it-1"]["owner"]
    assert board.rows[id_]["trouble"] == "1 not ready"
    assert without_loops(board) == without_loops(Board([workload, lost]))
    board.apply([change(leaving(lost), lost), change(lost, deleted=True)])
    assert "trouble" not in board.rows[id_]
    assert board.apply([change(workload, deleted=True)]).removes == {id_}


def test_a_pod_that_its_owner_lets_go_is_counted_no_more():
    workload = a_workload("StatefulSet", replicas=1)
    before = ready(a_pod("it-1", workload, node="node-a"), truth=False)
    board = Board([workload, before])
    board.apply([change({**before, "metadata": meta("it-1")}, before)])
    assert "trouble" not in board.rows["statefulsets.apps/default/it"]


def without_loops(board: Board) -> dict:
    return {id_: row for id_, row in board.rows.items() if row["kind"] != "loop"}


QUOTA = 'pods "web-1" is forbidden: exceeded quota: few, requested: pods=1, used: pods=1, limited: pods=1'


def test_a_quota_that_refuses_pods_is_what_is_said_and_not_that_they_are_missing():
    refused = {"replicas": 1, "conditions": [condition("ReplicaFailure", "FailedCreate", QUOTA)]}
    board = Board([with_status(a_deployment(replicas=3), **refused)])
    row = board.rows["deployments.apps/default/web"]
    assert row["trouble"] == "refused: exceeded quota: few, requested: pods=1, used: pods=1, limited: pods=1"
    assert board.rows["loops/replicaset-controller"]["queue"] == "2 refused"


@pytest.mark.django_db
def test_the_drawer_of_a_set_that_gets_no_pods_says_what_was_told_of_it():
    ensure_cluster("told")
    client = Client("told", "board")
    labels = {"matchLabels": {"app": "db"}}, {"labels": {"app": "db"}}
    spec = {"replicas": 2, "selector": labels[0], "template": {**TEMPLATE, "metadata": labels[1]}}
    made = client.create(STATEFULSETS, {"metadata": {"name": "db", "namespace": "default"}, "spec": spec})
    itself = {"metadata": {"ownerReferences": [owner_reference(made)]}}
    client.patch(STATEFULSETS, "default", "db", itself)
    client.event(made, "Warning", "FailedCreate", QUOTA)
    shown = drawer(client, "statefulsets.apps", "default", "db", "")
    assert (shown["tab"], shown["cards"][0]["reason"]) == ("why", "FailedCreate")
    assert "quota" in shown["telling"]
    assert shown["revisions"] == []
    assert [owner["words"] for owner in shown["owners"]] == ["StatefulSet db"]
