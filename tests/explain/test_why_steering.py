"""Why so many, and why no more, where an autoscaler decides; and what a release waits for."""

import pytest

from lab.apimachinery.kinds import DEPLOYMENTS, HORIZONTALPODAUTOSCALERS, RELEASES
from tests.controllers.cluster import Cluster
from tests.controllers.releasing import BLUE_GREEN, CANARY, Releasing
from tests.controllers.test_hpa import Scaled

from .asking import asked, first

pytestmark = pytest.mark.django_db


class TestAutoscaler:
    @pytest.fixture
    def scaled(self) -> Scaled:
        return Scaled(Cluster("scaled"))

    def test_at_its_limit_it_says_what_its_metrics_ask_for_and_what_is_allowed(self, scaled):
        scaled.create(most=3)
        scaled.publish_cpu(190)
        assert scaled.look() == 3
        card = first(scaled.client, HORIZONTALPODAUTOSCALERS, "web")
        assert (card["question"], card["reason"]) == ("Why 3 replicas?", "TooManyReplicas")
        assert card["answer"] == (
            "It wants 3 replicas of deployment web: cpu resource utilization (percentage of request) 95% of 50%."
            " Its metrics ask for 4, but maxReplicas allows 3."
        )
        wanted, limited = card["because"]
        assert (wanted["decision"], wanted["name"]) == ("ScaleTarget", "desiredReplicas")
        assert limited["name"] == "condition ScalingLimited"
        command = 'kubectl patch horizontalpodautoscaler web --type=merge -p \'{"spec":{"maxReplicas":4}}\''
        assert card["help"]["command"] == command
        # The deployment says the same of its number.
        size = next(one for one in asked(scaled.client, DEPLOYMENTS, "web") if one["question"] == "Why 3 replicas?")
        assert size["reason"] == "ScaledByAutoscaler"
        assert size["answer"].startswith("The autoscaler web set it from 2 to 3: cpu resource utilization")
        assert size["answer"].endswith("Its metrics ask for 4, but maxReplicas allows 3.")
        assert size["help"]["text"] == "Autoscaler web keeps it between 1 and 3: change these."
        (row,) = [r for r in scaled.client.history(DEPLOYMENTS, "default", "web", 1, decided=True)]
        assert [one["revision"] for one in size["because"]] == [row["revision"]]

    def test_it_waits_before_it_shrinks(self, scaled):
        scaled.create()
        scaled.publish_cpu(200)
        scaled.look()
        scaled.run()
        scaled.publish_cpu(0)
        scaled.look()
        card = first(scaled.client, HORIZONTALPODAUTOSCALERS, "web")
        assert (card["question"], card["reason"]) == ("Why 4 replicas?", "ScaleDownStabilized")
        assert "Its metrics ask for 0 now, but lately it was 4, and it waits whether that lasts." in card["answer"]
        assert card["because"][-1]["name"] == "condition AbleToScale"

    def test_without_a_target_or_a_metric_it_says_what_it_misses(self, scaled):
        scaled.create(target="nobody")
        scaled.loop.sync(scaled.client, "default/web")
        card = first(scaled.client, HORIZONTALPODAUTOSCALERS, "web")
        assert (card["question"], card["reason"]) == ("Why does it not scale?", "FailedGetScale")
        assert 'deployments.apps "nobody" not found' in card["answer"]
        scaled.client.delete(HORIZONTALPODAUTOSCALERS, "default", "web")
        scaled.create()
        scaled.look()
        card = first(scaled.client, HORIZONTALPODAUTOSCALERS, "web")
        assert card["reason"] == "FailedGetResourceMetric"
        assert card["because"][0]["name"] == "condition ScalingActive"
        assert card["help"] is None

    def test_at_the_least_that_there_can_be_nothing_is_advised(self):
        scaled = Scaled(Cluster("least"), 1)
        scaled.create()
        scaled.publish_cpu(0)
        scaled.look()
        card = first(scaled.client, HORIZONTALPODAUTOSCALERS, "web")
        assert card["reason"] == "TooFewReplicas"
        assert card["help"] is None

    def test_where_the_request_is_missing_it_is_advised(self, scaled):
        scaled.create()
        message = "the HPA was unable to compute: missing request for cpu in container main of Pod web-1"
        inactive = {"type": "ScalingActive", "status": "False", "reason": "FailedGetResourceMetric", "message": message}
        obj = scaled.client.get(HORIZONTALPODAUTOSCALERS, "default", "web")
        scaled.client.update_status(HORIZONTALPODAUTOSCALERS, {**obj, "status": {"conditions": [inactive]}})
        card = first(scaled.client, HORIZONTALPODAUTOSCALERS, "web")
        assert card["help"]["command"] == "kubectl set resources deployment/web -c main --requests=cpu=100m"


class TestRelease:
    def test_a_canary_waits_for_a_person_and_its_deployment_says_so_too(self):
        releasing = Releasing(5)
        releasing.begin(CANARY)
        releasing.carry_on()
        card = first(releasing.client, RELEASES, "to-v2")
        assert (card["question"], card["reason"]) == ("What does it wait for?", "Paused")
        assert card["answer"] == releasing.status()["message"]
        (step,) = card["because"]
        assert (step["decision"], step["name"]) == ("StepRelease", "strategy Canary, step 1, weight 20")
        command = 'kubectl patch release to-v2 --type=merge -p \'{"spec":{"verdict":"Promote"}}\''
        assert card["help"]["command"] == command
        of_deployment = first(releasing.client, DEPLOYMENTS, "web")
        assert of_deployment["reason"] == "ReleaseInControl"
        assert of_deployment["answer"] == f"Release to-v2 steers it, and is Paused: {card['answer']}"
        assert of_deployment["because"][1:] == card["because"]

    def test_who_gave_the_verdict_is_named(self):
        releasing = Releasing(2)
        releasing.begin(BLUE_GREEN)
        releasing.carry_on()
        releasing.say(verdict="Abort")
        releasing.carry_on()
        card = first(releasing.client, RELEASES, "to-v2")
        assert (card["question"], card["reason"], card["help"]) == ("Why did it end so?", "Aborted", None)
        assert card["answer"] == "Aborted by hand: the old version is back."
        assert ("tester set verdict to Abort", "spec.verdict") in [(g["text"], g["name"]) for g in card["because"]]

    def test_a_release_quotes_the_pod_that_keeps_it_back_once(self):
        releasing = Releasing(2)
        releasing.begin(BLUE_GREEN)
        releasing.add_node("n1")
        releasing.bind("n1")
        releasing.complain("web:v2", "ImagePullBackOff", "no such image")
        releasing.look()
        card = first(releasing.client, RELEASES, "to-v2")
        assert (card["question"], card["reason"]) == ("How far is it?", "Progressing")
        assert card["answer"].startswith("0 of 2 new pods are ready. Pod web-")
        assert card["answer"].count("Pod web-") == 1 and card["answer"].count("no such image") == 1
        assert card["because"][-1]["name"] == "ImagePullBackOff"
        assert first(releasing.client, DEPLOYMENTS, "web")["reason"] == "ReleaseInControl"
