"""Three whole lessons as a learner plays them, in a real browser against real processes: with wrong predictions, wrong
acts, a hint, a reset, once by keyboard alone, and once shown by the lab. What a lesson says is not looked at: others
write it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.dashboard.screen import Screen
from tests.labs import LabUnderTest

FAINT = (Path(__file__).parents[1] / "dashboard" / "faint.js").read_text()
LESSONS = "/apis/orrery.io/v1/lessons"
SLOW = 60_000  # of a machine that may be busy
CHECK = "#l-checks [data-check]"
# As the page does when the Lesson has changed.
ASK_FOR_THE_PREDICTION = (
    "htmx.ajax('GET', `${lesson.dataset.url}?of=predict`, { source: lesson, target: lesson, swap: 'none' })"
)
SHOP = """apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: shop, image: "orrery/hello:v1", env: [{name: GREETING, value: hello}]}]}
"""


pytestmark = pytest.mark.timeout(600)


class Player(Screen):
    """The board with a lesson beside it."""

    def start(self, lesson: str) -> None:
        self.lesson = lesson
        self.page.goto(f"{self.lab.address}/lessons/")
        self.page.locator(f'[form="begin-{lesson}"]').click()
        self.live()

    def phase(self, wanted: str) -> None:
        expect(self.page.locator("#l-stage")).to_have_attribute("data-phase", wanted, timeout=SLOW)

    def check(self, id: str, outcome: str, why: str = "") -> None:
        check = self.page.locator(f'[data-check="{id}"]')
        expect(check).to_have_attribute("data-outcome", outcome, timeout=SLOW)
        expect(check).to_contain_text(why, timeout=SLOW)

    def predict(self, answer: str) -> None:
        self.phase("Predict")
        self.page.locator(f"#l-predict-{answer}").check()
        self.press("commit")
        self.phase("Act")

    def press(self, what: str) -> None:
        """A button of the column itself: commit, hint, skip, reset, next."""
        self.page.locator(f"#l-{what}").click()

    def passed(self) -> None:
        self.phase("Passed")
        for check in self.page.locator(CHECK).all():
            expect(check).to_have_attribute("data-outcome", "passed")

    def next(self) -> None:
        self.passed()
        self.press("next")

    @property
    def verdict(self) -> Locator:
        return self.page.locator(".verdict")

    def delete_a_pod(self) -> None:
        self.page.locator(".pod[role]:visible").first.focus()
        self.page.keyboard.press("Delete")

    def turn(self, controller: str, how: str) -> None:
        self.page.locator(f'[data-id="loops/{controller}-controller"] button').click()
        self.drawer.get_by_role("button", name=how).click()
        self.page.keyboard.press("Escape")

    def type(self, command: str, then: str) -> str:
        """In the command line that is open; what it answered."""
        said = self.page.locator(".console .said > div")
        self.page.locator("#typed").fill(command)
        self.page.keyboard.press("Enter")
        expect(said.last.locator("pre")).to_contain_text(then, timeout=SLOW)
        return said.last.locator("pre").inner_text()

    def kept(self, step: str) -> dict:
        return self.lab.api("GET", f"{LESSONS}/{self.lesson}", cluster="learn")["status"]["steps"][step]

    def certified(self) -> list[str]:
        """Of each step of the lesson, its row on the certificate."""
        self.page.goto(f"{self.lab.address}/lessons/certificate")
        return self.page.locator("tbody tr").all_inner_texts()


@pytest.fixture
def player(page: Page, process_lab: LabUnderTest) -> Iterator[Player]:
    player = Player(page, process_lab)
    yield player
    assert [words for words in player.errors if "htmx:" not in words] == []
    process_lab.api("DELETE", f"{LESSONS}/{player.lesson}", cluster="learn")
    for deployment in process_lab.api("GET", "/apis/apps/v1/deployments", cluster="learn")["items"]:
        name = deployment["metadata"]["name"]
        process_lab.api("DELETE", f"/apis/apps/v1/namespaces/default/deployments/{name}", cluster="learn")


def test_a_title_begins_its_lesson_and_nothing_else_in_its_row_does(player):
    page, player.lesson = player.page, "44-nothing-happens"
    for begin in (lambda row: page.keyboard.press("Enter"), lambda row: click_on(page, row.locator(".begin"))):
        page.goto(f"{player.lab.address}/lessons/")
        row = page.locator(f'[id="{player.lesson}"]')
        title = row.get_by_role("heading").get_by_role("button")
        expect(title).to_have_accessible_name(re.compile(r"^(Start|Continue) Nothing happens"))
        expect(row.get_by_role("button")).to_have_count(1)
        assert row.get_by_role("link").all_inner_texts() == ["Slides"]
        title.focus()
        begin(row)
        page.wait_for_url(f"**/clusters/learn/lessons/{player.lesson}/")


def click_on(page: Page, seen: Locator) -> None:
    """Wherever it is, whatever of the page takes the click."""
    box = seen.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def test_desired_state_with_every_mistake_on_the_way(player):
    page = player.page
    player.start("10-desired-state")
    player.phase("Act")
    player.card("web").get_by_label("One replica more").click()
    player.check("three", "not yet", "2")  # too few, and made already
    player.press("hint")
    expect(page.locator(".hints li").first).to_be_visible(timeout=SLOW)
    expect(page.locator(".hints small").first).to_have_text("As you asked:")
    expect(page.locator("#l-said")).to_contain_text(f"Hint: {page.locator('.hints li').first.text_content()}".strip())
    player.card("web").get_by_label("One replica more").click()
    player.passed()
    expect(page.locator(".hops li").first).to_be_visible()
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Enter")

    player.phase("Predict")
    expect(page.locator("#l-title")).to_be_focused()
    player.delete_a_pod()  # too early
    player.predict("same")
    expect(page.locator("#l-predict-same")).to_be_disabled()
    player.check("healed", "not yet")
    player.card("web").get_by_label("One replica more").click()  # something else than was asked for
    player.check("kept", "broken", "Reset")
    expect(page.locator(".hints li").first).to_be_visible(timeout=SLOW)
    expect(page.locator("#l-next")).to_have_count(0)
    player.press("reset")
    player.predict("same")
    player.delete_a_pod()
    player.passed()
    expect(page.locator("#l-said")).to_contain_text("The step is passed.")
    expect(player.verdict).to_contain_text("Many believe: ")
    player.next()

    player.phase("Predict")
    player.press("skip")
    player.passed()
    expect(page.locator("#l-done li")).to_have_count(1)
    player.next()

    player.predict("two")
    player.delete_a_pod()
    player.turn("replicaset", "Pause")  # in the wrong order
    player.check("paused", "passed")
    player.check("missing", "not yet")
    player.delete_a_pod()
    player.next()

    player.predict("nothing")
    player.turn("replicaset", "Resume")
    player.next()
    expect(page.locator("li.passed progress")).to_have_attribute("value", "5")

    assert [player.kept(step)["right"] for step in ("take-one-away", "stop-the-healer", "let-it-go-on")] == [
        False,
        True,
        False,
    ]
    assert player.kept("take-one-away")["misconception"] == "pod-is-a-vm"
    rows = player.certified()
    assert len(rows) == 5
    assert [re.findall("✓|came otherwise", row) for row in rows] == [
        [],
        ["came otherwise"],
        [],
        ["✓"],
        ["came otherwise"],
    ]
    assert ["shown by the lab" in row for row in rows] == [False, False, True, False, False]


def test_deployments_by_keyboard_alone(player):
    page, key = player.page, player.page.keyboard
    player.start("12-deployments")
    player.phase("Act")

    def write(name: str) -> None:
        page.evaluate("document.activeElement.blur()")
        key.press("n")
        player.drawer.get_by_role("tab", name="YAML").press("Enter")
        player.drawer.locator("textarea").focus()
        key.press("Control+a")
        key.insert_text(SHOP.replace("NAME", name))
        player.drawer.get_by_role("button", name="Create").press("Enter")
        expect(player.card(name)).to_be_visible()
        key.press("Escape")

    write("shopp")  # of the wrong name
    expect(page.locator(".hints li").first).to_be_visible(timeout=SLOW)
    player.check("there", "not yet")
    write("shop")
    player.passed()
    page.evaluate("document.activeElement.blur()")
    key.press("Enter")

    player.phase("Predict")
    page.locator("#l-predict").get_by_role("radio").first.focus()
    key.press("Space")
    key.press("ArrowDown")
    key.press("Enter")
    player.phase("Act")
    page.locator("[data-run]").first.press("Enter")
    expect(player.drawer.locator(".said")).to_contain_text("updated", timeout=SLOW)
    player.passed()
    page.locator("#l-next").press("Enter")

    player.phase("Predict")
    page.locator("#l-predict").get_by_role("radio").last.focus()
    key.press("Space")
    key.press("Enter")
    player.phase("Act")
    page.evaluate("document.activeElement.blur()")
    key.press("x")  # the command line again: the next step has closed it
    listed = player.type("get pods -l app=shop -o name", "pod/")
    player.type("label deployment shop app=other --overwrite", "labeled")  # the wrong object
    player.check("taken", "not yet")
    player.type(f"label {listed.split()[0]} app=other --overwrite", "labeled")
    player.passed()
    page.locator("#l-next").press("Enter")
    page.wait_for_url("**/lessons/?*")
    assert len(player.certified()) == 3


def a_command_that_found_no_command_line_is_not_run_later(player: Player) -> None:
    page, said = player.page, player.drawer.locator(".said")
    page.route("**/board/panel/kubectl", lambda route: route.abort())
    page.locator("[data-run]").first.click()
    expect(player.toast("The lab does not answer")).to_be_visible()
    page.unroute("**/board/panel/kubectl")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("x")
    expect(page.locator("#typed")).to_be_focused()
    page.wait_for_timeout(500)
    expect(said.locator("pre")).to_have_count(0)
    page.keyboard.press("Escape")


def test_one_big_application_and_how_it_looks(player):
    page = player.page
    player.start("01-one-big-application")
    player.phase("Act")
    page.locator("[data-act]").first.click()
    player.next()

    player.phase("Predict")
    page.locator("#l-predict-loans").check()
    page.evaluate(ASK_FOR_THE_PREDICTION)
    expect(page.locator("#l-predict-loans")).to_be_checked()
    player.predict("loans")
    page.locator("[data-act]").first.click()
    player.passed()
    expect(player.verdict).to_contain_text("Many believe: ")
    expect(page.locator("#l-after .reading").first).to_have_text(re.compile(r"^\d"))
    expect(page.locator(".hops li").first).to_be_visible()
    for theme in ("dark", "light"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        assert [said for said in page.evaluate(FAINT) if "#l-" in said] == []
    page.locator("#l-after [data-show^='revisions/']").click()
    expect(player.drawer.locator("h1")).to_be_visible()
    boxes = [page.locator(where).bounding_box() for where in ("#lesson", "#drawer")]
    assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"]
    page.keyboard.press("Escape")
    player.next()

    player.predict("all")
    a_command_that_found_no_command_line_is_not_run_later(player)
    page.locator("[data-run]").first.click()
    player.passed()
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("button", name="Lesson", exact=True).click()
    expect(page.locator("#sky")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    player.press("next")
    page.wait_for_url("**/lessons/?*")
    assert len(player.certified()) == 3
