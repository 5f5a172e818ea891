"""A cluster that a learner has wrecked, its control plane too, is reset by one press: on Docker and on processes."""

import contextlib
import http.cookiejar
import json
import urllib.error
import urllib.parse
import urllib.request

import pytest

from lab.tutorials.remote import Remote
from tests.labs import LabUnderTest, is_ready, wait_until

LESSON, STEP = "41-free-play", "a-web-server"
DEFAULT = "/api/v1/namespaces/default"
WEB = "/apis/apps/v1/namespaces/default/deployments/web"
PATCH = "application/merge-patch+json"


class Page:
    """What the lesson's page sends, without the page."""

    def __init__(self, lab: LabUnderTest):
        self._address = lab.address
        self._cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._cookies))
        self._opener.open(f"{lab.address}/lessons/", timeout=60).read()

    def press(self, path: str, **form: str) -> None:
        request = urllib.request.Request(f"{self._address}{path}", urllib.parse.urlencode(form).encode())
        request.add_header("X-CSRFToken", next(one.value for one in self._cookies if one.name == "csrftoken"))
        self._opener.open(request, timeout=60).read()


@pytest.fixture(params=["docker", "process"])
def learning(request: pytest.FixtureRequest) -> LabUnderTest:
    """A lab with the web server on the stage of its learning cluster. Another one is left with nothing on its stage."""
    lab = request.getfixturevalue(f"{request.param}_lab")
    Page(lab).press(f"/lessons/{LESSON}/start")
    on_stage(lab, STEP)
    yield lab
    on_stage(lab, "an-empty-cluster")
    lab.api("DELETE", f"/apis/orrery.io/v1/lessons/{LESSON}", cluster="learn")


def on_stage(lab: LabUnderTest, step: str) -> None:
    remote = Remote(f"{lab.address}/", "learn")
    is_set(lab, remote.enter(LESSON, step))


def is_set(lab: LabUnderTest, run: int) -> None:
    def look() -> bool:
        with contextlib.suppress(urllib.error.URLError):  # while no control plane is up
            status = (Remote(f"{lab.address}/", "learn").get(LESSON) or {}).get("status", {})
            return (status.get("run"), status.get("phase")) == (run, "Act")
        return False

    wait_until("the stage to be set", look, 60)


def asked(lab: LabUnderTest, method: str, path: str) -> object:
    """What the bank says to a visitor."""
    request = urllib.request.Request(f"{lab.run()['front_door'].rstrip('/')}{path}", method=method)
    request.add_header("Host", "ui.default.learn.localhost")
    return json.load(urllib.request.urlopen(request, timeout=20))


def names(lab: LabUnderTest, path: str) -> list[str]:
    return sorted(one["metadata"]["name"] for one in lab.api("GET", path, cluster="learn")["items"])


def test_a_wrecked_cluster_is_as_it_was_after_one_press(learning):
    lab = learning

    def patch(path: str, change: dict) -> None:
        lab.api("PATCH", path, change, cluster="learn", content_type=PATCH)

    run = Remote(f"{lab.address}/", "learn").get(LESSON)["spec"]["run"]
    patch(WEB, {"spec": {"replicas": 5, "template": {"metadata": {"labels": {"version": "2"}}}}})
    lab.api("DELETE", f"{DEFAULT}/services/web", cluster="learn")
    lab.api("POST", "/api/v1/namespaces", {"metadata": {"name": "shop"}}, cluster="learn")
    held = {"metadata": {"name": "kept", "finalizers": ["example.com/stay"]}}
    lab.api("POST", "/api/v1/namespaces/shop/configmaps", held, cluster="learn")
    lab.api("DELETE", "/api/v1/nodes/node-c", cluster="learn")
    patch("/api/v1/nodes/node-b", {"spec": {"unschedulable": True}})
    patch("/apis/orrery.io/v1/wheels/replicaset", {"spec": {"mode": "Paused"}})
    for dark in ("node-a", "control-plane-a"):
        patch(f"/api/v1/nodes/{dark}", {"metadata": {"annotations": {"orrery.io/power": "off"}}})
    with pytest.raises(urllib.error.HTTPError, match="503"):
        lab.api("GET", WEB, cluster="learn")

    Page(lab).press(f"/clusters/learn/lessons/{LESSON}/do/reset", step=STEP)
    is_set(lab, run + 1)
    pods = lab.api("GET", f"{DEFAULT}/pods", cluster="learn")["items"]
    assert len(pods) == 3 and all(map(is_ready, pods))
    assert {pod["metadata"]["labels"].get("version") for pod in pods} == {None}
    assert names(lab, f"{DEFAULT}/services") == ["kubernetes", "web"]
    assert names(lab, "/api/v1/nodes") == ["control-plane-a", "node-a", "node-b", "node-c"]
    assert names(lab, "/api/v1/namespaces") == ["default", "kube-node-lease", "kube-public", "kube-system"]
    assert lab.api("GET", "/apis/orrery.io/v1/wheels/replicaset", cluster="learn")["spec"]["mode"] == "Running"


def test_what_the_bank_was_told_is_forgotten_and_its_pods_stay(learning):
    lab = learning

    def uids() -> set[str]:
        return {pod["metadata"]["uid"] for pod in lab.api("GET", f"{DEFAULT}/pods", cluster="learn")["items"]}

    on_stage(lab, "a-bank")
    before, run = uids(), Remote(f"{lab.address}/", "learn").get(LESSON)["spec"]["run"]
    asked(lab, "POST", "/faults?part=loans&slow=700")
    asked(lab, "POST", "/payments?from=anna&to=ben&amount=10")
    assert asked(lab, "GET", "/faults?part=loans")["faults"] == {"loans": {"slow": "700"}}
    assert len(asked(lab, "GET", "/payments")) == 1
    Page(lab).press(f"/clusters/learn/lessons/{LESSON}/do/reset", step="a-bank")
    is_set(lab, run + 1)
    assert uids() == before and len(before) == 7
    assert asked(lab, "GET", "/faults?part=loans")["faults"] == {}
    assert asked(lab, "GET", "/payments") == []
