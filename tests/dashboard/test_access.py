"""The board for everybody: by keyboard, without colour, in dark and light, in little space and few bytes."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from .made_up import STATES, deployment, event, everything, node, pod
from .screen import Screen

SCRIPTS = Path(__file__).parents[2] / "static" / "board"
MOST_JAVASCRIPT = 30_000
MOST_OPENED = 14_200  # more, for who opens the terminal, the command line, an editor, the time line and the table
FAINT = Path(__file__).with_name("faint.js").read_text()
SIZES = [(1440, 900), (1280, 720), (390, 844)]


@pytest.fixture(scope="module")
def opened(browser, process_lab) -> Iterator[Screen]:
    """One page for all that only look at what it draws of made-up rows."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    yield Screen(context.new_page(), process_lab).open_still()
    context.close()


@pytest.fixture
def still(opened) -> Iterator[Screen]:
    yield opened
    opened.page.keyboard.press("Escape")
    opened.page.set_viewport_size({"width": 1440, "height": 900})
    assert opened.errors == []


def test_the_javascript_is_small_and_all_of_it_is_ours():
    pages = SCRIPTS.parents[1] / "templates"
    page = (pages / "_html.html").read_text() + (pages / "board" / "board.html").read_text()
    page = re.sub(r"{% if seated %}.*?{% endif %}", "", page, flags=re.DOTALL)  # for learners of a room, and none else
    tags = re.findall(r"<script[^>]*src=[^>]*>", page)
    assert all("static 'board/" in tag for tag in tags)
    loaded = with_imports({name for tag in tags for name in re.findall(r"'board/([^']+)'", tag)})
    packed = sum(len(gzip.compress((SCRIPTS / name).read_bytes(), 9)) for name in loaded)
    assert len(loaded) > 5
    assert packed <= MOST_JAVASCRIPT


def test_what_is_loaded_when_it_is_opened_is_small_too():
    drawn = "".join(path.read_text() for path in (SCRIPTS.parents[1] / "templates" / "board").rglob("*.html"))
    later = re.findall(r'data-module="(\w+)"', drawn) + re.findall(r'part\("(\w+)"\)', source("main.js"))
    opened = with_imports({f"{name}.js" for name in later}) - with_imports({"main.js"})
    assert opened == {"terminal.js", "vt.js", "console.js", "editor.js", "past.js", "thread.js", "words.js"}
    assert sum(len(gzip.compress((SCRIPTS / name).read_bytes(), 9)) for name in opened) <= MOST_OPENED


def source(name: str) -> str:
    return (SCRIPTS / name).read_text()


def with_imports(names: set[str]) -> set[str]:
    """The scripts, and all that they load: other pages have scripts of their own."""
    more = {name for of in names for name in re.findall(r'import .*?"\./([^"]+)"', source(of))}
    return names if more <= names else with_imports(names | more)


def test_each_state_differs_by_shape_and_in_words(still):
    still.show(everything())
    tiles = [still.page.locator(f'.pod[data-id="pods/default/{state}"]') for state in STATES]
    shapes = [tile.locator(".shape use").get_attribute("href") for tile in tiles]
    labels = [tile.get_attribute("aria-label") for tile in tiles]
    notes = [tile.locator(".note").inner_text() for tile in tiles]
    assert len(set(shapes)) == len(set(notes)) == len(STATES)
    assert all(word in label for word, label in zip(STATES.values(), labels, strict=True))
    assert still.page.evaluate(OUTLINES, [f"#s-{state}" for state in STATES]) == len(STATES)


# How many different pictures the symbols are, whatever the colour.
OUTLINES = "ids => new Set(ids.map(id => document.querySelector(id).innerHTML)).size"


def test_versions_differ_by_chip_and_by_hatching(still):
    still.show([node("node-a"), *(pod(f"p{v}", version=v) for v in (1, 2, 3))])
    looks = [
        still.page.locator(f'[data-id="pods/default/p{v}"]').evaluate("it => getComputedStyle(it).backgroundImage")
        for v in (1, 2, 3)
    ]
    assert len(set(looks)) == 3
    expect(still.page.locator('[data-id="pods/default/p3"] .version')).to_have_text("v3")


