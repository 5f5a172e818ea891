"""A real kubectl on StatefulSets, whose pods keep names and data, and on DaemonSets, which follow the nodes."""

import json
from collections import Counter
from collections.abc import Iterator

import pytest

from ..labs import is_ready, wait_until
from .nodes import NODES, a_node, add_node, annotate, left_as_found
from .stage import IMAGE, Stage, container, forever
from .steps import kill, patch, revision
from .test_exec import Kubectl
from .watching import replay

SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "peers"},
    "spec": {"clusterIP": "None", "selector": {"app": "db"}, "ports": [{"port": 80}]},
}


def a_set() -> dict:
    """Three that each write their name into a file of their own, and are ready once they have."""
    probe = {"exec": {"command": ["grep", "-q", "db", "/data/names"]}, "periodSeconds": 1}
    script = forever("echo $HOSTNAME >> /data/names; cat /data/names")
    writer = container("main", script, volumeMounts=[{"name": "data", "mountPath": "/data"}], readinessProbe=probe)
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    spec = {
        "replicas": 3,
        "serviceName": "peers",
        "selector": {"matchLabels": {"app": "db"}},
        "template": {
            "metadata": {"labels": {"app": "db"}},
            "spec": {"containers": [writer], "terminationGracePeriodSeconds": 1},
        },
        "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": claim}],
    }
    return {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": spec}


def daemons() -> dict:
    template = {
        "metadata": {"labels": {"app": "agent"}},
        "spec": {"containers": [container("agent")], "terminationGracePeriodSeconds": 1},
    }
    spec = {"selector": {"matchLabels": {"app": "agent"}}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "agent"}, "spec": spec}


