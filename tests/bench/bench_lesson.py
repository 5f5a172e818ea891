"""A lesson as its learner waits for it: until a check turns, and until a step's stage is set again.

    python -m tests.bench.bench_lesson [rounds] [runtime]

A check: from when the act is sent to the frame in which the mark has turned, in a real browser on the same machine. A
reset: from the press of the button to the frame in which the learner may go on; of one web server that had become
three, and of a bank of services, which begins anew with every program and its volume.
"""

import sys
import time

from playwright.sync_api import Page, sync_playwright

from tests.conftest import CHROMIUM_FLAGS, chromium_program
from tests.labs import LabUnderTest, wait_until

from .measure import Row, p95, running_lab

TURN_SECONDS, RESET_SECONDS = 0.5, 3.0
SCALED, BANK = "10-desired-state", "02-a-suite-of-small-services"
WEB = "/apis/apps/v1/namespaces/default/deployments/web"
# Notes when the frame was drawn in which each check has turned, and each phase has come.
WATCH = """() => {
  window.turned = {};
  const note = name => { window.turned[name] ||= Date.now() / 1000 };
  const look = () => {
    const { turn, phase } = document.querySelector('#l-stage').dataset;
    const checks = [...document.querySelectorAll('[data-check]')];
    const now = checks.map(({ dataset }) => `${dataset.check} ${dataset.outcome}`);
    if (['Predict', 'Act'].includes(phase)) now.push(`${turn} staged`);
    requestAnimationFrame(() => setTimeout(() => now.forEach(note)));
  };
  new MutationObserver(look).observe(document.body, {subtree: true, childList: true, attributes: true});
}"""


def main(rounds: str = "10", runtime: str = "docker") -> None:
    with running_lab(runtime) as lab, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_program(), args=CHROMIUM_FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        begin(lab, page, SCALED)
        turns, small = [], []
        for _ in range(int(rounds)):
            turns.append(turn_a_check(lab, page))
            small.append(reset(page))
        begin(lab, page, BANK)
        large = []
        for _ in range(int(rounds)):
            time.sleep(2)  # who presses at once finds pods that are as new as the scene's own
            large.append(reset(page))
        browser.close()
    told("act sent -> its check has turned in the browser", turns, TURN_SECONDS)
    told("Reset -> stage set, one web server of three", small, RESET_SECONDS)
    told("Reset -> stage set, a bank that begins anew", large, RESET_SECONDS)


def told(what: str, samples: list[float], most: float) -> None:
    print(Row(what, samples))
    print(f"p95 {p95(samples) * 1000:.0f} ms (at most {most * 1000:.0f})")


def begin(lab: LabUnderTest, page: Page, lesson: str) -> None:
    page.goto(f"{lab.address}/lessons/")
    page.locator(f'[form="begin-{lesson}"]').click()
    page.wait_for_selector('#l-stage:is([data-phase="Act"], [data-phase="Predict"])', timeout=180_000, state="attached")
    page.wait_for_selector('#live[data-state="live"]')
    page.evaluate(WATCH)


def turn_a_check(lab: LabUnderTest, page: Page) -> float:
    page.evaluate("() => { window.turned = {} }")
    since = time.time()
    lab.api("PATCH", WEB, {"spec": {"replicas": 3}}, "learn", content_type="application/merge-patch+json")
    took = seen(page, "said passed") - since
    seen(page, "three passed")
    return took


def reset(page: Page) -> float:
    page.evaluate("() => { window.turned = {} }")
    run = int(page.get_attribute("#l-stage", "data-turn")) + 1
    since = time.time()
    page.click("#l-reset")
    return seen(page, f"{run} staged") - since


def seen(page: Page, name: str, seconds: float = 60) -> float:
    """When it was drawn, in seconds since the epoch."""
    return wait_until(name, lambda: page.evaluate("name => window.turned[name] || 0", name), seconds, step=0.02)


if __name__ == "__main__":
    main(*sys.argv[1:])
