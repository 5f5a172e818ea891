"""What the board's page keeps of eight hours: its JavaScript heap and its elements with 300 tiles, hour by hour.

    python -m tests.bench.bench_heap [hours]

The rows are made up and given to the page's own script, in Chromium: as many changes as come in that time at twenty a
second, a frame for each hundred, in which some pods and events go for good and others come. They come as text, as by
its connection, each as soon as the page has drawn the one before. The window is low: to paint a tall one takes most of
a frame's time, and changes nothing of what the page keeps. After each hour's worth, what nobody holds any more is swept
up, and what is left is counted.
"""

import json
import sys
import time
from dataclasses import dataclass

from playwright.sync_api import CDPSession, Page, expect, sync_playwright

from tests.conftest import CHROMIUM_FLAGS, chromium_program
from tests.dashboard import made_up
from tests.dashboard.screen import Screen
from tests.labs import LabUnderTest

from .bench_frame import STATES
from .measure import running_lab

TILES, NODES, CHANGED, REPLACED, EVENTS = 300, 6, 100, 2, 20
CHANGES_A_SECOND, AT_ONCE = 20, 40
WINDOW = {"width": 1440, "height": 300}
FRAMES_AN_HOUR = 3600 * CHANGES_A_SECOND // CHANGED
MOST_BYTES = 60 << 20
# Above the second hour: the first fills what the page keeps ready. The engine grows by some 100 KB, by its own code;
# thirty bytes kept of each pod and event that goes would be more.
MOST_GROWN = 256 << 10
GHOSTS_SECONDS = 4  # after which the page has forgotten the pods that went last
# Applies deltas one after the other: our frame comes after that which draws it.
APPLY = """async texts => {
  const { delta } = await import('/static/board/state.js');
  for (const text of texts) {
    if (!delta(JSON.parse(text))) throw new Error(`not taken: ${text.slice(0, 60)}`);
    await new Promise(requestAnimationFrame);
  }
}"""


@dataclass(frozen=True)
class Held:
    """What the page holds after an hour, and how long that took."""

    heap: int
    nodes: int
    listeners: int
    seconds: float

    def __str__(self) -> str:
        heap = f"{self.heap / (1 << 20):.2f} MB"
        return f"{heap}, {self.nodes} nodes, {self.listeners} listeners; {self.seconds:.0f} s"


def main(hours: str = "8") -> None:
    with running_lab("process") as lab, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_program(), args=CHROMIUM_FLAGS)
        held = measured(browser.new_page(viewport=WINDOW), lab, int(hours))
        browser.close()
    most, grown = max(hour.heap for hour in held), held[-1].heap - held[min(1, len(held) - 1)].heap
    kept = "kept" if most <= MOST_BYTES and grown <= MOST_GROWN else "MISSED"
    print(
        f"{len(held) * FRAMES_AN_HOUR * CHANGED} changes on a board of {TILES} tiles: the page's heap at most "
        f"{most / (1 << 20):.1f} MB (at most {MOST_BYTES >> 20}); after the last hour {grown >> 10} KB more than after "
        f"the second (at most {MOST_GROWN >> 10}): {kept}"
    )


def measured(page: Page, lab: LabUnderTest, hours: int) -> list[Held]:
    screen = Screen(page, lab).open_still()
    nodes = [made_up.node(f"node-{i}") for i in range(NODES)]
    events = [made_up.event(f"e{i}") for i in range(EVENTS)]
    screen.show([*nodes, *(a_pod(i, 0) for i in range(TILES)), *events, made_up.deployment(), made_up.loop("kubelet")])
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    found = []
    for hour in range(hours):
        began, first = time.monotonic(), hour * FRAMES_AN_HOUR
        for turn in range(first, first + FRAMES_AN_HOUR, AT_ONCE):
            page.evaluate(APPLY, [json.dumps(a_delta(turn + i)) for i in range(AT_ONCE)])
        found.append(held(page, session, time.monotonic() - began))
        print(f"hour {hour + 1}: {found[-1]}", flush=True)
    assert not screen.errors, screen.errors
    return found


def a_delta(turn: int) -> dict:
    """Some pods in another state than before; the oldest and the oldest events go, and newer ones come."""
    first, said = turn * REPLACED, EVENTS + turn * REPLACED
    staying = [first + REPLACED + (turn + i * 3) % (TILES - REPLACED) for i in range(CHANGED)]
    upserts = [a_pod(number, turn) for number in staying]
    for i in range(REPLACED):
        upserts += [a_pod(first + TILES + i, turn), made_up.event(f"e{said + i}")]
    gone = [(a_pod(first + i, 0), made_up.event(f"e{said - EVENTS + i}")) for i in range(REPLACED)]
    removes = [row["id"] for pair in gone for row in pair]
    return {"epoch": "made up", "prev": turn + 1, "seq": turn + 2, "upserts": upserts, "removes": removes, "phases": {}}


def a_pod(number: int, turn: int) -> dict:
    return made_up.pod(f"p{number:06}", STATES[turn % len(STATES)], node=f"node-{number % NODES}")


def held(page: Page, session: CDPSession, seconds: float) -> Held:
    """With all that there is to show shown, and nothing else: no ghost, and as many tiles and events as there are."""
    page.wait_for_timeout(GHOSTS_SECONDS * 1000)
    expect(page.locator(".pod[data-id]")).to_have_count(TILES)
    expect(page.locator("#tape > *")).to_have_count(EVENTS)
    session.send("HeapProfiler.collectGarbage")
    told = {metric["name"]: int(metric["value"]) for metric in session.send("Performance.getMetrics")["metrics"]}
    return Held(told["JSHeapUsedSize"], told["Nodes"], told["JSEventListeners"], seconds)


if __name__ == "__main__":
    main(*sys.argv[1:])
