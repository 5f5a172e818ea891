"""Why a Service gets nowhere though its pods are ready: it asks them at a port that they do not have."""

import json
import shlex

import pytest

from lab import metrics
from lab.apimachinery.kinds import PODS, SERVICES
from lab.apimachinery.patch import JSON_PATCH
from lab.controllers.endpoints.controller import EndpointSliceController
from lab.dashboard.advice import act_of
from lab.explain.past import PastClient
from tests.controllers.cluster import Cluster

from .asking import asked, first

pytestmark = pytest.mark.django_db
HTTP = {"name": "http", "containerPort": 8080}


@pytest.fixture
def shop() -> Cluster:
    cluster = Cluster("ports")
    cluster.add_node("n1")
    return cluster


def run(shop: Cluster, *ports: dict) -> None:
    container = {"name": "web", "image": "web", "ports": list(ports)}
    meta = {"name": "web-1", "namespace": "default", "labels": {"app": "web"}}
    made = shop.client.create(PODS, {"metadata": meta, "spec": {"nodeName": "n1", "containers": [container]}})
    shop.run([shop.client.update_status(PODS, {**made, "status": {"podIP": "10.0.0.9", "phase": "Running"}})])


def serve(shop: Cluster, *ports: dict) -> dict:
    spec = {"selector": {"app": "web"}, "ports": list(ports)}
    shop.client.create(SERVICES, {"metadata": {"name": "web", "namespace": "default"}, "spec": spec})
    shop.settle(EndpointSliceController())
    return first(shop.client, SERVICES, "web")


def follow(shop: Cluster, card: dict) -> dict:
    """The card after its advice has been followed."""
    command = shlex.split(card["help"]["command"])
    assert command[:5] == ["kubectl", "patch", "service", "web", "--type=json"]
    patch = json.loads(command[-1])
    act = act_of(card["help"]["command"])
    assert act and json.loads(act["form"]) == {"patch": patch}
    shop.client.patch(SERVICES, "default", "web", patch, "", JSON_PATCH)
    shop.settle(EndpointSliceController())
    return first(shop.client, SERVICES, "web")


@pytest.mark.parametrize(
    ("declared", "instead"),
    [((HTTP,), "http"), ((HTTP, {"name": "metrics", "containerPort": 9090}), "http"), (({"containerPort": 80},), 80)],
)
def test_a_name_that_no_pod_has_is_the_cause_and_not_that_none_is_ready(shop, declared, instead):
    run(shop, *declared)
    card = serve(shop, {"port": 80, "targetPort": "htpp"})
    assert (card["question"], card["reason"]) == ("Why does it get no traffic?", "NoSuchPort")
    assert card["answer"].startswith(
        "Its selector app=web matches 1 pod that could serve, but their containers have no"
    )
    assert "no port named htpp" in card["answer"] and "none is ready" not in card["answer"]
    assert [one["name"] for one in card["because"][:2]] == ["spec.ports.targetPort", "containers.ports.name"]
    assert json.loads(shlex.split(card["help"]["command"])[-1])[0]["value"] == instead
    (of_pod,) = (one for one in asked(shop.client, PODS, "web-1") if one["question"] == "Why does it get no traffic?")
    assert of_pod["reason"] == "NoSuchPort"
    assert follow(shop, card)["reason"] == "Serving"


def test_a_number_that_nobody_says_to_listen_at_is_doubted_and_the_others_are_not(shop):
    run(shop, HTTP)
    card = serve(shop, {"port": 80, "targetPort": 9999})
    assert card["answer"].startswith("To 1 pod that is ready and has the labels app=web, at port 9999: web-1.")
    assert "None of them says that it listens at 9999 (containerPort 8080)" in card["answer"]
    card = follow(shop, card)
    assert card["answer"] == "To 1 pod that is ready and has the labels app=web, at port 8080: web-1."
    assert card["help"] is None


def test_of_pods_that_declare_no_port_nothing_is_doubted(shop):
    run(shop)
    assert serve(shop, {"port": 80, "targetPort": 9999})["help"] is None


def test_a_label_of_another_value_is_no_mistake_for_it(shop):
    run(shop, HTTP)
    shop.client.create(
        SERVICES,
        {
            "metadata": {"name": "other", "namespace": "default"},
            "spec": {"selector": {"app": "crasher"}, "ports": [{"port": 80}]},
        },
    )
    (card,) = (one for one in asked(shop.client, PODS, "web-1") if one["reason"] == "NotSelected")
    assert "Nearly" not in card["answer"]


@pytest.mark.parametrize(
    ("counted", "silent"),
    [
        ({"requests": 9, "unreached": 9, "rate": 2.0, "unreachedRate": 1.0}, True),
        ({"requests": 9, "unreached": 9, "rate": 0.0, "unreachedRate": 0.0}, True),
        ({"requests": 9, "unreached": 4, "rate": 2.0, "unreachedRate": 1.0}, True),
        ({"requests": 9, "unreached": 4, "rate": 2.0, "unreachedRate": 0.5}, False),
        ({"requests": 9, "unreached": 4, "rate": 0.0, "unreachedRate": 0.0}, False),
        ({"requests": 0, "unreached": 0, "rate": 0.0, "unreachedRate": 0.0}, False),
    ],
    ids=str,
)
def test_that_nothing_listens_at_a_port_is_told_from_what_the_data_planes_count(shop, monkeypatch, counted, silent):
    run(shop)
    (pod,) = shop.pods()
    told = {"default/web:80": {"servers": {pod["metadata"]["uid"]: counted}}}
    monkeypatch.setattr(metrics, "read", lambda cluster, topic: told if topic == metrics.TRAFFIC else {})
    card = serve(shop, {"port": 80, "targetPort": 9999})
    of_pod = next(one for one in asked(shop.client, PODS, "web-1") if one["reason"] in ("Serving", "Unreached"))
    assert card["reason"] == of_pod["reason"] == ("Unreached" if silent else "Serving")
    assert ("nothing takes a connection there, at port 9999" in card["answer"]) is silent
    if silent:
        assert card["help"]["command"] == "kubectl logs web-1"
        past = PastClient(shop.name, shop.client.view().revision)
        assert first(past, SERVICES, "web")["reason"] == "Serving"
