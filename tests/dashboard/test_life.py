"""Births and deaths on the board: what they cost the browser."""

from .made_up import node, pod
from .screen import Screen

# Applies a delta; how often the sky has been measured when two frames have been drawn.
MEASURED = """async delta => {
  const { delta: apply } = await import('/static/board/state.js');
  const measure = Element.prototype.getBoundingClientRect;
  let count = 0;
  Element.prototype.getBoundingClientRect = function () {
    count += this.id === 'sky';
    return measure.call(this);
  };
  apply(delta);
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  Element.prototype.getBoundingClientRect = measure;
  return count;
}"""
# How many lines there are, each time that they are drawn.
WATCH = """() => {
  window.drawn = [];
  const threads = document.getElementById("threads");
  new MutationObserver(() => window.drawn.push(threads.querySelectorAll("path").length))
    .observe(threads, { childList: true });
}"""


def test_pods_that_die_together_without_heirs_are_not_measured(page, process_lab):
    screen = Screen(page, process_lab).open_still()
    screen.show([node("node-a"), *(pod(f"p{number:02}") for number in range(60))])
    page.wait_for_timeout(500)  # what the first frame has asked for is over
    gone = [f"pods/default/p{number:02}" for number in range(40)]
    delta = {"epoch": "made up", "prev": 1, "seq": 2, "upserts": [], "removes": gone, "phases": {}}
    assert page.evaluate(MEASURED, delta) < 5  # once for the wires of services, perhaps


def test_the_lines_to_all_heirs_are_drawn_once(page, process_lab):
    screen = Screen(page, process_lab).open_still()
    owned = {"owner": "deployments.apps/default/web", "replicaset": "web-1"}
    screen.show([node("node-a"), *(pod(f"p{number:02}", **owned) for number in range(20))])
    page.evaluate(WATCH)
    heirs = [pod(f"q{number:02}", **owned) for number in range(20)]
    gone = [f"pods/default/p{number:02}" for number in range(20)]
    page.evaluate(MEASURED, {"epoch": "made up", "prev": 1, "seq": 2, "upserts": heirs, "removes": gone, "phases": {}})
    screen.frame()
    drawn = page.evaluate("window.drawn")
    assert set(drawn) == {20} and len(drawn) <= 2  # and once more when what slides has arrived
    assert screen.errors == []
