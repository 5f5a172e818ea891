"""Releases through the real store and the real loops: how they go, and every way in which they end."""

import copy
from pathlib import Path

import pytest
import yaml

from lab import demos
from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import DEPLOYMENTS, ENDPOINTSLICES, PODS, RELEASES, SERVICES
from lab.apimachinery.services import SERVICE_NAME
from lab.apiserver.schemas.check import check_object
from lab.client import Client
from lab.client.clusters import delete_cluster

from .releasing import BLUE_GREEN, CANARY, LOOP, Releasing

pytestmark = pytest.mark.django_db
EXAMPLES = Path(demos.__file__).parent / "releases"


@pytest.fixture
def web(db) -> Releasing:
    return Releasing()


def test_a_canary_gets_as_many_pods_as_its_weight_needs_and_no_visitor_before_they_are_ready(web):
    web.begin(CANARY)
    assert web.counts() == {"web:v1": 10, "web:v2": 2}
    assert web.weights() == {"web:v2": 0, "web:v1": 100}
    assert "0 of them ready" in web.status()["message"]
    web.run_all()
    assert web.weights() == {"web:v2": 20, "web:v1": 80}
    assert web.phase() == "Paused" and "Waits for a person" in web.status()["message"]
    assert web.status()["step"] == 1


def test_a_canary_is_promoted_by_hand_and_leaves_no_trace(web):
    web.begin(CANARY)
    web.run_all()
    web.say(verdict="Promote")
    assert web.counts() == {"web:v1": 10, "web:v2": 10}
    assert web.weights() == {"web:v2": 20, "web:v1": 80}  # until all ten are ready
    web.carry_on()
    assert web.phase() == "Promoted" and web.status()["finishedAt"]
    assert web.is_as_before("web:v2")
    assert [c["reason"] for c in web.deployment()["status"]["conditions"] if c["type"] == "Progressing"] == [
        "NewReplicaSetAvailable"
    ]


def test_visitors_are_kept_from_the_old_version_until_its_last_pod_is_out_of_the_endpoints(web):
    """Else some would see it again for a moment, between the end of the weights and that of the endpoints."""
    old = [{"uid": pod["metadata"]["uid"]} for pod in web.pods()]
    endpoints = [{"addresses": ["10.0.0.1"], "conditions": {"ready": True}, "targetRef": ref} for ref in old]
    meta = {"name": "web-abcde", "namespace": "default", "labels": {SERVICE_NAME: "web"}}
    web.client.create(ENDPOINTSLICES, {"metadata": meta, "addressType": "IPv4", "endpoints": endpoints})
    web.begin(CANARY)
    web.run_all()
    web.say(verdict="Promote")
    web.run([pod for pod in web.pods() if pod["metadata"]["uid"] not in {ref["uid"] for ref in old}])
    for _ in range(3):
        web.look()  # its pods are told to end, and the endpoints do not say so yet
    assert web.counts() == {"web:v2": 10} and web.weights() == {"web:v2": 100, "web:v1": 0}
    web.client.patch(ENDPOINTSLICES, "default", "web-abcde", {"endpoints": []})
    web.look()
    assert web.weights() == {} and web.status()["finishedAt"]


def test_an_abort_gives_the_visitors_back_before_anything_else_happens(web):
    web.begin(CANARY)
    web.run_all()
    before = web.revisions()
    web.say(verdict="Abort")
    written = [c for c in web.client.changes_since(before) if c.author == "release-controller"]
    of_service = next(c.revision for c in written if c.resource == SERVICES.resource)
    of_deployment = next(c.revision for c in written if c.resource == DEPLOYMENTS.resource)
    assert of_service < of_deployment
    assert web.weights() == {"web:v2": 0, "web:v1": 100}
    web.carry_on()
    assert web.phase() == "Aborted" and web.is_as_before()
    assert len(web.pods()) == 10


def test_the_slider_overrides_the_steps_as_long_as_it_is_set(web):
    web.begin(CANARY)
    web.run_all()
    web.say(weight=35)
    web.run_all()
    assert web.weights() == {"web:v2": 35, "web:v1": 65} and web.counts()["web:v2"] == 4
    assert "by hand" in web.status()["message"]
    web.say(weight=None)
    web.run_all()
    assert web.weights() == {"web:v2": 20, "web:v1": 80} and web.counts()["web:v2"] == 2


def test_a_paused_canary_stays_where_it_is(web):
    steps = [{"setWeight": 10}, {"pause": {"seconds": 0}}, {"setWeight": 40}, {"pause": {}}]
    web.begin({"type": "Canary", "canary": {"steps": steps}}, paused=True)
    web.carry_on(2)
    assert web.phase() == "Paused" and web.weights() == {"web:v2": 0, "web:v1": 100}
    web.say(paused=False)
    web.carry_on(2)
    assert web.weights() == {"web:v2": 40, "web:v1": 60}


