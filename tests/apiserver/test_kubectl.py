"""Real kubectl, an old one and a new one, against the API alone: what it prints, and how it exits.

No controller and no kubelet runs here, so what they would write, the tests write.
"""

import json
import os
import re
import subprocess
import threading
import time
from pathlib import Path

import pytest
import yaml

from lab.apimachinery.kinds import DEPLOYMENTS, NODES, PODS
from lab.apiserver import feed
from lab.client import Client
from tests.labs import wait_until

from .conftest import deployment, pod

pytestmark = pytest.mark.both_kubectls


class Kubectl:
    """One kubectl and one cluster: `run("get", "pods")` is what it printed."""

    def __init__(self, program: str, kubeconfig: Path):
        self.command = [program, "--kubeconfig", str(kubeconfig)]

    def start(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess:
        return subprocess.run(
            [*self.command, *words], input=stdin, capture_output=True, text=True, timeout=30, env=os.environ
        )

    def run(self, *words: str, stdin: str = "") -> str:
        done = self.start(*words, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def fail(self, *words: str, stdin: str = "") -> str:
        done = self.start(*words, stdin=stdin)
        assert done.returncode != 0, done.stdout
        return done.stderr

    def rows(self, *words: str) -> list[list[str]]:
        """The cells that it printed: columns stand at least two, mostly three, spaces apart."""
        return [re.split(r"\s{2,}", line.strip()) for line in self.run(*words).splitlines()]


@pytest.fixture
def k(kubectl: str, kubeconfig: Path) -> Kubectl:
    return Kubectl(kubectl, kubeconfig)


@pytest.fixture
def client(api) -> Client:
    return Client("default", "test")


def running_pod(client: Client, name: str, node: str = "n1") -> dict:
    made = client.create(
        PODS, {**pod(name, app="web"), "metadata": {"name": name, "namespace": "default", "labels": {"app": "web"}}}
    )
    if client.find(NODES, "", node) is None:
        client.create(NODES, {"metadata": {"name": node}})
    client.bind([(made, node, None)])
    status = {
        "phase": "Running",
        "podIP": "10.101.1.2",
        "podIPs": [{"ip": "10.101.1.2"}],
        "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2024-01-01T00:00:00Z"}],
        "containerStatuses": [
            {"name": "app", "image": "busybox", "imageID": "", "ready": True, "restartCount": 2,
             "state": {"running": {"startedAt": "2024-01-01T00:00:00Z"}}}
        ],
    }  # fmt: skip
    return client.patch(PODS, "default", name, {"status": status}, "status")


def test_get_prints_what_kubernetes_prints(k, client):
    running_pod(client, "web-1")
    assert [row[:4] for row in k.rows("get", "pods")] == [
        ["NAME", "READY", "STATUS", "RESTARTS"],
        ["web-1", "1/1", "Running", "2"],
    ]
    assert k.rows("get", "pods", "-o", "wide")[0] == [
        "NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "NODE", "NOMINATED NODE", "READINESS GATES",
    ]  # fmt: skip
    assert k.rows("get", "pod", "web-1", "-o", "wide")[1][5:] == ["10.101.1.2", "n1", "<none>", "<none>"]
    assert k.run("get", "pods", "-o", "name") == "pod/web-1\n"
    assert k.run("get", "pods", "-o", "jsonpath={.items[*].spec.nodeName}") == "n1"
    assert json.loads(k.run("get", "pod", "web-1", "-o", "json"))["kind"] == "Pod"
    assert yaml.safe_load(k.run("get", "pods", "-o", "yaml"))["items"][0]["metadata"]["name"] == "web-1"
    assert k.rows("get", "pods", "-A")[0][0] == "NAMESPACE"
    assert k.rows("get", "pods", "--show-labels")[1][-1] == "app=web"
    assert "web-1" in k.run(
        "get", "pods", "-l", "app in (web)", "--field-selector", "spec.nodeName=n1", "--sort-by", ".metadata.name"
    )
    assert k.run("get", "pods", "-l", "app=db") == ""
    assert "pod/web-1" in k.run("get", "all")


