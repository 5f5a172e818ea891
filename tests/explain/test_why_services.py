"""Why a service gets no traffic: whom its selector misses, or what keeps those it selects from being ready."""

import pytest

from lab.apimachinery.kinds import PODS, SERVICES
from lab.controllers.endpoints.controller import EndpointSliceController
from tests.controllers.cluster import WORKLOADS, Cluster

from .asking import first

pytestmark = pytest.mark.django_db
LOOPS = (*WORKLOADS, EndpointSliceController())


@pytest.fixture
def web():
    cluster = Cluster("traffic")
    cluster.add_node("n1")
    cluster.deploy(2)
    cluster.settle()
    cluster.bind("n1")
    cluster.run_all()
    addressed = [{**pod, "status": {**pod["status"], "podIP": f"10.0.0.{at}"}} for at, pod in enumerate(cluster.pods())]
    for pod in addressed:
        cluster.client.update_status(PODS, pod)
    return cluster


def serve(cluster: Cluster, name: str = "web", **spec) -> dict:
    spec = {"ports": [{"port": 80}], **spec}
    made = cluster.client.create(SERVICES, {"metadata": {"name": name, "namespace": "default"}, "spec": spec})
    cluster.settle(*LOOPS)
    return made


def test_one_that_serves_names_its_pods_by_the_controllers_decision(web):
    serve(web, selector={"app": "web"})
    card = first(web.client, SERVICES, "web")
    names = ", ".join(pod["metadata"]["name"] for pod in web.pods())
    assert (card["question"], card["reason"]) == ("Where do its requests go?", "Serving")
    assert card["answer"] == f"To 2 pods that are ready and have the labels app=web, at port 80: {names}."
    (ground,) = card["because"]
    assert (ground["decision"], ground["text"]) == ("SelectEndpoints", "2 of 2 pods that it selects are ready")


def test_a_selector_that_misses_names_the_pod_that_may_be_meant_and_who_wrote_both(web):
    made = serve(web, selector={"app": "wep"})
    card = first(web.client, SERVICES, "web")
    pod = web.pods()[0]["metadata"]["name"]
    assert (card["question"], card["reason"]) == ("Why does it get no traffic?", "NotSelected")
    assert card["answer"] == (
        f"Its selector app=wep matches no pod of namespace default. Nearly: pod {pod} has app=web."
    )
    declared, decided, labelled = card["because"]
    assert (declared["revision"], declared["name"]) == (int(made["metadata"]["resourceVersion"]), "spec.selector")
    assert declared["text"] == "tester set it to app=wep"
    assert decided["decision"] == "SelectEndpoints"
    assert (labelled["author"], labelled["decision"]) == ("replicaset-controller", "CreatePods")
    assert labelled["revision"] == web.client.history(PODS, "default", pod)[-1]["revision"]
    assert card["help"]["command"] == "kubectl set selector service/web app=web"


@pytest.mark.parametrize(
    ("selector", "instead"),
    [
        ({"ap": "web"}, "app=web"),  # the key is wrong
        ({"app": "web", "tier": "front"}, "app=web"),  # the pods have one label, and not the other
        ({"app": "web", "version": "2"}, "app=web"),  # what is of no use is not proposed
        ({"app": "database"}, None),  # nothing alike: nobody is named
    ],
)
def test_only_what_is_alike_may_be_meant(web, selector, instead):
    serve(web, selector=selector)
    card = first(web.client, SERVICES, "web")
    assert card["reason"] == "NotSelected"
    assert card["help"]["command"] == (f"kubectl set selector service/web {instead}" if instead else "")


def test_pods_that_are_not_ready_are_quoted(web):
    serve(web, selector={"app": "web"})
    web.run(web.pods(), ready=False)
    web.settle(*LOOPS)
    card = first(web.client, SERVICES, "web")
    assert card["reason"] == "NotReady"
    assert card["answer"].startswith("Its selector app=web matches 2 pods, and none is ready.")
    assert card["because"][0]["text"].startswith("0 of 2 pods that it selects are ready")


def test_what_has_no_selector_and_what_leads_outside_say_so(web):
    serve(web, "bare")
    card = first(web.client, SERVICES, "bare")
    assert (card["reason"], card["help"]["command"]) == ("NoSelector", "")  # nobody knows which pods
    serve(web)
    assert first(web.client, SERVICES, "web")["help"]["command"] == "kubectl set selector service/web app=web"
    serve(web, "far", type="ExternalName", externalName="example.org")
    card = first(web.client, SERVICES, "far")
    assert (card["reason"], card["question"]) == ("ExternalName", "Where do its requests go?")
    assert "example.org" in card["answer"]
