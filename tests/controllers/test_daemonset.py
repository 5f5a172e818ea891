"""DaemonSets through the real store and the real loops; the scheduler and the kubelets are played."""

from dataclasses import replace

import pytest

from lab.apimachinery.kinds import CONTROLLERREVISIONS, DAEMONSETS, NODES, PODS
from lab.apimachinery.meta import controller_of, is_deleting, parse_time
from lab.client import Put, reconcile
from lab.controllers.daemonset.nodes import FAILURES, node_of_daemon
from lab.controllers.daemonset.plan import Look, next_step

from .cluster import WORKLOADS, Cluster

pytestmark = pytest.mark.django_db
LOOP = WORKLOADS[3]


@pytest.fixture
def cluster(cluster: Cluster) -> Cluster:
    for name in ("a", "b", "c"):
        add(cluster, name)
    return cluster


def add(cluster: Cluster, name: str) -> None:
    """A node that is ready, and that the node controller has found so."""
    cluster.add_node(name)
    cluster.client.patch(NODES, "", name, {"spec": {"taints": None}})


def make(cluster: Cluster, version: str = "v1", strategy: dict | None = None, **pod) -> dict:
    template = {
        "metadata": {"labels": {"app": "agent"}},
        "spec": {"containers": [{"name": "agent", "image": f"agent:{version}"}], **pod},
    }
    spec = {"selector": {"matchLabels": {"app": "agent"}}, "template": template}
    spec |= {"updateStrategy": {"rollingUpdate": strategy}} if strategy else {}
    return cluster.client.create(DAEMONSETS, {"metadata": {"name": "agent", "namespace": "default"}, "spec": spec})


def status(cluster: Cluster) -> dict:
    return cluster.client.get(DAEMONSETS, "default", "agent")["status"]


def release(cluster: Cluster, version: str, **spec) -> None:
    template = {"spec": {"containers": [{"name": "agent", "image": f"agent:{version}"}]}}
    cluster.client.patch(DAEMONSETS, "default", "agent", {"spec": {"template": template, **spec}})


def step(cluster: Cluster) -> dict[str, list[str]]:
    """The loops turn, each daemon comes to its node, and what was asked for happens: node → images, before that."""
    cluster.settle()
    loose = [pod for pod in cluster.pods() if not pod["spec"].get("nodeName")]
    assert not cluster.client.bind([(pod, node_of_daemon(pod), None) for pod in loose])
    pods = cluster.pods()
    cluster.run([pod for pod in pods if not is_deleting(pod) and pod["status"].get("phase") != "Running"])
    cluster.end([pod for pod in pods if is_deleting(pod)])
    seen: dict[str, list[str]] = {}
    for pod in pods:
        image = pod["spec"]["containers"][0]["image"].removeprefix("agent:")
        seen.setdefault(node_of_daemon(pod), []).append(("-" if is_deleting(pod) else "") + image)
    return {node: sorted(images) for node, images in sorted(seen.items())}


def steps(cluster: Cluster) -> list[dict[str, list[str]]]:
    seen = [step(cluster)]
    while (after := step(cluster)) != seen[-1]:
        seen.append(after)
    return seen


def everywhere(version: str, nodes: str = "abc") -> dict[str, list[str]]:
    return {node: [version] for node in nodes}


def taint(cluster: Cluster, node: str, effect: str = "NoSchedule", key: str = "special") -> None:
    cluster.client.patch(NODES, "", node, {"spec": {"taints": [{"key": key, "effect": effect}]}})


def test_each_node_has_one_whether_it_was_there_before_or_comes_later(cluster):
    make(cluster)
    assert steps(cluster)[-1] == everywhere("v1")
    add(cluster, "d")
    assert steps(cluster)[-1] == everywhere("v1", "abcd")
    lost = next(pod for pod in cluster.pods() if node_of_daemon(pod) == "b")
    cluster.end([lost])
    assert steps(cluster)[-1] == everywhere("v1", "abcd")
    counts = ("desiredNumberScheduled", "currentNumberScheduled", "numberReady", "numberAvailable")
    assert [status(cluster)[count] for count in (*counts, "updatedNumberScheduled")] == [4] * 5
    assert status(cluster)["numberMisscheduled"] == 0 and "numberUnavailable" not in status(cluster)


def test_one_that_may_have_none_keeps_no_other_from_a_new_node(cluster):
    meta = make(cluster, serviceAccountName="nobody")["metadata"]
    spec = cluster.client.get(DAEMONSETS, "default", meta["name"])["spec"]
    spec = {**spec, "template": {**spec["template"], "spec": {"containers": spec["template"]["spec"]["containers"]}}}
    cluster.client.create(DAEMONSETS, {"metadata": {"name": "other", "namespace": "default"}, "spec": spec})
    cluster.settle()
    add(cluster, "late")
    cluster.settle()
    assert sorted(map(node_of_daemon, cluster.pods())) == ["a", "b", "c", "late"]
    assert 'serviceaccount "nobody" not found' in cluster.events("FailedCreate")[0]


