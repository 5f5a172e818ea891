"""The kubectl command that the board shows for an act, typed into a real shell: it does the same as the act did."""

import copy
import json
import re
import subprocess
from pathlib import Path

import pytest
from django.test import Client as Browser

from lab.apimachinery.controlplane import CONTROL_PLANE
from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import (
    BY_RESOURCE,
    CONTROLLERREVISIONS,
    CRONJOBS,
    DAEMONSETS,
    DEPLOYMENTS,
    JOBS,
    NODES,
    PERSISTENTVOLUMES,
    PODDISRUPTIONBUDGETS,
    PODS,
    RELEASES,
    REPLICASETS,
    REPLICATIONCONTROLLERS,
    SERVICES,
    STATEFULSETS,
    VISITORS,
    WHEELS,
)
from lab.apimachinery.kubectl import kubectl
from lab.apimachinery.meta import owner_reference
from lab.client import Client
from lab.client.clusters import ensure_cluster
from lab.dashboard.actions import ACTIONS, perform
from lab.dashboard.done import Done
from lab.dashboard.rows import WORKLOADS
from tests.apiserver.conftest import api, kubeconfig  # noqa: F401

from .test_actions import LABELS, a_replicaset, spec

ZONE = "topology.kubernetes.io/zone"
WEB = {"namespace": "default", "name": "web"}
DISK = {"driver": "orrery.io/volumes", "volumeHandle": "disk"}
# What each act is given, and by its name again where it has several ways.
FORMS = {
    "delete": {"namespace": "default", "name": "waiting"},
    "scale": {**WEB, "replicas": 5},
    "image": {**WEB, "image": "orrery/hello:v8"},
    "pause": WEB,
    "resume": {"namespace": "default", "name": "held"},
    "restart": WEB,
    "undo": WEB,
    "undo to": {**WEB, "revision": 1},
    "scale statefulset": {**WEB, "replicas": 2, "resource": "statefulsets.apps"},
    "scale controller": {**WEB, "replicas": 2, "resource": "replicationcontrollers"},
    "restart daemonset": {**WEB, "resource": "daemonsets.apps"},
    "undo statefulset": {**WEB, "resource": "statefulsets.apps"},
    "undo daemonset to": {**WEB, "revision": 1, "resource": "daemonsets.apps"},
    "pause job": {**WEB, "resource": "jobs.batch"},
    "pause cronjob": {**WEB, "resource": "cronjobs.batch"},
    "resume cronjob": {"namespace": "default", "name": "held", "resource": "cronjobs.batch"},
    "run-now": {**WEB, "resource": "cronjobs.batch"},
    "cordon": {"name": "n1"},
    "uncordon": {"name": "n2"},
    "drain": {"name": "n3"},
    "drain blocked": {"name": "n1"},
    "drain forced": {"name": "n1", "force": True},
    "power-off": {"name": "n1"},
    "power-on": {"name": "n2"},
    "zone-off": {"name": "a"},
    "zone-on": {"name": "a"},
    "partition": {"name": "n1"},
    "rejoin": {"name": "n2"},
    "remove-node": {"name": "n2"},
    "control-planes": {"count": 3},
    "untaint": {"name": "n3", "taint": "gpu"},
    "untaint one": {"name": "n3", "taint": "gpu:NoSchedule"},
    "amend label": {"name": "n1", "resource": "nodes", "patch": {"metadata": {"labels": {"disk": "ssd"}}}},
    "amend selector": {
        **WEB,
        "resource": "services",
        "patch": [{"op": "add", "path": "/spec/selector", "value": {"app": "other"}}],
    },
    "amend volume": {"name": "kept", "resource": "persistentvolumes", "patch": {"spec": {"claimRef": None}}},
    "amend budget": {
        **WEB,
        "resource": "poddisruptionbudgets.policy",
        "patch": {"spec": {"minAvailable": None, "maxUnavailable": 1}},
    },
    "turn": {"name": "replicaset", "mode": "Paused"},
    "turn slow": {"name": "scheduler", "mode": "Slow"},
    "turn missing": {"name": "kubelet.n1", "mode": "Step"},
    "weigh": {**WEB, "weight": 30},
    "promote": WEB,
    "abort": WEB,
    "hold": {**WEB, "pause": True},
    "put-away": {"namespace": "default", "name": "held"},
    "turn-up": WEB,
    "rate": {"namespace": "default", "name": "crowd", "rate": 7},
    "hush": {"namespace": "default", "name": "crowd", "pause": True},
    "remove": {"namespace": "other", "name": "web", "resource": "services"},
    **{f"remove {kind.singular}": {**WEB, "resource": kind.resource} for kind in WORKLOADS if kind is not REPLICASETS},
    "remove replicaset": {**WEB, "name": "web-1", "resource": "replicasets.apps"},
}
ELSEWHERE = {"kill"}  # ends a process, and writes nothing: test_commandline types that one


