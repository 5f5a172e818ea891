"""The board as it was: drawn, played, walked and compared, and each time the page against the store."""

from itertools import pairwise
from unittest.mock import patch

import pytest
from playwright.sync_api import Page, expect

from lab.apimachinery.kinds import PODS
from lab.apimachinery.meta import parse_time
from lab.client import Client
from lab.client.clusters import ensure_cluster
from lab.dashboard.board import Board
from lab.dashboard.past import board_at
from lab.models import Revision
from lab.store import Write, append, state_at, time_of, view
from tests.labs import wait_until

from .build import a_pod
from .screen import SECONDS, Screen

ROWS = "import('/static/board/state.js').then(({ rows }) => [...rows.values()])"
PODS_THEN = """at => fetch(`/history/${at}`).then(answer => answer.json())
    .then(({ items }) => items.filter(({ kind }) => kind === "Pod"))"""
HELLO = "/apis/apps/v1/namespaces/default/deployments/hello"


@pytest.fixture(scope="module")
def walked(process_lab):
    """A lab with a history of its own end: hello was scaled to four and back. The revisions of both acts."""
    process_lab.wait_for_ready_pods(3)
    scaled = []
    for replicas in (4, 3):
        patch = {"spec": {"replicas": replicas}}
        obj = process_lab.api("PATCH", HELLO, patch, content_type="application/merge-patch+json")
        scaled.append(int(obj["metadata"]["resourceVersion"]))
        process_lab.wait_for_ready_pods(replicas)
    return scaled


def then(screen: Screen) -> int:
    return int(screen.page.evaluate("document.body.dataset.past ?? 0"))


def past(screen: Screen, revision: int) -> Page:
    """The page at a revision, by its link."""
    screen.page.goto(f"{screen.lab.address}/clusters/default/?at={revision}")
    at(screen, revision)
    return screen.page


def at(screen: Screen, revision: int) -> None:
    expect(screen.page.locator("body")).to_have_attribute("data-past", str(revision), timeout=SECONDS)


def drawn_as_stored(screen: Screen) -> None:
    """What the page shows is what the store had at the revision that it names."""
    revision = then(screen)
    items = screen.lab.api("GET", f"/history/{revision}")["items"]
    pods = {f"pods/default/{obj['metadata']['name']}": obj for obj in items if obj["kind"] == "Pod"}
    screen.frame()
    shown = screen.page.locator(".pod[role][data-id]:not(.ghost)").evaluate_all("all => all.map(it => it.dataset.id)")
    assert sorted(shown) == sorted(pods)
    wanted = sorted(str(obj["spec"]["replicas"]) for obj in items if obj["kind"] == "Deployment")
    cards = screen.page.locator(".card[data-id^='deployments.apps/'] [data-is=shown]")
    wait_until("the cards to say their replicas", lambda: sorted(cards.all_text_contents()) == wanted)
    nodes = [row["id"] for row in screen.page.evaluate(ROWS) if row["kind"] == "node"]
    assert sorted(nodes) == sorted(f"nodes/{obj['metadata']['name']}" for obj in items if obj["kind"] == "Node")


def test_the_keyboard_walks_through_the_past_and_back(screen, walked):
    page = screen.open().page
    page.keyboard.press("h")
    expect(page.locator("#live")).to_contain_text("Past")
    expect(page.locator("#past input")).to_be_focused()
    drawn_as_stored(screen)
    page.keyboard.press("Home")
    at(screen, 1)
    drawn_as_stored(screen)
    page.keyboard.press("]")
    wait_until("the first mark to be shown", lambda: then(screen) > 1)
    past(screen, walked[0])
    expect(page.locator("#past output")).to_contain_text("replicas 3 → 4")
    drawn_as_stored(screen)
    page.keyboard.press(",")
    at(screen, walked[0] - 1)
    drawn_as_stored(screen)
    page.keyboard.press("Escape")
    screen.live()
    assert then(screen) == 0
    assert "at=" not in page.url


def test_the_mouse_drags_the_board_to_any_moment(screen, walked):
    page = past(screen, walked[1])
    box = page.locator("#past input").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    dragged = int(page.locator("#past input").input_value())
    assert dragged < walked[1]
    at(screen, dragged)
    drawn_as_stored(screen)
    assert page.evaluate("document.getAnimations().filter(one => one.effect.getTiming().duration > 1).length") == 0
    page.locator("#past .marks [data-kind]").last.click()
    expect(page.locator("#past output small")).not_to_contain_text("ago")
    drawn_as_stored(screen)


def test_marks_of_one_place_are_one_that_says_all_of_them(screen, walked):
    page = past(screen, walked[1])
    marks = page.locator("#past .marks [data-kind]")
    expect(marks.first).to_be_visible()
    lefts = sorted(marks.evaluate_all("all => all.map(it => it.getBoundingClientRect().left)"))
    assert all(right - left >= 9 for left, right in pairwise(lefts))
    told = marks.evaluate_all("all => all.map(it => [it.title.split('\\n').length - 1, Number(it.dataset.more ?? 0)])")
    assert all(lines == more for lines, more in told) and any(more for _, more in told)


