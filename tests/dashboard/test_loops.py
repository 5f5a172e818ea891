"""What the control loops say they did: the difference that they saw, and the act."""

from lab.dashboard.loops import describe, loop_of, pod_name

from .build import a_deployment, a_node, a_pod, a_replicaset, change, crashed, leaving, ready, with_spec, with_status

DEPLOYMENT = a_deployment()
SET = a_replicaset(DEPLOYMENT, replicas=5)
POD = a_pod("web-rs1-x7k2p", SET)


def test_a_replica_set_says_what_it_wanted_had_and_did():
    old = with_status(SET, replicas=3)
    made = change(POD, author="replicaset-controller")
    assert describe([made, change(SET, old, "replicaset-controller")]) == "web v1: wants 5, had 3 → +2"


def test_a_deployment_says_which_version_goes_from_what_to_what():
    changes = [
        change(with_spec(SET, replicas=4), SET, "deployment-controller"),
        change(DEPLOYMENT, DEPLOYMENT, "deployment-controller"),
    ]
    assert describe(changes) == "web v1: 5 → 4"


def test_sets_say_how_far_they_are():
    meta = {"name": "db", "namespace": "default", "uid": "db"}
    stateful = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": meta, "spec": {"replicas": 3}}
    now = {**stateful, "status": {"readyReplicas": 2}}
    assert describe([change(now, stateful, "statefulset-controller")]) == "db: 2 of 3 ready"
    daemons = {**stateful, "kind": "DaemonSet", "status": {"numberReady": 1, "desiredNumberScheduled": 4}}
    assert describe([change(daemons, daemons, "daemonset-controller")]) == "db: ready on 1 of 4 nodes"


def test_jobs_say_how_much_is_done():
    meta = {"name": "sum", "namespace": "default", "uid": "sum"}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": {"completions": 5}}
    now = {**job, "status": {"succeeded": 2, "failed": 1}}
    assert describe([change(now, job, "job-controller")]) == "sum: 2 of 5 done, 1 failed"
    queue = {**job, "spec": {}, "status": {"succeeded": 2}}
    assert describe([change(queue, job, "job-controller")]) == "sum: 2 done"
    assert describe([change(job, author="cronjob-controller")]) == "made sum"


def test_the_scheduler_says_which_pod_goes_where_and_how_many_more():
    other = a_pod("web-rs1-other", SET)
    bound = [change(with_spec(pod, nodeName="node-a"), pod, "scheduler") for pod in (other, POD)]
    assert describe(bound) == "web x7k2p → node-a · 1 more"


def test_the_scheduler_says_what_fits_nowhere():
    pod = a_pod("report")
    assert describe([change(with_status(pod, phase="Pending"), pod, "scheduler")]) == "report fits on no node"


def test_a_kubelet_says_what_became_of_the_pod():
    pod = a_pod("report", node="node-a")
    assert describe([change(ready(pod), pod, "kubelet")]) == "report ready"
    assert describe([change(crashed(pod), ready(pod), "kubelet")]) == "report CrashLoopBackOff"
    assert describe([change(leaving(pod), pod, "taint-eviction-controller")]) == "report must leave"


def test_the_node_controller_says_what_it_heard():
    lost, back = a_node(truth="Unknown"), a_node()
    assert describe([change(lost, back, "node-controller")]) == "node-a: no heartbeat → lost"
    assert describe([change(back, lost, "kubelet")]) == "node-a: heartbeats are back → Ready"
    assert (
        describe([change(back, with_status(back, conditions=[]), "kubelet")]) == "node-a: its first heartbeat → Ready"
    )


def test_a_taint_that_comes_is_told_by_its_short_name():
    taints = [{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}]
    node = a_node()
    assert describe([change(with_spec(node, taints=taints), node, "node-controller")]) == "node-a: taint +unreachable"


def test_heartbeats_and_people_turn_no_wheel():
    node = a_node()
    assert loop_of(change(node, node, "kubelet")) == ""
    assert loop_of(change(POD, author="kubectl")) == ""
    assert loop_of(change(POD, author="kubelet/docker")) == "kubelet"


def test_a_pod_is_named_as_its_tile_names_it():
    assert pod_name(POD) == "web x7k2p"
    assert pod_name(a_pod("report")) == "report"