def test_each_trouble_of_a_node_is_a_word(still):
    still.show(everything())
    expect(still.column("node-b").locator(".flags")).to_contain_text("cordoned")
    expect(still.column("node-c").locator(".flags")).to_contain_text("powered off")
    expect(still.column("node-c").locator(".flags")).to_contain_text("no word")
    expect(still.column("node-d").locator(".flags")).to_contain_text("partitioned")
    expect(still.page.locator("#banner")).to_contain_text("Some nodes are simulated")


def test_a_waiting_pod_shows_what_each_node_said(still):
    still.show(everything())
    expect(still.page.locator("#tray")).to_contain_text("node-a ✗ too little cpu")
    expect(still.page.locator("#tray .fits")).to_have_text("node-b ✓ 72")


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_all_text_has_the_contrast_that_wcag_asks_for(still, theme):
    still.page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
    still.show(everything())
    still.column("node-a").locator(".head").click()
    expect(still.drawer.locator("h1")).to_have_text("node-a")
    still.page.evaluate("document.querySelectorAll('.loop').forEach(it => it.classList.add('acting'))")
    still.page.wait_for_timeout(700)  # what fades in has faded in
    assert still.page.evaluate(FAINT) == []


def test_faint_text_would_be_found(still):
    still.show([node("node-a")])
    still.page.evaluate("document.querySelector('.node .title b').style.color = 'var(--line)'")
    assert [said for said in still.page.evaluate(FAINT) if said.endswith("B: node-a")]


def test_the_grid_is_one_tab_stop_and_arrows_move_in_it(still):
    still.show([node("node-a"), node("node-b"), pod("a1"), pod("a2"), pod("b1", node="node-b")])
    page = still.page
    assert page.locator('#plane [tabindex="0"]').count() == 1
    page.locator('#plane [tabindex="0"]').focus()
    walked = []
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "ArrowUp", "End", "Home", "ArrowLeft"):
        page.keyboard.press(key)
        walked.append(page.evaluate("document.activeElement.closest('[data-id]').dataset.id.split('/').pop()"))
    assert walked == ["a1", "a2", "b1", "node-b", "b1", "node-b", "node-a"]
    assert page.locator('#plane [tabindex="0"]').count() == 1
    page.keyboard.press("Tab")
    assert not page.evaluate("document.activeElement.closest('#plane')")


def test_focus_stays_on_a_tile_that_changes_and_moves(still):
    still.show([node("node-a"), node("node-b"), pod("p", "pending")])
    still.page.locator('[data-id="pods/default/p"]').focus()
    still.show([node("node-a"), node("node-b"), pod("p", node="node-b")])
    assert still.page.evaluate("document.activeElement.dataset.id") == "pods/default/p"
    assert still.page.evaluate("document.activeElement.closest('.node').dataset.name") == "node-b"


def test_another_board_is_drawn_on_the_tiles_that_are_there_but_for_the_one_in_hand(still):
    """What one is about to do to a pod must not be done to another one."""
    still.show([node("node-a"), node("node-b"), *(pod(f"was{n}") for n in range(4)), event("was")])
    still.tile("was1").focus()
    still.page.evaluate("window.were = [...document.querySelectorAll('.nodes .pod, .event')]")
    still.show(
        [
            node("node-a"),
            node("node-b"),
            *(pod(f"is{n}", "failed") for n in range(2)),
            pod("b", node="node-b"),
            event("is"),
        ]
    )
    kept = still.page.evaluate("were.map(one => one.isConnected && one.dataset.id)")
    assert kept == ["pods/default/is0", False, "pods/default/is1", False, "events/default/is"]
    expect(still.column("node-a").locator(".head")).to_be_focused()
    expect(still.column("node-b").locator(".pod")).to_have_accessible_name(re.compile("^b,"))
    expect(still.tile("is1")).to_contain_text("is1")
    assert still.tile("is1").locator("use").first.get_attribute("href") == "#s-failed"


def test_the_tape_has_the_newest_first(still):
    still.show([{**event(name), "at": 1e9 + at} for name, at in (("b", 2), ("c", 3), ("a", 1))])
    still.show([{**event(name), "at": 1e9 + at} for name, at in (("d", 4), ("b", 9), ("e", 5))])
    assert still.page.locator(".event").evaluate_all("all => all.map(one => one.dataset.id.slice(-1))") == [
        "b",
        "e",
        "d",
    ]


