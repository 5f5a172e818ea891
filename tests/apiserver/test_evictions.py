"""Evictions: a budget lets as many go as it says, tells the others why not, and is never overdrawn."""

import threading

import pytest
from django.db import connections

from lab.apimachinery import meta
from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import NODES, PODDISRUPTIONBUDGETS, PODS
from lab.apiserver import eviction
from lab.apiserver.request import Request
from lab.client import Client
from lab.client.clusters import delete_cluster, ensure_cluster

from .conftest import pod

pytestmark = pytest.mark.django_db
EVICTION = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "web-0", "namespace": "default"}}
NOT_NOW = "Cannot evict pod as it would violate the pod's disruption budget."


def running(client: Client, *names: str, ready: bool = True) -> list[dict]:
    if client.find(NODES, "", "n1") is None:
        client.create(NODES, {"metadata": {"name": "n1"}})
    made = []
    for name in names:
        each = pod(name, app="web")
        each["metadata"]["namespace"] = "default"
        client.bind([(client.create(PODS, each), "n1", None)])
        condition = {"type": "Ready", "status": str(ready), "lastTransitionTime": meta.now()}
        status = {"phase": "Running", "conditions": [condition]}
        made.append(client.patch(PODS, "default", name, {"status": status}, "status"))
    return made


def budget(client: Client, name: str = "web", status: dict | None = None, **spec) -> dict:
    """As its controller has left it: `status` overrides what that says."""
    selector = {"matchLabels": {"app": "web"}}
    made = client.create(
        PODDISRUPTIONBUDGETS,
        {"metadata": {"name": name, "namespace": "default"}, "spec": {"selector": selector, **spec}},
    )
    told = {
        "observedGeneration": 1,
        "disruptionsAllowed": 1,
        "currentHealthy": 2,
        "desiredHealthy": 1,
        "expectedPods": 2,
    }
    return client.update_status(PODDISRUPTIONBUDGETS, {**made, "status": told | (status or {})})


def the_budget(client: Client) -> dict:
    return client.get(PODDISRUPTIONBUDGETS, "default", "web")["status"]


@pytest.fixture
def client() -> Client:
    ensure_cluster("evicting")
    return Client("evicting", "test")


def test_a_budget_pays_for_each_pod_and_knows_which_will_go(client):
    one, other = running(client, "web-0", "web-1")
    budget(client)
    assert client.evict(one)
    gone = client.get(PODS, "default", "web-0")
    assert meta.is_deleting(gone)
    told = meta.condition(gone, "DisruptionTarget")
    assert (told["reason"], told["message"]) == ("EvictionByEvictionAPI", "Eviction API: evicting")
    left = the_budget(client)
    assert left["disruptionsAllowed"] == 0 and list(left["disruptedPods"]) == ["web-0"]
    assert meta.condition({"status": left}, "DisruptionAllowed")["reason"] == "InsufficientPods"
    assert not client.evict(other)
    assert not meta.is_deleting(client.get(PODS, "default", "web-1"))
    assert client.evict(gone)  # it is on its way already: nothing more to pay


def test_the_refusal_is_kubernetes_own(api):
    client = Client("default", "test")
    running(client, "web-0")
    budget(client, status={"disruptionsAllowed": 0, "currentHealthy": 1, "desiredHealthy": 2})
    refused = api.ask("POST", "/api/v1/namespaces/default/pods/web-0/eviction", EVICTION)
    assert refused.code == 429 and "retry-after" not in refused.headers
    assert refused.json == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": NOT_NOW,
        "reason": "TooManyRequests",
        "details": {
            "causes": [
                {
                    "reason": "DisruptionBudget",
                    "message": "The disruption budget web needs 2 healthy pods and has 1 currently",
                }
            ]
        },
        "code": 429,
    }


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ({"observedGeneration": 0}, "The disruption budget web is still being processed by the server."),
        (
            {
                "disruptionsAllowed": 0,
                "conditions": [
                    {"type": "DisruptionAllowed", "status": "False", "reason": "SyncFailed", "message": "no scale"}
                ],
            },
            "The disruption budget web does not allow evicting pods currently because it failed sync: no scale",
        ),
        ({"disruptionsAllowed": 0}, "The disruption budget web does not allow evicting pods currently"),
    ],
)
def test_it_says_why_not(client, status, words):
    running(client, "web-0")
    budget(client, status=status)
    with pytest.raises(ApiError) as refused:
        eviction.evict(Request("evicting", "test"), "default", "web-0", {})
    assert refused.value.details["causes"] == [{"reason": "DisruptionBudget", "message": words}]


@pytest.mark.parametrize(
    ("policy", "healthy", "goes"),
    [("IfHealthyBudget", 2, True), ("IfHealthyBudget", 1, False), ("AlwaysAllow", 1, True)],
)
def test_a_pod_that_is_not_ready_costs_nothing_where_that_is_allowed(client, policy, healthy, goes):
    (sick,) = running(client, "web-0", ready=False)
    status = {"disruptionsAllowed": 0, "currentHealthy": healthy, "desiredHealthy": 2}
    budget(client, status=status, unhealthyPodEvictionPolicy=policy)
    assert client.evict(sick) is goes
    assert "disruptedPods" not in the_budget(client)


def test_a_pod_that_has_not_begun_or_has_ended_belongs_to_no_budget(client):
    (pending,) = running(client, "web-0")
    client.patch(PODS, "default", "web-0", {"status": {"phase": "Pending"}}, "status")
    budget(client, status={"disruptionsAllowed": 0})
    assert client.evict(pending)


def test_two_budgets_for_one_pod_are_too_many(client):
    (one,) = running(client, "web-0")
    budget(client)
    budget(client, "second")
    assert not client.evict(one)
    assert the_budget(client)["disruptionsAllowed"] == 1


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"minAvailable": 1, "maxUnavailable": 1}, "minAvailable and maxUnavailable cannot be both set"),
        ({"minAvailable": "101%"}, 'spec.minAvailable: Invalid value: "101%": must not be greater than 100%'),
        ({"maxUnavailable": -1}, "spec.maxUnavailable: Invalid value: -1: must be greater than or equal to 0"),
        ({"unhealthyPodEvictionPolicy": "Never"}, 'supported values: "AlwaysAllow", "IfHealthyBudget"'),
    ],
)
def test_a_budget_that_cannot_be_is_refused(client, spec, words):
    with pytest.raises(ApiError) as refused:
        budget(client, **spec)
    assert words in refused.value.message


@pytest.mark.django_db(transaction=True)
def test_of_many_evictions_at_once_just_as_many_pass_as_the_budget_allows():
    ensure_cluster("crowd")
    client = Client("crowd", "test")
    pods = running(client, *(f"web-{number}" for number in range(8)))
    budget(client, status={"disruptionsAllowed": 3, "currentHealthy": 8, "desiredHealthy": 5})
    start, passed = threading.Barrier(4), []

    def ask(mine: list[dict]) -> None:
        start.wait()
        passed.extend(map(client.evict, mine))
        connections.close_all()

    threads = [threading.Thread(target=ask, args=(pods[at::4],)) for at in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    going = [each for each in client.list(PODS) if meta.is_deleting(each)]
    assert (len(going), passed.count(True), passed.count(False)) == (3, 3, 5)
    assert the_budget(client)["disruptionsAllowed"] == 0
    delete_cluster("crowd")
