"""Wheels on the board: a loop is stopped by mouse, turned by keyboard, and the page says so wherever it matters."""

import pytest
from playwright.sync_api import expect

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import PODS, WHEELS
from lab.apimachinery.labels import BOOTS_UNTIL
from lab.apimachinery.taints import CANDIDATE
from lab.client import Client
from lab.client.clusters import ensure_cluster, furnish
from lab.dashboard.board import Board
from lab.dashboard.drawers import drawer
from lab.dashboard.turned import of_loops, stopped
from lab.dashboard.wheels import turn
from lab.tasks import subscribe_all

from .build import a_deployment, a_node, a_pod, a_replicaset, an_event, change, crashed, ready, with_status

WHEEL = "/apis/orrery.io/v1/wheels/replicaset"


def a_wheel(name: str, mode: str, **more) -> dict:
    meta = {"name": name, "uid": name}
    return {"apiVersion": "orrery.io/v1", "kind": "Wheel", "metadata": meta, "spec": {"mode": mode, **more}}


def test_a_stopped_wheel_is_said_by_its_loop_the_page_and_the_card_that_waits():
    deployment = a_deployment()
    board = Board([deployment, a_replicaset(deployment), a_node()])
    paused = a_wheel("replicaset", "Paused")
    delta = board.apply([change(paused, author="kubectl")])
    card = next(row for row in board.rows.values() if row["kind"] == "workload")
    assert board.rows["loops/replicaset-controller"]["mode"] == "paused"
    assert board.rows["lab"]["stopped"] == ["loops/replicaset-controller", "replicaset paused"]
    assert card["held"] == "replicaset is paused" and card["id"] in delta.upserts
    board.apply([change(a_wheel("kubelet.node-a", "Step", steps=2), author="kubectl")])
    assert ["kubelet at step 0 of 2", "bad"] in [list(flag) for flag in board.rows["nodes/node-a"]["flags"]]
    assert board.rows["lab"]["stopped"] == ["loops/all", "2 wheels stopped"]
    board.apply([change(a_wheel("replicaset", "Running"), paused, "kubectl")])
    assert "mode" not in board.rows["loops/replicaset-controller"]
    assert "held" not in next(row for row in board.rows.values() if row["kind"] == "workload")


def test_what_waits_says_for_whom():
    deployment = a_deployment()
    pod = a_pod("web-rs1-x", a_replicaset(deployment), node="node-a")
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "default", "uid": "web"}}
    service["spec"] = {"selector": {"app": "web"}}
    board = Board([deployment, a_replicaset(deployment), pod, a_node(), service])
    board.apply([change(a_wheel("kubelet.node-a", "Paused")), change(a_wheel("endpointslice", "Slow", seconds=5))])
    assert next(row for row in board.rows.values() if row["kind"] == "workload")["held"] == "kubelet.node-a is paused"
    assert board.rows["loops/kubelet"]["mode"] == "1 paused"
    assert board.rows["services/default/web"]["trouble"] == "leads to no pod · endpointslice is slow, 5 s"
    board.apply([change(a_wheel("kubelet.node-b", "Step", steps=2)), change(a_wheel("kubelet.node-c", "Paused"))])
    assert board.rows["loops/kubelet"]["mode"] == "2 paused, 1 step"


POOL = {"apiVersion": "orrery.io/v1", "kind": "NodePool", "metadata": {"name": "small", "uid": "small"}, "spec": {}}


def held(board: Board) -> str:
    return next(row for row in board.rows.values() if row["kind"] == "workload").get("held", "")