def fill(client: Client) -> None:
    """Something for each act to be about."""
    for name, zone in {"n1": "a", "n2": "a", "n3": "b"}.items():
        client.create(NODES, {"metadata": {"name": name, "labels": {ZONE: zone}}})
    taints = [{"key": "gpu", "effect": effect} for effect in ("NoSchedule", "NoExecute")]
    client.patch(NODES, "", "n3", {"spec": {"taints": taints}})
    client.patch(NODES, "", "n2", {"spec": {"unschedulable": True}})
    client.patch(
        NODES, "", "n2", {"metadata": {"annotations": {"orrery.io/power": "off", "orrery.io/partitioned": "true"}}}
    )
    web = client.create(DEPLOYMENTS, {"metadata": WEB, "spec": spec("v3")})
    client.create(DEPLOYMENTS, {"metadata": {**WEB, "name": "held"}, "spec": {**spec("v1"), "paused": True}})
    now = {"metadata": {"annotations": {"deployment.kubernetes.io/revision": "3"}}}
    client.patch(DEPLOYMENTS, "default", "web", now)
    for revision in (1, 2, 3):
        a_replicaset(client, web, revision)
    rs = client.get(REPLICASETS, "default", "web-2")
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-2", "uid": rs["metadata"]["uid"]}
    pod = {"nodeName": "n1", "containers": [{"name": "web", "image": "x"}]}
    client.create(PODS, {"metadata": {**WEB, "name": "alone"}, "spec": pod})
    client.create(PODS, {"metadata": {**WEB, "name": "waiting"}, "spec": {**pod, "nodeName": None}})
    client.create(PODS, {"metadata": {**WEB, "ownerReferences": [{**owner, "controller": True}]}, "spec": pod})
    ports = [{"port": 80}]
    client.create(SERVICES, {"metadata": WEB, "spec": {"ports": ports, "selector": {"app": "web"}}})
    client.create(BY_RESOURCE["namespaces"], {"metadata": {"name": "other"}})
    client.create(SERVICES, {"metadata": {**WEB, "namespace": "other"}, "spec": {"ports": ports}})
    ref = {"namespace": "default", "name": "gone"}
    volume = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "claimRef": ref}
    client.create(PERSISTENTVOLUMES, {"metadata": {"name": "kept"}, "spec": {**volume, "csi": DISK}})
    budget = {"selector": {"matchLabels": LABELS}, "minAvailable": "100%"}
    client.create(PODDISRUPTIONBUDGETS, {"metadata": WEB, "spec": budget})
    client.create(VISITORS, {"metadata": {**WEB, "name": "crowd"}, "spec": {"service": "else", "rate": 20}})
    for loop in ("replicaset", "scheduler"):
        client.create(WHEELS, {"metadata": {"name": loop}})
    fill_others(client)
    for of in ("web", "held"):
        strategy = {"type": "Canary", "canary": {"steps": [{"setWeight": 5}, {"pause": {}}]}}
        release = {"deployment": of, "image": "orrery/hello:v9", "strategy": strategy}
        client.create(RELEASES, {"metadata": {**WEB, "name": f"{of}-1"}, "spec": release})


def fill_others(client: Client) -> None:
    """One workload of each kind that is no Deployment, with two versions where it has some."""
    for kind in (STATEFULSETS, DAEMONSETS):
        made = client.create(kind, {"metadata": WEB, "spec": spec("v2")})
        for number in (1, 2):
            data = {"spec": {"template": {"$patch": "replace", **spec(f"v{number}")["template"]}}}
            about = {"name": f"{kind.singular}-{number}", "namespace": "default", "labels": LABELS}
            about["ownerReferences"] = [owner_reference(made)]
            client.create(CONTROLLERREVISIONS, {"metadata": about, "data": data, "revision": number})
    template = {**spec("v1")["template"]}
    client.create(REPLICATIONCONTROLLERS, {"metadata": WEB, "spec": {"selector": LABELS, "template": template}})
    once = {"template": {**template, "spec": {**template["spec"], "restartPolicy": "Never"}}}
    client.create(JOBS, {"metadata": WEB, "spec": once})
    for name in ("web", "held"):
        jobs = {"metadata": {"labels": LABELS, "annotations": {"asked": "so"}}, "spec": once}
        held = {"schedule": "* * * * *", "suspend": name == "held", "jobTemplate": jobs}
        client.create(CRONJOBS, {"metadata": {**WEB, "name": name}, "spec": held})