def test_get_of_what_is_not_there_is_an_error_in_kubernetes_words(k):
    assert k.fail("get", "pod", "x") == 'Error from server (NotFound): pods "x" not found\n'
    assert 'deployments.apps "x" not found' in k.fail("get", "deploy", "x")
    assert "the server doesn't have a resource type" in k.fail("get", "widgets")
    assert "field label not supported" in k.fail("get", "pods", "--field-selector", "spec.colour=red")


@pytest.mark.parametrize("kind", ["po", "deploy", "rs", "svc", "cm", "secrets", "ns", "no", "ev", "leases"])
def test_every_kind_can_be_listed_by_its_short_name(k, kind):
    k.run("get", kind)
    k.run("get", kind, "-o", "wide", "-A")


def test_get_watch_prints_each_change_as_a_line(k, api):
    api.create("/apis/apps/v1/namespaces/default/deployments", deployment("web", 1))
    watch = subprocess.Popen([*k.command, "get", "deploy", "-w"], stdout=subprocess.PIPE, text=True, env=os.environ)
    try:
        assert watch.stdout.readline().split()[:2] == ["NAME", "READY"]
        assert watch.stdout.readline().split()[:2] == ["web", "0/1"]
        time.sleep(0.3)
        api.patch("/apis/apps/v1/namespaces/default/deployments/web", {"spec": {"replicas": 4}})
        assert watch.stdout.readline().split()[:2] == ["web", "0/4"]
    finally:
        watch.kill()
        watch.wait()


def test_apply_creates_changes_and_leaves_alone(k):
    text = yaml.safe_dump(deployment("web"))
    assert k.run("apply", "-f", "-", stdin=text) == "deployment.apps/web created\n"
    assert k.run("apply", "-f", "-", stdin=text) == "deployment.apps/web unchanged\n"
    assert k.run("apply", "-f", "-", stdin=text.replace("busybox:1", "busybox:2")) == "deployment.apps/web configured\n"
    assert k.run("get", "deploy", "web", "-o", "jsonpath={..image}") == "busybox:2"
    assert k.run("replace", "-f", "-", stdin=text) == "deployment.apps/web replaced\n"
    assert k.run("get", "deploy", "web", "-o", "jsonpath={..image}") == "busybox:1"


def test_create_from_a_file_refuses_unknown_fields_and_wrong_values(k):
    text = yaml.safe_dump(deployment("web"))
    assert 'unknown field "spec.replicaz"' in k.fail("create", "-f", "-", stdin=text.replace("replicas", "replicaz"))
    refused = k.fail("create", "-f", "-", stdin=text.replace("replicas: 1", "replicas: -1"))
    assert 'The Deployment "web" is invalid: spec.replicas: Invalid value: -1' in refused
    assert k.run("create", "-f", "-", stdin=text) == "deployment.apps/web created\n"
    assert "already exists" in k.fail("create", "-f", "-", stdin=text)


def test_services_are_created_and_a_port_that_is_taken_is_refused(k):
    door = ("--tcp=80:8080", "--node-port=30123")
    assert k.run("create", "service", "nodeport", "door", *door) == "service/door created\n"
    assert "provided port is already allocated" in k.fail("create", "service", "nodeport", "other", *door)
    kind, _, _, ports = k.rows("get", "service", "door")[1][1:5]
    assert (kind, ports) == ("NodePort", "80:30123/TCP")


def test_what_will_not_be_done_is_a_warning(k):
    udp = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "dns"}}
    udp["spec"] = {"ports": [{"port": 53, "protocol": "UDP"}]}
    made = k.start("create", "-f", "-", stdin=json.dumps(udp))
    assert made.stdout == "service/dns created\n"
    assert made.stderr.startswith("Warning: spec.ports[0].protocol: UDP is not forwarded here")


