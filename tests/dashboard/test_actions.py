"""What one does on the board, as writes of the log by the author "board"; and the addresses that it is asked at."""

import json

import pytest
from django.test import Client as Browser

from lab.apimachinery.controlplane import CONTROL_PLANE, is_up
from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import DEPLOYMENTS, NODES, PODDISRUPTIONBUDGETS, PODS, REPLICASETS
from lab.client import Client
from lab.client.clusters import ensure_cluster
from lab.dashboard.actions import ACTIONS, perform
from lab.dashboard.drawers import drawer

pytestmark = pytest.mark.django_db
LABELS = {"app": "web"}


@pytest.fixture
def client(db) -> Client:
    ensure_cluster("acts")
    return Client("acts", "board")


@pytest.fixture
def deployment(client: Client) -> dict:
    return client.create(DEPLOYMENTS, {"metadata": {"name": "web", "namespace": "default"}, "spec": spec("v1")})


def spec(version: str) -> dict:
    containers = [{"name": "web", "image": f"orrery/hello:{version}"}]
    return {
        "selector": {"matchLabels": LABELS},
        "template": {"metadata": {"labels": LABELS}, "spec": {"containers": containers}},
    }


def a_replicaset(client: Client, deployment: dict, revision: int) -> None:
    meta = deployment["metadata"]
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": meta["uid"], "controller": True}
    of = {
        "name": f"web-{revision}",
        "namespace": "default",
        "labels": LABELS,
        "ownerReferences": [owner],
        "annotations": {"deployment.kubernetes.io/revision": str(revision)},
    }
    client.create(REPLICASETS, {"metadata": of, "spec": {"replicas": 0, **spec(f"v{revision}")}})


def do(client: Client, action: str, **form):
    return perform(client, action, {"namespace": "default", "name": "web", **form})


def test_scaling_says_the_command_that_would_have_done_the_same(client, deployment):
    done = do(client, "scale", replicas=5)
    assert client.get(DEPLOYMENTS, "default", "web")["spec"]["replicas"] == 5
    assert done.kubectl == "kubectl scale deployment/web --replicas=5"
    assert client.history(DEPLOYMENTS, "default", "web")[0]["author"] == "board"


@pytest.mark.parametrize("replicas", ["5", 1.5, True, None])
def test_scaling_wants_a_whole_number(client, deployment, replicas):
    with pytest.raises(ApiError, match="whole number"):
        do(client, "scale", replicas=replicas)


@pytest.mark.parametrize("action", ["scale", "restart", "undo"])
def test_what_a_kind_does_not_know_cannot_be_asked_of_it(client, action):
    with pytest.raises(ApiError, match="cannot be done to jobs.batch"):
        do(client, action, replicas=1, resource="jobs.batch")
    with pytest.raises(ApiError, match="cannot be done to nothing"):
        do(client, action, replicas=1, resource="nothing")


@pytest.mark.parametrize("name", ["nothing", "kubectl"])
def test_a_form_that_does_not_exist_makes_nothing(client, name):
    node = {"name": "worker-9", "cpu": "1", "memory": "1Gi", "pods": "9", "gpus": "0", "runtime": "process"}
    assert Browser().post(f"/clusters/acts/board/panel/{name}", node).status_code == 404
    assert client.list(NODES) == []


def test_scaling_below_nothing_is_refused_as_the_api_refuses_it(client, deployment):
    with pytest.raises(ApiError) as error:
        do(client, "scale", replicas=-1)
    assert error.value.code == 422


