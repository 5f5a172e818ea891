"""Pods that ask the API: by its names, by the variables, with the files that every pod is given; and kubectl in one."""

import os
import subprocess
import urllib.request

import pytest

from ..conftest import need
from ..labs import LabUnderTest, wait_until
from .stage import container, pod
from .steps import PODS

FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
BINDINGS = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings"
# Asks every place that it was told of, again and again, and says what it was answered.
ASK = """
import os, ssl, sys, time, urllib.error, urllib.request
folder, places = os.environ["FOLDER"], sys.argv[1:]
sure = ssl.create_default_context(cafile=folder + "/ca.crt")
own = os.environ["KUBERNETES_SERVICE_HOST"] + ":" + os.environ["KUBERNETES_SERVICE_PORT"]
while True:
    for place in (own, *places):
        path = "/api/v1/namespaces/" + open(folder + "/namespace").read() + "/pods"
        token = {"Authorization": "Bearer " + open(folder + "/token").read()}
        try:
            asked = urllib.request.Request("https://" + place + path, headers=token)
            code = urllib.request.urlopen(asked, context=sure, timeout=10).status
        except urllib.error.HTTPError as refused:
            code = refused.code
        except OSError as error:
            code = repr(error)
        print(place if place in places else "variables", code, flush=True)
    time.sleep(0.2)
"""
NAMES = {"docker": ["kubernetes.default.svc", "kubernetes"], "process": []}


@pytest.fixture(params=["docker_lab", "process_lab"])
def lab(request: pytest.FixtureRequest) -> LabUnderTest:
    return request.getfixturevalue(request.param)


def allow(lab: LabUnderTest, name: str) -> None:
    """The account `default` may look at what is in its namespace."""
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
    who = [{"kind": "ServiceAccount", "name": "default", "namespace": "default"}]
    lab.api("POST", BINDINGS, {"metadata": {"name": name}, "roleRef": ref, "subjects": who})


def last_said(lab: LabUnderTest, name: str, places: int) -> list[str]:
    with urllib.request.urlopen(f"{lab.address}/clusters/default{PODS}/{name}/log", timeout=20) as answer:
        return sorted(answer.read().decode().splitlines()[-places:])


@pytest.mark.timeout(180)
def test_a_pod_reaches_the_api_and_may_what_its_account_may(lab):
    names = NAMES[lab.runtime]
    places = (*names, "variables")
    about = {"command": ["python3", "-c", ASK, *names], "env": [{"name": "FOLDER", "value": FOLDER}]}
    lab.api("POST", PODS, pod("asker", container("main", **about)))
    try:
        lab.wait_for_ready_pods(1, "test=asker")

        def answered(code: int) -> bool:
            return last_said(lab, "asker", len(places)) == sorted(f"{place} {code}" for place in places)

        wait_until("the account to be known, and refused", lambda: answered(403), 60)
        allow(lab, "asker")
        wait_until("it to be let in", lambda: answered(200), 60)
    finally:
        lab.api("DELETE", f"{PODS}/asker")
        if lab.get(f"{BINDINGS}/asker"):
            lab.api("DELETE", f"{BINDINGS}/asker")


@pytest.mark.timeout(180)
def test_kubectl_in_a_container_needs_nothing_but_itself(docker_lab):
    lab, program = docker_lab, os.environ.get("KUBECTL_NEW")
    need("kubectl", program)
    lab.api("POST", PODS, pod("operator", container("main", "sleep 600")))
    try:
        lab.wait_for_ready_pods(1, "test=operator")
        box = run("docker", "ps", "-q", "--filter", "name=k8s_main_operator_default_").stdout.strip()
        assert run("docker", "cp", program, f"{box}:/tmp/kubectl").returncode == 0
        refused = run("docker", "exec", box, "/tmp/kubectl", "get", "pods")
        words = 'User "system:serviceaccount:default:default" cannot list resource "pods"'
        assert refused.returncode == 1 and words in refused.stderr, refused.stderr
        allow(lab, "operator")
        seen = run("docker", "exec", box, "/tmp/kubectl", "get", "pods", "-o", "name")
        assert "pod/operator" in seen.stdout.split(), seen.stderr
        who = run("docker", "exec", box, "/tmp/kubectl", "auth", "whoami")
        assert "[operator]" in who.stdout.split(), who.stdout
    finally:
        lab.api("DELETE", f"{PODS}/operator")
        if lab.get(f"{BINDINGS}/operator"):
            lab.api("DELETE", f"{BINDINGS}/operator")


def run(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run(words, capture_output=True, text=True, timeout=120)
