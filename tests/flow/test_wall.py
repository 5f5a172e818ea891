"""Two learners and the wall that shows them, in real browsers: what one does appears on the other's page."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from ..labs import LabUnderTest
from .room import PASSWORD, ROOM, SLOW, joined, made, root_of, teacher_of

FAINT = (Path(__file__).parents[1] / "dashboard" / "faint.js").read_text()
LESSON = "10-desired-state"
SAID = "Five minutes more. " + " ".join(["Then we talk about what broke, and why."] * 6)
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Iterator[LabUnderTest]:
    lab = LabUnderTest(tmp_path_factory.mktemp("wall") / "data", "process", *ROOM)
    try:
        yield lab.start()
    finally:
        lab.clean_up()


def nothing_is_cut(wall: Page) -> None:
    """At any width: nothing stands beside the window, and the top and what all are told have all their words."""
    before = wall.viewport_size
    for width in (1440, 1280, 390):
        wall.set_viewport_size({"width": width, "height": 844})
        cut = wall.locator(".top :is(a, b, p, button, select), #said-now q, html").evaluate_all(
            "all => all.filter(it => it.scrollWidth > it.clientWidth + 1 && it.clientWidth).map(it => it.outerHTML)"
        )
        assert cut == [], width
    wall.set_viewport_size(before)


def an_answer_stands_under_whom_it_is_about(wall: Page) -> None:
    """Names are hidden. Somebody else is looked at before it is there: then it stands nowhere, and takes nothing."""
    held: list[Route] = []
    wall.route("**/wall/do/hint", lambda route: held.append(route))
    text, answer = wall.get_by_label("A hint, in your words"), wall.locator("#answer")
    for number in range(2):
        wall.locator(".tile").nth(number).click()
        text.fill(f"For number {number}.")
        if number == 0:
            wall.get_by_role("button", name="Send the hint").click()
    with wall.expect_response("**/wall/do/hint"):
        held[0].continue_()
    wall.wait_for_timeout(200)
    expect(answer).to_be_empty()
    expect(text).to_have_value("For number 1.")
    wall.unroute("**/wall/do/hint")
    wall.get_by_role("button", name="Send the hint").click()
    expect(answer).to_contain_text("No. ", timeout=SLOW)
    expect(text).to_have_value("")
    wall.keyboard.press("Escape")


def test_what_learners_do_stands_on_the_wall_and_what_is_said_there_reaches_them(lab, opened):
    code, root = made(teacher_of(lab), LESSON), root_of(lab)
    wall = opened()
    wall.goto(f"{root}staff/sign-in?next=/staff/workshops/{code}/wall")
    wall.get_by_label("Username").fill("instructor")
    wall.get_by_label("Password").fill(PASSWORD)
    wall.get_by_role("button", name="Sign in").click()
    expect(wall.get_by_text("Nobody has joined yet")).to_be_visible(timeout=SLOW)
    expect(wall.locator("#nobody").get_by_label("Code")).to_have_text(code)

    ada, bob = (joined(opened(), root, code, name) for name in ("Ada", "Bob"))
    tile = {name: wall.locator(".tile", has=wall.locator("b", has_text=name)) for name in ("Ada", "Bob")}
    expect(tile["Ada"]).to_contain_text("has begun no lesson", timeout=SLOW)
    ada.locator(f'[form="begin-{LESSON}"]').click()
    expect(tile["Ada"].locator(".step")).to_contain_text("1/5", timeout=SLOW)
    expect(tile["Ada"].locator(".says")).not_to_have_text(re.compile("^$|being set"), timeout=SLOW)
    expect(tile["Ada"].locator('.mini [data-state="ready"]')).to_have_count(1, timeout=SLOW)
    expect(wall.locator("#steps li").first).to_contain_text("1 here")

    bob.locator("[data-hand]").click()  # on /room/
    expect(tile["Bob"]).to_have_attribute("data-look", "asks", timeout=SLOW)
    expect(wall.locator(".tile").first).to_contain_text("Bob")  # who asks comes first
    bob.locator("[data-hand]").click()
    expect(tile["Bob"]).not_to_have_attribute("data-look", "asks", timeout=SLOW)
    ada.locator("#l-foot [data-hand]").click()  # beside her lesson
    expect(tile["Ada"]).to_have_attribute("data-look", "asks", timeout=SLOW)

    tile["Ada"].focus()  # by keyboard: a hint for one
    wall.keyboard.press("Enter")
    expect(wall.locator("#one")).to_be_focused()
    wall.get_by_label("A hint, in your words").fill("Look at the card of web.")
    wall.get_by_role("button", name="Send the hint").click()
    expect(ada.locator(".told li")).to_have_text("Look at the card of web.", timeout=SLOW)
    wall.get_by_role("button", name="Hand down").click()
    expect(ada.locator("#l-foot [data-hand]")).to_have_attribute("aria-pressed", "false", timeout=SLOW)
    wall.get_by_role("button", name="Reset their step").click()
    wall.get_by_role("button", name="Yes, set the stage anew").click()
    expect(ada.locator(".told li")).to_have_count(2, timeout=SLOW)
    expect(ada.locator("#l-stage")).to_have_attribute("data-turn", "2", timeout=SLOW)
    wall.keyboard.press("Escape")
    expect(tile["Ada"]).to_be_focused()

    wall.keyboard.press("m")  # to all, and taken away again
    wall.keyboard.type(SAID)
    wall.keyboard.press("Enter")
    for page in (ada, bob):
        expect(page.locator("#said")).to_contain_text(SAID, timeout=SLOW)
    nothing_is_cut(wall)
    ada.route("**/room/hand", lambda route: route.abort())  # what is lost is said beside what they are told
    ada.locator("#l-foot [data-hand]").click()
    expect(ada.locator("#bar-hand")).to_contain_text("did not hear your hand", timeout=SLOW)
    expect(ada.locator("#said")).to_contain_text(SAID)
    ada.unroute("**/room/hand")
    wall.get_by_role("button", name="Join:").click()  # once more how one joins, and the tiles again
    expect(wall.locator("#nobody").get_by_label("Code")).to_be_visible()
    wall.get_by_role("button", name="Join:").click()
    expect(wall.locator("#nobody")).to_be_hidden()
    wall.get_by_role("button", name="Take it away").click()
    for page in (ada, bob):
        expect(page.locator("#said")).to_be_empty(timeout=SLOW)

    wall.locator("#steps button").first.click()  # all wait at the first step, and then not
    wall.get_by_role("button", name="Nobody goes past it").click()
    expect(wall.locator("#steps button").first).to_contain_text("all wait here", timeout=SLOW)
    ada.locator("#l-skip").click()
    expect(ada.locator("#l-foot .waits")).to_contain_text("Your class waits here", timeout=SLOW)
    wall.get_by_role("button", name="Let them go on").click()
    expect(ada.locator("#l-next")).to_be_visible(timeout=SLOW)
    wall.locator("#steps button").nth(1).click()  # Bob, who has begun nothing, is brought there
    wall.get_by_role("button", name="Bring everybody here…").click()
    wall.get_by_role("button", name="Yes, all who are behind").click()
    expect(wall.locator("#led")).to_have_text("2 of 2 are brought to step 2.", timeout=SLOW)
    expect(tile["Bob"].locator(".step")).to_contain_text("2/5", timeout=SLOW)
    wall.get_by_role("button", name="Ask all its question").click()  # a poll, and once more after they have talked
    for round, said in ((1, ("1 of 2", "1 of 2")), (2, ("1 again", "1 again"))):
        ada.locator("#poll-fold").click(timeout=SLOW)  # it covers what one is at
        expect(ada.locator("#poll-answers")).to_be_hidden()
        ada.locator("#poll-fold").click()
        for number, page in enumerate((ada, bob)):
            page.locator("#poll-answers button").nth(number).click(timeout=SLOW)
            expect(page.locator("#poll-answers")).to_contain_text("Your answer is counted")
        expect(wall.locator("#poll-voted")).to_contain_text("2 of 2 have voted", timeout=SLOW)
        expect(wall.locator("#poll-bars")).to_be_hidden()
        wall.get_by_role("button", name="Show what they say").click()
        for number, words in enumerate(said):
            expect(wall.locator("#poll-bars li").nth(number)).to_contain_text(words)
        if round == 1:
            wall.route("**/wall/do/again", lambda route: route.abort())
            wall.get_by_role("button", name="Ask once more").click()
            expect(wall.locator("#poll-said")).to_contain_text("The lab did not answer")
            wall.unroute("**/wall/do/again")
            wall.get_by_role("button", name="Ask once more").click()
            expect(ada.locator("#poll-round")).to_contain_text("now that you have talked", timeout=SLOW)
    wall.get_by_role("button", name="End the poll").click()
    expect(wall.locator("#poll")).to_be_hidden(timeout=SLOW)
    wall.get_by_role("button", name="Follow me").click()  # Bob's page, which is in the room, goes to the lesson
    expect(bob).to_have_url(re.compile(f"/clusters/[^/]+/lessons/{LESSON}/$"), timeout=SLOW)
    bob.get_by_role("button", name="On my own").click()
    expect(tile["Bob"]).to_contain_text("on their own", timeout=SLOW)
    slides = wall.context.new_page()
    slides.goto(f"{root.rstrip('/')}{wall.locator('#in-slides').get_attribute('href')}")
    slides.get_by_role("button", name="Follow me").click()
    slides.keyboard.press("ArrowRight")
    expect(ada).to_have_url(re.compile(f"/lessons/{LESSON}/slides#2$"), timeout=SLOW)
    expect(ada.locator(".notes").first).to_be_empty()
    expect(bob.locator("#bar-led")).to_contain_text("you are on your own")
    slides.close()
    wall.get_by_role("button", name="Lead them here").click()
    expect(ada.locator("#l-foot [data-questions]")).to_be_visible(timeout=SLOW)
    wall.get_by_role("button", name="Let them go on by themselves").click()
    expect(ada.locator("#class-bar")).to_be_hidden(timeout=SLOW)
    wall.locator("#steps button").nth(1).click()

    bob.locator("[data-questions]").first.click()  # one asks, another wants to know it too
    bob.get_by_label("Ask your instructor").fill("Why three?")
    bob.get_by_role("button", name="Ask", exact=True).click()
    ada.locator("#l-foot [data-questions]").click()
    ada.get_by_role("button", name="I want to know it too").click()
    wall.keyboard.press("q")
    expect(wall.locator("#asked-list li")).to_contain_text("1 other wants to know it · Bob", timeout=SLOW)
    wall.get_by_label("Answer to: Why three?").fill("One may fail.")
    wall.get_by_role("button", name="Answered").click()
    for page in (ada, bob):
        expect(page.locator("#questions-list")).to_contain_text("One may fail.", timeout=SLOW)
        page.keyboard.press("Escape")
    wall.keyboard.press("Escape")

    wall.keyboard.press("n")  # for the projector
    expect(wall.locator("body")).not_to_contain_text("Ada")
    expect(wall.locator(".tile b").first).to_have_text(re.compile(r"^No\. \d$"))
    an_answer_stands_under_whom_it_is_about(wall)
    bob.close()
    expect(wall.locator('.tile[data-away="true"]')).to_have_count(1, timeout=SLOW)
    wall.emulate_media(reduced_motion="reduce")  # else what is half way from one theme to the other is looked at
    for theme in ("dark", "light"):
        wall.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        wall.evaluate("() => new Promise(done => setTimeout(done, 200))")
        assert wall.evaluate(FAINT) == []
