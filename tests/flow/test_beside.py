"""An instructor beside a learner, in real browsers: looks along, points, takes over and gives back; and before all of
them: pauses, and ends."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from ..labs import LabUnderTest
from .room import PASSWORD, ROOM, SLOW, Browser, joined, made, root_of, teacher_of

LESSON = "10-desired-state"
DEPLOYMENT = "apis/apps/v1/namespaces/default/deployments/web"
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Iterator[LabUnderTest]:
    lab = LabUnderTest(tmp_path_factory.mktemp("beside") / "data", "process", *ROOM)
    try:
        yield lab.start()
    finally:
        lab.clean_up()


@pytest.fixture(scope="module")
def teacher(lab) -> Browser:
    return teacher_of(lab)


def bar(page: Page):
    return page.locator("#class-bar")


def press(page: Page, words: str) -> None:
    page.get_by_role("button", name=words, exact=True).click()


def signed_in(page: Page, root: str) -> Page:
    page.goto(f"{root}staff/sign-in?next=/staff/workshops/")
    page.get_by_label("Username").fill("instructor")
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Sign in")
    return page


def authors(page: Page, cluster: str) -> list[str]:
    read = f"async () => await (await fetch('/clusters/{cluster}/{DEPLOYMENT}/history')).text()"
    return [one["author"] for one in json.loads(page.evaluate(read))["revisions"]]


def test_an_instructor_looks_along_points_and_acts_as_far_as_a_learner_lets_them(lab, teacher, opened):
    code, root = made(teacher, LESSON), root_of(lab)
    cluster = f"{code.lower()}-1"
    ada, grace = joined(opened(), root, code, "Ada"), signed_in(opened(), root)
    ada.locator(f'[form="begin-{LESSON}"]').click()
    expect(ada.locator(".pod").first).to_be_visible(timeout=SLOW)
    grace.goto(f"{root}clusters/{cluster}/")  # not before she has said yes
    expect(grace).to_have_url(re.compile("/wall"), timeout=SLOW)
    expect(grace.locator("#one-name")).to_have_text("Ada", timeout=SLOW)
    press(grace, "Look along")
    press(ada, "Let them")
    expect(grace.locator("#one-board")).to_be_visible(timeout=SLOW)
    grace.goto(f"{root}clusters/{cluster}/")
    expect(bar(grace)).to_contain_text("You look along with Ada", timeout=SLOW)
    expect(bar(ada)).to_contain_text("instructor looks along")

    pod = grace.locator(".nodes .pod").first
    pod.click(modifiers=["Alt"])
    expect(ada.locator(".pod.pointed")).to_have_attribute("data-id", pod.get_attribute("data-id"), timeout=SLOW)
    expect(grace.locator("body")).to_have_attribute("data-drawer", "closed")
    card = grace.locator('.card[data-id="deployments.apps/default/web"]')
    press(grace, "Point")  # as on a tablet
    card.click(position={"x": 8, "y": 8})
    expect(ada.locator(".card.pointed")).to_have_attribute("data-id", "deployments.apps/default/web", timeout=SLOW)
    expect(grace.locator("body")).to_have_attribute("data-drawer", "closed")
    expect(grace.get_by_role("button", name="Point", exact=True)).to_have_attribute("aria-pressed", "false")
    card.locator("[data-step]").last.click()
    expect(grace.locator(".toast")).to_contain_text("take over first", timeout=SLOW)

    press(grace, "Offer to take over")
    press(ada, "Let them")
    expect(bar(grace)).to_contain_text("You act in the cluster of Ada", timeout=SLOW)
    ada.locator('.card[data-id="deployments.apps/default/web"] [data-step]').last.click()
    expect(ada.locator(".toast")).to_contain_text("take it back at the top of the page", timeout=SLOW)
    ada.locator("#l-reset").click()
    expect(ada.locator("#l-wrong")).to_contain_text("take it back at the top of the page", timeout=SLOW)
    card.locator("[data-step]").last.click()
    expect(grace.locator(".nodes .pod[data-state=ready]")).to_have_count(2, timeout=SLOW)
    assert "instructor" in authors(grace, cluster)
    press(ada, "Take it back")
    expect(bar(grace)).to_contain_text("You look along with Ada", timeout=SLOW)

    press(grace, "Their last minute")
    line = grace.locator("#past input")
    expect(grace.locator("#past .begins")).not_to_be_empty(timeout=SLOW)
    assert 1 <= int(line.get_attribute("min")) < int(line.get_attribute("max"))
    grace.keyboard.press("Home")
    expect(grace.locator("body")).to_have_attribute("data-past", line.get_attribute("min"), timeout=SLOW)
    grace.keyboard.press("Escape")

    press(ada, "End it")
    expect(grace).to_have_url(re.compile("/wall"), timeout=SLOW)


def test_the_top_of_a_board_is_whole_on_every_screen_and_the_bar_of_the_class_covers_none_of_it(lab, teacher, opened):
    code, root = made(teacher, LESSON), root_of(lab)
    ada, grace = joined(opened(), root, code, "Ada"), signed_in(opened(), root)
    grace.goto(f"{root}staff/workshops/{code}/wall#{code.lower()}-1")
    press(grace, "Look along")
    press(ada, "Let them")
    expect(grace.locator("#one-board")).to_be_visible(timeout=SLOW)
    for page in (grace, ada):
        page.goto(f"{root}clusters/{code.lower()}-1/")
        expect(bar(page)).to_be_visible(timeout=SLOW)
    for width in (1440, 1280, 1024, 820, 768, 390):  # with a choice of clusters, which a learner has not
        grace.set_viewport_size({"width": width, "height": 844})
        cut = grace.locator(".top > *, #class-bar *").evaluate_all(
            "all => all.filter(it => it.getBoundingClientRect().right > innerWidth).map(it => it.outerHTML)"
        )
        assert cut == [], width
        for choice in ("#cluster", "#namespace"):  # a select says of itself alone how wide its words are
            wide = "it => [it.clientWidth, (it.style.flex = 'none', it.clientWidth), (it.style.flex = '')]"
            has, wants, _ = grace.locator(choice).evaluate(wide)
            assert has >= wants or width < 1024, (choice, width)
    ada.set_viewport_size({"width": 390, "height": 500})
    ada.evaluate("scrollTo(0, 300)")
    below = (
        "document.querySelector('.top').getBoundingClientRect().top - document.querySelector('#class-bar').offsetHeight"
    )
    assert ada.evaluate(below) >= 0


def test_a_class_pauses_has_more_time_and_ends_asleep(lab, teacher, opened):
    code, root = made(teacher, LESSON), root_of(lab)
    ada, wall = joined(opened(), root, code, "Ada"), signed_in(opened(), root)
    ada.locator(f'[form="begin-{LESSON}"]').click()
    expect(ada.locator(".pod[data-state=ready]")).to_have_count(1, timeout=SLOW)
    wall.goto(f"{root}staff/workshops/{code}/wall")
    expect(wall.locator(".tile")).to_be_visible(timeout=SLOW)
    wall.keyboard.press("t")
    press(wall, "All pause")
    expect(bar(ada)).to_contain_text("Your class pauses", timeout=SLOW)
    ada.locator('.card[data-id="deployments.apps/default/web"] [data-step]').last.click()
    expect(ada.locator(".toast")).to_contain_text("your class pauses", timeout=SLOW)
    expect(ada.locator("#l-reset")).to_be_hidden()
    expect(ada.locator("#l-foot [data-hand]")).to_be_visible()
    press(wall, "All go on")
    expect(bar(ada)).to_be_hidden(timeout=SLOW)
    expect(ada.locator("#l-reset")).to_be_visible()
    press(wall, "5 minutes more")
    expect(bar(ada)).to_contain_text("5 minutes are left", timeout=SLOW)
    press(wall, "End the class…")
    press(wall, "Yes, end it: their clusters sleep")
    expect(wall.locator("#time-said")).to_have_text("The class is over. 1 of 1 clusters are asleep.", timeout=SLOW)
    expect(bar(ada)).to_contain_text("The class is over.", timeout=SLOW)
    expect(ada.locator(".node.off").first).to_be_visible(timeout=SLOW)  # the board stays
    expect(ada.locator("#banner")).to_be_hidden()
    ada.goto(f"{root}room/")
    expect(ada.get_by_role("heading", name="An evening is over")).to_be_visible()
    press(wall, "Let it go on after all")
    expect(ada.locator(f'[form="begin-{LESSON}"]')).to_be_visible(timeout=SLOW)
