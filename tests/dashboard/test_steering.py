"""Services, releases, autoscalers and pools as rows; and what one does about them on the board."""

import pytest

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import DEPLOYMENTS, HORIZONTALPODAUTOSCALERS, RELEASES, SERVICES, VISITORS
from lab.client import Client
from lab.client.clusters import ensure_cluster
from lab.dashboard.actions import perform
from lab.dashboard.board import Board
from lab.dashboard.noderows import node_row
from lab.dashboard.panels import panel, submit
from lab.dashboard.servicerows import endpoints_of, service_row
from lab.dashboard.steeringrows import ENDS, metric_words, release_row, shown_first

from .build import a_deployment, a_node, change, meta, with_spec


def a_service(name: str = "web", **spec) -> dict:
    of = {"selector": {"app": "web"}, "ports": [{"port": 80}], "clusterIP": "10.96.0.9", **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta(name), "spec": of}


def a_slice(service: str = "web", **pods: dict) -> dict:
    endpoints = [
        {
            "addresses": ["10.1.0.1"],
            "nodeName": "node-a",
            "targetRef": {"kind": "Pod", "name": name, "uid": f"uid-{name}"},
            "conditions": conditions,
        }
        for name, conditions in pods.items()
    ]
    labels = {"kubernetes.io/service-name": service}
    of = meta(f"{service}-abc", labels=labels)
    return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": of, "endpoints": endpoints}


def a_release(name: str = "web-1", spec: dict | None = None, **status) -> dict:
    steps = [{"setWeight": 5}, {"pause": {"seconds": 10}}]
    of = {"deployment": "web", "image": "orrery/hello:v2", "strategy": {"type": "Canary", "canary": {"steps": steps}}}
    of |= spec or {}
    return {"apiVersion": "orrery.io/v1", "kind": "Release", "metadata": meta(name), "spec": of, "status": status}


READY, UNREADY, GOING = {"ready": True}, {"ready": False}, {"ready": False, "terminating": True, "serving": True}


def labelled(deployment: dict) -> dict:
    template = {**deployment["spec"]["template"], "metadata": {"labels": {"app": "web"}}}
    return with_spec(deployment, template=template)


def test_a_service_leads_only_to_what_is_ready():
    row = service_row(a_service(), [a_slice(p1=READY, p2=UNREADY, p3=GOING)])
    assert (row["state"], row["ends"], row["pods"], row["nodes"]) == ("ready", "1/3", ["p1"], {"node-a": 1})
    assert service_row(a_service(), [a_slice(p2=UNREADY)])["trouble"] == "none is ready"
    assert service_row(a_service(), [])["trouble"] == "leads to no pod"
    assert [one["state"] for one in endpoints_of([a_slice(p1=READY, p2=UNREADY, p3=GOING)])] == [
        "ready",
        "unready",
        "leaving",
    ]


def test_a_pod_that_loses_its_readiness_changes_the_service_s_row():
    before, after = a_slice(p1=READY, p2=READY), a_slice(p1=READY, p2=UNREADY)
    board = Board([a_service(), before])
    delta = board.apply([change(after, before)])
    assert delta.upserts["services/default/web"]["pods"] == ["p1"]


def test_a_deployment_s_card_names_its_release_and_the_services_that_lead_to_it():
    board = Board([labelled(a_deployment())])
    assert "services" not in board.rows["deployments.apps/default/web"]
    delta = board.apply([change(a_service()), change(a_release()), change(a_release("web-2"))])
    row = delta.upserts["deployments.apps/default/web"]
    assert (row["services"], row["release"]) == (["services/default/web"], "releases.orrery.io/default/web-1")
    assert row["behind"] == "web-2 waits until this one is over."
    gone = board.apply([change(a_service(), deleted=True), change(a_release("web-1"), deleted=True)])
    row = gone.upserts["deployments.apps/default/web"]
    assert not {"services", "behind"} & row.keys()
    assert row["release"] == "releases.orrery.io/default/web-2"


def test_of_two_releases_the_card_shows_the_one_that_goes_on():
    waits, goes, over = a_release("a"), a_release("b", phase="Progressing"), a_release("c", finishedAt="2026-05-20")
    assert shown_first([waits, goes, over]) == (goes, [waits])
    assert shown_first([over]) == (over, [])
    assert shown_first([]) == (None, [])


def test_whatever_the_order_the_rows_are_those_of_a_fresh_reading():
    objects = [labelled(a_deployment()), a_service(), a_slice(p1=READY), a_release()]
    board = Board()
    for obj in reversed(objects):
        board.apply([change(obj)])
    assert board.rows == Board(objects).rows