def test_scale_label_annotate_patch_and_set_image(k, api):
    api.create("/apis/apps/v1/namespaces/default/deployments", deployment("web", 1))
    assert k.run("scale", "deploy/web", "--replicas", "3") == "deployment.apps/web scaled\n"
    assert k.run("scale", "deploy/web", "--replicas", "5", "--current-replicas", "3") == "deployment.apps/web scaled\n"
    assert "Expected replicas to be 3" in k.fail("scale", "deploy/web", "--replicas", "1", "--current-replicas", "3")
    assert k.rows("get", "deploy", "web", "--subresource", "scale")[1][:3] == ["web", "5", "0"]
    assert k.run("label", "deploy", "web", "tier=front") == "deployment.apps/web labeled\n"
    assert k.run("annotate", "deploy", "web", "note=hello") == "deployment.apps/web annotated\n"
    assert k.run("patch", "deploy", "web", "-p", '{"spec":{"replicas":2}}') == "deployment.apps/web patched\n"
    replace = '[{"op":"replace","path":"/spec/replicas","value":6}]'
    assert k.run("patch", "deploy", "web", "--type", "json", "-p", replace) == "deployment.apps/web patched\n"
    assert k.run("set", "image", "deploy/web", "app=busybox:9") == "deployment.apps/web image updated\n"
    shown = "{.spec.replicas} {..image} {.metadata.labels.tier} {.metadata.annotations.note}"
    assert k.run("get", "deploy", "web", "-o", f"jsonpath={shown}") == "6 busybox:9 front hello"
    assert k.run("label", "deploy", "web", "tier-") == "deployment.apps/web unlabeled\n"


def test_delete_waits_until_the_object_is_gone(k, api, client):
    made = {**deployment("web"), "metadata": {"name": "web", "namespace": "default", "finalizers": ["lab.io/wait"]}}
    client.create(DEPLOYMENTS, made)
    assert "deleted" in k.run("delete", "deploy", "web", "--wait=false")
    assert "timed out" in k.fail("delete", "deploy", "web", "--timeout", "1s")
    wait_until("the first to hang up", lambda: not feed._feeds)

    def release() -> None:
        wait_until("the second to wait for its end", lambda: feed._feeds)
        client.patch(DEPLOYMENTS, "default", "web", {"metadata": {"finalizers": None}})

    releasing = threading.Thread(target=release)
    releasing.start()
    assert "deleted" in k.run("delete", "deploy", "web")
    releasing.join()
    assert client.find(DEPLOYMENTS, "default", "web") is None


def test_delete_takes_grace_and_propagation(k, client):
    running_pod(client, "web-1")
    assert "deleted" in k.run("delete", "pod", "web-1", "--grace-period", "7", "--wait=false")
    ending = client.get(PODS, "default", "web-1")["metadata"]
    assert ending["deletionGracePeriodSeconds"] == 7
    assert k.rows("get", "pods")[1][2] == "Terminating"
    assert "force deleted" in k.run("delete", "pod", "web-1", "--force", "--grace-period", "0")
    assert client.find(PODS, "default", "web-1") is None
    client.create(DEPLOYMENTS, {**deployment("web"), "metadata": {"name": "web", "namespace": "default"}})
    k.run("delete", "deploy", "web", "--cascade=foreground", "--wait=false")
    assert client.get(DEPLOYMENTS, "default", "web")["metadata"]["finalizers"] == ["foregroundDeletion"]


def test_wait_returns_when_the_condition_comes(k, client):
    client.create(NODES, {"metadata": {"name": "n1"}})
    ready = {
        "status": {"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2024-01-01T00:00:00Z"}]}
    }
    threading.Timer(0.5, lambda: client.patch(NODES, "", "n1", ready, "status")).start()
    assert k.run("wait", "node/n1", "--for", "condition=Ready", "--timeout", "5s") == "node/n1 condition met\n"
    assert "timed out" in k.fail("wait", "node/n1", "--for", "condition=MemoryPressure", "--timeout", "1s")