def test_all_of_them_are_looked_at_once_though_there_are_too_many_for_one_turn(cluster, monkeypatch):
    meta = make(cluster)["metadata"]
    spec = cluster.client.get(DAEMONSETS, "default", meta["name"])["spec"]
    cluster.client.create(DAEMONSETS, {"metadata": {"name": "other", "namespace": "default"}, "spec": spec})
    monkeypatch.setattr(reconcile, "TURN_SECONDS", 0.0)
    delays = LOOP.sync_all(cluster.client, {"*": 0})
    assert delays == {"*": None, "default/agent": 0.0, "default/other": 0.0}
    assert {controller_of(pod)["name"] for pod in cluster.pods()} == {"agent"}


def test_a_daemon_names_its_node_and_bears_what_drives_others_away(cluster):
    make(cluster, nodeSelector={"disk": "ssd"})
    cluster.settle()
    assert cluster.pods() == []
    cluster.client.patch(NODES, "", "b", {"metadata": {"labels": {"disk": "ssd"}}})
    cluster.settle()
    (pod,) = cluster.pods()
    assert "nodeName" not in pod["spec"] and pod["spec"]["nodeSelector"] == {"disk": "ssd"}
    affinity = pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    named = {"key": "metadata.name", "operator": "In", "values": ["b"]}
    assert affinity == {"nodeSelectorTerms": [{"matchFields": [named]}]}
    borne = {(toleration["key"], toleration["effect"]) for toleration in pod["spec"]["tolerations"]}
    assert {key.removeprefix("node.kubernetes.io/") + ":" + effect for key, effect in borne} == {
        "not-ready:NoExecute",
        "unreachable:NoExecute",
        "disk-pressure:NoSchedule",
        "memory-pressure:NoSchedule",
        "pid-pressure:NoSchedule",
        "unschedulable:NoSchedule",
    }
    assert not any("tolerationSeconds" in toleration for toleration in pod["spec"]["tolerations"])
    labels = pod["metadata"]["labels"]
    (revision,) = cluster.client.list(CONTROLLERREVISIONS)
    assert revision["metadata"]["name"] == f"agent-{labels['controller-revision-hash']}"
    assert labels["pod-template-generation"] == "1"


def test_it_goes_where_it_no_longer_belongs(cluster):
    for name in ("a", "b"):
        cluster.client.patch(NODES, "", name, {"metadata": {"labels": {"disk": "ssd"}}})
    make(cluster, nodeSelector={"disk": "ssd"})
    assert steps(cluster)[-1] == everywhere("v1", "ab")
    cluster.client.patch(NODES, "", "b", {"metadata": {"labels": {"disk": None}}})
    assert steps(cluster)[-1] == everywhere("v1", "a")


def test_a_taint_keeps_new_ones_off_and_only_no_execute_drives_them_away(cluster):
    taint(cluster, "c")
    make(cluster)
    assert steps(cluster)[-1] == everywhere("v1", "ab")
    taint(cluster, "b")
    assert steps(cluster)[-1] == everywhere("v1", "ab")
    assert (status(cluster)["desiredNumberScheduled"], status(cluster)["numberMisscheduled"]) == (1, 1)
    taint(cluster, "b", "NoExecute")
    assert steps(cluster)[-1] == everywhere("v1", "a")
    taint(cluster, "c", key="node.kubernetes.io/unschedulable")
    assert steps(cluster)[-1] == everywhere("v1", "ac")


def test_one_that_waits_for_a_node_that_is_gone_goes(cluster):
    make(cluster)
    cluster.settle()
    cluster.client.delete(NODES, "", "c")
    cluster.settle()
    assert sorted(map(node_of_daemon, cluster.pods())) == ["a", "b"]


def test_an_update_takes_one_away_after_another(cluster):
    make(cluster)
    steps(cluster)
    release(cluster, "v2")
    seen = steps(cluster)
    assert seen[-1] == everywhere("v2")
    assert max(sum(images != ["v1"] and images != ["v2"] for images in nodes.values()) for nodes in seen) == 1
    assert len(cluster.client.list(CONTROLLERREVISIONS)) == 2
    assert status(cluster)["updatedNumberScheduled"] == 3
    assert cluster.pods()[0]["metadata"]["labels"]["pod-template-generation"] == "2"


def test_more_at_once_where_more_may_be_missed_and_those_first_that_serve_nobody(cluster):
    make(cluster, strategy={"maxUnavailable": 2})
    steps(cluster)
    broken = next(pod for pod in cluster.pods() if node_of_daemon(pod) == "c")
    cluster.run([broken], ready=False)
    release(cluster, "v2")
    assert step(cluster) == {"a": ["-v1"], "b": ["-v1"], "c": ["-v1"]}


