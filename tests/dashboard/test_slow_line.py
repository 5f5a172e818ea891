"""Why, advice, rewind and a wheel over a slow line, by keyboard alone; and each time the page against the store."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.labs import wait_until

from .screen import SECONDS, Screen
from .test_past import at, drawn_as_stored, then

# Of a bad wireless network: milliseconds there and back, bytes a second.
LINE = {"offline": False, "latency": 300, "downloadThroughput": 60_000, "uploadThroughput": 20_000}
MOST_TABS = 120
SERVICES = "/api/v1/namespaces/default/services"
WHEEL = "/apis/orrery.io/v1/wheels/replicaset"


@pytest.fixture
def slow(screen) -> Screen:
    screen.open()
    line = screen.page.context.new_cdp_session(screen.page)
    line.send("Network.enable")
    line.send("Network.emulateNetworkConditions", LINE)
    return screen


def tab_to(screen: Screen, selector: str) -> None:
    """Press Tab until it has the focus."""
    for _ in range(MOST_TABS):
        if screen.page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        screen.page.keyboard.press("Tab")
    raise AssertionError(f"no way to {selector} by Tab")


def test_a_pod_says_why_as_the_api_does(slow):
    page = slow.page
    tab_to(slow, "#plane *")
    for _ in range(10):
        page.keyboard.press("ArrowDown")
        if page.evaluate("document.activeElement.matches('.pod')"):
            break
    pod = page.evaluate("document.activeElement.dataset.id").rpartition("/")[2]
    page.keyboard.press("Enter")
    cards = slow.lab.api("GET", f"/api/v1/namespaces/default/pods/{pod}/why")["cards"]
    expect(slow.drawer.locator(".why h3 code")).to_have_text([card["reason"] for card in cards])
    # It was drawn a moment before, and says for how long it has been so.
    timeless = re.sub(r"\d+[smh]", r"\\d+[smh]", re.escape(cards[0]["answer"]))
    expect(slow.drawer.locator(".why > p").first).to_have_text(re.compile(timeless))


def test_what_a_card_advises_is_done_by_its_button(slow):
    service = {"metadata": {"name": "shop"}, "spec": {"ports": [{"port": 80}], "selector": {"app": "helo"}}}
    slow.lab.api("POST", SERVICES, service)
    slow.page.goto(f"{slow.lab.address}/clusters/default/?object=services/default/shop")
    expect(slow.drawer.locator(".why").first).to_contain_text("Nearly: pod hello")
    tab_to(slow, "#drawer .way [data-do]")
    expect(slow.page.locator(":focus")).to_have_text("Select app=hello")
    slow.page.keyboard.press("Enter")
    expect(slow.toast("Service shop is changed")).to_contain_text("kubectl patch service shop --type=json")
    assert slow.lab.get(f"{SERVICES}/shop")["spec"]["selector"] == {"app": "hello"}
    expect(slow.drawer.locator(".why h3 code").first).to_have_text("Serving")
    slow.lab.api("DELETE", f"{SERVICES}/shop")


def test_two_moments_are_shown_and_compared(slow):
    page = slow.page
    page.keyboard.press("h")
    expect(page.locator("#past input")).to_be_focused()
    page.keyboard.press("Home")
    at(slow, 1)
    drawn_as_stored(slow)
    tab_to(slow, '[data-past="mark"]')
    page.keyboard.press("Enter")
    page.keyboard.press("]")
    wait_until("the first mark to be shown", lambda: then(slow) > 1)
    tab_to(slow, '[data-past="compare"]')
    page.keyboard.press("Enter")
    expect(slow.drawer.locator("h1")).to_contain_text("1")
    differ = slow.lab.api("GET", f"/history/1/{then(slow)}")["objects"]
    assert differ
    for one in differ[:3]:
        expect(slow.drawer).to_contain_text(one["name"])
    page.keyboard.press("Escape")
    slow.live()
    drawn_live(slow)


def drawn_live(screen: Screen) -> None:
    names = {pod["metadata"]["name"] for pod in screen.lab.pods()}
    expect(screen.page.locator(".pod[role][data-id]:not(.ghost)")).to_have_count(len(names), timeout=SECONDS)
    shown = screen.page.locator(".pod[role][data-id]:not(.ghost)").evaluate_all("all => all.map(it => it.dataset.id)")
    assert {one.rpartition("/")[2] for one in shown} == names


def test_a_wheel_is_stopped_and_catches_up(slow):
    page = slow.page
    tab_to(slow, '[data-id="loops/replicaset-controller"] button')
    page.keyboard.press("Enter")
    expect(slow.drawer.get_by_role("button", name="Pause")).to_be_visible()
    tab_to(slow, "[data-do=turn][data-with*=Paused]")
    page.keyboard.press("Enter")
    expect(page.locator("#wheels")).to_have_text("replicaset paused")
    assert slow.lab.get(WHEEL)["spec"]["mode"] == "Paused"
    gone = slow.lab.ready_pods()[0]["metadata"]["name"]
    slow.lab.api("DELETE", f"/api/v1/namespaces/default/pods/{gone}")
    wait_until("the pod to go", lambda: gone not in json.dumps(slow.lab.pods()))
    drawn_live(slow)
    expect(slow.drawer.get_by_role("button", name="Resume")).to_be_visible()
    tab_to(slow, "[data-do=turn][data-with*=Running]")
    page.keyboard.press("Enter")
    expect(page.locator("#wheels")).to_be_hidden()
    slow.lab.wait_for_ready_pods(3)
    drawn_live(slow)


def test_a_page_that_lost_one_of_its_scripts_is_loaded_again_until_it_has_all(screen):
    lost = []

    def drop(route) -> None:
        if len(lost) < 4:
            lost.append(route.request.url)
            return route.abort("failed")
        route.continue_()

    screen.page.route("**/board/state.js", drop)
    screen.open()
    assert len(lost) == 4