def test_a_node_is_cordoned_drained_and_uncordoned(k, client):
    running_pod(client, "web-1")
    assert k.run("cordon", "n1") == "node/n1 cordoned\n"
    assert k.rows("get", "nodes")[1][1].endswith("SchedulingDisabled")
    assert "default/web-1" in k.fail("drain", "n1", "--timeout", "1s")

    def end_like_a_kubelet() -> None:
        while "deletionTimestamp" not in client.get(PODS, "default", "web-1")["metadata"]:
            time.sleep(0.05)
        client.delete(PODS, "default", "web-1", grace_seconds=0)

    threading.Thread(target=end_like_a_kubelet).start()
    drained = k.run("drain", "n1", "--force", "--timeout", "10s")
    assert "evicting pod default/web-1" in drained + k.start("version").stderr or "pod/web-1 evicted" in drained
    assert k.run("uncordon", "n1") == "node/n1 uncordoned\n"


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("pod/web-1", ["Node:", "n1", "Restart Count:", "Events:", "Pulled"]),
        ("deploy/web", ["Replicas:", "StrategyType:", "Pod Template:"]),
        ("node/n1", ["Non-terminated Pods:", "web-1", "Unschedulable:"]),
        ("svc/web", ["Selector:", "app=web"]),
        ("ns/default", ["Status:", "Active"]),
        ("cm/settings", ["colour:", "red"]),
        ("secret/key", ["Type:", "Opaque"]),
        ("rs/web-1", ["Pods Status:"]),
        ("lease/n1", ["Holder Identity:"]),
    ],
)
def test_every_kind_is_described(k, api, client, kind, words):
    web = running_pod(client, "web-1")
    client.event(web, "Normal", "Pulled", "Container image already present")
    home = "/api/v1/namespaces/default"
    api.create("/apis/apps/v1/namespaces/default/deployments", deployment("web"))
    api.create("/apis/apps/v1/namespaces/default/replicasets", {**deployment("web-1"), "kind": "ReplicaSet"})
    api.create(
        f"{home}/services", {"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}
    )
    api.create(f"{home}/configmaps", {"metadata": {"name": "settings"}, "data": {"colour": "red"}})
    api.create(f"{home}/secrets", {"metadata": {"name": "key"}, "stringData": {"a": "b"}})
    lease = {"metadata": {"name": "n1"}, "spec": {"holderIdentity": "n1"}}
    api.create("/apis/coordination.k8s.io/v1/namespaces/default/leases", lease)
    told = k.run("describe", kind)
    for word in words:
        assert word in told


def test_events_are_told(k, client):
    client.event(running_pod(client, "web-1"), "Warning", "BackOff", "Back-off restarting failed container")
    assert k.rows("get", "events")[1][1:] == ["Warning", "BackOff", "pod/web-1", "Back-off restarting failed container"]
    assert "BackOff" in k.run("events", "--for", "pod/web-1")


def test_pages_are_followed(k, api):
    for number in range(7):
        api.create("/api/v1/namespaces/default/pods", pod(f"p{number}"))
    assert len(k.rows("get", "pods", "--chunk-size", "3", "--no-headers")) == 7


def test_explain_and_versions_and_cluster_info(k):
    assert "DeploymentSpec" in k.run("explain", "deployment.spec")
    assert "v1.36.0+orrery" in k.run("version")
    assert "apps/v1" in k.run("api-versions")
    assert "deployments" in k.run("api-resources")
    assert "is running at" in k.run("cluster-info")
    assert k.run("get", "--raw", "/healthz") == "ok"


def test_diff_edit_and_dry_run(k, client, monkeypatch):
    text = yaml.safe_dump(deployment("web"))
    assert "created (server dry run)" in k.run("apply", "--dry-run=server", "-f", "-", stdin=text)
    assert client.find(DEPLOYMENTS, "default", "web") is None
    k.run("apply", "-f", "-", stdin=text)
    changed = k.start("diff", "-f", "-", stdin=text.replace("replicas: 1", "replicas: 2"))
    assert (changed.returncode, "+  replicas: 2" in changed.stdout) == (1, True), changed.stderr
    monkeypatch.setenv("EDITOR", "sed -i s/busybox:1/busybox:7/")
    assert k.run("edit", "deploy", "web") == "deployment.apps/web edited\n"
    assert k.run("get", "deploy", "web", "-o", "jsonpath={..image}") == "busybox:7"


def test_rollouts_are_paused_resumed_and_restarted(k, api):
    api.create("/apis/apps/v1/namespaces/default/deployments", deployment("web"))
    assert k.run("rollout", "pause", "deploy/web") == "deployment.apps/web paused\n"
    assert k.run("rollout", "resume", "deploy/web") == "deployment.apps/web resumed\n"
    assert k.run("rollout", "restart", "deploy/web") == "deployment.apps/web restarted\n"


def test_an_unknown_cluster_is_said_to_be_unknown(k, kubeconfig):
    """As far as kubectl lets us: it does not read the words of a 404 that it gets while it asks what there is."""
    kubeconfig.write_text(kubeconfig.read_text().replace("/clusters/default", "/clusters/other"))
    assert "Error from server (NotFound)" in k.fail("get", "pods")


def test_a_list_is_applied_created_and_compared_as_kubectl_prints_it(k, client):
    items = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "1"}} for name in "xy"]
    listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
    assert k.run("apply", "-f", "-", stdin=listed) == "configmap/x created\nconfigmap/y created\n"
    assert k.run("apply", "-f", "-", stdin=listed) == "configmap/x unchanged\nconfigmap/y unchanged\n"
    printed = k.run("get", "configmaps", "x", "y", "-o", "yaml").replace('a: "1"', 'a: "2"')
    assert k.run("apply", "-f", "-", stdin=printed) == "configmap/x configured\nconfigmap/y configured\n"
    assert '+  a: "1"' in k.start("diff", "-f", "-", stdin=listed).stdout
    items[0]["datum"] = {}
    assert 'unknown field "datum"' in k.fail(
        "apply", "-f", "-", stdin=json.dumps({**json.loads(listed), "items": items})
    )