def test_a_pool_a_machine_and_a_card_say_that_nobody_buys_or_sells():
    deployment = a_deployment(replicas=1)
    replicaset = a_replicaset(deployment, replicas=1)
    pod = a_pod("web-rs1-x", replicaset)
    idle = a_node("idle")
    idle["spec"]["taints"] = [{"key": CANDIDATE, "value": "1", "effect": "PreferNoSchedule"}]
    boots = a_node("boots", truth="False")
    boots["metadata"] |= {"labels": {}, "annotations": {BOOTS_UNTIL: "2026-05-20T10:00:05Z"}}
    board = Board([deployment, replicaset, a_node(), idle, boots])
    board.apply([change(a_wheel("clusterautoscaler", "Paused"), author="kubectl")])
    flagged = {row["name"] for row in board.rows.values() if ["clusterautoscaler paused", "bad"] in flags_of(row)}
    assert flagged == {"idle", "boots"}
    assert "queue" not in board.rows["loops/node-controller"]  # what boots is not lost
    refused = {"pods/default/web-rs1-x": [{"node": "node-a", "fits": False, "text": "too little cpu"}]}
    board.apply([change(pod)], refused)
    assert held(board) == ""  # there is no pool of which it could buy
    board.apply([change(POOL)])
    assert board.rows["nodepools.orrery.io/small"]["held"] == "clusterautoscaler is paused" == held(board)
    board.apply([change(POOL, deleted=True)])
    assert held(board) == ""


def test_a_card_waits_for_releases_only_while_there_is_one_that_is_not_over():
    deployment = a_deployment()
    board = Board([deployment, a_replicaset(deployment), a_wheel("release", "Paused")])
    assert held(board) == ""
    meta = {"name": "web-1", "namespace": "default", "uid": "r", "creationTimestamp": "2026-05-20T10:00:00Z"}
    release = {"apiVersion": "orrery.io/v1", "kind": "Release", "metadata": meta}
    release["spec"] = {"deployment": "web", "image": "orrery/hello:v2", "strategy": {"type": "Canary"}}
    board.apply([change(release)])
    assert held(board) == "release is paused"
    board.apply([change(with_status(release, phase="Promoted", finishedAt="2026-05-20T10:00:05Z"), release)])
    assert held(board) == ""


def test_the_row_of_a_build_changes_with_it_and_with_its_loop():
    meta = {"name": "one", "namespace": "default", "uid": "b"}
    build = {"apiVersion": "orrery.io/v1", "kind": "Build", "metadata": meta, "spec": {"deployment": "web"}}
    board, id_ = Board([build]), "builds.orrery.io/default/one"
    assert id_ in board.apply([change(a_wheel("build", "Paused"))]).upserts
    assert board.rows[id_]["held"] == "build is paused"
    assert id_ in board.apply([change(with_status(build, phase="Building"), build)]).upserts
    assert id_ not in board.apply([change(with_status(build, phase="Building", log="a line"), build)]).upserts


def flags_of(row: dict) -> list[list[str]]:
    return [list(flag) for flag in row.get("flags", ())]


def test_a_pod_that_crashes_waits_for_no_loop_but_its_kubelet():
    deployment = a_deployment(replicas=1)
    replicaset = a_replicaset(deployment, replicas=1)
    board = Board([deployment, replicaset, crashed(a_pod("web-rs1-x", replicaset, node="node-a")), a_node()])
    turned = ("scheduler", "deployment", "replicaset", "kubelet.node-b")
    board.apply([change(a_wheel(name, "Paused")) for name in turned])
    card = next(row for row in board.rows.values() if row["kind"] == "workload")
    assert "held" not in card
    board.apply([change(a_pod("web-rs1-y", replicaset))])  # one more than is wanted, and without a node
    card = next(row for row in board.rows.values() if row["kind"] == "workload")
    assert card["held"] == "deployment is paused, replicaset is paused, scheduler is paused"


def test_a_deployment_that_its_controller_has_not_looked_at_is_something_to_do_for_no_other_loop():
    deployment = with_status(a_deployment(replicas=5), observedGeneration=1, replicas=3)
    deployment["metadata"]["generation"] = 2
    board = Board([deployment])
    assert board.rows["loops/deployment-controller"]["queue"] == "1 changed"
    assert "queue" not in board.rows["loops/replicaset-controller"]
    seen = with_status(deployment, observedGeneration=2, replicas=3)
    board.apply([change(seen, deployment, "deployment-controller")])
    assert board.rows["loops/replicaset-controller"]["queue"] == "2 missing"