class Sets(Kubectl):
    """kubectl in the stage's namespace, with what these tests ask."""

    def __init__(self, program: str, stage: Stage):
        super().__init__(program, stage)
        self.stage = stage

    def says(self, *words: str, stdin: str = "") -> str:
        done = self.run(*words, stdin=stdin.encode())
        assert done.returncode == 0, done.stderr
        return done.stdout.decode()

    def apply(self, *objects: dict) -> None:
        self.says("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))

    def history(self, of: str) -> list[str]:
        """The numbers of the versions that are kept."""
        return [line.split()[0] for line in self.says("rollout", "history", of).splitlines()[2:] if line]

    def pods(self, app: str) -> dict[str, dict]:
        found = self.stage.lab.pods(f"app={app}", self.stage.namespace)
        return {pod["metadata"]["name"]: pod for pod in found}

    def nodes(self) -> list[str]:
        """Of all daemons that do not leave, the nodes."""
        staying = [pod for pod in self.pods("agent").values() if "deletionTimestamp" not in pod["metadata"]]
        return sorted(pod["spec"].get("nodeName", "") for pod in staying)


def ready_at(pod: dict) -> str:
    return next(c["lastTransitionTime"] for c in pod["status"]["conditions"] if c["type"] == "Ready")


@pytest.mark.timeout(300)
def test_each_pod_of_a_statefulset_keeps_its_name_and_its_data(docker_stage, kubectl):
    k = Sets(kubectl, docker_stage)
    k.apply(SERVICE, a_set())
    assert "roll out complete: 3 new pods" in k.says("rollout", "status", "sts/db", "--timeout=150s")
    pods = k.pods("db")
    assert sorted(pods) == ["db-0", "db-1", "db-2"]
    assert ready_at(pods["db-0"]) <= pods["db-1"]["metadata"]["creationTimestamp"]
    assert ready_at(pods["db-1"]) <= pods["db-2"]["metadata"]["creationTimestamp"]
    ask = "import socket; print(socket.gethostname(), socket.gethostbyname('db-1.peers'))"
    assert k.says("exec", "db-0", "--", "python3", "-c", ask).split() == ["db-0", pods["db-1"]["status"]["podIP"]]

    k.says("scale", "sts/db", "--replicas=1")
    wait_until("the others to be gone", lambda: list(k.pods("db")) == ["db-0"])
    bound = k.says("get", "pvc", "-o", "jsonpath={.items[*].metadata.name} {.items[*].status.phase}")
    assert bound.split() == ["data-db-0", "data-db-1", "data-db-2", "Bound", "Bound", "Bound"]
    k.says("scale", "sts/db", "--replicas=3")
    k.says("rollout", "status", "sts/db", "--timeout=150s")
    assert k.says("logs", "db-2").split() == ["db-2", "db-2"]
    assert k.says("logs", "db-0").split() == ["db-0"]

    k.says("rollout", "restart", "sts/db")
    k.says("rollout", "status", "sts/db", "--timeout=150s")
    assert k.says("logs", "db-0").split() == ["db-0", "db-0"]
    assert k.history("sts/db") == ["1", "2"]
    assert "rolled back" in k.says("rollout", "undo", "sts/db")
    k.says("rollout", "status", "sts/db", "--timeout=150s")
    assert k.history("sts/db") == ["2", "3"]
    assert "restartedAt" not in json.dumps([pod["metadata"] for pod in k.pods("db").values()])

    k.says("delete", "sts/db", "service/peers", "--wait=false")
    wait_until("the pods to be gone", lambda: not k.pods("db"))
    assert "data-db-2" in k.says("get", "pvc")
    k.says("delete", "pvc", "--all")


@pytest.mark.timeout(300)
def test_a_daemonset_follows_the_nodes(process_stage, kubectl):
    lab, k = process_stage.lab, Sets(kubectl, process_stage)
    with left_as_found(lab):
        k.apply(daemons())
        assert "successfully rolled out" in k.says("rollout", "status", "ds/agent", "--timeout=120s")
        assert k.nodes() == ["node-a", "node-b", "node-c"]
        add_node(lab, a_node("node-d"))
        wait_until("the new node's daemon", lambda: k.nodes() == ["node-a", "node-b", "node-c", "node-d"])
        k.says("rollout", "status", "ds/agent", "--timeout=120s")

        # A drain leaves it, and a node that is switched off keeps it, as nobody else would do its work.
        before = set(k.pods("agent"))
        assert "ignoring DaemonSet-managed Pods" in k.run("drain", "node-b", "--ignore-daemonsets").stderr.decode()
        annotate(lab, "node-d", power="off")
        counted = ["get", "ds/agent", "-o", "jsonpath={.status.desiredNumberScheduled} {.status.numberMisscheduled}"]
        wait_until("the node to be missed", lambda: k.says(*counted) == "3 1")
        annotate(lab, "node-d", power=None)
        wait_until("the node to be back", lambda: k.says(*counted) == "4 0")
        assert set(k.pods("agent")) == before

        k.says("set", "image", "ds/agent", f"agent={IMAGE.replace('v1', 'v2')}")
        k.says("rollout", "status", "ds/agent", "--timeout=150s")
        assert k.history("ds/agent") == ["1", "2"]
        assert "rolled back" in k.says("rollout", "undo", "ds/agent", "--to-revision=1")
        k.says("rollout", "status", "ds/agent", "--timeout=150s")
        assert {pod["spec"]["containers"][0]["image"] for pod in k.pods("agent").values()} == {IMAGE}

        lab.api("DELETE", f"{NODES}/node-d")
        wait_until("its daemon to go with it", lambda: k.nodes() == ["node-a", "node-b", "node-c"])
        k.says("delete", "ds/agent")
        wait_until("all daemons to be gone", lambda: not k.pods("agent"))


class History:
    """What became of the pods of an application, revision by revision."""

    def __init__(self, app: str):
        self.app = app
        self.pods: dict[str, dict] = {}  # those that do not leave, by uid

    def follow(self, happened: list[tuple[str, dict]]) -> Iterator[dict]:
        """Each pod that is taken away, while `pods` are those there were before that."""
        for kind, pod in happened:
            uid = pod["metadata"]["uid"]
            if (pod["metadata"].get("labels") or {}).get("app") != self.app:
                continue
            if kind == "DELETED" or "deletionTimestamp" in pod["metadata"]:
                if uid in self.pods:
                    yield self.pods[uid]
                self.pods.pop(uid, None)
            else:
                self.pods[uid] = pod
            held = Counter(map(place_of, self.pods.values()))
            assert max(held.values(), default=0) <= 1, f"two at one place: {held}"

    def serving(self) -> int:
        return sum(map(is_ready, self.pods.values()))


def place_of(pod: dict) -> str:
    """What nobody else may have: a daemon's node, and the name of one that has a name of its own."""
    affinity = pod["spec"].get("affinity")
    if not affinity:
        return pod["metadata"]["name"]
    required = affinity["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    return required["nodeSelectorTerms"][0]["matchFields"][0]["values"][0]


def simulated(obj: dict, **spec) -> dict:
    """The same on simulated nodes alone, slow to begin."""
    obj["spec"]["template"]["metadata"]["annotations"] = {"simulated.orrery.io/sandbox": "1s"}
    template = obj["spec"]["template"]["spec"]
    obj["spec"] |= {"volumeClaimTemplates": []} if obj["kind"] == "StatefulSet" else {}
    template |= {"nodeSelector": {"group": "sim"}, "containers": [container("main")]}
    return {**obj, "spec": {**obj["spec"], **spec}}


@pytest.mark.timeout(300)
def test_nothing_is_doubled_or_lost_when_workers_are_killed_amid_updates(own_lab):
    lab, sets = own_lab.start(), "/apis/apps/v1/namespaces/default"
    for number in range(8):
        lab.api("POST", NODES, a_node(f"sim-{number}", "simulated", {"group": "sim"}))
    since = revision(lab)
    lab.api("POST", f"{sets}/statefulsets", simulated(a_set(), replicas=6))
    few = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 2}}
    lab.api("POST", f"{sets}/daemonsets", simulated(daemons(), updateStrategy=few))

    def done(version: str, at_least: int = 14) -> bool:
        pods = [*lab.ready_pods("app=db"), *lab.ready_pods("app=agent")]
        new = [pod for pod in pods if (pod["metadata"].get("annotations") or {}).get("version", "") == version]
        return len(new) >= at_least

    wait_until("all to be there", lambda: done(""), 120)
    for version in ("2", "3"):
        template = {"spec": {"template": {"metadata": {"annotations": {"version": version}}}}}
        patch(lab, f"{sets}/statefulsets/db", template)
        patch(lab, f"{sets}/daemonsets/agent", template)
        for some in (3, 8):
            wait_until(f"{some} to be new", lambda some=some, version=version: done(version, some), 120)
            kill(lab, "worker")
        wait_until("all to be new", lambda version=version: done(version), 120)
    happened = replay(lab, "/api/v1/namespaces/default/pods", since)
    for app, most in (("db", 1), ("agent", 2)):
        history, gone = History(app), []
        for pod in history.follow(happened):
            wanted = 6 if app == "db" else 8
            assert not is_ready(pod) or wanted - history.serving() < most, f"{pod['metadata']['name']} went too early"
            gone.append(pod["metadata"]["name"])
        assert len(gone) == 2 * wanted, "each went twice, and no more often"
        if app == "db":
            assert gone == [f"db-{number}" for number in (5, 4, 3, 2, 1, 0)] * 2
