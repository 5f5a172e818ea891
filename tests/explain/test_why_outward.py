"""What leads in from outside, and what is built: where an Ingress gets no answer, how a build went."""

import pytest

from lab.apimachinery.kinds import BUILDS, DEPLOYMENTS, INGRESSES, PODS, SERVICES
from lab.client import Client, Put
from lab.controllers.endpoints.controller import EndpointSliceController
from tests.controllers.cluster import WORKLOADS, Cluster

from .asking import asked, first

pytestmark = pytest.mark.django_db
LOOPS = (*WORKLOADS, EndpointSliceController())
FILES = {"Dockerfile": "FROM web:v1"}


@pytest.fixture
def web():
    cluster = Cluster("outward")
    cluster.add_node("n1")
    cluster.deploy(1)
    cluster.settle(*LOOPS)
    return cluster


class TestIngress:
    def serve(self, cluster: Cluster, name: str = "web", **spec) -> None:
        spec = {"ports": [{"name": "http", "port": 80}], "selector": {"app": "web"}, **spec}
        cluster.client.create(SERVICES, {"metadata": {"name": name, "namespace": "default"}, "spec": spec})
        cluster.settle(*LOOPS)

    def lead(self, cluster: Cluster, *backends: tuple[str, str, dict]) -> None:
        """Each from a path to a service's port."""
        paths = [
            {"path": path, "pathType": "Prefix", "backend": {"service": {"name": service, "port": port}}}
            for path, service, port in backends
        ]
        spec = {"rules": [{"host": "shop.localhost", "http": {"paths": paths}}]}
        cluster.client.create(INGRESSES, {"metadata": {"name": "front", "namespace": "default"}, "spec": spec})

    def test_a_service_that_was_removed_is_told_with_who_removed_it(self, web):
        self.serve(web)
        self.lead(web, ("/", "web", {"number": 80}))
        Client(web.name, "ben").delete(SERVICES, "default", "web")
        card = first(web.client, INGRESSES, "front")
        assert (card["question"], card["reason"]) == ("Why does it get no traffic?", "BackendNotFound")
        assert card["answer"] == (
            "Requests for shop.localhost/ get no answer: there is no service web. ben removed it."
        )
        leads, removed = card["because"]
        assert leads["text"] == "tester leads shop.localhost/ to service web, port 80"
        assert (removed["name"], removed["author"]) == ("Service web", "ben")
        assert card["help"]["command"] == "kubectl create service clusterip web --tcp=80"

    def test_a_port_that_the_service_has_not_is_told_with_those_that_it_has(self, web):
        self.serve(web)
        self.lead(web, ("/", "web", {"name": "htp"}))
        card = first(web.client, INGRESSES, "front")
        assert card["reason"] == "BackendNotFound"
        assert card["answer"].endswith("service web has no port htp, but http 80.")
        assert "/spec/rules/0/http/paths/0/backend/service" in card["help"]["command"]
        assert '"port": {"number": 80}' in card["help"]["command"]

    def test_each_backend_has_its_own_answer_and_what_is_well_comes_last(self, web):
        self.serve(web)
        self.serve(web, "empty", selector={"app": "database"})
        self.serve(web, "far", type="ExternalName", externalName="example.org", selector=None)
        self.lead(web, *((f"/{name}", name, {"number": 80}) for name in ("web", "empty", "far")))
        web.bind("n1")
        web.run_all()
        web.client.update_status(PODS, {**(pod := web.pods()[0]), "status": {**pod["status"], "podIP": "10.0.0.1"}})
        web.settle(*LOOPS)
        cards = asked(web.client, INGRESSES, "front")
        assert [one["reason"] for one in cards] == ["NotSelected", "BackendNotFound", "Serving", "Created"]
        pod = web.pods()[0]["metadata"]["name"]
        assert cards[2]["answer"] == (
            "For shop.localhost/web to service web, from there to 1 pod that is ready and has the labels"
            f" app=web, at port 80: {pod}."
        )
        assert cards[2]["because"][1]["decision"] == "SelectEndpoints"


