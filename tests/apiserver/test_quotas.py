"""ResourceQuotas: what a namespace may have is counted exactly, whoever asks and however many at once."""

import threading

import pytest
from django.db import connections

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import (
    CONFIGMAPS,
    DEPLOYMENTS,
    NAMESPACES,
    PERSISTENTVOLUMECLAIMS,
    PODS,
    PRIORITYCLASSES,
    RESOURCEQUOTAS,
    SERVICES,
)
from lab.apiserver import registry
from lab.apiserver.request import Request
from lab.client import Client
from lab.client.clusters import delete_cluster, ensure_cluster

from .conftest import deployment

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    ensure_cluster("counted")
    return Client("counted", "test")


def quota(client: Client, name: str = "quota", spec: dict | None = None, **hard: str) -> dict:
    hard = {each.replace("__", "/").replace("_", "."): text for each, text in hard.items()}
    return client.create(
        RESOURCEQUOTAS, {"metadata": {"name": name, "namespace": "default"}, "spec": {"hard": hard, **(spec or {})}}
    )


def pod(name: str, namespace: str = "default", resources: dict | None = None, **spec) -> dict:
    containers = [{"name": "app", "image": "x", "resources": resources or {}}]
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {"containers": containers, **spec}}


def service(name: str, kind: str = "ClusterIP") -> dict:
    return {"metadata": {"name": name, "namespace": "default"}, "spec": {"type": kind, "ports": [{"port": 80}]}}


def refusal(call, *words) -> str:
    with pytest.raises(ApiError) as refused:
        call(*words)
    return f"{refused.value.code} {refused.value.message}"


def test_what_is_more_than_there_is_room_for_is_refused(client):
    quota(client, requests_cpu="1", limits_memory="1Gi", pods="5")
    asked = {"requests": {"cpu": "600m"}, "limits": {"memory": "0.5Gi", "cpu": "1"}}
    client.create(PODS, pod("one", resources=asked))
    assert refusal(client.create, PODS, pod("two", resources=asked)) == (
        '403 pods "two" is forbidden: exceeded quota: quota, '
        "requested: requests.cpu=600m, used: requests.cpu=600m, limited: requests.cpu=1"
    )
    asked["requests"]["cpu"], asked["limits"]["memory"] = "400m", "513Mi"
    assert refusal(client.create, PODS, pod("two", resources=asked)).endswith(
        "requested: limits.memory=513Mi, used: limits.memory=512Mi, limited: limits.memory=1Gi"
    )
    asked["limits"]["memory"] = "512Mi"
    client.create(PODS, pod("two", resources=asked))


def test_a_pod_that_could_not_be_counted_is_refused(client):
    quota(client, "compute", requests_cpu="1", limits_memory="1Gi")
    assert refusal(client.create, PODS, pod("silent")) == (
        '403 pods "silent" is forbidden: failed quota: compute: must specify limits.memory for: app; '
        "requests.cpu for: app"
    )


def test_room_is_there_as_soon_as_something_has_gone(client):
    quota(client, pods="1", count__configmaps="1")
    client.create(PODS, pod("one"))
    assert "used: pods=1, limited: pods=1" in refusal(client.create, PODS, pod("two"))
    client.patch(PODS, "default", "one", {"status": {"phase": "Succeeded"}}, "status")
    client.create(PODS, pod("two"))
    client.create(CONFIGMAPS, {"metadata": {"name": "a", "namespace": "default"}})
    assert "count/configmaps=1" in refusal(
        client.create, CONFIGMAPS, {"metadata": {"name": "b", "namespace": "default"}}
    )
    client.delete(CONFIGMAPS, "default", "a")
    client.create(CONFIGMAPS, {"metadata": {"name": "b", "namespace": "default"}})


def test_what_comes_together_is_counted_together(client):
    quota(client, pods="2")
    assert "requested: pods=1, used: pods=2, limited: pods=2" in refusal(
        client.create_many, PODS, [pod(name) for name in "abc"]
    )
    assert not client.list(PODS)
    assert len(client.create_many(PODS, [pod(name) for name in "ab"])) == 2


def test_other_namespaces_have_nothing_to_do_with_it(client):
    quota(client, pods="0")
    client.create(NAMESPACES, {"metadata": {"name": "free"}})
    client.create(PODS, pod("one", "free"))