def test_it_plays_on_to_what_was(screen, walked):
    page = past(screen, walked[0])
    page.get_by_label("Speed").select_option("60")
    page.get_by_label("Play on from here").click()
    wait_until("the scaling down to be played", lambda: then(screen) > walked[1])
    page.keyboard.press(" ")
    expect(page.get_by_label("Play on from here")).to_be_visible()
    drawn_as_stored(screen)


def test_a_line_that_is_cut_while_it_plays_is_said_and_it_goes_on_by_the_same_key(screen, walked):
    page = past(screen, walked[0])
    page.get_by_label("Speed").select_option("60")
    page.locator("#past input").focus()
    page.route("**/on?speed=60", lambda route: route.abort())
    page.keyboard.press(" ")
    expect(page.locator("#past output")).to_contain_text("The lab does not answer")
    expect(page.get_by_label("Play on from here")).to_be_visible()
    assert then(screen) == walked[0]
    page.unroute("**/on?speed=60")
    page.keyboard.press(" ")
    wait_until("the scaling down to be played", lambda: then(screen) > walked[1])
    page.keyboard.press(" ")
    drawn_as_stored(screen)


def test_two_moments_are_compared_in_the_drawer(screen, walked):
    page = past(screen, walked[0] - 1)
    page.get_by_role("button", name="Mark A").click()
    page.get_by_label("One revision on").click()
    at(screen, walked[0])
    page.get_by_role("button", name="Compare").click()
    expect(screen.drawer).to_contain_text("spec.replicas")
    expect(screen.drawer.locator("del")).to_have_text("3")
    expect(screen.drawer.locator("ins")).to_have_text("4")
    expect(screen.drawer.get_by_role("region", name="What differs")).to_be_focused()  # its keys scroll it
    page.set_viewport_size({"width": 390, "height": 844})  # on a phone the drawer leaves the line within reach
    page.get_by_label("One revision back").click()
    at(screen, walked[0] - 1)


def test_a_mark_opens_its_thread_which_ends_there(screen, walked):
    page = past(screen, walked[0] - 1)
    page.locator("#past input").focus()
    page.keyboard.press("]")
    at(screen, walked[0])
    page.keyboard.press("Enter")
    expect(screen.drawer.locator("h1")).to_have_text("Deployment hello: replicas 3 → 4")
    expect(screen.drawer.get_by_role("radio")).to_have_count(1)
    page.reload()  # the link says both
    at(screen, walked[0])
    expect(screen.drawer.get_by_role("radio")).to_have_count(1)
    screen.drawer.get_by_role("link", name="See it live").click()
    screen.live()
    expect(screen.drawer.locator(".thread")).to_contain_text("made pod hello")
    past(screen, walked[1])
    page.get_by_role("button", name="Thread").click()
    expect(screen.drawer.locator("h1")).to_have_text("Deployment hello: replicas 4 → 3")


def test_what_happens_meanwhile_has_its_mark_too(screen, walked):
    page = past(screen, walked[0])
    patch = {"metadata": {"annotations": {"seen": "yes"}}}
    seen = screen.lab.api("PATCH", HELLO, patch, content_type="application/merge-patch+json")
    page.locator("#past .marks [title*=seen]").last.click()
    at(screen, int(seen["metadata"]["resourceVersion"]))
    drawn_as_stored(screen)


def test_ages_are_those_of_then_and_what_is_not_kept_is_said(screen, walked):
    screen.page.goto(f"{screen.lab.address}/clusters/default/?view=table&at={walked[1]}")
    at(screen, walked[1])
    then = screen.lab.api("GET", f"/history/{walked[1]}")
    for meta in [obj["metadata"] for obj in then["items"] if obj["kind"] == "Pod"]:
        seconds = int(then["time"] - parse_time(meta["creationTimestamp"]))
        age = f"{seconds}s" if seconds < 120 else f"{seconds // 60}m"  # other tests may have had this lab for long
        expect(screen.page.locator("#table tr", has_text=meta["name"]).locator("td").nth(8)).to_have_text(age)
    screen.page.locator("#table-view").click()
    expect(screen.page.locator("#crowd .chart").first).to_be_hidden()
    screen.page.locator('[data-id="loops/replicaset-controller"] button').click()
    expect(screen.drawer).to_contain_text("is not kept")
    expect(screen.drawer).to_contain_text("made pod hello")


def test_nothing_can_be_done_there(screen, walked):
    page = past(screen, walked[0])
    before = screen.lab.api("GET", HELLO)["metadata"]["generation"]
    screen.card("hello").get_by_label("One replica more").click(force=True)
    expect(screen.toast("This is the past")).to_be_visible()
    page.locator(".pod[role]").first.focus()
    for key in ("k", "Delete", "+", "n", "a"):
        page.keyboard.press(key)
    expect(screen.drawer.locator("h1")).to_have_text("Reach in")
    page.locator(".pod[role]").first.click()
    expect(screen.drawer.get_by_role("tab", name="yaml")).to_be_visible()
    expect(screen.drawer.get_by_role("tab", name="terminal")).to_have_count(0)
    screen.show([])  # as after a restart of the server: what is live is another board, and kept aside
    expect(page.locator(".pod[role]")).to_have_count(len(screen.page.evaluate(PODS_THEN, walked[0])))
    page.locator("#live").click()
    expect(page.locator(".pod[role]")).to_have_count(3, timeout=SECONDS)  # with the next beat at the latest
    screen.live()
    assert screen.lab.api("GET", HELLO)["metadata"]["generation"] == before
    assert len(screen.lab.pods()) == 3


