"""Helm as it is, over TLS, with the kubeconfig as it is printed: a chart is installed, tested, upgraded, rolled back
and taken away, and its hooks, containers and waits are real.
"""

import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from ..labs import LabUnderTest, manage, wait_until
from .stage import IMAGE

CHART = {
    "Chart.yaml": """
apiVersion: v2
name: shop
version: 1.2.0
appVersion: "1"
kubeVersion: ">=1.31.0-0"
""",
    "values.yaml": f"""
image: {IMAGE}
replicas: 1
greeting: hello
""",
    "templates/_helpers.tpl": """
{{- define "shop.labels" -}}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}
""",
    "templates/config.yaml": """
{{- $old := lookup "v1" "ConfigMap" .Release.Namespace .Release.Name }}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
  labels: {{- include "shop.labels" . | nindent 4 }}
data:
  greeting: {{ .Values.greeting }}
  found: {{ if $old }}{{ $old.data.greeting }}{{ else }}nothing{{ end }}
  may: {{ .Capabilities.APIVersions.Has "apps/v1/Deployment" | quote }}
""",
    "templates/web.yaml": """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  labels: {{- include "shop.labels" . | nindent 4 }}
spec:
  replicas: {{ .Values.replicas }}
  selector:
    matchLabels: {app.kubernetes.io/instance: {{ .Release.Name }}}
  template:
    metadata:
      labels: {{- include "shop.labels" . | nindent 8 }}
    spec:
      containers:
      - name: web
        image: {{ .Values.image }}
        imagePullPolicy: Never
        ports: [{name: http, containerPort: 8080}]
        readinessProbe: {httpGet: {path: /, port: http}, periodSeconds: 1}
        envFrom: [{configMapRef: {name: {{ .Release.Name }}}}]
---
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
spec:
  selector: {app.kubernetes.io/instance: {{ .Release.Name }}}
  ports: [{port: 80, targetPort: http}]
""",
    "templates/prepare.yaml": """
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-prepare
  annotations: {helm.sh/hook: pre-install}
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - {name: main, image: {{ .Values.image }}, command: [sh, -c, echo prepared]}
""",
    "templates/tests/ask.yaml": """
apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}-ask
  annotations: {helm.sh/hook: test, helm.sh/hook-delete-policy: before-hook-creation}
spec:
  restartPolicy: Never
  containers:
  - name: main
    image: {{ .Values.image }}
    command:
    - python3
    - -c
    - import urllib.request; print(urllib.request.urlopen("http://{{ .Release.Name }}", timeout=10).status)
""",
    "templates/NOTES.txt": "Ask http://{{ .Release.Name }}, and it says {{ .Values.greeting }}.",
}
WAIT = ("--wait", "--timeout=3m")


class Helm:
    """helm, and a kubectl beside it, in a namespace and a home of their own."""

    def __init__(self, program: str, kubectl: str, lab: LabUnderTest, folder: Path):
        self.helm, self.kubectl = program, kubectl
        self.namespace = f"helm-{secrets.token_hex(3)}"
        self.chart = folder / "shop"
        for name, text in CHART.items():
            (self.chart / name).parent.mkdir(parents=True, exist_ok=True)
            (self.chart / name).write_text(text.lstrip())
        (folder / "config").write_text(manage("kubeconfig", data=lab.data).stdout)
        self._environment = {**os.environ, "HOME": str(folder), "KUBECONFIG": str(folder / "config")}

    def start(self, program: str, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        command = [program, "--namespace", self.namespace, *words]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=240, env=self._environment)

    def __call__(self, *words: str) -> str:
        done = self.start(self.helm, *words)
        assert done.returncode == 0, f"helm {' '.join(words)}: {done.stdout}{done.stderr}"
        return done.stdout

    def k(self, *words: str, stdin: str = "") -> str:
        done = self.start(self.kubectl, *words, stdin=stdin)
        assert done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr}"
        return done.stdout

    def of(self, kind: str, name: str = "shop") -> dict:
        return json.loads(self.k("get", kind, name, "-o", "json"))

    def statuses(self) -> list[str]:
        """What its history says of each revision, oldest first."""
        return [each["status"] for each in json.loads(self("history", "shop", "-o", "json"))]