def test_a_loop_has_little_room_to_say_how_it_turns():
    assert of_loops({"scheduler": "at step 1 of 12"})["scheduler"] == "step 1/12"
    assert of_loops({"kubelet.a": "slow, 5 s", "kubelet.b": "slow, 2 s"})["kubelet"] == "2 slow"
    assert set(of_loops({}).values()) == {""}


def test_that_a_step_is_counted_is_no_act():
    board = Board([])
    wheel = a_wheel("replicaset", "Step", steps=1)
    board.apply([change({**wheel, "status": {"taken": 1, "last": "default/web"}}, wheel, "replicaset-controller")])
    assert "acts" not in board.rows["loops/replicaset-controller"]


def test_a_loop_that_is_seldom_drawn_is_while_its_wheel_is_turned_and_says_what_it_does():
    board, id_ = Board([]), "loops/eventttl-controller"
    note = an_event("old", a_pod())
    assert not board.apply([change(note, note, "eventttl-controller", deleted=True)]).upserts
    turned = a_wheel("eventttl", "Slow", seconds=5)
    board.apply([change(turned), change(note, note, "eventttl-controller", deleted=True)])
    assert (board.rows[id_]["mode"], board.rows[id_]["text"]) == ("slow, 5 s", "deleted old")
    assert id_ in board.apply([change(a_wheel("eventttl", "Running"), turned)]).removes
    assert board.rows.keys() == Board([]).rows.keys()


def test_what_stands_and_what_is_slow_is_counted_apart():
    modes = {"scheduler": "paused", "job": "slow, 5 s", "deployment": "at step 1 of 2"}
    assert stopped(modes) == ["loops/all", "2 wheels stopped, 1 slow"]
    assert stopped({"scheduler": "broken", "job": "slow, 5 s"})[1] == "1 wheel stopped, 1 slow"
    assert stopped({"job": "slow, 5 s", "deployment": "slow, 1 s"})[1] == "2 wheels slow"


def test_a_loop_names_the_rows_that_it_touched():
    board = Board([a_node()])
    pod = a_pod("web", node="node-a")
    board.apply([change(pod, author="kubectl"), change(ready(pod), pod, "kubelet")])
    assert board.rows["loops/kubelet"]["lit"] == ["pods/default/web"]


@pytest.mark.django_db
def test_the_drawer_of_a_loop_says_what_it_watches_and_has_before_it():
    ensure_cluster("drawn")
    furnish("drawn")
    subscribe_all()
    client = Client("drawn", "board")
    paused = turn(client, "", "serviceaccount", {"mode": "Paused"})
    assert paused.undo and paused.undo["mode"] == "Running"
    shown = drawer(client, "loops", "", "service-account-controller", "")
    assert (shown["wheel"].mode, "namespaces" in shown["watches"]) == ("Paused", True)
    assert "default" in {one["key"] for one in shown["keys"]}
    assert drawer(client, "loops", "", "all", "")["loops"][0][0] == "service-account-controller"
    with pytest.raises(ApiError):
        drawer(client, "loops", "", "nobody", "")


@pytest.mark.django_db
def test_a_loop_that_counts_its_steps_has_not_turned_its_wheel():
    ensure_cluster("counted")
    client = Client("counted", "board")
    turn(client, "", "job", {"mode": "Step"})
    Client("counted", "job-controller").patch(WHEELS, "", "job", {"status": {"taken": 1}}, subresource="status")
    assert [row["author"] for row in drawer(client, "loops", "", "job-controller", "")["by"]] == ["board"]