def test_a_cut_connection_is_said_and_survived(screen, walked):
    screen.page.route("**/past.js", lambda route: route.abort(), times=1)  # it is asked for once more
    page = past(screen, walked[1])
    page.context.set_offline(True)
    page.route("**/board/past/*", lambda route: route.abort())
    page.keyboard.press(",")
    expect(page.locator("#past output")).to_contain_text("The lab does not answer")
    at(screen, walked[1])
    page.unroute("**/board/past/*")
    page.context.set_offline(False)
    at(screen, walked[1] - 1)  # where one wanted to be
    drawn_as_stored(screen)
    page.get_by_role("button", name="Live", exact=True).click()
    screen.live()
    expect(page.locator(".pod[role]")).to_have_count(3)


# Without a page.


@pytest.mark.django_db
def test_the_board_of_a_revision_is_that_of_its_objects():
    """Read from a little earlier and played, or afresh: the same, but for what only was seen by who looked on."""
    ensure_cluster("then")
    client, head = Client("then", author="tests"), view("then").revision
    for n in range(130):
        before = client.find(PODS, "default", f"p{n % 7}")
        expected = int(before["metadata"]["resourceVersion"]) if before else 0
        gone = bool(before) and n % 5 == 4
        append("then", [Write("pods", "default", f"p{n % 7}", a_pod(f"p{n % 7}"), expected, gone)], "tests")
    for revision in (head, head + 3, head + 64, head + 130):
        assert lasting(board_at("then", revision)) == lasting(Board(state_at("then", revision)))


@pytest.mark.django_db
@pytest.mark.parametrize("speed", ["", "?speed=60"])
def test_what_is_played_page_by_page_comes_to_what_was(client, speed):
    """Each page goes on from the board that the last one left, or from one that is made anew: by another viewer."""
    ensure_cluster("played")
    head = view("played").revision
    for n in range(6):
        append("played", [Write("pods", "default", f"p{n}", a_pod(f"p{n}"), 0)], "tests")
    rows, at, steps = {row["id"]: row for row in board_at("played", head).rows.values()}, head, 0
    with patch("lab.dashboard.past.A_PAGE", 2):
        while at < head + 6:
            told = client.get(f"/clusters/played/board/past/{at}/on{speed}").json()
            assert told == client.get(f"/clusters/played/board/past/{at}/on{speed}").json()
            for step in told["steps"]:
                rows |= {row["id"]: row for row in step["upserts"]}
            at, steps = told["until"], steps + len(told["steps"])
    kept = {id_: row for id_, row in rows.items() if row["kind"] == "pod"}
    assert kept == {id_: row for id_, row in board_at("played", at).rows.items() if row["kind"] == "pod"}
    assert steps == (1 if speed else 6)


@pytest.mark.django_db
def test_what_is_played_says_how_far_it_came_though_nothing_was_to_be_seen(client):
    """A clock that stood still while leases are renewed would tell the wrong moment."""
    ensure_cluster("still")
    head = view("still").revision
    for n in range(3):
        append("still", [Write("leases.coordination.k8s.io", "kube-system", f"l{n}", a_lease(f"l{n}"), 0)], "kubelet")
    told = client.get(f"/clusters/still/board/past/{head}/on").json()
    assert (told["steps"], told["until"]) == ([], head + 3)
    assert told["time"] == time_of("still", head + 3) != time_of("still", head + 1)


@pytest.mark.django_db
def test_the_last_minute_begins_with_what_stood_a_minute_ago(client):
    ensure_cluster("lately")
    head = view("lately").revision
    for n in range(4):
        append("lately", [Write("pods", "default", f"p{n}", a_pod(f"p{n}"), 0)], "tests")
    now = time_of("lately", head + 4)
    for n, ago in enumerate((200, 61, 30, 5), 1):
        Revision.objects.filter(cluster__name="lately", revision=head + n).update(time=now - ago)
    Revision.objects.filter(cluster__name="lately", revision__lte=head).update(time=now - 300)
    found = [client.get(f"/clusters/lately/board/past/last/{ago}").json()["revision"] for ago in (60, 20, 250, 900)]
    assert found == [head + 2, head + 3, head, 1]
    assert client.get("/clusters/none/board/past/last/60").status_code == 404


def a_lease(name: str) -> dict:
    meta = {"name": name, "namespace": "kube-system", "uid": name}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta, "spec": {}}


def lasting(board: Board) -> dict:
    rows = {id_: {key: row[key] for key in row if key != "took"} for id_, row in board.rows.items()}
    return {id_: row for id_, row in rows.items() if row["kind"] != "loop"}
