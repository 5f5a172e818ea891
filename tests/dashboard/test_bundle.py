"""A namespace to take away is what was written, and its images' files; another cluster takes it as it stands."""

import io
import json
import zipfile

import pytest
import yaml
from django.test import Client as Browser

from lab import demos
from lab.apimachinery.kinds import BUILDS, DEPLOYMENTS
from lab.apiserver.strategies import strategy_for
from lab.client import Client
from lab.client.clusters import ensure_cluster, furnish
from lab.dashboard import portable as lab_portable
from lab.dashboard.creating import create_from_yaml
from lab.dashboard.portable import portable

pytestmark = pytest.mark.django_db

PRIORITIES = """
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: urgent}
value: 1000
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: nobody-uses-it}
value: 1
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {name: alone, annotations: {orrery.io/drain: "false"}}
spec:
  priorityClassName: urgent
  containers: [{name: main, image: "orrery/hello:v1", volumeMounts: [{name: here, mountPath: /here}]}]
  volumes: [{name: here, emptyDir: {}}]
  nodeSelector: {orrery.io/runtime: docker, disk: ssd}
"""

POD_SPEC = {"containers": [{"name": "web", "image": "orrery/hello:v1"}]}


def taken_away(cluster: str, namespace: str = "default") -> dict[str, str]:
    answer = Browser().get(f"/clusters/{cluster}/bundle.zip?namespace={namespace}")
    assert answer.status_code == 200, answer.content
    packed = zipfile.ZipFile(io.BytesIO(answer.content))
    return {name.partition("/")[2]: packed.read(name).decode() for name in packed.namelist()}


def manifests(files: dict[str, str]) -> list[dict]:
    return [yaml.safe_load(text) for path, text in files.items() if path.startswith("manifests/")]


def made(cluster: str, text: str) -> None:
    ensure_cluster(cluster)
    furnish(cluster)
    _, wrong = create_from_yaml(cluster, text)
    assert not wrong


@pytest.mark.parametrize("shape", ["monolith", "services"])
def test_what_was_declared_comes_out_as_it_was_written(shape):
    written = demos.MANIFESTS[shape].read_text()
    made("home", written)
    files = taken_away("home")
    declared = [obj for obj in yaml.safe_load_all(written) if obj["kind"] != "Visitors"]
    assert sorted(map(repr, map(sorted_deeply, manifests(files)))) == sorted(map(repr, map(sorted_deeply, declared)))
    made("abroad", "---\n".join(text for path, text in files.items() if path.startswith("manifests/")))


def test_each_image_comes_with_what_it_is_made_of_and_those_under_it_first():
    made("home", demos.MANIFESTS["monolith"].read_text())
    client = Client("home", "a test")
    dockerfile = "FROM orrery/bank:v2\nCOPY page.html /app/bank/page.html\nARG TAG\nENV VERSION=$TAG\n"
    files = {"Dockerfile": dockerfile, "page.html": "<h1>Mine</h1>"}
    meta = {"name": "bank-1", "namespace": "default"}
    build = client.create(BUILDS, {"metadata": meta, "spec": {"deployment": "bank", "files": files}})
    client.update_status(BUILDS, {**build, "status": {"phase": "Complete", "image": "orrery/bank:v3"}})
    bank = client.get(DEPLOYMENTS, "default", "bank")
    bank["spec"]["template"]["spec"]["containers"][0]["image"] = "orrery/bank:v3"
    client.update(DEPLOYMENTS, bank)
    files = taken_away("home")
    assert files["images/bank-v3/page.html"] == "<h1>Mine</h1>"
    assert 'ENTRYPOINT ["python3", "-S", "-E", "/app/bank/__main__.py"]' in files["images/bank-v2/Dockerfile"]
    assert files["images/bank-v2/app/bank/parts.py"] == demos.BANK.with_name("parts.py").read_text()
    assert files["build-images.sh"].splitlines()[3:] == [
        "docker build -t orrery/bank:v2 images/bank-v2",
        "docker build -t orrery/bank:v3 --build-arg TAG=v3 images/bank-v3",
    ]
    assert 'images="orrery/bank:v3"\n' in files["README.md"]


def test_what_only_this_cluster_means_stays_here():
    made("home", PRIORITIES)
    made("home", POD)
    priority, pod = manifests(taken_away("home"))
    assert priority["metadata"] == {"name": "urgent"}
    assert pod == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "alone"},
        "spec": {
            "priorityClassName": "urgent",
            "containers": [
                {"name": "main", "image": "orrery/hello:v1", "volumeMounts": [{"name": "here", "mountPath": "/here"}]}
            ],
            "volumes": [{"name": "here", "emptyDir": {}}],
            "nodeSelector": {"disk": "ssd"},
        },
    }


def test_a_headless_service_stays_headless_and_a_port_that_was_given_out_does_not_stay():
    spec = {"clusterIP": "None", "clusterIPs": ["None"], "ports": [{"port": 80, "nodePort": 30001}]}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "uid": "1"}, "spec": spec}
    (taken,) = portable([service])
    assert taken["spec"] == {"clusterIP": "None", "ports": [{"port": 80}]}


@pytest.fixture
def tried(monkeypatch) -> list[dict]:
    """What defaults were filled into, each time for one field."""
    seen: list[dict] = []
    fill = lab_portable._defaulted
    monkeypatch.setattr(lab_portable, "_defaulted", lambda strategy, obj: seen.append(obj) or fill(strategy, obj))
    return seen


def a_deployment(annotations: int = 0) -> dict:
    """As it is stored, with its defaults."""
    template = {"metadata": {"annotations": {f"key-{n}": "" for n in range(annotations)}}, "spec": POD_SPEC}
    spec = {"selector": {"matchLabels": {"app": "web"}}, "template": template}
    obj = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}
    strategy_for(DEPLOYMENTS).default(obj)
    return obj


def test_contents_are_taken_as_they_are_however_many_there_are(tried):
    for kind, field in (("ConfigMap", "data"), ("ConfigMap", "binaryData"), ("Secret", "stringData")):
        held = {f"key-{n}": "" for n in range(8000)}
        (taken,) = portable([{"apiVersion": "v1", "kind": kind, "metadata": {"name": "many"}, field: held}])
        assert taken[field] == held
    assert len(tried) < 10


def test_what_is_large_keeps_its_defaults(tried):
    (small,) = portable([a_deployment(annotations=5)])
    assert "strategy" not in small["spec"] and tried
    tried.clear()
    large = a_deployment(annotations=2000)
    (taken,) = portable([large])
    assert (taken["spec"], tried) == (large["spec"], [])


def test_many_together_take_no_longer_than_one_that_is_large(tried, monkeypatch):
    one = a_deployment()
    monkeypatch.setattr(lab_portable, "MOST_TRIED", 3 * len(json.dumps(one)) ** 2)
    taken = list(portable([one] * 10))
    thinned = [obj for obj in taken if "strategy" not in obj["spec"]]
    assert 3 <= len(thinned) < 8 and taken[-1]["spec"] == one["spec"]


def test_a_namespace_that_is_not_there_is_said_so():
    ensure_cluster("home")
    assert Browser().get("/clusters/home/bundle.zip?namespace=nowhere").status_code == 404


def sorted_deeply(part):
    """The same, whatever the order of its keys was."""
    if isinstance(part, dict):
        return {key: sorted_deeply(part[key]) for key in sorted(part)}
    return [sorted_deeply(each) for each in part] if isinstance(part, list) else part
