"""Objects that are odd and yet valid: each costs its own row at most, and no board."""

import pytest

from lab.apimachinery.kinds import STATEFULSETS
from lab.client import Client
from lab.client.clusters import ensure_cluster
from lab.dashboard import board as boards
from lab.dashboard.board import Board
from lab.dashboard.drawers import drawer
from lab.dashboard.noderows import node_row
from lab.dashboard.rows import requests_of, revision_of, version_of
from lab.dashboard.workloadrows import workload_row

from .build import a_deployment, a_node, a_pod, a_replicaset, change, meta, with_status

SET = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": meta("db")}
GPUS = {"nvidia.com/gpu": "1k"}  # as 1000 of them are stored


@pytest.fixture
def broken(monkeypatch):
    """The row of a pod that is called so, and taking in one that is called worse, fail."""
    draw, take = boards.pod_row, boards.requests_of

    def drawn(pod, *owners):
        return {"name": 1 // (pod["metadata"]["name"] != "broken")} and draw(pod, *owners)

    def taken(pod):
        return 1 // (pod["metadata"]["name"] != "worse") and take(pod)

    monkeypatch.setattr(boards, "pod_row", drawn)
    monkeypatch.setattr(boards, "requests_of", taken)


def test_a_row_that_cannot_be_drawn_costs_no_other_and_is_logged_once(broken, caplog):
    deployment = a_deployment()
    set_ = a_replicaset(deployment)
    bad, worse, good = (a_pod(name, set_, node="node-a") for name in ("broken", "worse", "good"))
    board = Board([deployment, set_, a_node(), bad, worse, good])
    rows = {"deployments.apps/default/web", "nodes/node-a", "pods/default/good"}
    assert rows <= board.rows.keys()
    assert not {"pods/default/broken", "pods/default/worse"} & board.rows.keys()
    board.apply([change(with_status(set_, readyReplicas=1), set_)])  # the rows of its pods are made anew too
    assert [record.message.partition(" cannot")[0] for record in caplog.records] == [
        "pods/default/worse",
        "pods/default/broken",
    ]
    board.apply([change(obj, deleted=True) for obj in (bad, worse)])
    board.apply([change(bad), change(worse)])
    assert rows <= board.rows.keys()


def test_a_pod_that_could_not_be_drawn_leaves_nothing_to_its_namesake(broken, monkeypatch):
    sets = [a_replicaset(a_deployment(name)) for name in ("one", "other")]
    board = Board([a_node(), *sets])
    was, is_ = (a_pod("broken", each, node="node-a") for each in sets)
    board.apply([change(was)])
    assert board.rows["nodes/node-a"]["count"] == 1  # it is there, though nobody sees it
    board.apply([change(was, deleted=True)])
    monkeypatch.undo()
    board.apply([change(is_)])
    board.apply([change(with_status(each, readyReplicas=1), each) for each in sets])
    assert board.rows == Board([a_node(), *(with_status(each, readyReplicas=1) for each in sets), is_]).rows


def test_a_job_that_had_nothing_to_do_and_was_suspended_has_no_span():
    status = {"completionTime": "2026-05-20T10:00:00Z", "conditions": [{"type": "Complete", "status": "True"}]}
    spec = {"completions": 0, "suspend": True, "template": {"spec": {"containers": [{"name": "a"}]}}}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta("none"), "spec": spec, "status": status}
    assert workload_row(job, [], [])["words"] == "complete, 0 done"


@pytest.mark.parametrize("template", [None, {}, {"spec": {}}, {"spec": {"containers": []}}])
def test_a_set_may_have_no_containers(template):
    spec = {"replicas": 1} | ({} if template is None else {"template": template})
    row = workload_row({**SET, "spec": spec}, [], [])
    assert (row["words"], "image" in row) == ("0 of 1 ready", False)


@pytest.mark.django_db
def test_the_drawer_of_a_set_without_containers_opens():
    ensure_cluster("odd")
    client = Client("odd", "board")
    labels = {"app": "db"}
    spec = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}}
    client.create(STATEFULSETS, {"metadata": {"name": "db", "namespace": "default"}, "spec": spec})
    for tab in ("overview", "why", "yaml"):
        assert drawer(client, "statefulsets.apps", "default", "db", tab)["row"]["name"] == "db"


def test_a_thousand_gpus_are_a_number():
    node = with_status(a_node(), allocatable={"cpu": "4", "memory": "8Gi", **GPUS})
    pod = a_pod()
    pod["spec"]["containers"][0]["resources"]["requests"] |= GPUS
    assert requests_of(pod)[2] == 1000
    assert node_row(node, requests_of(pod), 1)["gauges"][2] == (100, "1000 of 1000 requested")


@pytest.mark.parametrize("until", ["soon", "", "0001-01-01T00:00:00"])
def test_what_is_no_time_boots_no_machine(until):
    node = a_node()
    node["metadata"] |= {"labels": {}, "annotations": {"orrery.io/boots-until": until}}
    assert node_row(node, (0, 0, 0), 0).get("until", 0) <= 0


@pytest.mark.parametrize("written", ["two", "-1", "9" * 5000, ""])
def test_a_revision_that_is_no_number_is_none(written):
    set_ = a_replicaset(a_deployment())
    set_["metadata"]["annotations"] = {"deployment.kubernetes.io/revision": written}
    assert revision_of(set_) == 0
    set_["metadata"]["annotations"] = {"deployment.kubernetes.io/revision-history": f"{written},3"}
    assert version_of(set_) == 0