@pytest.fixture
def helm_and_lab(helm: str, docker_lab: LabUnderTest, tmp_path: Path) -> Iterator[Helm]:
    run = Helm(helm, os.environ.get("KUBECTL_NEW", "kubectl"), docker_lab, tmp_path)
    yield run
    docker_lab.api("DELETE", f"/api/v1/namespaces/{run.namespace}")
    wait_until("the namespace to go", lambda: docker_lab.get(f"/api/v1/namespaces/{run.namespace}") is None, 60)


def test_a_release_lives_its_life(helm_and_lab: Helm):
    helm, chart = helm_and_lab, str(helm_and_lab.chart)
    said = helm("install", "shop", chart, "--create-namespace", *WAIT)
    assert "STATUS: deployed" in said and "Ask http://shop, and it says hello." in said
    assert helm.of("deployment")["status"]["readyReplicas"] == 1
    assert helm.of("configmap")["data"] == {"greeting": "hello", "found": "nothing", "may": "true"}
    assert helm.k("logs", "job/shop-prepare") == "prepared\n"
    (listed,) = json.loads(helm("list", "-o", "json"))
    assert (listed["name"], listed["status"], listed["chart"]) == ("shop", "deployed", "shop-1.2.0")
    assert json.loads(helm("status", "shop", "-o", "json"))["info"]["status"] == "deployed"
    kinds = [each["kind"] for each in yaml.safe_load_all(helm("get", "manifest", "shop"))]
    assert kinds == ["ConfigMap", "Service", "Deployment"]
    tested = helm("test", "shop", "--logs")
    assert "Succeeded" in tested and "POD LOGS: shop-ask\n200\n" in tested

    helm("upgrade", "shop", chart, "--set=replicas=2,greeting=hi", *WAIT)
    assert helm.of("deployment")["status"]["readyReplicas"] == 2
    assert helm.of("configmap")["data"]["found"] == "hello"
    bad = ("upgrade", "shop", chart, "--set=image=orrery/nothing:9", "--atomic", "--timeout=10s")
    failed = helm.start(helm.helm, *bad)
    assert failed.returncode == 1 and "has been rolled back" in failed.stderr, failed.stderr
    assert helm.statuses() == ["superseded", "superseded", "failed", "deployed"]
    assert helm.of("deployment")["spec"]["template"]["spec"]["containers"][0]["image"] == IMAGE
    helm("rollback", "shop", "1", *WAIT)
    assert helm.of("deployment")["spec"]["replicas"] == 1
    assert helm.of("configmap")["data"]["greeting"] == "hello"
    assert helm.statuses()[-1] == "deployed" and len(helm.statuses()) == 5

    assert 'release "shop" uninstalled' in helm("uninstall", "shop", *WAIT)
    assert json.loads(helm("list", "-o", "json")) == [] and helm.k("get", "secrets", "-o", "name") == ""
    assert helm.k("get", "deployments,services,replicasets,configmaps", "-l", "app.kubernetes.io/instance") == ""


def test_a_chart_is_installed_by_an_upgrade_and_its_templates_applied_by_kubectl(helm_and_lab: Helm):
    helm, chart = helm_and_lab, str(helm_and_lab.chart)
    words = ("upgrade", "--install", "shop", chart, "--create-namespace", "--no-hooks", *WAIT)
    assert "does not exist. Installing it now." in helm(*words)
    assert "has been upgraded" in helm(*words, "--set=greeting=again")
    assert helm.of("configmap")["data"] == {"greeting": "again", "found": "hello", "may": "true"}
    manifest = helm("template", "shop", chart, "--no-hooks", "--validate", "--is-upgrade", "--set=replicas=0")
    helm.k("apply", "-f", "-", stdin=manifest)
    said = helm.k("apply", "-f", "-", stdin=manifest)
    assert said == "configmap/shop unchanged\nservice/shop unchanged\ndeployment.apps/shop unchanged\n"
    assert helm.of("deployment")["spec"]["replicas"] == 0