def test_somebody_scaling_in_the_middle_is_followed_and_nothing_fights(web):
    web.begin(CANARY)
    web.run_all()
    web.patch(replicas=20)
    web.run_all()
    assert web.counts() == {"web:v1": 20, "web:v2": 4}
    at_rest = web.revisions()
    web.settle()
    assert web.revisions() == at_rest
    web.say(verdict="Abort")
    web.carry_on()
    assert web.is_as_before(replicas=20)


def test_blue_green_switches_all_visitors_with_one_write_and_back_with_another(web):
    web.begin(BLUE_GREEN)
    assert web.weights() == {"web:v2": 0, "web:v1": 100}
    web.run_all()
    assert web.counts() == {"web:v1": 10, "web:v2": 10}
    assert web.weights() == {"web:v2": 0, "web:v1": 100} and web.phase() == "Paused"
    web.say(verdict="Promote")
    assert web.weights() == {"web:v2": 100, "web:v1": 0} and web.phase() == "Switched"
    assert web.counts() == {"web:v1": 10, "web:v2": 10}
    web.say(verdict="Abort")
    web.carry_on()
    assert web.phase() == "Aborted" and web.is_as_before()


def test_blue_green_promotes_by_itself_and_lets_the_old_pods_go_after_their_time(web):
    rules = {"autoPromotionSeconds": 0, "scaleDownDelaySeconds": 0}
    web.begin({"type": "BlueGreen", "blueGreen": rules})
    web.carry_on()
    assert web.phase() == "Promoted" and web.is_as_before("web:v2")


def test_a_rolling_release_sets_the_image_and_watches(web):
    web.begin({"type": "RollingUpdate"})
    assert web.phase() == "Progressing" and web.weights() == {}
    web.carry_on()
    assert web.phase() == "Promoted" and web.is_as_before("web:v2")


def test_a_rolling_release_that_hangs_says_why_and_an_abort_undoes_it(web):
    web.begin({"type": "RollingUpdate"})
    hang(web)
    assert web.phase() == "Paused" and 'ErrImagePull: no such image "web:v2"' in web.status()["message"]
    assert web.counts()["web:v1"] >= 8
    web.say(verdict="Abort")
    web.carry_on()
    assert web.phase() == "Aborted" and web.is_as_before()


def test_an_image_that_does_not_exist_aborts_with_the_words_of_the_pods(web):
    web.begin(CANARY)
    hang(web)
    web.carry_on()
    assert web.phase() == "Aborted" and 'ErrImagePull: no such image "web:v2"' in web.status()["message"]
    assert web.is_as_before()
    assert any("no such image" in text for text in web.events("ProgressDeadlineExceeded"))
    assert web.events("Aborted") == [web.status()["message"]]


def hang(web: Releasing) -> None:
    """The pods of v2 cannot start, until the deadline is over."""
    web.complain("web:v2", "ErrImagePull", 'no such image "web:v2"')
    progressing = [c for c in web.deployment()["status"]["conditions"] if c["type"] == "Progressing"]
    long_ago = {**progressing[0], "lastUpdateTime": "2026-01-01T00:00:00Z"}
    conditions = [long_ago if c == progressing[0] else c for c in web.deployment()["status"]["conditions"]]
    status = {**web.deployment()["status"], "conditions": conditions}
    web.client.update_status(DEPLOYMENTS, {**web.deployment(), "status": status})
    web.settle()


def test_the_second_release_of_a_deployment_waits_for_the_first_and_then_begins(web):
    web.begin(CANARY, "first")
    web.begin(CANARY, "second", image="web:v3")
    assert web.phase("second") == "Waiting" and '"first"' in web.status("second")["message"]
    web.run_all()
    web.say("first", verdict="Promote")
    web.carry_on()
    assert web.phase("first") == "Promoted"
    assert web.phase("second") == "Paused" and web.counts() == {"web:v2": 10, "web:v3": 2}


@pytest.mark.parametrize("strategy", [CANARY, BLUE_GREEN], ids=["canary", "blue-green"])
def test_a_template_changed_by_hand_takes_over_while_the_old_version_serves(web, strategy):
    web.begin(strategy)
    web.run_all()
    web.release("v3")
    web.settle()
    assert web.phase() == "Superseded"
    assert web.counts()["web:v1"] >= 8 and "web:v2" not in web.counts()
    web.carry_on()
    assert web.is_as_before("web:v3") and web.status()["finishedAt"]