def test_a_release_s_versions_stand_side_by_side():
    sides = {
        "new": {"requests": 200, "errors": 9, "meanMs": 3.14159},
        "old": {"requests": 900, "errors": 0, "meanMs": 3},
    }
    release = a_release(phase="Progressing", weight=5, step=1, oldRevision="5a", newRevision="6b")
    release["status"]["analysis"] = {**sides, "verdict": "Failing"}
    release["spec"]["strategy"]["canary"]["analysis"] = {"maxErrorPercent": 2, "maxLatencyRatio": 3, "minRequests": 50}
    row = release_row(release)
    assert [line["words"] for line in row["judged"]] == [
        ["in all", "900", "200", "≥ 50"],
        ["failed", "0 %", "4.5 %", "+2 %"],
        ["mean", "3 ms", "3.14 ms", "×3"],
    ]
    assert [line["bad"] for line in row["judged"]] == [False, True, False]
    assert (row["weight"], row["pause"], row["keys"]) == (5, 10, ["default/5a", "default/6b"])
    assert "over" not in row
    assert release_row(a_release(phase="Promoted", finishedAt="2026-05-20T10:00:00Z"))["over"]


@pytest.mark.parametrize("phase", ENDS)
def test_of_a_release_that_is_decided_and_not_over_nothing_is_decided_any_more(phase):
    assert not {"over", "promote", "hold", "abort"} & set(release_row(a_release(phase=phase)))
    assert {"promote", "hold", "abort"} <= set(release_row(a_release(phase="Paused")))


def test_a_canary_says_how_its_new_version_does_while_that_is_what_it_waits_for():
    analysis = {"verdict": "Passing", "message": "80 requests to the new version: 0 % failed, 3 ms (old: 0 %, 3 ms)"}
    words = f"20 % of the visitors have the new version: {analysis['message']}."
    row = release_row(a_release(phase="Progressing", message=words, analysis=analysis))
    told = "The new version does as well as the old one. 20 % of the visitors have the new version."
    assert (row["state"], row["message"]) == ("ready", told)
    row = release_row(
        a_release(phase="Progressing", message="It needs 1 new pods, 0 of them ready.", analysis=analysis)
    )
    assert (row["state"], row["message"]) == ("starting", "It needs 1 new pods, 0 of them ready.")


def test_an_autoscaler_says_what_is_measured_and_what_is_asked_for():
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}
    latency = {"metric": {"name": "latency_ms"}, "target": {"type": "Value", "value": "2k"}}
    current = [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 43}}}]
    spec = {"metrics": [{"type": "Resource", "resource": cpu}, {"type": "Object", "object": latency}]}
    assert metric_words({"spec": spec, "status": {"currentMetrics": current}}) == ["cpu 43 %/80 %", "latency –/2000 ms"]


def test_a_machine_that_boots_says_until_when():
    node = a_node(truth="False")
    node["metadata"]["annotations"] = {"orrery.io/boots-until": "1970-01-01T00:01:00Z"}
    del node["metadata"]["labels"]["orrery.io/runtime"]
    assert node_row(node, (0, 0, 0), 0)["until"] == 60
    node["metadata"]["labels"]["orrery.io/runtime"] = "process"
    assert "until" not in node_row(node, (0, 0, 0), 0)


# Through the API.


@pytest.fixture
def client(db) -> Client:
    ensure_cluster("steers")
    client = Client("steers", "board")
    labels = {"app": "web"}
    containers = [{"name": "web", "image": "orrery/hello:v1", "ports": [{"name": "http", "containerPort": 8080}]}]
    spec = {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
    }
    client.create(DEPLOYMENTS, {"metadata": {"name": "web", "namespace": "default"}, "spec": spec})
    return client


def fill(client: Client, name: str, of: str = "deployments.apps/default/web", **typed: str) -> dict:
    """Send a form as the page would: with what it stood filled in, and what somebody typed."""
    shown = panel(client, name, {"for": of})
    given = {line["field"].name: line["value"] for line in shown["fields"]}
    return submit(client, name, Typed({"namespace": "default", "for": of, **given, **typed}))


class Typed(dict):
    """A form as Django hands it over, as far as the panels ask."""

    def dict(self) -> dict:
        return dict(self)


def do(client: Client, action: str, **form):
    return perform(client, action, {"namespace": "default", "name": "web", **form})