def test_with_surge_a_new_one_serves_before_the_old_one_goes(cluster):
    make(cluster, strategy={"maxUnavailable": 0, "maxSurge": 1})
    steps(cluster)
    release(cluster, "v2")
    seen = steps(cluster)
    assert seen[0] == {"a": ["v1", "v2"], "b": ["v1"], "c": ["v1"]}
    assert {"a": ["-v1", "v2"], "b": ["v1", "v2"], "c": ["v1"]} in seen
    assert seen[-1] == everywhere("v2")


def test_on_delete_waits_for_a_hand(cluster):
    make(cluster)
    steps(cluster)
    release(cluster, "v2", updateStrategy={"type": "OnDelete", "rollingUpdate": None})
    assert steps(cluster)[-1] == everywhere("v1")
    cluster.end([pod for pod in cluster.pods() if node_of_daemon(pod) == "a"])
    assert steps(cluster)[-1] == everywhere("v1") | {"a": ["v2"]}


def test_going_back_uses_the_old_version_again(cluster):
    first = make(cluster)
    steps(cluster)
    release(cluster, "v2")
    steps(cluster)
    old = next(one for one in cluster.client.list(CONTROLLERREVISIONS) if one["revision"] == 1)
    strategic = "application/strategic-merge-patch+json"
    patched = cluster.client.patch(DAEMONSETS, "default", "agent", old["data"], patch_type=strategic)
    assert patched["spec"]["template"] == first["spec"]["template"]
    assert steps(cluster)[-1] == everywhere("v1")
    assert sorted(one["revision"] for one in cluster.client.list(CONTROLLERREVISIONS)) == [2, 3]


def fail(cluster: Cluster, node: str) -> dict:
    """The daemon of that node, once it has failed."""
    (pod,) = (pod for pod in cluster.pods() if node_of_daemon(pod) == node)
    cluster.client.write([Put(PODS, {**pod, "status": {"phase": "Failed"}}, "status")])
    return cluster.client.get(PODS, "default", pod["metadata"]["name"])


def test_one_that_failed_is_made_anew_at_once_and_the_next_ones_ever_later(cluster):
    made = make(cluster)
    steps(cluster)
    first = fail(cluster, "a")
    cluster.settle()
    words = f"Found failed daemon pod default/{first['metadata']['name']} on node a, will try to kill it"
    assert cluster.events("FailedDaemonPod") == [words]

    pauses, failed = [], fail(cluster, "a")
    node, since = cluster.client.get(NODES, "", "a"), parse_time(failed["metadata"]["creationTimestamp"])
    for _ in range(12):
        look = Look(made, [node], [failed], failed["metadata"]["labels"]["controller-revision-hash"], since)
        soon = next_step(look)
        assert not soon.delete and not soon.create
        pauses.append(soon.delay)
        late = next_step(replace(look, time=since + soon.delay))
        assert late.delete == [failed]
        failed = {**failed, "metadata": {**failed["metadata"], "annotations": {FAILURES: str(late.create["a"])}}}
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    assert next_step(replace(look, time=since + 3600)).create == {}, "so long ago that it counts no more"


def test_at_rest_nothing_is_written(cluster):
    make(cluster)
    steps(cluster)
    at_rest = cluster.revisions()
    LOOP.sync(cluster.client, "default/agent")
    cluster.report_node("a", "Unknown")  # its taints would tell, and not its status
    assert cluster.revisions() == at_rest + 1
    assert LOOP.keys(cluster.client.changes_since(at_rest)[0]) == ()


def test_one_that_has_ended_and_goes_is_in_no_successors_way(cluster):
    make(cluster)
    steps(cluster)
    name = next(pod["metadata"]["name"] for pod in cluster.pods() if node_of_daemon(pod) == "a")
    cluster.client.patch(PODS, "default", name, {"metadata": {"finalizers": ["example.com/wait"]}})
    cluster.client.delete(PODS, "default", name)
    cluster.settle()
    assert len(cluster.pods()) == 3, "its containers still run"
    fail(cluster, "a")
    cluster.settle()
    assert [node_of_daemon(pod) for pod in cluster.pods() if pod["metadata"]["name"] != name].count("a") == 1


def test_one_that_goes_writes_no_more_history(cluster):
    make(cluster)
    steps(cluster)
    before = cluster.revisions()
    cluster.client.delete(DAEMONSETS, "default", "agent", propagation="Foreground")
    steps(cluster)
    made = [c.resource for c in cluster.client.changes_since(before) if c.created and c.resource != "events"]
    assert made == [] and cluster.client.find(DAEMONSETS, "default", "agent") is None
