"""What kubectl prints: cells as Kubernetes' printers make them."""

import pytest

from lab.apimachinery.kinds import HORIZONTALPODAUTOSCALERS, KINDS, NODES, PODS, SERVICES
from lab.apiserver import tables
from lab.apiserver.tables.cells import human_duration
from lab.apiserver.tables.pods import summary

NOW = 1_700_000_000.0
AN_HOUR_AGO = "2023-11-14T21:13:20Z"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "<invalid>"), (-0.5, "0s"), (0, "0s"), (119.9, "119s"), (120, "2m"), (130, "2m10s"), (599, "9m59s"),
        (600, "10m"), (10799, "179m"), (10800, "3h"), (3 * 3600 + 300, "3h5m"), (8 * 3600, "8h"), (47 * 3600, "47h"),
        (48 * 3600, "2d"), (50 * 3600, "2d2h"), (8 * 86400, "8d"), (729 * 86400, "729d"), (730 * 86400, "2y"),
        (800 * 86400, "2y70d"), (8 * 365 * 86400, "8y"),
    ],
)  # fmt: skip
def test_ages_have_no_more_precision_than_one_can_use(seconds, text):
    assert human_duration(seconds) == text


def pod(statuses=(), phase="Running", *, init=(), init_statuses=(), deleting=False, **status):
    metadata = {"name": "web-1", "creationTimestamp": AN_HOUR_AGO}
    if deleting:
        metadata["deletionTimestamp"] = AN_HOUR_AGO
    names = [s["name"] for s in statuses] or ["app"]
    return {
        "metadata": metadata,
        "spec": {"containers": [{"name": name} for name in names], "initContainers": list(init)},
        "status": {
            "phase": phase,
            "containerStatuses": list(statuses),
            "initContainerStatuses": list(init_statuses),
            **status,
        },
    }


def container(name="app", *, restarts=0, ready=False, last=None, **state):
    found = {"name": name, "restartCount": restarts, "ready": ready, "state": state, "started": ready}
    return {**found, "lastState": {"terminated": last}} if last else found


RUNNING = container(ready=True, running={})
CRASHING = container(restarts=3, waiting={"reason": "CrashLoopBackOff"}, last={"finishedAt": "2023-11-14T22:08:20Z"})
INITIALIZED = [{"type": "Initialized", "status": "True"}]


@pytest.mark.parametrize(
    ("subject", "status", "ready"),
    [
        (pod([RUNNING]), "Running", "1/1"),
        (pod([], "Pending"), "Pending", "0/1"),
        (pod([container(waiting={"reason": "ContainerCreating"})], "Pending"), "ContainerCreating", "0/1"),
        (pod([CRASHING]), "CrashLoopBackOff", "0/1"),
        (pod([RUNNING], deleting=True), "Terminating", "1/1"),
        (pod([container(terminated={"reason": "Completed"})], "Succeeded"), "Completed", "0/1"),
        (pod([container(terminated={"reason": "Completed"})], "Succeeded", deleting=True), "Completed", "0/1"),
        (pod([container(terminated={"exitCode": 3})], "Failed"), "ExitCode:3", "0/1"),
        (pod([container(terminated={"exitCode": 137, "signal": 9})], "Failed"), "Signal:9", "0/1"),
        (pod([], "Failed", reason="Evicted"), "Evicted", "0/1"),
        (pod([RUNNING], deleting=True, reason="NodeLost"), "Unknown", "1/1"),
        (pod([container("a", terminated={"reason": "Completed"}), container("b", ready=True, running={})],
             conditions=[{"type": "Ready", "status": "True"}]), "Running", "1/2"),
        (pod([container("a", terminated={"reason": "Completed"}), container("b", ready=True, running={})]),
         "NotReady", "1/2"),
        (pod([container("a", waiting={"reason": "ErrImagePull"}), container("b", waiting={"reason": "Other"})]),
         "ErrImagePull", "0/2"),
        (pod([], "Pending", conditions=[{"type": "PodScheduled", "status": "False", "reason": "SchedulingGated"}]),
         "SchedulingGated", "0/1"),
        (pod([], "Pending", init=[{"name": "a"}, {"name": "b"}],
             init_statuses=[container("a", terminated={"exitCode": 0}), container("b", running={})]),
         "Init:1/2", "0/1"),
        (pod([], "Pending", init=[{"name": "a"}], init_statuses=[container("a", terminated={"exitCode": 2})]),
         "Init:ExitCode:2", "0/1"),
        (pod([], "Pending", init=[{"name": "a"}],
             init_statuses=[container("a", waiting={"reason": "PodInitializing"})]), "Init:0/1", "0/1"),
        (pod([], "Pending", init=[{"name": "a"}], init_statuses=[container("a", waiting={"reason": "ErrImagePull"})]),
         "Init:ErrImagePull", "0/1"),
        (pod([RUNNING], init=[{"name": "side", "restartPolicy": "Always"}],
             init_statuses=[container("side", ready=True, running={})], conditions=INITIALIZED), "Running", "2/2"),
    ],
)  # fmt: skip
def test_a_pod_is_told_in_one_word(subject, status, ready):
    cells = tables.columns_for(PODS).cells(subject, NOW)
    assert (cells[2], cells[1]) == (status, ready)


