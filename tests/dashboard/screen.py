"""The board in a real browser, as somebody in front of it sees and uses it."""

import json

from playwright.sync_api import Locator, Page, expect

from tests.labs import LabUnderTest

SECONDS = 30_000  # of a machine that may be busy
# What the browser says of its own accord when an answer is not 200, or when a network interface comes or goes.
NOT_OURS = ("Failed to load resource", "ERR_NETWORK_CHANGED", "WebSocket connection to")


class Screen:
    """One open board. `errors` are those of its own scripts."""

    def __init__(self, page: Page, lab: LabUnderTest):
        self.page = page
        self.lab = lab
        self.errors: list[str] = []
        page.set_default_timeout(SECONDS)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", self._heard)

    def _heard(self, message) -> None:
        if message.type in ("error", "warning") and not any(words in message.text for words in NOT_OURS):
            self.errors.append(message.text)

    def open(self, query: str = "") -> "Screen":
        self.page.goto(f"{self.lab.address}/clusters/default/{query}")
        self.live()
        return self

    def live(self) -> None:
        expect(self.page.locator("#live")).to_have_attribute("data-state", "live", timeout=SECONDS)

    def tile(self, pod: str) -> Locator:
        return self.page.locator(f'.pod[role][data-id="pods/default/{pod}"]')

    def column(self, node: str) -> Locator:
        return self.page.locator(f'.node[data-id="nodes/{node}"]')

    def card(self, deployment: str) -> Locator:
        return self.page.locator(f'.card[data-id="deployments.apps/default/{deployment}"]')

    @property
    def drawer(self) -> Locator:
        return self.page.locator("#drawer")

    def walk_to(self, hop: Locator) -> None:
        """Hop by hop through a thread in the drawer, by keyboard alone."""
        self.drawer.get_by_role("radio", checked=True).focus()
        for _ in range(self.drawer.get_by_role("radio").count()):
            if hop.get_by_role("radio").is_checked():
                break
            self.page.keyboard.press("ArrowDown")
        expect(hop.locator(".more")).to_be_visible()

    def toast(self, words: str) -> Locator:
        return self.page.locator(".toast", has_text=words).first

    def open_still(self) -> "Screen":
        """The page with nothing on the other end of its websocket: it draws what it is given by `show`."""
        self.page.route_web_socket("**/board", lambda socket: None)
        return self.open()

    def show(self, rows: list[dict]) -> None:
        """Have the page's own script draw these rows, instead of the cluster's."""
        message = {"type": "snap", "epoch": "made up", "seq": 1, "rows": rows}
        self.page.evaluate(f"import('/static/board/state.js').then(it => it.snapshot({json.dumps(message)}))")
        self.frame()

    def frame(self) -> None:
        """Until what was asked to be drawn is drawn."""
        self.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
