"""Rows: what the board draws of each object, and nothing else."""

import pytest

from lab.dashboard.noderows import node_row
from lab.dashboard.rows import compact, event_row, pod_row, requests_of, version_name, version_of
from lab.dashboard.status import next_try, pod_state
from lab.dashboard.workloadrows import trouble, workload_row

from .build import a_deployment, a_node, a_pod, a_replicaset, an_event, crashed, leaving, ready, with_status

DEPLOYMENT = a_deployment()
SET = a_replicaset(DEPLOYMENT, revision=2)


def test_a_pod_is_named_by_its_deployment_and_its_own_suffix():
    row = pod_row(a_pod("web-rs2-x7k2p", SET), SET, DEPLOYMENT)
    assert (row["app"], row["suffix"], row["version"]) == ("web", "x7k2p", 2)
    assert row["owner"] == "deployments.apps/default/web"


def test_a_pod_is_called_by_its_image_s_tag_and_keeps_its_version_when_its_template_comes_back():
    kept = a_replicaset(DEPLOYMENT, revision=3)
    kept["metadata"]["annotations"]["deployment.kubernetes.io/revision-history"] = "1,2"
    assert (version_of(kept), version_name(kept)) == (1, "v1")
    for image, name in (("orrery/hello:v2", "v2"), ("nginx", "v1"), ("nginx:1.27.3-alpine-slim", "v1")):
        kept["spec"]["template"] = {"spec": {"containers": [{"name": "web", "image": image}]}}
        row = pod_row(a_pod("web-rs3-x7k2p", kept), kept, DEPLOYMENT)
        assert (row["version"], row["called"]) == (1, name)


def test_a_pod_of_a_set_that_has_no_card_is_named_by_it_too():
    owner = {"kind": "StatefulSet", "metadata": {"name": "db", "uid": "db"}}
    row = pod_row(a_pod("db-0", owner))
    assert (row["app"], row["suffix"], row["called"]) == ("db", "0", "v1")
    assert not {"version", "owner"} & set(row)
    job = {"kind": "Job", "metadata": {"name": "sum", "uid": "sum"}}
    assert pod_row(a_pod("sum-3-x7k2p", job))["suffix"] == "3-x7k2p"


def test_a_pod_of_its_own_keeps_its_whole_name():
    row = pod_row(a_pod("report"))
    assert row["app"] == "report"
    assert not {"suffix", "version", "owner"} & set(row)


def test_what_is_empty_is_not_sent():
    assert compact({"a": 0, "b": "", "c": None, "d": [], "e": False, "f": 1}) == {"f": 1}
    assert "restarts" not in pod_row(a_pod())


@pytest.mark.parametrize(
    ("pod", "word", "state"),
    [
        (a_pod(), "Pending", "pending"),
        (a_pod(node="node-a"), "ContainerCreating", "starting"),
        (ready(a_pod(node="node-a")), "Running", "ready"),
        (ready(a_pod(node="node-a"), truth=False), "Running", "unready"),
        (ready(a_pod(node="node-a"), truth=False, since="2026-05-20T10:00:00Z"), "Running", "starting"),
        (crashed(a_pod(node="node-a")), "CrashLoopBackOff", "backoff"),
        (a_pod(node="node-a"), "Init:0/2", "starting"),
        (a_pod(node="node-a"), "Init:CrashLoopBackOff", "backoff"),
        (a_pod(node="node-a"), "ErrImagePull", "failed"),
        (with_status(a_pod(node="node-a"), phase="Failed"), "Error", "failed"),
        (leaving(ready(a_pod(node="node-a"))), "Terminating", "leaving"),
        (with_status(a_pod(node="node-a"), phase="Succeeded"), "Completed", "done"),
    ],
)
def test_a_state_is_one_word_of_eight(pod, word, state):
    assert pod_state(pod, word) == state


@pytest.mark.parametrize(("wait", "seconds"), [("40s", 40), ("1m20s", 80), ("5m0s", 300), ("1h0m5s", 3605)])
def test_the_next_try_is_counted_from_the_last_end(wait, seconds):
    pod = crashed(a_pod(node="node-a"), wait, finished="1970-01-01T00:00:10Z")
    assert next_try(pod) == 10 + seconds


def test_a_pod_that_does_not_wait_has_no_next_try():
    assert next_try(ready(a_pod())) is None


def test_init_containers_are_reckoned_as_kubernetes_reckons_them():
    pod = a_pod(cpu="100m")
    pod["spec"]["initContainers"] = [{"name": "first", "resources": {"requests": {"cpu": "1", "memory": "1Mi"}}}]
    assert requests_of(pod) == (1000, 64 * 2**20, 0)


def test_a_node_says_what_is_requested_of_what_there_is():
    row = node_row(a_node(unschedulable=True), (1500, 2**30, 0), 4)
    assert row["gauges"] == [(38, "1.5 of 4 requested"), (12, "1 GiB of 8 GiB requested")]
    assert (row["size"], row["room"], row["count"]) == ("4 cpu · 8 GiB · docker", "closed to new pods", 4)
    assert row["cordoned"] and row["ready"] and row["zone"] == "a" and row["runtime"] == "docker"


def test_a_node_that_never_reported_is_unknown_and_not_ready():
    node = a_node()
    del node["status"]["conditions"]
    row = node_row(node, (0, 0, 0), 0)
    assert row["status"] == "Unknown"
    assert "ready" not in row


def test_a_node_shows_taints_that_people_set_and_not_those_of_its_own_state():
    node = a_node(taints=[{"key": "gpu", "effect": "NoSchedule"}, {"key": "node.kubernetes.io/unreachable"}])
    assert node_row(node, (0, 0, 0), 0)["flags"] == [("taint gpu", "")]


def test_a_card_counts_the_old_version_and_the_new():
    deployment = a_deployment(revision=2)
    sets = [a_replicaset(deployment, 1, replicas=1, ready=1), a_replicaset(deployment, 2, replicas=3, ready=2)]
    row = workload_row(deployment, sets, [])
    assert (row["oldTotal"], row["oldReady"]) == (1, 1)
    assert (row["newTotal"], row["newReady"]) == (3, 2)
    assert (row["was"], row["pace"], row["is"]) == ("v1 1", "at most +1 −0", "v2 2 of 3")
    assert row["words"].endswith("ready, rolling out")


def test_a_rollout_that_missed_its_deadline_is_not_said_to_roll():
    late = {"conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]}
    deployment = a_deployment(revision=2) | {"status": late}
    row = workload_row(deployment, [a_replicaset(deployment, 1), a_replicaset(deployment, 2, replicas=1)], [])
    assert row["words"].endswith("ready, stopped")


def test_a_card_says_what_is_wrong_worst_first():
    rows = [{"state": "pending"}, {"state": "backoff"}, {"state": "ready"}, {"state": "pending"}]
    assert trouble(rows) == "1 in back-off, 2 without a node"
    assert trouble([{"state": "backoff", "status": "ImagePullBackOff"}]) == "1 whose image cannot be had"
    assert trouble([{"state": "ready"}]) == ""


def test_a_line_of_the_tape_leads_to_the_row_that_it_is_about():
    row = event_row(an_event("e", a_pod("web-1"), count=3))
    assert (row["target"], row["about"], row["from"]) == ("pods/default/web-1", "pod/web-1", "kubelet ×3")
