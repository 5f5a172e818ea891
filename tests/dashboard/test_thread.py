"""The thread in the drawer: where its hops are drawn, and from where it is opened. It is walked in `test_page.py`."""

from playwright.sync_api import expect

from lab.apimachinery.kinds import DEPLOYMENTS
from lab.dashboard.threaddrawers import drawing


def hop(revision: int, after: float, lane: str, parent: int = 0) -> dict:
    of = {"resource": DEPLOYMENTS.resource, "namespace": "default", "name": "web"}
    words = {"text": lane, "because": "", "decision": "", "author": lane, "component": ""}
    return {"revision": revision, "time": after, "after": after, "lane": lane, "parent": parent, "object": of, **words}


def test_hops_are_drawn_in_lanes_and_in_the_order_of_their_time():
    hops = [hop(1, 0, "person"), hop(5, 0.1, "deployment", 1), hop(9, 70, "request", 5), hop(12, 90, "kubelet", 9)]
    root = {"kind": "person", "author": "kubectl", "text": "made it", "time": 0, "revision": 1}
    told = drawing({"root": root, "hops": hops, "truncated": 2, "cut": 3}, frozenset({DEPLOYMENTS.resource}), 9)
    assert [lane["name"] for lane in told["lanes"]] == ["person", "deployment", "kubelet", "request"]
    places = [each["x"] for each in told["hops"]]
    assert places == sorted(set(places)) and told["names"] < places[0] and places[-1] < told["width"]
    assert all(0 < each["y"] < told["height"] for each in told["hops"])
    assert [tick["words"] for tick in told["ticks"]] == ["0.1 s", "1 s", "10 s", "1 min"]
    assert [(link["from"]["revision"], link["to"]["revision"]) for link in told["links"]] == [(1, 5), (5, 9), (9, 12)]
    assert told["hops"][0]["opens"] == "deployments.apps/default/web"
    assert (told["left_out"], told["cut"]) == (2, 3)
    assert told["chosen"] == 2


def test_a_line_of_the_tape_leads_to_who_began_it_by_keyboard_alone(screen):
    page = screen.open().page
    found = page.locator("#tape .event", has_text="SuccessfulCreate").first.get_attribute("data-id")
    line = page.locator(f"#tape [data-id='{found}']")
    page.locator("#tape").focus()
    for _ in range(page.locator("#tape .event").count()):
        page.keyboard.press("ArrowDown")
        if line.evaluate("it => it.contains(document.activeElement)"):
            break
    page.keyboard.press("Enter")
    expect(screen.drawer.locator("h1")).to_contain_text("Said SuccessfulCreate: Created pod")
    expect(screen.drawer.locator(".led")).to_contain_text("A person began it")
    expect(screen.drawer.get_by_role("radio", checked=True)).to_be_focused()
    assert "object=revisions" in page.url
    page.keyboard.press("Escape")
    expect(line.get_by_role("button").first).to_be_focused()
    page.keyboard.press("Enter")
    screen.walk_to(screen.drawer.locator(".thread li", has_text="made pod hello").first)
    page.keyboard.press("Enter")
    expect(screen.drawer.locator("h1")).to_contain_text("hello-")


def test_what_a_loop_did_leads_to_what_came_of_it_by_mouse(screen):
    page = screen.open("?object=loops/replicaset-controller").page
    screen.drawer.get_by_role("button", name="made pod hello").last.click()
    expect(screen.drawer.locator(".led")).to_contain_text("A person began it")
    expect(screen.drawer.locator(".thread li").first).to_contain_text("person (")
    expect(screen.drawer.locator("li:has(:checked)")).to_contain_text("made pod hello")
    expect(screen.drawer.locator(".thread li", has_text="scheduler")).not_to_have_count(0)  # it came of it
    expect(page.locator("#drawer [data-id]")).to_have_attribute("data-wide", "1")
