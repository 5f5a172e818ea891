"""The board in a real browser over a running lab: what it shows, and that what one does on it happens."""

import os
import signal
import time
import urllib.error

import pytest
from playwright.sync_api import expect

from tests.labs import is_ready, wait_until

from .screen import SECONDS, Screen

HELLO = "/apis/apps/v1/namespaces/default/deployments/hello"
BAD_YAML = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: many
"""


def replicas(lab) -> int:
    return lab.get(HELLO)["spec"]["replicas"]


def test_it_shows_the_nodes_and_the_pods_on_them(screen):
    screen.open()
    for pod in screen.lab.ready_pods():
        column = screen.column(pod["spec"]["nodeName"])
        expect(column.locator(f'[data-id="pods/default/{pod["metadata"]["name"]}"]')).to_have_attribute(
            "data-state", "ready"
        )
    expect(screen.card("hello")).to_contain_text("orrery/hello:v1")
    expect(screen.column("node-a")).to_contain_text("zone a")


def test_ages_are_by_the_labs_clock_whatever_the_browsers_is(screen):
    screen.page.add_init_script("const wrong = Date.now; Date.now = () => wrong() + 600_000")
    screen.open()
    told = screen.page.evaluate("import('/static/board/format.js').then(it => it.now())")
    assert abs(told - time.time()) < 10


def test_it_says_that_containers_are_local_processes(screen):
    screen.open()
    expect(screen.page.locator("#engine")).to_have_text("Local processes")
    expect(screen.page.locator("#banner")).to_contain_text("With a Docker engine the same lab runs real containers")


def test_a_killed_container_changes_its_tile_and_heals(screen):
    heals(screen)


def test_on_docker_too(page, docker_lab):
    docker_lab.wait_for_ready_pods(3)
    screen = Screen(page, docker_lab)
    heals(screen)
    expect(page.locator("#engine")).to_have_text("Docker containers")
    expect(page.locator("#banner")).to_be_hidden()
    assert screen.errors == []


def heals(screen: Screen) -> None:
    pod = screen.lab.ready_pods()[0]
    before = pod["status"]["containerStatuses"][0]["restartCount"]
    name = pod["metadata"]["name"]
    tile = screen.open().tile(name)
    screen.page.evaluate(WATCH, f"pods/default/{name}")
    tile.hover()
    tile.locator(".kill").click()
    expect(screen.toast("Killed hello")).to_be_visible()
    expect(tile.locator(".restarts")).to_have_text(f"↻{before + 1}", timeout=SECONDS)
    expect(tile).to_have_attribute("data-state", "ready", timeout=SECONDS)
    expect(tile.locator(".took")).to_contain_text("healed in", timeout=SECONDS)
    assert set(screen.page.evaluate("window.states")) - {"ready"}, "the tile never said that its container was dead"
    screen.lab.wait_for_ready_pods(3)


WATCH = """id => {
  window.states = [];
  const tile = document.querySelector(`[data-id="${id}"]`);
  new MutationObserver(() => window.states.push(tile.dataset.state)).observe(tile, {attributeFilter: ['data-state']});
}"""


WATCH_TIES = """() => {
  const threads = document.getElementById("threads");
  window.ties = 0;
  new MutationObserver(() => (window.ties = Math.max(window.ties, threads.querySelectorAll("path").length)))
    .observe(threads, {childList: true});
}"""


def test_a_deleted_pod_leaves_a_ghost_tied_to_its_replacement(screen):
    name = screen.lab.ready_pods()[0]["metadata"]["name"]
    tile = screen.open().tile(name)
    tile.focus()
    screen.page.evaluate(WATCH_TIES)
    screen.page.keyboard.press("Delete")
    expect(screen.page.locator(".pod.ghost")).to_contain_text(name.rpartition("-")[2], timeout=SECONDS)
    # The ghost stays for three seconds, which may pass between two looks.
    wait_until("the ghost to be tied to its heir", lambda: screen.page.evaluate("window.ties") == 1)
    expect(screen.page.locator(".pod.ghost")).to_have_count(0, timeout=SECONDS)
    assert screen.page.evaluate("document.activeElement.className") == "head", "the focus fell off the board"
    screen.lab.wait_for_ready_pods(3)


def test_the_stepper_scales_at_once_and_for_real(screen):
    card = screen.open().card("hello")
    card.get_by_label("One replica more").click()
    expect(card.locator("output")).to_have_text("4", timeout=100)
    wait_until("four replicas asked for", lambda: replicas(screen.lab) == 4)
    expect(card.locator(".rings text")).to_have_text("4", timeout=SECONDS)
    card.get_by_label("One replica less").click()
    screen.lab.wait_for_ready_pods(3)


def test_scaling_to_nothing_can_be_undone_for_five_seconds(screen):
    card = screen.open().card("hello")
    card.get_by_label("Replicas", exact=True).focus()
    screen.page.keyboard.press("Home")
    screen.toast("Scaling hello to 0 in 5 s").get_by_role("button", name="Undo").click()
    expect(card.locator("output")).to_have_text("3")
    assert replicas(screen.lab) == 3


def test_a_cordon_is_set_on_the_board_and_taken_off_by_a_key(screen):
    column = screen.open().column("node-b")
    column.hover()
    column.locator(".cordon").click()
    expect(column.locator(".flags")).to_contain_text("cordoned", timeout=SECONDS)
    column.locator(".head").focus()
    screen.page.keyboard.press("c")
    expect(column.locator(".flags")).not_to_contain_text("cordoned", timeout=SECONDS)


def test_a_drain_lists_first_what_would_move(screen):
    pod = screen.lab.ready_pods()[0]
    screen.open().column(pod["spec"]["nodeName"]).locator(".head").click()
    screen.drawer.get_by_role("tab", name="Drain").click()
    expect(screen.drawer.locator(".checks")).to_contain_text(pod["metadata"]["name"])
    expect(screen.drawer.locator(".checks")).to_contain_text("makes another elsewhere")


def test_power_is_cut_only_after_the_name_was_typed(screen):
    screen.open().column("node-a").locator(".head").click()
    button = screen.drawer.get_by_role("button", name="Power off")
    expect(button).to_be_disabled()
    screen.drawer.locator("#confirm").fill("node-b")
    expect(button).to_be_disabled()
    screen.drawer.locator("#confirm").fill("node-a")
    expect(button).to_be_enabled()


def test_a_zone_is_switched_off_by_typing_its_name_and_on_again_by_one_button(screen):
    screen.open().page.locator('#zones [data-id="zones/b"] [data-show]').click()
    expect(screen.drawer).to_contain_text("node-b")
    screen.drawer.locator("#confirm").fill("zone b")
    screen.drawer.get_by_role("button", name="Power off").click()
    expect(screen.toast("Cutting the power of zone b in 5 s").get_by_role("button", name="Undo")).to_be_visible()
    expect(screen.column("node-b").locator(".flags")).to_contain_text("powered off", timeout=SECONDS)
    screen.page.locator("#zones").get_by_role("button", name="Power on").click()
    expect(screen.column("node-b").locator(".flags")).not_to_contain_text("powered off", timeout=SECONDS)
    screen.lab.wait_for_ready_pods(3)


def test_ages_in_an_open_drawer_go_on_where_nothing_changes(screen):
    screen.open("?object=nodes/node-b")
    kind = screen.drawer.locator(".kind")
    expect(kind).to_contain_text("node ·")
    before = kind.inner_text()
    wait_until("its age to be another", lambda: kind.inner_text() != before, 60)


def test_the_drawer_says_why_a_pod_is_here_and_what_made_it(screen):
    known = {pod["metadata"]["uid"] for pod in screen.lab.ready_pods()}
    screen.lab.api("PATCH", HELLO, {"spec": {"replicas": 4}}, content_type="application/merge-patch+json")
    pod = next(pod for pod in screen.lab.wait_for_ready_pods(4) if pod["metadata"]["uid"] not in known)
    screen.open().tile(pod["metadata"]["name"]).click()
    expect(screen.drawer).to_contain_text(f"Why on {pod['spec']['nodeName']}?")
    expect(screen.drawer.locator("tr.chosen")).to_contain_text(pod["spec"]["nodeName"])
    screen.drawer.get_by_role("tab", name="Thread").click()
    hops = screen.drawer.locator(".thread li")
    bound = hops.filter(has_text=f"scheduler bound pod {pod['metadata']['name']} to {pod['spec']['nodeName']}")
    expect(hops.filter(has_text=f"replicaset made pod {pod['metadata']['name']}")).to_have_count(1)
    expect(bound).to_have_count(1)
    screen.walk_to(bound)
    expect(screen.drawer.locator("circle.chosen title")).to_contain_text("bound pod")
    # Another by mouse, in the drawing; and from the first one to what it is about.
    screen.drawer.locator("circle.replicaset").last.click()
    expect(bound.get_by_role("radio")).not_to_be_checked()
    expect(screen.drawer.locator(".thread li:has(:checked)")).to_contain_text(pod["metadata"]["name"])
    screen.walk_to(hops.filter(has_text="deployment hello").first)
    screen.page.keyboard.press("Enter")
    expect(screen.drawer.locator("h1")).to_have_text("hello")
    screen.lab.api("PATCH", HELLO, {"spec": {"replicas": 3}}, content_type="application/merge-patch+json")
    screen.lab.wait_for_ready_pods(3)


def test_a_link_leads_to_the_thing_and_the_tab(screen):
    name = screen.lab.ready_pods()[0]["metadata"]["name"]
    screen.open(f"?object=pods/default/{name}&tab=yaml")
    expect(screen.drawer.locator("pre.yaml")).to_contain_text(f"name: {name}")
    screen.open("?object=pods/default/long-gone")
    expect(screen.drawer).to_contain_text('pods "long-gone" not found')
    screen.open("?view=table")
    expect(screen.page.locator("#table")).to_contain_text(name)


def test_logs_are_followed_while_they_are_written(screen):
    pod = screen.lab.ready_pods()[0]
    screen.open(f"?object=pods/default/{pod['metadata']['name']}&tab=logs")
    log = screen.drawer.locator(".log")
    expect(log).to_contain_text("listens on", timeout=SECONDS)
    lines = log.inner_text().count("\n")
    tile = screen.tile(pod["metadata"]["name"])
    tile.hover()
    tile.locator(".kill").click()
    expect(log).to_contain_text("the stream ended", timeout=SECONDS)
    wait_until(
        "the next container's first line", lambda: log.inner_text().count("listens on") > lines // 2, SECONDS / 1000
    )
    screen.lab.wait_for_ready_pods(3)


def test_yaml_that_is_wrong_is_refused_beside_its_line_and_nothing_is_made(screen):
    screen.open().page.keyboard.press("n")
    screen.drawer.get_by_role("tab", name="YAML").click()
    area = screen.drawer.locator("textarea")
    area.fill(BAD_YAML)
    screen.drawer.get_by_role("button", name="Create").click()
    note = screen.drawer.locator(".notes button").first
    expect(note).to_contain_text("spec.replicas")
    assert note.get_attribute("data-line") == "6"
    expect(screen.drawer.locator(".editor li.wrong")).to_have_text("6")
    line = screen.drawer.locator(".editor li.wrong").bounding_box()
    assert abs(note.bounding_box()["y"] - line["y"]) < line["height"], "the note is not beside its line"
    with pytest.raises(urllib.error.HTTPError):
        screen.lab.api("GET", "/apis/apps/v1/namespaces/default/deployments/web")


def test_a_deployment_is_made_by_the_form_and_deleted_by_typing_its_name(screen):
    screen.open().page.keyboard.press("n")
    screen.drawer.get_by_label("Name", exact=True).fill("typed")
    screen.drawer.get_by_label("Image").fill("orrery/hello:v1")
    screen.drawer.get_by_label("Replicas").fill("1")
    screen.drawer.get_by_role("button", name="Create").click()
    expect(screen.card("typed")).to_be_visible()
    screen.drawer.locator("#confirm").fill("typed")
    screen.drawer.get_by_role("button", name="Delete").click()
    expect(screen.card("typed")).to_have_count(0, timeout=SECONDS)
    wait_until("its pods to be gone", lambda: not screen.lab.pods("app=typed"), SECONDS / 1000)


def test_a_node_is_added_by_the_form_and_removed_by_typing_its_name(screen):
    screen.open().page.locator(".more-nodes").click()
    screen.drawer.get_by_label("Name", exact=True).fill("gpu-1")
    screen.drawer.get_by_label("GPUs").fill("2")
    screen.drawer.get_by_label("Labels").fill("disk=ssd")
    screen.drawer.get_by_label("Runtime").select_option("simulated")
    screen.drawer.get_by_role("button", name="Add node").click()
    column = screen.column("gpu-1")
    expect(column).to_contain_text("2 gpu")
    expect(column.locator(".flags")).to_contain_text("simulated")
    node = screen.lab.get("/api/v1/nodes/gpu-1")
    assert (node["metadata"]["labels"]["disk"], node["status"]["allocatable"]["nvidia.com/gpu"]) == ("ssd", "2")
    wait_until("the node to be ready", lambda: is_ready(screen.lab.get("/api/v1/nodes/gpu-1")), SECONDS / 1000)
    screen.drawer.locator("#confirm").fill("gpu-1")
    screen.drawer.get_by_role("button", name="Remove").click()
    expect(column).to_have_count(0, timeout=SECONDS)


def test_a_killed_web_server_is_noticed_and_the_page_heals_without_being_loaded_again(screen):
    screen.open().page.evaluate("window.same = true")
    os.kill(screen.lab.pid_of("web"), signal.SIGKILL)
    expect(screen.page.locator("#live")).to_contain_text("Reconnecting", timeout=SECONDS)
    screen.live()
    screen.lab.api("PATCH", HELLO, {"spec": {"replicas": 4}}, content_type="application/merge-patch+json")
    expect(screen.card("hello").locator(".rings text")).to_have_text("4", timeout=SECONDS)
    assert screen.page.evaluate("window.same")
    screen.lab.api("PATCH", HELLO, {"spec": {"replicas": 3}}, content_type="application/merge-patch+json")
    screen.lab.wait_for_ready_pods(3)


def test_a_connection_that_says_nothing_is_called_stale_and_made_anew(page, process_lab):
    tried = []
    page.clock.install()
    page.route_web_socket("**/board", lambda socket: tried.append(socket))
    page.goto(f"{process_lab.address}/clusters/default/")
    expect(page.locator("#live")).to_contain_text("Live")
    page.clock.run_for(12_000)
    expect(page.locator("#live")).to_contain_text("Stale")
    page.clock.run_for(5_000)
    wait_until("another connection", lambda: page.wait_for_timeout(50) or len(tried) > 1, 10)


def test_what_was_done_shows_its_command_with_a_copy_button_and_a_key_for_it(screen):
    screen.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    screen.open().card("hello").get_by_role("button", name="One replica more").click()
    toast = screen.toast("hello scaled to 4")
    expect(toast.locator("code")).to_have_text("kubectl scale deployment/hello --replicas=4")
    toast.get_by_role("button", name="Copy the kubectl command").click()
    expect(toast.get_by_role("button")).to_have_text("Copied")
    assert screen.page.evaluate("navigator.clipboard.readText()").endswith("--replicas=4")
    screen.card("hello").get_by_role("button", name="One replica less").click()
    expect(screen.toast("hello scaled to 3")).to_be_visible()
    screen.page.locator("#sky").click(position={"x": 2, "y": 2})
    screen.page.keyboard.press("y")
    expect(screen.toast("Copied: kubectl scale deployment/hello --replicas=3")).to_be_visible()
    screen.lab.wait_for_ready_pods(3)
