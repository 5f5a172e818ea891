"""From a container's death on the engine to the changed tile in a real browser, 95th percentile.

    python -m tests.bench.bench_pixel [rounds]

The engine's own time of the event against the page's, in the frame after the tile changed: one clock, one machine.
"""

import sys
import time

import docker
from playwright.sync_api import Page, sync_playwright

from tests.conftest import CHROMIUM_FLAGS, chromium_program
from tests.labs import LabUnderTest, wait_until

from .measure import Row, p95, running_lab

MOST_SECONDS = 0.250
# Notes, for each pod's tile whose state changed, when the frame was drawn that shows it.
WATCH_TILES = """() => {
  window.drawn = [];
  new MutationObserver(changes => {
    const names = changes.map(change => change.target).filter(tile => tile.matches('.pod'))
      .map(tile => tile.getAttribute('aria-label').split(',')[0]);
    requestAnimationFrame(() => setTimeout(() => names.forEach(name => window.drawn.push([Date.now() / 1000, name]))));
  }).observe(document.body, {subtree: true, attributes: true, attributeFilter: ['data-state']});
}"""
FIRST_DRAWN = "name => (window.drawn.find(([when, pod]) => pod === name) || [0])[0]"


def main(rounds: str = "20") -> None:
    with running_lab("docker") as lab, sync_playwright() as playwright:
        client = docker.APIClient(timeout=60)
        browser = playwright.chromium.launch(executable_path=chromium_program(), args=CHROMIUM_FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(f"{lab.address}/")
        page.wait_for_selector(".pod[data-id]")
        page.evaluate(WATCH_TILES)
        samples = [kill_and_see(lab, page, client) for _ in range(int(rounds))]
        browser.close()
    print(Row("container died -> its tile changed in the browser", samples))
    print(f"p95 {p95(samples) * 1000:.0f} ms (at most {MOST_SECONDS * 1000:.0f})")


def kill_and_see(lab: LabUnderTest, page: Page, client: docker.APIClient) -> float:
    """Seconds from the engine's `die` event to the first frame with another state on the pod's tile. The pod is deleted
    afterwards: one that dies again and again would be left waiting."""
    pod = lab.wait_for_ready_pods(3)[0]
    name = pod["metadata"]["name"]
    container = pod["status"]["containerStatuses"][0]["containerID"].partition("://")[2]
    page.evaluate("() => { window.drawn = [] }")
    since = time.time()
    client.kill(container, "SIGKILL")
    drawn = wait_until("a changed tile", lambda: page.evaluate(FIRST_DRAWN, name), 30, step=0.05)
    filters = {"container": container, "event": "die"}
    event = next(client.events(since=since - 1, until=time.time() + 1, filters=filters, decode=True))
    lab.api("DELETE", f"/api/v1/namespaces/default/pods/{name}")
    wait_until("the pod to be gone", lambda: name not in {pod["metadata"]["name"] for pod in lab.pods()}, 60)
    return drawn - event["timeNano"] / 1e9


if __name__ == "__main__":
    main(*sys.argv[1:])