class TestBuild:
    def begin(self, cluster: Cluster, name: str = "page", **status) -> dict:
        spec = {"deployment": "web", "files": FILES}
        made = cluster.client.create(BUILDS, {"metadata": {"name": name, "namespace": "default"}, "spec": spec})
        return self.say(cluster, made, **status) if status else made

    def say(self, cluster: Cluster, build: dict, **status) -> dict:
        builder = Client(cluster.name, "build-controller")
        return builder.update_status(BUILDS, {**build, "status": {**build.get("status", {}), **status}})

    def ship(self, cluster: Cluster, image: str = "web:v2") -> dict:
        """As a build's thread does: the deployment and the build in one transaction."""
        build = self.begin(cluster, phase="Building", message="the image is being built")
        web = cluster.deployment()
        template = web["spec"]["template"]
        containers = [{**template["spec"]["containers"][0], "image": image}]
        template = {**template, "spec": {**template["spec"], "containers": containers}}
        why = {"decision": "RollOutImage", "build": "page", "image": image}
        told = {"phase": "RollingOut", "image": image, "message": f"built {image}; it is being rolled out"}
        Client(cluster.name, "build-controller").write(
            [
                Put(DEPLOYMENTS, {**web, "spec": {**web["spec"], "template": template}}, why=why),
                Put(BUILDS, {**build, "status": build["status"] | told}, "status"),
            ]
        )
        cluster.settle(*LOOPS)
        return cluster.client.get(BUILDS, "default", "page")

    def test_one_waits_for_the_one_that_is_built(self, web):
        self.begin(web, "other", phase="Building", message="the image is being built", log="STEP 1\nSTEP 2\n")
        self.begin(web)
        card = first(web.client, BUILDS, "page")
        assert (card["question"], card["reason"]) == ("Why has it not begun?", "Pending")
        assert "now it is other" in card["answer"]
        assert (card["because"][0]["author"], card["help"]["command"]) == (
            "build-controller",
            "kubectl delete build other",
        )
        assert first(web.client, BUILDS, "other")["answer"] == (
            "The image is being built. The last line of its log: STEP 2."
        )

    def test_one_that_failed_says_what_the_engine_said_and_where_its_log_is(self, web):
        self.begin(web, phase="Failed", message="the build failed: exit code 2", log="RUN make\nno such file\n")
        card = first(web.client, BUILDS, "page")
        assert (card["question"], card["reason"]) == ("Why has it failed?", "Failed")
        assert card["answer"] == "The build failed: exit code 2."
        assert card["help"]["command"] == "kubectl get build page -o 'jsonpath={.status.log}'"

    def test_one_that_is_rolled_out_says_what_the_deployment_says_and_that_it_was_given_the_image(self, web):
        self.ship(web)
        card = first(web.client, BUILDS, "page")
        assert (card["question"], card["reason"]) == ("How far is it?", "RollingOut")
        assert "Deployment web: " in card["answer"]
        shipped = next(one for one in card["because"] if one["decision"] == "RollOutImage")
        assert (shipped["name"], shipped["text"]) == ("deployment web", "build page made web:v2")

    def test_one_that_was_overtaken_names_who_did_and_how_to_get_its_image(self, web):
        build = self.ship(web)
        containers = [{"name": "web", "image": "web:v3"}]
        Client(web.name, "ben").patch(
            DEPLOYMENTS, "default", "web", {"spec": {"template": {"spec": {"containers": containers}}}}
        )
        self.say(web, build, phase="Failed", message="overtaken: web was given web:v3 meanwhile")
        card = first(web.client, BUILDS, "page")
        assert (card["reason"], card["because"][-1]["author"]) == ("Failed", "ben")
        assert card["help"]["command"] == "kubectl set image deployment/web web=web:v2"

    def test_one_whose_deployment_was_removed_names_who_did(self, web):
        build = self.ship(web)
        Client(web.name, "ben").delete(DEPLOYMENTS, "default", "web")
        self.say(web, build, phase="Failed", message="the deployment was deleted")
        card = first(web.client, BUILDS, "page")
        assert (card["because"][-1]["author"], card["because"][-1]["name"]) == ("ben", "Deployment web")
