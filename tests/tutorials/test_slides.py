"""Slides are made of the same files as the steps."""

import pytest
from playwright.sync_api import Page, expect

from lab.tutorials import shelf
from lab.tutorials.lesson import Answer, Lesson, Question, Step
from lab.tutorials.slides import UNKNOWN, last_measured, slides
from tests.labs import LabUnderTest

VOTE = Question("predict", "What then?", (Answer("a", "This & that"), Answer("b", "Those", right=True, because="So.")))


def lesson(*steps: Step, **more) -> Lesson:
    return Lesson("14-trying", "Trying", "A track", 5, "Text", "", steps=steps, **more)


def test_the_first_is_the_lessons_own_or_its_steps():
    step = Step("one", "Step one", 1, "")
    assert "<li>Step one</li>" in slides(lesson(step))[0].body
    first = slides(lesson(step, slide="# Mine", speaker="*Ask*"))[0]
    assert first.body == "<h1>Mine</h1>\n" and "<em>Ask</em>" in first.notes


def test_the_room_votes_before_it_is_told():
    title, vote, told = slides(lesson(Step("one", "Step", 1, "", predict=VOTE, slide="# So", speaker="Vote")))
    assert (title.kind, vote.kind, told.kind) == ("title", "vote", "step")
    assert "<li>This &amp; that</li><li>Those</li>" in vote.body and "right" not in vote.body
    assert "Vote" in vote.notes and "<strong>B, right</strong>: So." in vote.notes
    assert "Vote" not in told.notes, "what was said at the vote is not said again"


def test_a_step_without_slide_and_vote_has_its_title():
    assert slides(lesson(Step("one", "Step one", 1, "", speaker="Say")))[1].body == "<h1>Step one</h1>\n"


def test_notes_have_what_was_measured_here_last_or_say_that_nothing_was():
    guessed = Question("predict", "How long?", number="machine containers.startMs", unit="ms")
    shown = lesson(Step("one", "Step", 1, "", afterwards="It took {took up} s.", predict=guessed, slide="# So"))
    vote, told = slides(shown)[1:]
    assert told.notes.count(UNKNOWN) == vote.notes.count(UNKNOWN) == 1 and "…" not in told.notes + vote.notes
    first = {"passed": {"time": 1.0}, "measured": {"took up": "7"}}
    last = {"passed": {"time": 2.0}, "measured": {"took up": "4", "machine containers.startMs": "90"}}
    measured = last_measured([{"status": {"steps": {"one": one}}} for one in (last, first)] + [{"spec": {}}])
    vote, told = slides(shown, measured)[1:]
    assert ">4</output> s" in told.notes and ">90</output>" in vote.notes


def test_what_people_ask_stands_at_the_end_with_the_answers_in_the_notes():
    last = slides(lesson(questions=(("Why?", "Because."),)))[-1]
    assert "Why?" in last.body and "Because." not in last.body and "Because." in last.notes


def test_what_to_keep_comes_after_the_steps_with_the_terms_as_notes():
    keep = slides(lesson(Step("one", "Step", 1, ""), keep="- It waits", terms=(("pod", "the smallest thing"),)))[-1]
    assert keep.kind == "keep" and keep.body.startswith("<h1>To keep</h1>") and "<li>It waits</li>" in keep.body
    assert "<strong>pod</strong>: the smallest thing" in keep.notes


@pytest.mark.parametrize("id", [one.id for one in shelf.every()])
def test_every_lesson_has_a_page_of_slides(client, db, id):
    page = client.get(f"/lessons/{id}/slides").content.decode()
    assert page.count('class="slide ') == len(slides(shelf.find(id).lesson))


def test_there_are_no_slides_of_what_is_no_lesson(client):
    assert client.get("/lessons/99-none/slides").status_code == 404
    assert client.get("/lessons/schema.json").json()["$defs"]["step"]["required"] == ["title", "minutes"]


def test_two_windows_turn_together_by_keys_and_one_shows_the_notes(page: Page, process_lab: LabUnderTest):
    address = f"{process_lab.address}/lessons/14-self-healing/slides"
    desk = page.context.new_page()
    for window in (page, desk):
        window.goto(address)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    for window in (page, desk):
        expect(window.locator(".slide.here")).to_have_attribute("id", "3")
        expect(window.locator("#where")).to_contain_text("3 of ")
    desk.keyboard.press("s")
    expect(desk.locator("#notes")).to_be_visible()
    expect(desk.locator("#notes")).not_to_be_empty()
    expect(page.locator("#desk")).to_be_hidden()
    desk.keyboard.press("Home")
    expect(page.locator(".slide.here")).to_have_attribute("id", "1")
    expect(page.get_by_role("button", name="Slide before")).to_be_disabled()
    before = page.evaluate("document.documentElement.dataset.theme")
    page.keyboard.press("l")
    assert page.evaluate("document.documentElement.dataset.theme") not in (before, None)
    page.bring_to_front()
    page.keyboard.press("f")
    page.wait_for_function("document.fullscreenElement")
    late = page.context.new_page()  # one that is opened during the talk comes to where it is
    desk.keyboard.press("End")
    late.goto(address)
    last = desk.locator(".slide").count()
    expect(late.locator(".slide.here")).to_have_attribute("id", str(last))
    late.emulate_media(media="print")
    for slide in late.locator(".slide").all():
        expect(slide.locator("article")).to_be_visible()
        expect(slide.locator(".notes")).to_have_css("display", "block")
    expect(late.locator(".bar")).to_be_hidden()


def test_what_has_too_many_words_for_the_projector_is_set_smaller(page: Page, process_lab: LabUnderTest):
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(f"{process_lab.address}/lessons/18-autoscaling/slides")
    sizes = []
    for _ in page.locator(".slide").all():
        high, room = page.evaluate("(({ scrollHeight, clientHeight }) => [scrollHeight, clientHeight])(slides)")
        assert high <= room
        sizes.append(
            page.locator(".slide.here article").evaluate("text => parseFloat(getComputedStyle(text).fontSize)")
        )
        page.keyboard.press("ArrowRight")
    assert min(sizes) < max(sizes) == sizes[0]
