"""A learner's day at the command line, with an old kubectl and a new one: each command does what it says, for real.

What single commands print is compared in tests/apiserver; here controllers, a kubelet and containers answer too.
"""

import json
import os
import re
import secrets
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ..labs import LabUnderTest, free_port, manage, wait_until
from ..transcripts import deviations, shell
from .stage import IMAGE


class Learner:
    """kubectl with the lab's own kubeconfig, in a namespace of its own."""

    def __init__(self, program: str, lab: LabUnderTest, folder):
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(manage("kubeconfig", data=lab.data).stdout)
        self.namespace = f"day-{secrets.token_hex(3)}"
        self.words = [
            program,
            "--kubeconfig",
            str(kubeconfig),
            "--cache-dir",
            str(folder),
            "--namespace",
            self.namespace,
        ]
        self.environment = {**os.environ, "HOME": str(folder)}

    def start(self, words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.words, *words.split()],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            env=self.environment,
        )

    def __call__(self, words: str, stdin: str = "") -> str:
        done = self.start(words, stdin)
        assert done.returncode == 0, f"kubectl {words}: {done.stderr}"
        return done.stdout


@pytest.fixture
def k(kubectl: str, docker_lab: LabUnderTest, tmp_path) -> Iterator[Learner]:
    learner = Learner(kubectl, docker_lab, tmp_path)
    assert learner(f"create namespace {learner.namespace}") == f"namespace/{learner.namespace} created\n"
    yield learner
    learner(f"delete namespace {learner.namespace}")


def test_a_deployment_is_made_changed_undone_and_taken_away(k):
    k(f"create deployment web --image={IMAGE} --replicas=2 --port=8080")
    assert "successfully rolled out" in k("rollout status deployment/web --timeout=60s")
    k("set env deployment/web COLOUR=green")
    assert "successfully rolled out" in k("rollout status deployment/web --timeout=60s")
    assert "COLOUR='green'" in k("exec deployment/web -- sh -c set")
    k("annotate deployment/web kubernetes.io/change-cause=greener")
    assert re.search(r"2\s+greener", k("rollout history deployment/web"))
    assert "COLOUR" in k("rollout history deployment/web --revision=2")
    k("rollout undo deployment/web")
    assert "successfully rolled out" in k("rollout status deployment/web --timeout=60s")
    assert "COLOUR" not in k("exec deployment/web -- sh -c set")

    k("set resources deployment/web --limits=cpu=100m,memory=64Mi --requests=cpu=50m,memory=32Mi")
    k("rollout restart deployment/web")
    assert "successfully rolled out" in k("rollout status deployment/web --timeout=60s")
    k("scale deployment/web --current-replicas=2 --replicas=3")
    k("wait deployment/web --for=jsonpath={.status.readyReplicas}=3 --timeout=60s")
    assert len(k("get pods -l app=web -o name --field-selector=status.phase=Running").split()) >= 3
    k("rollout pause deployment/web")
    k("set image deployment/web hello=orrery/nothing:9")
    assert k("get replicasets -o name").count("replicaset") == len(k("get rs -o name").split())
    k("rollout resume deployment/web")
    assert k("rollout undo deployment/web").startswith("deployment.apps/web rolled back")
    assert "successfully rolled out" in k("rollout status deployment/web --timeout=60s")
    assert "ScalingReplicaSet" in k("events --for deployment/web")
    assert "Selector:" in k("describe deployment web")
    assert k("delete deployment web --cascade=foreground --wait").startswith('deployment.apps "web" deleted')
    assert k("get pods -o name") == ""


def test_a_service_is_exposed_reached_and_forwarded(k):
    k(f"run web --image={IMAGE} --port=8080 --labels=app=web")
    k("wait pod/web --for=condition=Ready --timeout=60s")
    assert k("expose pod web --port=80 --target-port=8080").startswith("service/web exposed")
    assert k("get endpoints web -o jsonpath={.subsets[0].ports[0].port}") == "8080"
    ask = "import urllib.request; print(urllib.request.urlopen('http://web', timeout=5).status)"
    script = yaml.safe_dump(pod_that("asker", ["python3", "-c", ask]))
    k("apply -f -", script)
    k("wait pod/asker --for=jsonpath={.status.phase}=Succeeded --timeout=60s")
    assert k("logs asker") == "200\n"
    assert "Endpoints:" in k("describe service web")
    port = free_port()
    with subprocess.Popen(
        [*k.words, "port-forward", "service/web", f"{port}:80"], stdout=subprocess.PIPE
    ) as forwarding:
        try:
            forwarding.stdout.readline()
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
                assert answer.status == 200
        finally:
            forwarding.kill()


