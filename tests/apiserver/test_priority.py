"""Priority classes: there from the start, kept from mistakes, and turned into the number that pods carry."""

import pytest

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import PODS, PRIORITYCLASSES
from lab.client import Client
from lab.client.clusters import ensure_cluster

from .conftest import pod

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    ensure_cluster("important")
    return Client("important", "test")


def a_class(name: str, value: int = 1000, **more) -> dict:
    return {"metadata": {"name": name}, "value": value, **more}


def a_pod(name: str = "web", **spec) -> dict:
    made = pod(name)
    made["metadata"]["namespace"] = "default"
    made["spec"] |= spec
    return made


def refusal(call, *words) -> str:
    with pytest.raises(ApiError) as refused:
        call(*words)
    return f"{refused.value.code} {refused.value.message}"


def test_a_cluster_begins_with_the_classes_of_the_system(client):
    values = {each["metadata"]["name"]: each["value"] for each in client.list(PRIORITYCLASSES)}
    assert values == {"system-cluster-critical": 2000000000, "system-node-critical": 2000001000}
    client.delete(PRIORITYCLASSES, "", "nothing-of-that-name")
    assert refusal(client.delete, PRIORITYCLASSES, "", "system-node-critical") == (
        '403 priorityclasses.scheduling.k8s.io "system-node-critical" is forbidden: '
        "this is a system priority class and cannot be deleted"
    )


def test_a_pod_gets_the_number_of_its_class(client):
    client.create(PRIORITYCLASSES, a_class("high", 1000, preemptionPolicy="Never"))
    spec = client.create(PODS, a_pod(priorityClassName="high"))["spec"]
    assert (spec["priority"], spec["preemptionPolicy"]) == (1000, "Never")
    spec = client.create(PODS, a_pod("plain"))["spec"]
    assert (spec["priority"], spec["preemptionPolicy"]) == (0, "PreemptLowerPriority")
    assert "priorityClassName" not in spec


def test_who_names_no_class_gets_the_default_one(client):
    client.create(PRIORITYCLASSES, a_class("usual", 7, globalDefault=True))
    spec = client.create(PODS, a_pod())["spec"]
    assert (spec["priority"], spec["priorityClassName"]) == (7, "usual")
    why = "PriorityClass usual is already marked as default. Only one default can exist"
    assert refusal(client.create, PRIORITYCLASSES, a_class("other", globalDefault=True)).endswith(f"forbidden: {why}")
    other = client.create(PRIORITYCLASSES, a_class("other"))
    assert why in refusal(client.update, PRIORITYCLASSES, {**other, "globalDefault": True})
    client.patch(PRIORITYCLASSES, "", "usual", {"description": "of all the others"})


def test_a_manifest_sent_again_leaves_the_priority_alone(client):
    client.create(PRIORITYCLASSES, a_class("high"))
    made = client.create(PODS, a_pod(priorityClassName="high"))
    spec = {field: made["spec"][field] for field in made["spec"] if field not in ("priority", "preemptionPolicy")}
    client.delete(PRIORITYCLASSES, "", "high")
    assert client.update(PODS, {**made, "spec": spec})["spec"]["priority"] == 1000


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"priorityClassName": "none"}, "no PriorityClass with name none was found"),
        (
            {"priority": 5},
            "the integer value of priority (5) must not be provided in pod spec; "
            "priority admission controller computed 0 from the given PriorityClass name",
        ),
        (
            {"preemptionPolicy": "Never"},
            "the string value of PreemptionPolicy (Never) must not be provided in pod spec; "
            "priority admission controller computed PreemptLowerPriority from the given PriorityClass name",
        ),
    ],
)
def test_nobody_gives_himself_a_priority(client, spec, words):
    assert refusal(client.create, PODS, a_pod(**spec)) == f'403 pods "web" is forbidden: {words}'


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (
            a_class("huge", 1000000001),
            "value: Forbidden: maximum allowed value of a user defined priority is 1000000000",
        ),
        (
            a_class("system-mine"),
            "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. "
            "error: system-mine is not a known system priority class",
        ),
        (a_class("odd", preemptionPolicy="Maybe"), 'supported values: "Never", "PreemptLowerPriority"'),
    ],
)
def test_a_class_that_cannot_be_is_refused(client, wrong, words):
    assert refusal(client.create, PRIORITYCLASSES, wrong).endswith(words)


def test_pods_have_been_given_the_value_so_it_stands(client):
    made = client.create(PRIORITYCLASSES, a_class("high"))
    assert refusal(client.update, PRIORITYCLASSES, {**made, "value": 5}).endswith(
        "value: Forbidden: may not be changed in an update."
    )
    assert "preemptionPolicy" in refusal(client.update, PRIORITYCLASSES, {**made, "preemptionPolicy": "Never"})
