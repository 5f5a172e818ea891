"""Events: what happens again is counted, and what differs in its words alone is taken together after a while."""

import pytest

from lab.apimachinery.kinds import CONFIGMAPS, PODS
from lab.client import Client
from lab.client import events as recorder
from lab.client.clusters import ensure_cluster

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    ensure_cluster("flow")
    return Client("flow", "tester")


@pytest.fixture
def obj(client) -> dict:
    return client.create(CONFIGMAPS, {"metadata": {"name": "some", "namespace": "default"}})


def told(client: Client) -> dict[str, int]:
    return {event["message"]: event["count"] for event in client.view().list("events")}


def test_what_happens_again_is_counted(client, obj):
    for _ in range(12):
        client.event(obj, "Warning", "Failed", "no room")
    assert told(client) == {"no room": 12}


@pytest.mark.parametrize(
    ("author", "source"), [("kubelet", {"component": "kubelet", "host": "node-a"}), ("scheduler", None)]
)
def test_a_kubelet_says_on_which_node_it_saw_it(client, author, source):
    spec = {"nodeName": "node-a", "containers": [{"name": "c", "image": "x"}]}
    pod = client.create(PODS, {"metadata": {"name": "some", "namespace": "default"}, "spec": spec})
    Client("flow", author).event(pod, "Normal", "Started", "it runs")
    (event,) = client.view().list("events")
    assert (event["source"], event["reportingInstance"]) == (source or {"component": author}, source and "node-a" or "")


def test_after_ten_in_other_words_the_others_are_one_whose_words_are_the_last(client, obj):
    client.events([(obj, "Warning", "Failed", f"no room for {n}") for n in range(12)])
    client.event(obj, "Warning", "Failed", "no room for 12")
    client.event(obj, "Warning", "Failed", "no room for 3")
    client.event(obj, "Normal", "Failed", "no room for 13")
    counts = told(client)
    assert counts.pop("(combined from similar events): no room for 12") == 3
    assert counts.pop("no room for 3") == 2 and counts.pop("no room for 13") == 1
    assert counts == {f"no room for {n}": 1 for n in range(10) if n != 3}


def test_long_after_the_last_they_are_told_one_by_one_again(client, obj, monkeypatch):
    client.events([(obj, "Warning", "Failed", f"no room for {n}") for n in range(11)])
    monkeypatch.setattr(recorder, "SIMILAR_SECONDS", 0.0)
    client.event(obj, "Warning", "Failed", "no room for 11")
    assert told(client)["no room for 11"] == 1
