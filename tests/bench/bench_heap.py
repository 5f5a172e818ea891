"""What the board's page keeps of eight hours: its JavaScript heap with 300 tiles, from early to the end.

    python -m tests.bench.bench_heap [hours]

The rows are made up and given to the page's own script, in Chromium: as many changes as come in that time at twenty a
second, a frame for each hundred, in which some pods and events go for good and others come. After each tenth, what
nobody holds any more is swept up, and what is left is counted.
"""

import sys

from playwright.sync_api import CDPSession, Page, expect, sync_playwright

from tests.conftest import CHROMIUM_FLAGS, chromium_program
from tests.dashboard import made_up
from tests.dashboard.screen import Screen
from tests.labs import LabUnderTest

from .bench_frame import APPLY, STATES
from .measure import running_lab

TILES, NODES, CHANGED, REPLACED, EVENTS = 300, 6, 100, 2, 20
CHANGES_A_SECOND, STRETCHES = 20, 10
MOST_BYTES, MOST_GROWTH = 60 << 20, 1.05  # of the last tenth over the second: the first fills what the page keeps ready


def main(hours: str = "8") -> None:
    frames = int(float(hours) * 3600 * CHANGES_A_SECOND / CHANGED)
    with running_lab("process") as lab, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_program(), args=CHROMIUM_FLAGS)
        held = measured(browser.new_page(viewport={"width": 1440, "height": 900}), lab, frames)
        browser.close()
    grown = held[-1] / held[1]
    kept = "kept" if max(held) <= MOST_BYTES and grown <= MOST_GROWTH else "MISSED"
    print(
        f"{frames * CHANGED} changes on a board of {TILES} tiles: the page's heap "
        f"{', '.join(f'{size / (1 << 20):.1f}' for size in held)} MB (at most {MOST_BYTES >> 20}); the last is "
        f"{grown:.2f} of the second (at most {MOST_GROWTH}): {kept}"
    )


def measured(page: Page, lab: LabUnderTest, frames: int) -> list[int]:
    """Bytes of the heap after each tenth."""
    screen = Screen(page, lab).open_still()
    nodes = [made_up.node(f"node-{i}") for i in range(NODES)]
    events = [made_up.event(f"e{i}") for i in range(EVENTS)]
    screen.show([*nodes, *(a_pod(i, 0) for i in range(TILES)), *events, made_up.deployment(), made_up.loop("kubelet")])
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    found = []
    for turn in range(frames):
        page.evaluate(APPLY, a_delta(turn))
        if (turn + 1) % (frames // STRETCHES) == 0:
            found.append(heap(session))
    expect(page.locator(".pod[data-id]:not(.ghost)")).to_have_count(TILES, timeout=10_000)
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


def heap(session: CDPSession) -> int:
    session.send("HeapProfiler.collectGarbage")
    told = session.send("Performance.getMetrics")["metrics"]
    return int(next(metric["value"] for metric in told if metric["name"] == "JSHeapUsedSize"))


if __name__ == "__main__":
    main(*sys.argv[1:])