def test_a_service_is_made_for_a_deployment_by_its_form(client):
    assert fill(client, "expose")["open"] == "services/default/web"
    spec = client.get(SERVICES, "default", "web")["spec"]
    assert (spec["selector"], spec["ports"][0]["targetPort"]) == ({"app": "web"}, "http")


def test_a_form_shows_what_it_makes_and_makes_it_only_when_asked(client):
    shown = fill(client, "release", image="orrery/hello:v2", then="look")
    assert "kind: Release" in shown["text"]
    assert client.list(RELEASES) == []
    assert fill(client, "release", image="orrery/hello:v2")["open"] == "deployments.apps/default/web"
    assert client.list(RELEASES)[0]["spec"]["strategy"]["canary"]["steps"][0] == {"setWeight": 5}


@pytest.mark.parametrize("metric", ["cpu", "requests_per_second", "latency_ms"])
def test_an_autoscaler_of_each_metric_is_what_the_api_takes(client, metric):
    fill(client, "expose")
    assert not fill(client, "autoscale", metric=metric).get("wrong")
    assert client.get(HORIZONTALPODAUTOSCALERS, "default", "web")["spec"]["maxReplicas"] == 10


def test_what_is_wrong_with_a_form_is_said_in_it(client):
    assert "no service leads to web" in fill(client, "autoscale", metric="latency_ms")["wrong"][0].message
    assert "must be a whole number" in fill(client, "autoscale", most="many")["wrong"][0].message
    assert "maxReplicas" in fill(client, "autoscale", least="20")["wrong"][0].message
    assert "must be a number" in fill(client, "visitors", rate="inf")["wrong"][0].message


def test_visitors_are_turned_up_paused_and_come_back_as_many(client):
    fill(client, "expose")
    do(client, "turn-up")
    assert client.get(VISITORS, "default", "web")["spec"]["rate"] == 20
    do(client, "rate", rate=200)
    for _ in range(2):  # a page asks again where it got no answer
        do(client, "hush", pause=True)
    assert client.get(VISITORS, "default", "web")["spec"]["rate"] == 0
    assert "200 requests a second" in do(client, "hush", pause=False).message
    assert fill(client, "visitors", of="visitors.orrery.io/default/web", path="/slow")["open"].endswith("/web")
    assert client.get(VISITORS, "default", "web")["spec"]["path"] == "/slow"


def test_a_release_is_weighed_paused_and_promoted_by_its_deployment(client):
    with pytest.raises(ApiError, match="web has no release in progress"):
        do(client, "promote")
    fill(client, "release", image="orrery/hello:v2")
    assert do(client, "weigh", weight=30).kubectl.startswith("kubectl patch release web-1 --type=merge")
    do(client, "hold", pause=True)
    do(client, "promote")
    spec = client.get(RELEASES, "default", "web-1")["spec"]
    assert (spec["weight"], spec["paused"], spec["verdict"]) == (30, True, "Promote")


def test_a_release_is_steered_by_its_own_name_from_its_card(client):
    fill(client, "release", image="orrery/hello:v2")
    own = {"resource": RELEASES.resource, "namespace": "default", "name": "web-1"}
    perform(client, "hold", {**own, "pause": True})
    assert client.get(RELEASES, "default", "web-1")["spec"]["paused"] is True
    perform(client, "promote", own)
    assert client.get(RELEASES, "default", "web-1")["spec"]["verdict"] == "Promote"
    with pytest.raises(ApiError, match='"other" not found'):
        perform(client, "abort", {**own, "name": "other"})


def test_how_a_release_ended_can_be_put_away(client):
    fill(client, "release", image="orrery/hello:v2")
    release = client.get(RELEASES, "default", "web-1")
    over = {"phase": "Aborted", "finishedAt": "2026-05-20T10:00:00Z"}
    client.update_status(RELEASES, {**release, "status": over})
    with pytest.raises(ApiError, match="is over: Aborted"):
        do(client, "abort")
    do(client, "put-away")
    with pytest.raises(ApiError, match="no release in progress"):
        do(client, "put-away")


def test_only_what_leads_and_steers_is_deleted_without_its_pods(client):
    fill(client, "expose")
    do(client, "remove", resource="services")
    assert client.list(SERVICES) == []
    with pytest.raises(ApiError, match="deletes no pods"):
        do(client, "remove", resource="pods")


def test_the_apis_own_service_is_none_of_the_boards():
    board = Board([a_service("web"), a_service("kubernetes")])
    assert [id_ for id_ in board.rows if id_.startswith("services/")] == ["services/default/web"]