def test_a_new_image_changes_the_named_container_and_no_other(client, deployment):
    do(client, "image", image="orrery/hello:v2", container="web")
    container = client.get(DEPLOYMENTS, "default", "web")["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == "orrery/hello:v2"


def test_pause_and_resume_are_each_others_opposite(client, deployment):
    do(client, "pause")
    assert client.get(DEPLOYMENTS, "default", "web")["spec"]["paused"] is True
    do(client, "resume")
    assert "paused" not in client.get(DEPLOYMENTS, "default", "web")["spec"]


def test_undo_goes_to_the_revision_before_or_to_the_one_asked_for(client, deployment):
    client.patch(
        DEPLOYMENTS, "default", "web", {"metadata": {"annotations": {"deployment.kubernetes.io/revision": "3"}}}
    )
    for revision in (1, 2, 3):
        a_replicaset(client, deployment, revision)
    assert "revision 2" in do(client, "undo").message
    template = client.get(DEPLOYMENTS, "default", "web")["spec"]["template"]
    assert template["spec"]["containers"][0]["image"] == "orrery/hello:v2"
    assert "--to-revision=1" in do(client, "undo", revision=1).kubectl


def test_undo_without_an_older_revision_says_so(client, deployment):
    with pytest.raises(ApiError, match="no older revision"):
        do(client, "undo")


def test_a_drain_leaves_what_nobody_would_make_again_unless_forced(client):
    client.create(NODES, {"metadata": {"name": "node-a"}})
    containers = [{"name": "web", "image": "x"}]
    pod = {
        "metadata": {"name": "alone", "namespace": "default"},
        "spec": {"nodeName": "node-a", "containers": containers},
    }
    client.create(PODS, pod)
    done = perform(client, "drain", {"name": "node-a"})
    assert "alone stay" in done.message
    assert client.get(NODES, "", "node-a")["spec"]["unschedulable"] is True
    assert "deletionTimestamp" not in client.get(PODS, "default", "alone")["metadata"]
    assert "--force" in perform(client, "drain", {"name": "node-a", "force": True}).kubectl
    left = client.find(PODS, "default", "alone")
    assert left is None or "deletionTimestamp" in left["metadata"]


def test_a_pod_that_has_ended_takes_no_room_in_the_drawer_either(client):
    capacity = {"cpu": "1", "memory": "1Gi", "pods": "10"}
    client.create(NODES, {"metadata": {"name": "node-a"}, "status": {"capacity": capacity, "allocatable": capacity}})
    container = {"name": "web", "image": "x", "resources": {"requests": {"cpu": "250m"}}}
    for name, phase in (("works", "Running"), ("over", "Succeeded")):
        spec = {"nodeName": "node-a", "containers": [container]}
        pod = client.create(PODS, {"metadata": {"name": name, "namespace": "default"}, "spec": spec})
        client.update_status(PODS, {**pod, "status": {"phase": phase}})
    shown = drawer(client, "nodes", "", "node-a", "")
    assert [pod["name"] for pod in shown["pods"]] == ["over", "works"]
    assert (shown["row"]["count"], shown["row"]["gauges"][0][0]) == (1, 25)


def test_a_drain_leaves_whom_a_disruption_budget_keeps(client):
    client.create(NODES, {"metadata": {"name": "node-a"}})
    spec = {"nodeName": "node-a", "containers": [{"name": "web", "image": "x"}]}
    client.create(PODS, {"metadata": {"name": "kept", "namespace": "default"}, "spec": spec})
    client.patch(PODS, "default", "kept", {"status": {"phase": "Running"}}, "status")
    budget = {"metadata": {"name": "all", "namespace": "default"}, "spec": {"selector": {}, "minAvailable": 1}}
    client.create(PODDISRUPTIONBUDGETS, budget)
    done = perform(client, "drain", {"name": "node-a", "force": True})
    assert "0 pods leave it; kept stay for now: their disruption budget lets no more go at once" in done.message
    assert "deletionTimestamp" not in client.get(PODS, "default", "kept")["metadata"]


@pytest.mark.parametrize(
    ("on", "off", "key"),
    [("power-off", "power-on", "orrery.io/power"), ("partition", "rejoin", "orrery.io/partitioned")],
)
def test_faults_of_a_node_are_annotations_and_can_be_taken_back(client, on, off, key):
    client.create(NODES, {"metadata": {"name": "node-a"}})
    perform(client, on, {"name": "node-a"})
    assert key in client.get(NODES, "", "node-a")["metadata"]["annotations"]
    perform(client, off, {"name": "node-a"})
    assert key not in client.get(NODES, "", "node-a")["metadata"].get("annotations", {})


def test_a_zone_loses_its_power_and_gets_it_back_as_one_the_control_plane_in_it_too(client):
    zone = "topology.kubernetes.io/zone"
    for name, labels in {"worker": {zone: "a"}, "head": {zone: "a", CONTROL_PLANE: ""}, "other": {zone: "b"}}.items():
        client.create(NODES, {"metadata": {"name": name, "labels": labels}})
    done = perform(client, "zone-off", {"name": "a"})
    assert done.message == "zone a loses its power: worker, head"
    assert done.kubectl == "kubectl annotate nodes -l topology.kubernetes.io/zone=a orrery.io/power=off --overwrite"
    hand = Client(client.cluster, "board", hardware=True)  # for nobody answers: the only control plane was in it
    off = [node["metadata"]["name"] for node in hand.list(NODES) if not is_up(node)]
    assert sorted(off) == ["head", "worker"]
    perform(client, "zone-on", {"name": "a"})
    assert all(map(is_up, client.list(NODES)))


def test_killing_on_no_node_yet_says_that_there_is_nothing_to_kill(client):
    containers = [{"name": "web", "image": "x"}]
    client.create(PODS, {"metadata": {"name": "web", "namespace": "default"}, "spec": {"containers": containers}})
    with pytest.raises(ApiError, match="nothing to kill"):
        do(client, "kill")


@pytest.mark.parametrize("action", sorted(ACTIONS.keys() - {"control-planes"}))
def test_every_act_on_what_is_gone_is_a_404(client, action):
    with pytest.raises(ApiError) as error:
        perform(client, action, {"namespace": "default", "name": "gone", "replicas": 1, "image": "x"})
    assert error.value.code == 404


def post(path: str, body: str, **headers) -> tuple[int, dict]:
    answer = Browser().post(f"/clusters/acts/board/do/{path}", body, content_type="application/json", **headers)
    return answer.status_code, answer.json()


def test_an_act_is_answered_with_words_and_a_refusal_with_a_status(client, deployment):
    body = json.dumps({"namespace": "default", "name": "web", "replicas": 2})
    assert post("scale", body) == (
        200,
        {"message": "web scaled to 2", "kubectl": "kubectl scale deployment/web --replicas=2", "undo": None},
    )
    assert post("dance", body)[0] == 404
    code, status = post("scale", "not JSON")
    assert (code, status["kind"], status["message"]) == (400, "Status", "the body must be JSON")
    assert post("scale", "[]")[0] == post("rate", '{"rate": 1e999}')[0] == 400


def test_another_site_cannot_act_in_ones_name(client, deployment):
    stranger = Browser(enforce_csrf_checks=True)
    body = json.dumps({"namespace": "default", "name": "web", "replicas": 0})
    assert stranger.post("/clusters/acts/board/do/scale", body, content_type="text/plain").status_code == 403
    assert client.get(DEPLOYMENTS, "default", "web")["spec"]["replicas"] == 1


def test_the_page_lets_nothing_run_but_the_boards_own_files(client):
    policy = Browser().get("/clusters/acts/")["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_names_are_never_read_as_markup(client):
    client.create(NODES, {"metadata": {"name": "node-a", "labels": {"topology.kubernetes.io/zone": "a"}}})
    page = Browser().get("/clusters/acts/board/panel/add-node", {"mode": "yaml"}).content.decode()
    assert "<script" not in page
    answer = Browser().post("/clusters/acts/board/panel/create", {"mode": "yaml", "text": "a: '</textarea><script>'"})
    assert "<script>" not in answer.content.decode()


@pytest.mark.parametrize("page", ["", "ship"])
def test_an_unknown_cluster_names_the_known_ones(client, page):
    answer = Browser().get(f"/clusters/nowhere/{page}")
    assert answer.status_code == 404
    assert b"To the board of acts" in answer.content


def test_a_page_that_does_not_exist_leads_back_to_the_board(client):
    answer = Browser().get("/nowhere")
    assert answer.status_code == 404
    assert b"Nothing is here" in answer.content and b'href="/"' in answer.content


def test_a_form_without_the_secret_of_its_page_is_told_to_open_it_anew(client):
    answer = Browser(enforce_csrf_checks=True).post("/clusters/acts/ship", {})
    assert answer.status_code == 403
    assert b"The page was too old" in answer.content


def test_the_front_door_leads_to_the_board_and_keeps_the_link(client):
    answer = Browser().get("/?object=nodes/node-a")
    assert answer.url == "/clusters/default/?object=nodes/node-a"


def test_a_cluster_has_one_control_plane_or_three_each_in_a_zone_of_its_own(client):
    perform(client, "control-planes", {"count": 3})
    members = {node["metadata"]["name"]: node for node in client.list(NODES, labels={CONTROL_PLANE: ""})}
    assert set(members) == {"control-plane-a", "control-plane-b", "control-plane-c"}
    assert members["control-plane-b"]["metadata"]["labels"]["topology.kubernetes.io/zone"] == "b"
    perform(client, "control-planes", {"count": 1})
    assert [node["metadata"]["name"] for node in client.list(NODES, labels={CONTROL_PLANE: ""})] == ["control-plane-a"]
    with pytest.raises(ApiError, match="or three"):
        perform(client, "control-planes", {"count": 2})