def test_restarts_say_when_the_last_one_was():
    assert tables.columns_for(PODS).cells(pod([CRASHING]), NOW)[3] == "3 (5m ago)"
    assert tables.columns_for(PODS).cells(pod([RUNNING]), NOW)[3] == "0"


def test_restarts_of_finished_init_containers_do_not_count():
    done = container("a", restarts=4, terminated={"exitCode": 0})
    assert summary(pod([RUNNING], init=[{"name": "a"}], init_statuses=[done]))[3] == 0


def test_a_pod_that_has_no_place_yet_says_none():
    assert tables.columns_for(PODS).cells(pod([], "Pending"), NOW)[5:] == ["<none>"] * 4


def node(ready="True", *, cordoned=False, labels=()):
    return {
        "metadata": {"name": "n1", "creationTimestamp": AN_HOUR_AGO, "labels": dict.fromkeys(labels, "")},
        "spec": {"unschedulable": True} if cordoned else {},
        "status": {"conditions": [{"type": "Ready", "status": ready}] if ready else []},
    }


@pytest.mark.parametrize(
    ("subject", "word"),
    [
        (node(), "Ready"),
        (node("False"), "NotReady"),
        (node("Unknown"), "NotReady"),
        (node(""), "Unknown"),
        (node(cordoned=True), "Ready,SchedulingDisabled"),
    ],
)
def test_a_node_is_ready_or_not_and_may_be_cordoned(subject, word):
    assert tables.columns_for(NODES).cells(subject, NOW)[1] == word


def test_a_nodes_roles_are_labels():
    labels = ("node-role.kubernetes.io/worker", "node-role.kubernetes.io/control-plane")
    assert tables.columns_for(NODES).cells(node(labels=labels), NOW)[2] == "control-plane,worker"
    assert tables.columns_for(NODES).cells(node(), NOW)[2] == "<none>"


def test_a_service_tells_its_ports_and_that_it_waits_for_an_address():
    spec = {"type": "LoadBalancer", "clusterIP": "10.0.0.1", "selector": {"app": "web"}}
    spec["ports"] = [{"port": 80, "nodePort": 30080}, {"port": 53, "protocol": "UDP"}]
    service = {"metadata": {"name": "web", "creationTimestamp": AN_HOUR_AGO}, "spec": spec}
    cells = tables.columns_for(SERVICES).cells(service, NOW)
    assert cells[1:] == ["LoadBalancer", "10.0.0.1", "<pending>", "80:30080/TCP,53/UDP", "60m", "app=web"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_every_kind_prints_as_many_cells_as_it_has_columns(kind):
    bare = {"metadata": {"name": "x"}, "spec": {"containers": [], "template": {}}}
    columns = tables.columns_for(kind)
    assert len(columns.cells(bare, NOW)) == len(columns.definitions)
    assert columns.definitions[0]["name"] in ("Name", "Last Seen")


def test_a_table_carries_what_the_client_asked_of_each_object():
    subject = pod([container(terminated={"reason": "Completed"})], "Succeeded")
    columns = tables.columns_for(PODS)
    made = tables.table(columns, [subject], {"resourceVersion": "7"}, NOW)
    assert made["metadata"] == {"resourceVersion": "7"}
    assert made["rows"][0]["object"]["kind"] == "PartialObjectMetadata"
    assert made["rows"][0]["conditions"][0]["type"] == "Completed"
    assert "object" not in tables.row(columns, subject, NOW, "None")
    assert tables.row(columns, subject, NOW, "Object")["object"] is subject


def test_of_an_autoscalers_metrics_two_are_told():
    metric = {"type": "Pods", "pods": {"metric": {"name": "rps"}, "target": {"averageValue": "5"}}}
    about = {"metadata": {"name": "web"}, "spec": {"metrics": [metric] * 3}}
    cells = tables.columns_for(HORIZONTALPODAUTOSCALERS).cells(about, NOW)
    assert cells[2] == "<unknown>/5, <unknown>/5 + 1 more..."
