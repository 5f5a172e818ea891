"""What a frame costs on a board of 1,000 tiles when 100 change, and how long a click waits to be acknowledged.

    python -m tests.bench.bench_frame [rounds]

The rows are made up and given to the page's own script, in Chromium; the clicks are on a lab's real board. A frame's
cost is the time that the browser's main thread was computing, so that whatever else the machine does is not counted.
"""

import statistics
import sys

from playwright.sync_api import CDPSession, Page, sync_playwright

from tests.conftest import CHROMIUM_FLAGS, chromium_program
from tests.dashboard import made_up
from tests.dashboard.screen import Screen
from tests.labs import LabUnderTest

from .measure import Row, p95, running_lab

TILES, CHANGED, NODES = 1000, 100, 20
MOST_FRAME_SECONDS, MOST_CLICK_SECONDS = 0.016, 0.100
STATES = ("ready", "starting", "unready", "leaving")
# Applies a delta, and returns when it is drawn.
APPLY = """async delta => {
  (await import('/static/board/state.js')).delta(delta);
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""
# From the click's own time to the first frame that shows the figure asked for.
CLICK = """() => new Promise(done => {
  const card = document.querySelector('.card');
  const button = card.querySelector('[data-step="1"]');
  const figure = card.querySelector('output');
  button.addEventListener('click', event => {
    const asked = event.timeStamp;
    new MutationObserver((_, watch) => {
      watch.disconnect();
      requestAnimationFrame(() => done((performance.now() - asked) / 1000));
    }).observe(figure, { childList: true, characterData: true, subtree: true });
  }, { capture: true, once: true });
  button.click();
})"""


def main(rounds: str = "30") -> None:
    with running_lab("process") as lab, sync_playwright() as playwright:
        lab.wait_for_ready_pods(3)
        browser = playwright.chromium.launch(executable_path=chromium_program(), args=CHROMIUM_FLAGS)
        frames = measure_frames(browser.new_page(), lab, int(rounds))
        page = browser.new_page()
        Screen(page, lab).open()
        clicks = [page.evaluate(CLICK) for _ in range(5)]
        browser.close()
    print(f"{CHANGED} of {TILES} tiles change, computed for one frame:")
    for what, samples in frames.items():
        print(f"  {what:<7} p50 {statistics.median(samples) * 1000:.1f} ms   p95 {p95(samples) * 1000:.1f} ms")
    print(f"p95 of script {p95(frames['script']) * 1000:.1f} ms (at most {MOST_FRAME_SECONDS * 1000:.0f})")
    print(Row("click on the stepper -> frame with the figure", clicks))
    print(f"p95 {p95(clicks) * 1000:.0f} ms (at most {MOST_CLICK_SECONDS * 1000:.0f})")


def measure_frames(page: Page, lab: LabUnderTest, rounds: int) -> dict[str, list[float]]:
    """Seconds of script, style and layout for each delta; the first few left out: the engine is still compiling."""
    screen = Screen(page, lab).open_still()
    nodes = [made_up.node(f"node-{i:02}") for i in range(NODES)]
    pods = [made_up.pod(f"p{i:04}", node=f"node-{i % NODES:02}") for i in range(TILES)]
    screen.show([*nodes, *pods, made_up.deployment(), made_up.loop("kubelet")])
    assert page.locator(".pod[data-id]").count() == TILES
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    found: dict[str, list[float]] = {"script": [], "style": [], "layout": []}
    for turn in range(rounds + 5):
        before = spent(session)
        page.evaluate(APPLY, a_delta(turn))
        for what, (was, now) in zip(found, zip(before, spent(session), strict=True), strict=True):
            found[what].append(now - was)
    return {what: samples[5:] for what, samples in found.items()}


def spent(session: CDPSession) -> tuple[float, float, float]:
    metrics = {metric["name"]: metric["value"] for metric in session.send("Performance.getMetrics")["metrics"]}
    return metrics["ScriptDuration"], metrics["RecalcStyleDuration"], metrics["LayoutDuration"]


def a_delta(turn: int) -> dict:
    """Another hundred tiles, all of them in another state than before."""
    state = STATES[turn % len(STATES)]
    chosen = [(turn * CHANGED + i * 7) % TILES for i in range(CHANGED)]
    upserts = [made_up.pod(f"p{i:04}", state, node=f"node-{i % NODES:02}") for i in chosen]
    return {"epoch": "made up", "prev": turn + 1, "seq": turn + 2, "upserts": upserts, "removes": [], "phases": {}}


if __name__ == "__main__":
    main(*sys.argv[1:])