@pytest.mark.django_db
def test_what_the_scheduler_has_before_it_are_the_pods_that_wait():
    ensure_cluster("waiting")
    furnish("waiting")
    subscribe_all()
    client = Client("waiting", "board")
    shown = drawer(client, "loops", "", "scheduler", "")  # it has never turned: all that there is stands before it
    assert shown["keys"] == []
    client.create(PODS, {"metadata": {"name": "web", "namespace": "default"}, "spec": a_pod("web")["spec"]})
    shown = drawer(client, "loops", "", "scheduler", "")
    assert [one["key"] for one in shown["keys"]] == ["default/web"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("was", "mode", "undo"),
    [
        ({"mode": "Running"}, "Paused", {"mode": "Running"}),
        ({"mode": "Slow", "seconds": 2.5}, "Broken", {"mode": "Slow", "seconds": 2.5}),
        ({"mode": "Paused"}, "Step", {"mode": "Paused"}),
        ({"mode": "Step", "steps": 2}, "Running", {"mode": "Paused"}),  # what is stepped stands
        ({"mode": "Step", "steps": 2}, "Step", None),
        ({"mode": "Step", "steps": 2}, "Paused", None),
    ],
    ids=str,
)
def test_a_turn_can_be_taken_back(was, mode, undo):
    ensure_cluster("turned")
    client = Client("turned", "board")
    client.create(WHEELS, {"metadata": {"name": "job"}, "spec": was})
    back = turn(client, "", "job", {"mode": mode}).undo
    assert (back and {key: back[key] for key in undo}) == undo
    if back:
        turn(client, "", "job", back)
        assert client.get(WHEELS, "", "job")["spec"]["mode"] == undo["mode"]


def test_the_drawers_of_wheels_follow_whoever_turns_one(screen):
    wheel = "/apis/orrery.io/v1/wheels"
    node = screen.lab.ready_pods()[0]["spec"]["nodeName"]
    screen.open("?object=loops/all")
    meta = {"name": f"kubelet.{node}"}
    screen.lab.api("POST", wheel, {"metadata": meta, "spec": {"mode": "Slow", "seconds": 0.1}})
    screen.drawer.get_by_role("button", name=meta["name"]).click()  # listed, for it does not run
    expect(screen.drawer.locator(".headline")).to_have_text("slow, 0.1 s")
    screen.lab.api("DELETE", f"{wheel}/{meta['name']}")
    expect(screen.drawer.locator(".headline")).to_have_text("turns")


def test_a_loop_is_paused_by_mouse_and_resumed_by_keyboard_alone(screen):
    screen.open()
    screen.page.locator('[data-id="loops/replicaset-controller"] button').click()
    screen.drawer.get_by_role("button", name="Pause").click()
    expect(screen.toast("replicaset is paused")).to_contain_text("kubectl patch wheel replicaset")
    stopped = screen.page.locator("#wheels")
    expect(stopped).to_have_text("replicaset paused")
    assert screen.lab.get(WHEEL)["spec"]["mode"] == "Paused"
    pod = screen.lab.ready_pods()[0]
    screen.lab.api("DELETE", f"/api/v1/namespaces/default/pods/{pod['metadata']['name']}")
    expect(screen.card("hello")).to_contain_text("replicaset is paused")
    screen.drawer.get_by_role("button", name="Break").click()
    screen.toast("replicaset is broken").get_by_role("button", name="Undo").click()
    expect(stopped).to_have_text("replicaset paused")
    # What waits for it opens on why; the card leads to who did it, and has the way out.
    screen.card("hello").get_by_role("button", name="Deployment hello").click()
    expect(screen.drawer.get_by_role("tab", name="Why")).to_have_attribute("aria-selected", "true")
    expect(screen.drawer.locator(".why").first).to_contain_text("The replicaset controller is paused")
    screen.drawer.get_by_role("tab", name="Events").click()
    expect(screen.drawer.locator(".telling")).to_contain_text("The replicaset controller is paused")
    screen.drawer.get_by_role("tab", name="Why").click()
    screen.drawer.get_by_role("button", name="its wheel was set to Paused").click()
    expect(screen.drawer.locator("h1")).to_contain_text("wheel replicaset", ignore_case=True)
    screen.card("hello").get_by_role("button", name="Deployment hello").click()
    screen.drawer.get_by_role("button", name="Resume replicaset").click()
    screen.toast("replicaset turns as ever").get_by_role("button", name="Undo").click()
    expect(stopped).to_have_text("replicaset paused")
    screen.page.keyboard.press("Escape")
    stopped.focus()
    screen.page.keyboard.press("Enter")
    screen.drawer.get_by_role("button", name="Resume").focus()
    screen.page.keyboard.press("Enter")
    expect(stopped).to_be_hidden()
    screen.lab.wait_for_ready_pods(3)