def test_files_are_applied_compared_edited_replaced_and_pruned(k):
    maps = [config_map("one", "1"), config_map("two", "1")]
    both, first = (yaml.safe_dump_all(docs) for docs in (maps, maps[:1]))
    k("apply -l set=a -f -", both)
    assert k.start("diff -f -", both).returncode == 0
    changed = both.replace("'1'", "'2'")
    compared = k.start("diff -f -", changed)
    assert (compared.returncode, compared.stdout.count("+  value:")) == (1, 2)
    k("replace -f -", changed)
    assert k("get configmap one -o jsonpath={.data.value}") == "2"
    k("apply -f -", changed)
    k("apply --prune -l set=a --prune-allowlist=core/v1/ConfigMap -f -", first)
    assert k("get configmap -l set=a -o name") == "configmap/one\n"
    k.environment["KUBE_EDITOR"] = "sed -i s/other/edited/"
    k("label configmap one kind=other")
    assert "edited" in k("edit configmap one")
    assert k("get configmap one --show-labels --no-headers").split()[-1] == "kind=edited,set=a"
    k('patch configmap one --type=json -p [{"op":"remove","path":"/data/value"}]')
    assert k("get configmap one -o jsonpath={.data}") == ""
    assert json.loads(k("create configmap more --from-literal=a=b --dry-run=server -o json"))["data"] == {"a": "b"}
    assert "not found" in k.start("get configmap more").stderr


def test_nodes_are_looked_at_tainted_cordoned_and_drained(k):
    k(f"create deployment web --image={IMAGE} --replicas=2")
    k("rollout status deployment/web --timeout=60s")
    assert "cpu" in k("describe node node-c").lower()
    assert re.search(r"node-a\s+\d+m", wait_until("usage", lambda: k.start("top nodes").stdout, 30))
    k("taint nodes node-c day=night:NoSchedule")
    assert "day=night:NoSchedule" in k("describe node node-c")
    k("taint nodes node-c day-")
    try:
        assert "drained" in k(
            "drain node-c --ignore-daemonsets --delete-emptydir-data --timeout=90s --pod-selector=app=web"
        )
        assert k("get node node-c -o jsonpath={.spec.unschedulable}") == "true"
        k("rollout status deployment/web --timeout=60s")
        assert k("get pods -l app=web --field-selector=spec.nodeName=node-c -o name") == ""
    finally:
        k("uncordon node-c")


def test_what_there_is_can_be_found_out(k):
    resources = k("api-resources -o wide")
    assert re.search(r"deployments\s+deploy\s+apps/v1\s+true\s+Deployment", resources)
    assert "apps/v1" in k("api-versions")
    assert "is running at" in k("cluster-info")
    assert "Server Version" in k("version")
    assert "FIELD: replicas" in k("explain deployment.spec.replicas")
    assert json.loads(k("get --raw /version"))["major"] == "1"
    port = free_port()
    with subprocess.Popen([*k.words, "proxy", f"--port={port}"], stdout=subprocess.PIPE) as proxy:
        try:
            proxy.stdout.readline()
            with urllib.request.urlopen(
                f"http://127.0.0.1:{port}/api/v1/namespaces/{k.namespace}/pods", timeout=10
            ) as got:
                assert json.load(got)["kind"] == "PodList"
        finally:
            proxy.kill()


@pytest.mark.both_kubectls
def test_a_day_goes_as_it_is_written(k, kubectl, tmp_path):
    run = shell(kubectl, tmp_path / "kubeconfig", tmp_path)
    assert "modified" in run(f"kubectl config set-context --current --namespace={k.namespace}")
    read_otherwise = deviations((Path(__file__).parent / "transcripts" / "day.txt").read_text(), run)
    if read_otherwise:
        pytest.fail(read_otherwise, pytrace=False)


def config_map(name: str, value: str) -> dict:
    labels = {"set": "a"}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "labels": labels},
        "data": {"value": value},
    }


def pod_that(name: str, command: list[str]) -> dict:
    container = {"name": "main", "image": IMAGE, "command": command}
    spec = {"restartPolicy": "Never", "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