def test_an_undo_by_hand_supersedes_a_release(web):
    web.begin(CANARY)
    web.run_all()
    web.release("v1")
    web.carry_on()
    assert web.phase() == "Superseded" and web.is_as_before()


def test_after_the_switch_it_is_the_new_version_that_serves_until_a_third_takes_over(web):
    web.begin(BLUE_GREEN, verdict="Promote")
    web.run_all()
    assert web.phase() == "Switched"
    web.release("v3")
    web.settle()
    assert web.counts()["web:v2"] >= 8 and "web:v1" not in web.counts()
    web.carry_on()
    assert web.is_as_before("web:v3")


def test_a_release_deleted_in_the_middle_stays_until_all_is_put_right(web):
    web.begin(CANARY)
    web.run_all()
    web.client.delete(RELEASES, "default", "to-v2")
    assert web.phase() == "Paused"
    web.carry_on()
    assert web.client.find(RELEASES, "default", "to-v2") is None
    assert web.is_as_before()


def test_a_deployment_deleted_in_the_middle_fails_the_release_and_frees_the_service(web):
    web.begin(CANARY)
    web.run_all()
    web.client.delete(DEPLOYMENTS, "default", "web")
    web.carry_on(2)
    assert web.phase() == "Failed" and "was deleted" in web.status()["message"]
    assert web.weights() == {} and web.status()["finishedAt"]


def test_a_service_deleted_in_the_middle_fails_the_release_and_undoes_it(web):
    web.begin(CANARY)
    web.run_all()
    web.client.delete(SERVICES, "default", "web")
    web.settle()
    web.serve()
    web.carry_on()
    assert web.phase() == "Failed" and 'no Service "web"' in web.status()["message"]
    assert web.is_as_before()


def test_a_service_that_selects_nothing_refuses_the_release_before_it_begins(web):
    web.client.patch(SERVICES, "default", "web", {"spec": {"selector": {"app": "nobody"}}})
    web.begin(CANARY)
    assert web.phase() == "Failed" and "No Service selects the pods" in web.status()["message"]
    assert web.is_as_before()


def test_a_service_that_turns_away_in_the_middle_fails_the_release_and_keeps_nothing_of_it(web):
    web.begin(CANARY)
    web.run_all()
    web.client.patch(SERVICES, "default", "web", {"spec": {"selector": {"app": "nobody"}}})
    web.carry_on()
    assert web.phase() == "Failed" and "selects none of the pods" in web.status()["message"]
    assert web.is_as_before()


def test_a_service_that_leads_to_another_deployment_too_is_not_shared_out(web):
    """Its annotation says what each version gets, and what it does not name gets nothing."""
    template = {
        "metadata": {"labels": {"app": "web", "part": "b"}},
        "spec": web.deployment()["spec"]["template"]["spec"],
    }
    web.deploy(1, name="beside", template=template, selector={"matchLabels": {"part": "b"}})
    web.begin(CANARY)
    assert web.phase() == "Failed" and "leads to other Deployments too (beside)" in web.status()["message"]
    web.begin({"type": "RollingUpdate"}, name="plain")
    assert web.phase("plain") == "Progressing"


@pytest.mark.parametrize("replicas", [0, 1])
def test_a_deployment_of_one_pod_or_none_can_be_released_too(db, replicas):
    web = Releasing(replicas)
    web.begin(CANARY)
    web.run_all()
    assert web.phase() == "Paused" and web.counts() == {"web:v1": 1, "web:v2": 1} if replicas else not web.counts()
    web.say(verdict="Promote")
    web.carry_on()
    assert web.phase() == "Promoted" and web.image() == "web:v2" and web.weights() == {} and web.marks() == set()


def test_all_or_nothing_by_hand_is_what_visitors_get(web):
    web.begin(CANARY)
    web.run_all()
    for weight, pods in ((100, 10), (0, 1)):
        web.say(weight=weight)
        web.run_all()
        assert web.weights() == {"web:v2": weight, "web:v1": 100 - weight}
        assert web.counts() == {"web:v1": 10, "web:v2": pods} and web.phase() == "Paused"


def test_a_rollout_that_a_person_pauses_waits_for_the_person(web):
    web.begin({"type": "RollingUpdate"})
    web.patch(paused=True)  # `kubectl rollout pause`
    web.carry_on(2)
    assert web.phase() == "Paused" and web.deployment()["spec"]["paused"]
    web.patch(paused=False)
    web.carry_on()
    assert web.phase() == "Promoted"