def test_who_closes_the_drawer_is_back_where_they_opened_it(page, process_lab):
    """And not where the same thing is named elsewhere: the tape of events, the pill of the wheels."""
    screen = Screen(page, process_lab).open()
    loop = page.locator('[data-id="loops/replicaset-controller"] button')
    for opener, title in ((page.locator(".card .open").first, "hello"), (loop, "replicaset")):
        opener.focus()
        page.keyboard.press("Enter")
        expect(screen.drawer.locator("h1")).to_contain_text(title)
        page.keyboard.press("Escape")
        expect(screen.drawer.locator("h1")).to_have_text("Reach in")
        expect(opener).to_be_focused()


def test_everything_can_be_done_from_the_keyboard(page, process_lab):
    screen = Screen(page, process_lab).open()
    page.keyboard.press("Control+k")
    page.keyboard.type("open node-b")
    page.keyboard.press("Enter")
    expect(screen.drawer.locator("h1")).to_have_text("node-b")
    page.keyboard.press("Escape")
    expect(screen.drawer.locator("h1")).to_have_text("Reach in")
    page.keyboard.press("Control+k")
    page.keyboard.type("images")
    with page.expect_popup() as images:
        page.keyboard.press("Enter")
    expect(images.value.locator("h1")).to_have_text("Images")
    images.value.close()
    page.keyboard.press("t")
    expect(page.locator("#table tbody tr")).not_to_have_count(0)
    page.keyboard.press("t")
    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("p")
    expect(page.locator("#live")).to_contain_text("Paused")
    page.keyboard.press("p")
    screen.live()
    assert screen.errors == []


def test_a_listener_is_told_how_many_are_ready(still):
    still.show([deployment("web")])
    upserts = [deployment("web", ready=5)]
    delta = {"epoch": "made up", "prev": 1, "seq": 2, "upserts": upserts, "removes": [], "phases": {}}
    still.page.evaluate("delta => import('/static/board/state.js').then(it => it.delta(delta))", delta)
    expect(still.page.locator("#announce")).to_have_text("web: 5 of 5 ready")
    assert still.page.locator("#announce").get_attribute("aria-live") == "polite"


def test_empty_places_offer_the_next_step(still):
    still.show([])
    page = still.page
    expect(page.locator("#no-nodes").get_by_role("button", name="Add a node")).to_be_visible()
    expect(page.locator("#no-deployments").get_by_role("button", name="Create a deployment")).to_be_visible()


def test_without_motion_nothing_moves(page, process_lab):
    page.emulate_media(reduced_motion="reduce")
    screen = Screen(page, process_lab).open_still()
    screen.show(everything())
    rows = [row | {"acts": 4} if row["id"] == "loops/scheduler" else row for row in everything()]
    screen.show(rows)
    page.wait_for_timeout(100)
    moving = page.evaluate("document.getAnimations().filter(it => it.playState === 'running').length")
    assert moving == 0
    # Nor is anything begun: of a transition however short, on every element, each change of a style makes thousands.
    assert page.evaluate(BEGUN) == 0


BEGUN = """() => {
  document.documentElement.dataset.theme = "light";
  document.getAnimations();
  document.documentElement.dataset.theme = "dark";
  return document.getAnimations().filter(it => it instanceof CSSTransition).length;
}"""


@pytest.mark.parametrize("projector", ["false", "true"])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_nothing_runs_off_the_page(still, size, projector):
    still.page.set_viewport_size({"width": size[0], "height": size[1]})
    still.page.evaluate("on => { document.documentElement.dataset.projector = on }", projector)
    waiting = [{**row, "id": f"{row['id']}-{n}"} for row in everything() if row.get("verdicts") for n in range(3)]
    still.show([*everything(), *waiting, node("control-plane-a", member=True)])
    cut = still.page.evaluate(CUT)
    still.page.evaluate("document.documentElement.dataset.projector = 'false'")
    assert cut == []


# What stands further right than the box that it belongs to.
CUT = """() => [['.top > *, .head > *', 'html'], ['.tray *, .plane > *, #zones, #heads', '.sky'], ['.card *', '.card']]
    .flatMap(([inner, box]) => [...document.querySelectorAll(inner)].map(it => [it, it.closest(box)]))
    .filter(([it, box]) => it.checkVisibility() && !it.closest('svg, .unseen'))
    .filter(([it, box]) => it.getBoundingClientRect().right > box.getBoundingClientRect().right + 1)
    .map(([it]) => it.id || it.className || it.tagName)"""
