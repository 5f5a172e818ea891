"""What a browser shows of a history, and how soon: the past, played and not, and the cards of a pod.

Parts of `bench_history`. The web server alone runs, in this process: nobody acts in the cluster.
"""

import contextlib
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from playwright.sync_api import Browser, CDPSession, sync_playwright

from lab.httpserver import QuietServer
from lab.web import plain
from tests.conftest import chromium_program
from tests.labs import free_port, wait_until

from .measure import Row

CLUSTER = "history"
LOOKS, CLICKS = 30, 100
SPEEDS, PLAYED, PACE = (1, 4, 16, 60), 8, 0.05  # seconds each; how far off its speed it may be


@contextlib.contextmanager
def serving() -> Iterator[int]:
    """The web server alone: nobody acts in the cluster."""
    config, port = plain(), free_port()
    config.host, config.port = "127.0.0.1", port
    server = QuietServer(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_until("the web server to serve", lambda: server.started)
    yield port
    server.should_exit = server.force_exit = True
    thread.join(20)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_program(), args=["--no-sandbox"])
        yield browser
        browser.close()


def rewound(browser: Browser, port: int, head: int) -> Iterator[float]:
    """Seconds from a move of the handle to the frame that shows the board of then, at random revisions."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"http://127.0.0.1:{port}/clusters/{CLUSTER}/?at={head}")
    page.wait_for_selector("body[data-past]")
    for _ in range(LOOKS):
        yield page.evaluate(MOVE, random.randint(1, head)) / 1000
    page.close()


@dataclass(frozen=True)
class Click:
    """Milliseconds from a click on a tile: until its request was `sent`, the answer began (`first`), its cards were
    `put` into the page, the frame with them was `drawn`. Of that, in the processor: in this process (`here`: the server
    and who drives the browser), and on the page's main thread."""

    sent: float
    first: float
    put: float
    drawn: float
    here: float
    page: float

    def __str__(self) -> str:
        waits = f"sent {self.sent:.0f}, answered {self.first:.0f}, put {self.put:.0f}, drawn {self.drawn:.0f} ms"
        return f"{waits}; of the processor's {self.here:.0f} here, {self.page:.0f} in the page"


def explained(browser: Browser, port: int) -> Iterator[Click]:
    """From clicks on the tiles of random pods to the frames that show their cards."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"http://127.0.0.1:{port}/clusters/{CLUSTER}/")
    page.wait_for_selector("body[data-live=live] .pod[data-id]")
    tools = page.context.new_cdp_session(page)
    tools.send("Performance.enable", {"timeDomain": "threadTicks"})
    for _ in range(CLICKS):
        page_before, before = busy(tools), time.process_time()
        told = page.evaluate(CLICK, random.random())
        here = 1000 * (time.process_time() - before)
        yield Click(*told, here, 1000 * (busy(tools) - page_before))
    page.close()


def busy(tools: CDPSession) -> float:
    """Seconds of the processor that the page's main thread has taken."""
    told = tools.send("Performance.getMetrics")["metrics"]
    return next(one["value"] for one in told if one["name"] == "TaskDuration")


def played(browser: Browser, port: int, revision: int, speed: int) -> str:
    """How fast it plays on from a revision: by the clock of then against ours, and the frames meanwhile."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"http://127.0.0.1:{port}/clusters/{CLUSTER}/?at={revision}")
    page.wait_for_selector("body[data-past]")
    told = page.evaluate(PLAY, [speed, PLAYED * 1000])
    page.close()
    (began, first, then), (ended, last, later) = told["ends"]
    pace = 1000 * (later - then) / (ended - began) / speed
    kept = "kept" if abs(pace - 1) <= PACE else "MISSED"
    frames = [frame / 1000 for frame in told["frames"]]
    what = f"played at {speed}×: frames, {(last - first) * 1000 / (ended - began):.0f} revisions a second"
    return f"{Row(what, frames)}  most {max(frames) * 1000:.0f} ms; {pace:.3f} of its speed, within {PACE:.0%}: {kept}"


MOVE = """revision => new Promise(done => {
  const [handle, began] = [document.querySelector("#past input"), performance.now()];
  const look = () => Number(document.body.dataset.past) === revision
    ? requestAnimationFrame(() => setTimeout(() => done(performance.now() - began))) : requestAnimationFrame(look);
  handle.value = revision;
  handle.dispatchEvent(new Event("input", { bubbles: true }));
  look();
})"""


CLICK = """share => new Promise(done => {
  performance.clearResourceTimings();
  const about = () => document.querySelector("#drawer > [data-id]:has(.why)")?.dataset.id;
  // Not the one whose drawer is open: a click closes it.
  const tiles = [...document.querySelectorAll(".pod[data-id]")].filter(tile => tile.dataset.id !== about());
  const tile = tiles[Math.floor(share * tiles.length)], began = performance.now();
  let put = 0;
  const watch = new MutationObserver(() => put ||= about() === tile.dataset.id && performance.now());
  watch.observe(document.getElementById("drawer"), { childList: true });
  const end = () => {
    watch.disconnect();
    const asked = performance.getEntriesByType("resource").find(({ name }) => name.includes("/drawer/"));
    done([asked.requestStart, asked.responseStart, put, performance.now()].map(when => when - began));
  };
  const look = () => about() === tile.dataset.id
    ? requestAnimationFrame(() => setTimeout(end)) : requestAnimationFrame(look);
  tile.click();
  look();
})"""


# From one change of the board to another one, which is where the clock of then stands still for nobody.
PLAY = """([speed, lasts]) => new Promise(done => {
  const frames = [], at = () => Number(document.body.dataset.past);
  const dated = async ([when, revision]) => {
    const then = await (await fetch(`${document.body.dataset.base}board/past/${revision}`)).json();
    return [when, revision, then.time];
  };
  let [was, last, first] = [at(), performance.now()];
  const look = now => {
    if (first) frames.push(now - last);
    last = now;
    if (at() !== was) {
      was = at();
      first ??= [now, was];
      const ends = [first, [now, was]];
      if (now - first[0] >= lasts) return Promise.all(ends.map(dated)).then(ends => done({ ends, frames }));
    }
    requestAnimationFrame(look);
  };
  document.querySelector("#past select").value = speed;
  document.querySelector('[data-past="play"]').click();
  requestAnimationFrame(look);
})"""