def test_objects_of_any_kind_can_be_counted(client):
    quota(client, count__deployments_apps="0", persistentvolumeclaims="1", requests_storage="1Gi")
    wanted = deployment("web")
    wanted["metadata"]["namespace"] = "default"
    assert refusal(client.create, DEPLOYMENTS, wanted).startswith(
        '403 deployments.apps "web" is forbidden: exceeded quota: quota, requested: count/deployments.apps=1'
    )
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "2Gi"}}}
    claim = {"metadata": {"name": "data", "namespace": "default"}, "spec": spec}
    assert "requested: requests.storage=2Gi, used: requests.storage=0" in refusal(
        client.create, PERSISTENTVOLUMECLAIMS, claim
    )


def test_a_service_that_becomes_a_node_port_takes_one_then(client):
    quota(client, services="2", services_nodeports="1")
    client.create(SERVICES, service("one", "NodePort"))
    two = client.create(SERVICES, service("two"))
    asked = {**two, "spec": {**two["spec"], "type": "NodePort"}}
    assert "requested: services.nodeports=1, used: services.nodeports=1" in refusal(client.update, SERVICES, asked)
    assert "services=2" in refusal(client.create, SERVICES, service("three"))
    client.patch(SERVICES, "default", "one", {"metadata": {"labels": {"still": "fine"}}})


def test_a_quota_below_what_is_used_already_refuses_only_more_of_that(client):
    client.create_many(PODS, [pod(name) for name in "ab"])
    quota(client, pods="1", services="1")
    client.create(SERVICES, service("one"))
    client.patch(PODS, "default", "a", {"metadata": {"labels": {"still": "there"}}})
    assert "used: pods=2, limited: pods=1" in refusal(client.create, PODS, pod("c"))


def test_scopes_say_which_pods_are_meant(client):
    client.create(PRIORITYCLASSES, {"metadata": {"name": "high"}, "value": 5})
    term = {"scopeName": "PriorityClass", "operator": "In", "values": ["high"]}
    quota(client, "important", {"scopeSelector": {"matchExpressions": [term]}}, pods="0")
    quota(client, "poor", {"scopes": ["BestEffort"]}, pods="1")
    assert "exceeded quota: important" in refusal(client.create, PODS, pod("vip", priorityClassName="high"))
    client.create(PODS, pod("poor"))
    assert "exceeded quota: poor" in refusal(client.create, PODS, pod("poorer"))
    client.create(PODS, pod("rich", resources={"requests": {"cpu": "1"}}))


def test_a_dry_run_is_told_the_same(client):
    quota(client, pods="0")
    dry = Request("counted", "test", dry_run=True)
    assert "exceeded quota" in refusal(registry.create, dry, PODS, "default", pod("a"))


@pytest.mark.parametrize(
    ("hard", "spec", "words"),
    [
        ({"colour": "1"}, {}, 'spec.hard[colour]: Invalid value: "colour": must be a standard resource for quota'),
        ({"pods": "1500m"}, {}, 'spec.hard[pods]: Invalid value: "1500m": must be an integer'),
        ({"cpu": "-1"}, {}, "must be greater than or equal to 0"),
        ({"pods": "1"}, {"scopes": ["Sometimes"]}, "unsupported scope"),
        ({"services": "1"}, {"scopes": ["NotTerminating"]}, "unsupported scope applied to resource"),
        ({"pods": "1"}, {"scopes": ["BestEffort", "NotBestEffort"]}, "conflicting scopes"),
        (
            {"pods": "1"},
            {"scopeSelector": {"matchExpressions": [{"scopeName": "PriorityClass", "operator": "In"}]}},
            "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector",
        ),
    ],
)
def test_a_quota_that_cannot_be_is_refused(client, hard, spec, words):
    assert words in refusal(lambda: quota(client, spec=spec, **hard))


def test_scopes_stay_as_they_are(client):
    made = quota(client, spec={"scopes": ["BestEffort"]}, pods="1")
    changed = {**made, "spec": {**made["spec"], "scopes": []}}
    assert "spec.scopes: Invalid value: []: field is immutable" in refusal(client.update, RESOURCEQUOTAS, changed)


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_just_as_many_pass_as_there_is_room_for():
    ensure_cluster("crowded")
    client = Client("crowded", "test")
    quota(client, pods="5", requests_cpu="2")
    start, refused = threading.Barrier(4), []

    def ask(worker: int) -> None:
        start.wait()
        for number in range(4):
            try:
                client.create(PODS, pod(f"p-{worker}-{number}", resources={"requests": {"cpu": "500m"}}))
            except ApiError as error:
                refused.append(error.message)
        connections.close_all()

    threads = [threading.Thread(target=ask, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(client.list(PODS)) == 4  # by their CPU; a fifth would still be allowed by their number
    assert len(refused) == 12 and all("exceeded quota: quota, requested: requests.cpu=500m" in why for why in refused)
    delete_cluster("crowded")