def test_a_rollout_that_its_release_pauses_goes_on_with_it(web):
    web.begin({"type": "RollingUpdate"}, paused=True)
    web.carry_on(2)
    assert web.phase() == "Paused" and web.deployment()["spec"]["paused"]
    web.say(paused=None)
    web.carry_on()
    assert web.phase() == "Promoted" and not web.deployment()["spec"]["paused"]


def test_what_is_over_cannot_be_changed_any_more_and_says_what_can_be_done(web):
    web.begin(CANARY, verdict="Promote")
    web.carry_on()
    with pytest.raises(ApiError, match="kubectl rollout undo deployment/web"):
        web.say(verdict="Abort")


def test_of_two_services_the_release_must_name_one(web):
    web.serve("other")
    web.begin(CANARY)
    assert web.phase() == "Failed" and "(other, web)" in web.status()["message"]
    web.begin(CANARY, "named", service="web")
    web.run_all()
    assert web.weights() == {"web:v2": 20, "web:v1": 80}


def test_a_template_that_the_api_server_refuses_fails_the_release(web):
    web.begin(CANARY, template={"metadata": {"labels": {"app": "other"}}})
    assert web.phase() == "Failed" and "cannot be changed so" in web.status()["message"]
    assert web.is_as_before()


def test_a_release_of_what_runs_already_has_nothing_to_do(web):
    web.begin(CANARY, image="web:v1")
    assert web.phase() == "Promoted" and "already" in web.status()["message"]
    assert web.is_as_before()


def test_new_pods_lost_in_the_middle_hold_the_steps_until_they_are_back(web):
    web.begin(CANARY)
    web.run_all()
    lost = [pod for pod in web.pods() if pod["spec"]["containers"][0]["image"] == "web:v2"]
    web.run(lost, ready=False)
    web.settle()
    assert web.phase() == "Progressing" and "0 of them ready" in web.status()["message"]
    assert web.weights() == {"web:v2": 20, "web:v1": 80}
    web.client.delete_these(PODS, lost, 0)
    web.carry_on(2)
    assert web.phase() == "Paused"


def test_one_bad_request_is_refused_in_words(web):
    for wrong, words in (
        ({"deployment": ""}, "spec.deployment"),
        ({"image": ""}, "spec.image"),
        ({"verdict": "Maybe"}, '"Abort", "Promote"'),
        ({"weight": 101}, "between 0 and 100"),
        ({"strategy": {"type": "BigBang"}}, "BlueGreen"),
        ({"strategy": {"type": "Canary", "canary": {"steps": [{}]}}}, "setWeight or pause"),
    ):
        with pytest.raises(ApiError, match=words):
            web.begin(**{"strategy": CANARY, "name": "wrong", **wrong})
    web.begin(CANARY)
    with pytest.raises(ApiError, match="immutable"):
        web.say(image="web:v3")


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_examples_are_taken_as_they_are(web, example):
    release = yaml.safe_load(example.read_text())
    release["metadata"]["namespace"] = "default"
    assert check_object(copy.deepcopy(release), "orrery.io/v1", "Release", "Strict") == []
    web.client.create(RELEASES, release)
    web.settle()
    assert web.status(release["metadata"]["name"])["message"] == 'There is no Deployment "hello" yet.'


@pytest.mark.parametrize("verdict", ["Promote", "Abort"])
def test_a_controller_killed_before_any_of_its_writes_ends_in_the_same_state(db, monkeypatch, verdict):
    """Each write in turn is lost with the controller that wanted it; the next one starts from what is stored."""
    lost = 0
    while True:
        web = Releasing(2)
        killed = _kill_at_write(monkeypatch, lost)
        web.begin({"type": "Canary", "canary": {"steps": [{"setWeight": 50}, {"pause": {}}]}})
        web.carry_on(2)
        web.say(verdict=verdict)
        web.carry_on(4)
        monkeypatch.undo()
        assert web.phase() == {"Promote": "Promoted", "Abort": "Aborted"}[verdict]
        assert web.is_as_before("web:v2" if verdict == "Promote" else "web:v1", 2)
        delete_cluster("releases")
        if not killed:
            break
        lost += 1
    assert lost > 5


def _kill_at_write(monkeypatch, at: int) -> list[int]:
    """The controller's write number `at` never happens: it dies there. Returns a list that says whether it came."""
    seen, killed = [0], []

    def dying(verb):
        def call(self, *args, **kwargs):
            if self.author == LOOP.author:
                seen[0] += 1
                if seen[0] - 1 == at:
                    killed.append(at)
                    raise ConnectionError("killed")
            return verb(self, *args, **kwargs)

        return call

    for name in ("write", "update", "events"):
        monkeypatch.setattr(Client, name, dying(getattr(Client, name)))
    return killed
