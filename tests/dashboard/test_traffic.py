"""Services, visitors and releases on a board in a real browser: what flows is seen, and what one does happens."""

import json
import re

from playwright.sync_api import expect

from tests.labs import wait_until

from .made_up import everything, node, pod, service, visitors
from .screen import SECONDS, Screen
from .test_page import HELLO

RELEASES = "/apis/orrery.io/v1/namespaces/default/releases"
EVERYONE = "/apis/orrery.io/v1/namespaces/default/visitors/everyone"
MOST_DOTS = 60


def flows(screen: Screen, rate: float, error_rate: float = 0) -> None:
    """Tell the page, as its websocket would, what goes to the pod "busy" and its service."""
    said = {"pods": {"uid-busy": [rate, error_rate, 1, 1000, 10, 4.2]}, "services": {"default/web": [rate, 0.5, 4.2]}}
    screen.page.evaluate(f"import('/static/board/traffic.js').then(it => it.figures({json.dumps(said)}))")


def busy() -> list[dict]:
    return [node("node-a"), pod("busy", uid="uid-busy"), service(pods=["busy"])]


def test_requests_are_drawn_as_at_most_sixty_dots_and_failed_ones_by_another_shape(screen):
    screen.open_still().show(busy())
    flows(screen, 5000, 0.5)
    seen: set[tuple[str, str]] = set()
    for _ in range(100):
        dots = screen.page.evaluate(SHAPES)
        assert len(dots) <= MOST_DOTS
        seen |= set(map(tuple, dots))
        if len(seen) == 2:
            break
        screen.page.wait_for_timeout(100)
    assert seen == {("", "50%"), ("failed", "0px")}
    assert screen.page.locator(".service .failed").inner_text() == "50 %"


SHAPES = "[...document.querySelectorAll('#dots i')].map(it => [it.className, getComputedStyle(it).borderRadius])"


def test_of_several_visitors_each_can_be_turned_to(screen):
    others = [visitors(id=f"visitors.orrery.io/default/{name}", name=name, title=f"{name} → web") for name in "ab"]
    screen.open_still().show([node("node-a"), service(), *others])
    crowd = screen.page.locator("#crowd")
    expect(crowd).to_contain_text("a → web")
    turn = crowd.get_by_title("The next visitors")
    expect(turn).to_have_text("1 of 2 ›")
    turn.click()
    expect(crowd).to_contain_text("b → web")
    turn.click()
    expect(crowd).to_contain_text("a → web")
    screen.show([node("node-a"), service(), others[1]])
    expect(turn).to_be_hidden()


def test_without_motion_the_same_is_thickness_and_figures(screen):
    screen.page.emulate_media(reduced_motion="reduce")
    screen.open_still().show(busy())
    expect(screen.page.locator("#wires path")).to_have_count(2)
    thin = screen.page.locator("#wires path").last.evaluate("it => parseFloat(getComputedStyle(it).strokeWidth)")
    flows(screen, 900)
    expect(screen.column("node-a").locator(".flow")).to_have_text("900/s")
    screen.page.wait_for_timeout(1200)
    assert screen.page.locator("#dots i").count() == 0
    thick = screen.page.locator("#wires path").last.evaluate("it => parseFloat(getComputedStyle(it).strokeWidth)")
    assert thick > thin + 1


def test_a_pod_that_is_not_ready_loses_its_wire(screen):
    screen.open_still().show(busy())
    expect(screen.page.locator("#wires path")).to_have_count(2)
    screen.show([node("node-a"), pod("busy", "unready"), service(pods=[], nodes={}, state="unready")])
    expect(screen.page.locator("#wires .cut")).to_have_count(2)
    expect(screen.page.locator("#wires path")).to_have_count(0)
    expect(screen.page.locator(".service")).to_have_attribute("data-state", "unready")


def test_the_table_says_what_the_dots_show(screen):
    screen.open_still().show(busy())
    flows(screen, 12.34, 0.02)
    screen.page.keyboard.press("t")
    expect(screen.page.locator("#table tbody tr")).to_contain_text("12/s")
    expect(screen.page.locator("#table tbody tr")).to_contain_text("2 %")


