"""A lesson as a learner plays it, in a real browser against real processes: with a wrong prediction and a wrong act."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.dashboard.screen import Screen
from tests.labs import LabUnderTest

FAINT = (Path(__file__).parents[1] / "dashboard" / "faint.js").read_text()
LESSON = "/apis/orrery.io/v1/lessons/14-self-healing"
SLOW = 60_000  # of a machine that may be busy


class Player(Screen):
    """The board with a lesson beside it."""

    def phase(self, wanted: str) -> None:
        expect(self.page.locator("#l-stage")).to_have_attribute("data-phase", wanted, timeout=SLOW)

    def check(self, id: str, outcome: str) -> None:
        expect(self.page.locator(f'[data-check="{id}"]')).to_have_attribute("data-outcome", outcome, timeout=SLOW)

    def predict(self, words: str) -> None:
        self.phase("Predict")
        self.page.get_by_label(words).check()
        self.page.get_by_role("button", name="Commit").click()
        self.phase("Act")

    def focused(self, id: str) -> None:
        expect(self.page.locator(f"#{id}")).to_be_focused(timeout=SLOW)


@pytest.fixture
def player(page: Page, process_lab: LabUnderTest) -> Iterator[Player]:
    player = Player(page, process_lab)
    yield player
    assert [words for words in player.errors if "htmx:" not in words] == []
    for path in (LESSON, "/apis/apps/v1/namespaces/default/deployments/web"):
        process_lab.api("DELETE", path, cluster="learn")


def test_a_learner_predicts_wrongly_acts_wrongly_and_passes(player):
    page = player.page
    page.goto(f"{player.lab.address}/lessons/")
    page.get_by_role("button", name="Start Self-healing").click()
    player.live()

    player.predict("A pod with another name")
    expect(page.get_by_label("A pod with another name")).to_be_disabled()
    expect(page.locator("#l-predict legend")).to_contain_text("You predicted")

    page.locator(".pod[role]").first.focus()
    page.keyboard.press("Delete")
    player.check("same-pods", "broken")
    expect(page.locator('[data-check="same-pods"]')).to_contain_text("Press Reset")
    expect(page.locator("#l-next")).to_have_count(0)

    page.get_by_role("button", name="Reset").click()
    player.predict("A pod with another name")
    page.get_by_role("button", name="Kill the process of the first one").click()
    player.phase("Passed")
    player.check("healed", "passed")
    expect(page.locator("#l-said")).to_contain_text("The step is passed.")
    verdict = page.locator(".verdict")
    expect(verdict).to_contain_text("It was: The same pod, with a new container in it")
    expect(verdict).to_contain_text("Many believe: When a container dies, its pod is replaced by another.")
    expect(page.locator("#l-after .reading").first).to_have_text(re.compile(r"^\d"))
    expect(page.locator(".hops li").first).to_contain_text("container web ended")
    player.focused("l-next")
    for theme in ("dark", "light"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        assert [said for said in page.evaluate(FAINT) if "#l-" in said] == []

    page.get_by_role("button", name="Open the thread").click()
    expect(player.drawer.locator("h1")).to_be_visible()
    boxes = [page.locator(where).bounding_box() for where in ("#lesson", "#drawer")]
    assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"]
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Enter")
    player.phase("Predict")
    player.focused("l-title")
    expect(page.locator("#l-title")).to_have_text("A wrong question")

    page.locator("[data-run]").first.click()
    expect(player.drawer.locator(".said")).to_contain_text("kubectl rollout undo deployment web")

    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("button", name="Lesson", exact=True).click()
    expect(page.locator("#sky")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

    kept = player.lab.api("GET", LESSON, cluster="learn")["status"]["steps"]["a-process-dies"]
    assert (kept["right"], kept["misconception"], kept["skipped"]) == (False, "death-makes-a-new-pod", False)
    page.goto(f"{player.lab.address}/lessons/certificate")
    expect(page.get_by_role("row", name="A process dies")).to_contain_text("came otherwise")
