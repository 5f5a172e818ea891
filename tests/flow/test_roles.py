"""The beginning of a class, and who helps in it, in real browsers: learners wait and get in by themselves, an assistant
helps some groups, an observer looks."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from ..labs import LabUnderTest
from .room import PASSWORD, ROOM, SLOW, root_of, teacher_of

LESSON = "10-desired-state"
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def lab(tmp_path_factory) -> Iterator[LabUnderTest]:
    lab = LabUnderTest(tmp_path_factory.mktemp("roles") / "data", "process", *ROOM)
    try:
        yield lab.start()
    finally:
        lab.clean_up()


def signed_in(page: Page, root: str, name: str, password: str) -> Page:
    page.goto(f"{root}staff/sign-in")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    return page


def waits(page: Page, root: str, code: str, name: str) -> Page:
    page.goto(f"{root}join?code={code}")
    page.get_by_label("Your nickname").fill(name)
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("Your class has not begun")).to_be_visible(timeout=SLOW)
    return page


def added(people: Page, name: str, role: str, groups: str = "") -> str:
    """Their password, which is shown once."""
    people.get_by_label("Name to sign in with").fill(name)
    people.get_by_label("What they are here").select_option(role)
    for letter in groups:
        people.get_by_role("group", name="Groups of an assistant").get_by_label(letter, exact=True).check()
    people.get_by_role("button", name="Add them").click()
    expect(people.locator(".printed")).to_contain_text(name, timeout=SLOW)
    return people.locator(".printed code").inner_text()


def first_time(page: Page, root: str, name: str, password: str) -> Page:
    signed_in(page, root, name, password)
    for field in ("new_password1", "new_password2"):
        page.locator(f"[name={field}]").fill(PASSWORD, timeout=SLOW)
    page.get_by_role("button", name="Keep it").click()
    page.get_by_role("link", name="Wall").click(timeout=SLOW)
    expect(page.locator(".tile")).to_have_count(2, timeout=SLOW)
    return page


def test_a_class_waits_begins_and_is_helped_by_groups(lab, opened):
    teacher, root = teacher_of(lab), root_of(lab)
    fields = {"title": "An evening", "lessons": [LESSON], "seats": "9", "forget": "2100-01-01", "waits": "True"}
    code = re.search(r'class="code"[^>]*>([A-Z]{6})<', teacher.post("staff/workshops/", **fields))[1]
    grace = signed_in(opened(), root, "instructor", PASSWORD)
    grace.goto(f"{root}staff/workshops/{code}/people")
    grace.get_by_label("Divide them into").fill("3")
    grace.get_by_role("button", name="Divide").click()
    passwords = {"bert": added(grace, "bert", "assistant", "BC"), "otto": added(grace, "otto", "observer")}
    ada, bob = (waits(opened(), root, code, name) for name in ("Ada", "Bob"))
    expect(ada.locator("[data-there]")).to_have_text("2", timeout=SLOW)
    grace.goto(f"{root}staff/workshops/{code}/wall")
    expect(grace.locator(".tile").first).to_contain_text("waits for the class to begin", timeout=SLOW)
    grace.get_by_role("button", name="Begin the class").click()
    for page in (ada, bob):  # with no reload by hand
        expect(page.get_by_role("link", name="To your board")).to_be_visible(timeout=SLOW)
    expect(grace.locator("#begin")).to_be_hidden(timeout=SLOW)

    bert = first_time(opened(), root, "bert", passwords["bert"])
    expect(bert.locator(".tile").first).to_contain_text("Bob")  # of their group; Ada came first
    bert.get_by_label("Whose tiles").select_option("Your groups")
    expect(bert.locator(".tile b[data-of=name]")).to_have_text(["Bob"])
    expect(bert.locator("#steps li").first).to_contain_text("0 here")
    bert.get_by_label("Whose tiles").select_option("Group C")
    expect(bert.get_by_text("Nobody is in this group.")).to_be_visible()
    bert.reload()
    expect(bert.get_by_label("Whose tiles")).to_have_value("C", timeout=SLOW)
    bert.get_by_label("Whose tiles").select_option("All groups")
    expect(bert.get_by_role("button", name="Say to all")).to_be_hidden()
    bert.locator(".tile", has_text="Ada").click()
    expect(bert.locator("#one-name")).to_have_text("Ada")
    expect(bert.get_by_role("button", name="Look along")).to_be_hidden()
    bert.keyboard.press("Escape")
    bert.locator(".tile", has_text="Bob").click()
    bert.get_by_role("button", name="Look along").click()
    bob.get_by_role("button", name="Let them").click(timeout=SLOW)
    expect(grace.locator(".tile", has_text="Bob").locator(".helped")).to_contain_text("bert looks along", timeout=SLOW)

    otto = first_time(opened(), root, "otto", passwords["otto"])
    expect(otto.locator("body")).not_to_contain_text("Ada")
    otto.locator(".tile").first.click()
    for words in ("Look along", "Say to all", "Hide names"):
        expect(otto.get_by_role("button", name=words)).to_be_hidden()

    grace.locator(".tile", has_text="Bob").click()  # bert is not beside who is in another group
    grace.get_by_role("button", name="To group A").click()
    expect(bob.locator("#bar-help")).to_be_hidden(timeout=SLOW)
    grace.goto(f"{root}staff/workshops/{code}/people")
    grace.get_by_role("button", name="Take bert away").click()
    expect(bert).to_have_url(re.compile("/staff/sign-in"), timeout=SLOW)