def test_a_server_side_apply_keeps_owners_and_says_what_to_do_about_a_conflict(k, api):
    wanted = yaml.safe_dump(deployment("web", 2))
    assert k.run("apply", "--server-side", "-f", "-", stdin=wanted) == "deployment.apps/web serverside-applied\n"
    k.run("scale", "deployment/web", "--replicas=3")
    refused = k.fail("apply", "--server-side", "-f", "-", stdin=wanted)
    assert "Apply failed with 1 conflict: conflict with" in refused
    assert "--force-conflicts" in refused
    assert "-  replicas: 3" in k.start("diff", "--server-side", "--force-conflicts", "-f", "-", stdin=wanted).stdout
    k.run("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=wanted)
    assert k.run("get", "deployment/web", "-o", "jsonpath={.spec.replicas}") == "2"
    shown = k.run("get", "deployment/web", "-o", "yaml", "--show-managed-fields")
    assert {each["manager"] for each in yaml.safe_load(shown)["metadata"]["managedFields"]} == {"kubectl"}


def test_what_was_applied_by_the_client_is_taken_over_by_the_server(k, api):
    first, less = deployment("web", 2), deployment("web", 2)
    first["metadata"]["labels"] = {"tier": "front"}
    k.run("apply", "-f", "-", stdin=yaml.safe_dump(first))
    k.run("apply", "--server-side", "-f", "-", stdin=yaml.safe_dump(less))
    assert k.run("get", "deployment/web", "-o", "jsonpath={.metadata.labels}") == ""


def test_explain_says_what_a_field_means(k):
    told = k.run("explain", "deployment.spec.replicas")
    assert "Number of desired pods." in told
    assert "The new image." in k.run("explain", "release.spec")


def test_autoscale_makes_an_autoscaler(k, api):
    k.run("create", "deployment", "web", "--image=busybox")
    k.run("autoscale", "deployment", "web", "--min=2", "--max=5", "--cpu-percent=60")
    made = api.get("/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers/web").json["spec"]
    assert (made["minReplicas"], made["maxReplicas"]) == (2, 5)
    assert made["metrics"][0]["resource"]["target"] == {"type": "Utilization", "averageUtilization": 60}