def test_a_card_shows_its_release_and_its_autoscaler(screen):
    screen.open_still().show(everything())
    release = screen.card("old").locator(".release")
    expect(release).to_contain_text("Canary · Progressing")
    expect(release.locator("th.is")).to_have_text("new v2")
    expect(release.locator(".judged tr.bad")).to_have_text("failed 0.2 % 3 % +2 %", use_inner_text=True)
    expect(screen.card("scaled").locator(".scaler")).to_have_text("2–10 · cpu 43 %/80 % · now 4")
    expect(screen.page.locator("#pools")).to_contain_text("small 1 of 5, +1 booting")
    expect(screen.column("small-1").locator(".flags")).to_contain_text("boots,")


def test_empty_places_offer_a_service_and_visitors(screen):
    screen.open_still().show([node("node-a"), *[row for row in everything() if row["kind"] == "workload"]])
    expect(screen.page.locator("#no-services").get_by_role("button", name="Expose…")).to_be_visible()
    screen.show([node("node-a"), service()])
    expect(screen.page.locator("#crowd").get_by_role("button", name="Turn the visitors up")).to_be_visible()


def test_visitors_are_turned_up_and_their_requests_are_counted(screen):
    screen.open()
    try:
        screen.page.get_by_role("button", name="Turn the visitors up").click()
        wait_until("visitors", lambda: screen.lab.get(EVERYONE)["spec"]["rate"] == 20)
        expect(screen.page.locator("#crowd output")).to_have_text("20/s", timeout=SECONDS)
        screen.page.keyboard.press("v")
        screen.page.keyboard.press("ArrowRight")
        wait_until("more of them", lambda: screen.lab.get(EVERYONE)["spec"]["rate"] == 50)
        expect(screen.page.locator(".charts b").first).to_contain_text("/s", timeout=SECONDS)
        expect(screen.page.locator(".service small")).to_contain_text("/s", timeout=SECONDS)
        line = screen.page.locator(".charts polyline").first
        expect(line).to_have_attribute("points", re.compile("[0-9]"), timeout=SECONDS)
        screen.page.get_by_role("button", name="Pause the visitors").click()
        wait_until("no visitors", lambda: screen.lab.get(EVERYONE)["spec"]["rate"] == 0)
    finally:
        screen.lab.api("PATCH", EVERYONE, {"spec": {"rate": 0}}, content_type="application/merge-patch+json")


def test_a_service_is_a_link_to_the_front_door(screen):
    door = screen.open().page.locator(".service .door")
    port = screen.lab.run()["front_door"].rstrip("/").rpartition(":")[2]
    expect(door).to_have_attribute("href", f"http://hello.default.default.localhost:{port}/")
    expect(door).to_have_attribute("target", "_blank")


def test_a_release_is_started_weighed_and_aborted_on_the_card(screen):
    card = screen.open().card("hello")
    card.locator(".open").click()
    card.get_by_role("button", name="Release…").click()
    screen.drawer.get_by_label("New image").fill("orrery/hello:v2")
    screen.drawer.get_by_label("Steps").select_option("by hand")
    expect(screen.drawer.locator("pre.yaml")).to_contain_text("setWeight: 10")
    screen.drawer.get_by_role("button", name="Start the release").click()
    expect(card.locator(".release")).to_contain_text("Canary", timeout=SECONDS)
    slider = card.get_by_label("Percent of the visitors")
    expect(slider).to_have_value("10", timeout=SECONDS)

    def weighed() -> bool:
        """A press more, until one has arrived: the first steps of a release may repaint the card under the key."""
        slider.focus()
        screen.page.keyboard.press("PageUp")
        return screen.lab.get(RELEASES)["items"][-1]["spec"].get("weight", 0) > 10

    wait_until("the weight", weighed, step=1.0)
    card.get_by_role("button", name="Abort").click()
    expect(card.locator(".release")).to_contain_text("Aborted", timeout=SECONDS)
    card.get_by_role("button", name="Put away").click()
    expect(card.locator(".release")).to_be_hidden(timeout=SECONDS)
    image = screen.lab.get(HELLO)["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image == "orrery/hello:v1"
    screen.lab.wait_for_ready_pods(3)