@pytest.fixture
def clusters(api) -> tuple[Client, Client]:  # noqa: F811
    """Two that are alike: one for the act, the other for its command."""
    ensure_cluster("acted")
    both = Client("acted", "board"), Client(api.cluster, "board")
    for client in both:
        fill(client)
    return both


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("form", FORMS)
def test_the_command_does_what_the_act_does(clusters, kubectl_in_shell, form):
    acted, typed = clusters
    hand = Client(typed.cluster, typed.author, hardware=True)
    before = written(typed)
    done = perform(acted, form.split()[0], FORMS[form])
    kubectl_in_shell(done.kubectl)
    after = written(hand)
    assert after == written(Client(acted.cluster, acted.author, hardware=True))
    assert after != before


def test_every_act_has_its_command_tried():
    assert {form.split()[0] for form in FORMS} | ELSEWHERE == ACTIONS.keys()


# What Kubernetes or kubectl stamps with the time or with who it was.
STAMPS = ("uid", "resourceVersion", "creationTimestamp", "managedFields", "generation", "deletionTimestamp")


def written(client: Client) -> dict[str, dict]:
    """All that a person writes in a cluster, by kind and name: labels, annotations and what is asked for."""
    found = {}
    leads = (SERVICES, PERSISTENTVOLUMES, PODDISRUPTIONBUDGETS)
    kinds = (*WORKLOADS, NODES, PODS, *leads, VISITORS, RELEASES, WHEELS)
    for kind in kinds:
        for obj in copy.deepcopy(client.list(kind)):
            meta = obj["metadata"]
            leaving = "deletionTimestamp" in meta
            about = {key: held for key, held in meta.items() if key not in STAMPS and key != "ownerReferences"}
            template = obj["spec"].get("template", {}).get("metadata", {}).get("annotations", {})
            if "kubectl.kubernetes.io/restartedAt" in template:
                template["kubectl.kubernetes.io/restartedAt"] = "then"
            spec_ = {key: held for key, held in obj["spec"].items() if key not in ("clusterIP", "clusterIPs")}
            named = f"{kind.singular}/{meta.get('namespace', '')}/{meta['name']}"
            found[named] = {"metadata": about, "spec": spec_, "leaving": leaving}
            text = json.dumps(found[named]).replace(meta["uid"], "uid")  # a Job selects by its own
            found[named] = json.loads(re.sub("kube-api-access-[a-z0-9]+", "kube-api-access", text))
    return found


@pytest.fixture
def kubectl_in_shell(kubectl: str, kubeconfig: Path, tmp_path: Path):  # noqa: F811
    """Types it as a person would, with `kubectl` on the PATH."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "kubectl").symlink_to(kubectl)
    environment = {"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "HOME": str(tmp_path), "KUBECONFIG": str(kubeconfig)}

    def type_(lines: str) -> None:
        done = subprocess.run(
            ["timeout", "8" if "drain" in lines else "60", "sh", "-e"],
            input=lines,
            text=True,
            env=environment,
            capture_output=True,
            check=False,
        )
        left_waiting = done.returncode == 124 and "drain" in lines  # for pods to end: no kubelet is here
        assert done.returncode == 0 or left_waiting, done.stderr

    return type_


@pytest.mark.django_db(transaction=True)
def test_what_a_form_makes_its_command_makes_too(clusters, kubectl_in_shell):
    _, typed = clusters
    asked = {"namespace": "default", "for": "", "name": "two", "most": "2", "runtime": "process", "then": "look"}
    page = Browser().post("/clusters/acted/board/panel/pool", asked)
    kubectl_in_shell(page.context["command"])
    assert typed.get(BY_RESOURCE["nodepools.orrery.io"], "", "two")["spec"]["maxNodes"] == 2
    yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: made\n"
    page = Browser().post("/clusters/acted/board/panel/create", {"mode": "yaml", "text": yaml, "namespace": "other"})
    assert 'data-said="Made ConfigMap made"' in page.content.decode()
    kubectl_in_shell(page.context["command"])
    assert typed.get(BY_RESOURCE["configmaps"], "other", "made")


def test_what_a_shell_would_take_apart_is_quoted():
    assert kubectl("set", "image", "deployment/web", "web=a b;c") == "kubectl set image deployment/web 'web=a b;c'"
    assert kubectl("delete", "pod", "web", namespace="other") == "kubectl delete pod web -n other"
    assert Done("nothing").kubectl == ""


@pytest.mark.django_db
def test_an_act_that_is_refused_shows_no_command():
    ensure_cluster("acted")
    with pytest.raises(ApiError):
        perform(Client("acted", "board"), "control-planes", {"count": 2})
    assert Client("acted", "board").list(NODES, labels={CONTROL_PLANE: ""}) == []
