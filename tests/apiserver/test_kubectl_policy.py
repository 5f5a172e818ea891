"""Real kubectl on budgets, quotas, limits and classes: made by its generators, printed, described, and obeyed."""

import json

import pytest

from lab.apimachinery.kinds import LIMITRANGES, PODDISRUPTIONBUDGETS, PODS, RESOURCEQUOTAS
from lab.client import Client
from lab.controllers.poddisruptionbudget import DisruptionController
from lab.controllers.resourcequota import ResourceQuotaController

from .test_kubectl import Kubectl, running_pod


@pytest.fixture
def k(kubectl, kubeconfig) -> Kubectl:
    return Kubectl(kubectl, kubeconfig)


@pytest.fixture
def client(api) -> Client:
    return Client("default", "test")


def turn(controller) -> None:
    for key in controller.all_keys(Client("default", controller.author)):
        controller.sync(Client("default", controller.author), key)


def test_budgets(k, client):
    running_pod(client, "web-1")
    k.run("create", "pdb", "web", "--selector=app=web", "--min-available=1")
    k.run("create", "poddisruptionbudget", "part", "--selector=app=other", "--max-unavailable=20%")
    turn(DisruptionController())
    head, part, web = k.rows("get", "pdb")
    assert head == ["NAME", "MIN AVAILABLE", "MAX UNAVAILABLE", "ALLOWED DISRUPTIONS", "AGE"]
    assert (part[:4], web[:4]) == (["part", "N/A", "20%", "0"], ["web", "1", "N/A", "0"])
    told = k.run("describe", "pdb", "web")
    for line in ("Min available:  1", "Selector:       app=web", "Current:              1", "Total:                1"):
        assert line in told
    drained = k.fail("drain", "n1", "--force", "--timeout=1s")
    assert "Cannot evict pod as it would violate the pod's disruption budget." in drained
    assert client.get(PODDISRUPTIONBUDGETS, "default", "web")["status"]["disruptionsAllowed"] == 0
    client.patch(PODDISRUPTIONBUDGETS, "default", "web", {"spec": {"minAvailable": 0}})
    turn(DisruptionController())
    client.patch(PODS, "default", "web-1", {"metadata": {"finalizers": ["test/held"]}})
    k.fail("drain", "n1", "--force", "--timeout=1s")  # it was let go, and has not gone
    assert "deletionTimestamp" in client.get(PODS, "default", "web-1")["metadata"]


def test_quotas_and_limits(k, client):
    k.run("create", "quota", "compute", "--hard=pods=2,limits.memory=1Gi,requests.cpu=1")
    k.run("create", "resourcequota", "poor", "--hard=pods=1", "--scopes=BestEffort")
    turn(ResourceQuotaController())
    head, compute, poor = k.rows("get", "quota")
    assert head == ["NAME", "REQUEST", "LIMIT", "AGE"]
    assert compute[:3] == ["compute", "pods: 0/2, requests.cpu: 0/1", "limits.memory: 0/1Gi"]
    assert poor[:2] == ["poor", "pods: 0/1"]
    refused = k.fail("run", "silent", "--image=busybox")
    assert refused.strip().endswith(
        'pods "silent" is forbidden: failed quota: compute: must specify limits.memory for: silent; '
        "requests.cpu for: silent"
    )
    told = k.run("describe", "quota", "compute").split()
    assert " ".join(told[-9:]) == "limits.memory 0 1Gi pods 0 2 requests.cpu 0 1"

    item = {"type": "Container", "max": {"memory": "512Mi"}, "default": {"memory": "64Mi"}}
    spec = {"limits": [{**item, "defaultRequest": {"cpu": "100m"}}]}
    manifest = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "sizes"}, "spec": spec}
    k.run("apply", "-f", "-", stdin=json.dumps(manifest))
    assert k.rows("get", "limits")[0] == ["NAME", "CREATED AT"]
    assert "512Mi" in k.run("describe", "limits", "sizes")
    k.run("run", "small", "--image=busybox")
    assert client.get(PODS, "default", "small")["spec"]["containers"][0]["resources"] == {
        "limits": {"memory": "64Mi"},
        "requests": {"cpu": "100m", "memory": "64Mi"},
    }
    overrides = '{"spec":{"containers":[{"name":"b","image":"x","resources":{"limits":{"memory":"1Gi"}}}]}}'
    refused = k.fail("run", "big", "--image=busybox", f"--overrides={overrides}")
    assert "maximum memory usage per Container is 512Mi, but limit is 1Gi" in refused
    turn(ResourceQuotaController())
    told = k.run("describe", "namespace", "default")
    assert "Resource Quotas" in told and "Resource Limits" in told and "512Mi" in told
    k.run("delete", "quota,limits", "--all")
    assert not client.list(RESOURCEQUOTAS) and not client.list(LIMITRANGES)


def test_priority_classes(k, client):
    k.run("create", "priorityclass", "high", "--value=1000", "--description=first", "--preemption-policy=Never")
    k.run("create", "pc", "usual", "--value=10", "--global-default=true")
    head, high, *system, usual = k.rows("get", "priorityclasses")
    assert head == ["NAME", "VALUE", "GLOBAL-DEFAULT", "AGE", "PREEMPTIONPOLICY"]
    assert (high[:3], high[4]) == (["high", "1000", "false"], "Never")
    assert [each[:2] for each in system] == [
        ["system-cluster-critical", "2000000000"],
        ["system-node-critical", "2000001000"],
    ]
    assert usual[:3] == ["usual", "10", "true"]
    assert "PreemptionPolicy:  Never" in k.run("describe", "pc", "high")
    k.run("run", "plain", "--image=busybox")
    assert client.get(PODS, "default", "plain")["spec"]["priority"] == 10
    refused = k.fail("run", "odd", "--image=busybox", '--overrides={"spec":{"priorityClassName":"none"}}')
    assert 'pods "odd" is forbidden: no PriorityClass with name none was found' in refused
    assert "may not be changed in an update." in k.fail("patch", "pc", "high", "-p", '{"value": 5}')
    assert "cannot be deleted" in k.fail("delete", "pc", "system-node-critical")


def test_they_are_explained(k):
    for path in ("pdb.spec.maxUnavailable", "quota.spec.scopes", "limits.spec.limits", "pc.value"):
        assert "FIELD" in k.run("explain", path)
