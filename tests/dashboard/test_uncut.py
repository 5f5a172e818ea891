"""What the board says stands there whole, and where one looks for it."""

from playwright.sync_api import expect

from . import made_up


def test_an_open_card_cuts_nothing_that_it_says_of_a_rollout(screen):
    """However long the image's name is, and both bounds stand there in full."""
    long = "registry.example.org/shop/storefront:v2-with-a-long-tag"
    rolling = {"was": "v1 3 left", "pace": "at most +25% −25%", "is": "v2 1 of 3", "oldTotal": 3, "newTotal": 1}
    screen.open_still().show([made_up.deployment("web", image=long, container="web", **rolling)])
    card = screen.card("web")
    card.locator("button.open").click()
    expect(card.locator(".pace")).to_be_visible()
    cut = """card => [...card.querySelectorAll('.what *, .rollout span')]
             .filter(it => it.scrollWidth > it.clientWidth + 1 && getComputedStyle(it).overflow !== 'visible')
             .map(it => it.innerText)"""
    assert card.evaluate(cut) == []
    box, field = card.locator(".image").bounding_box(), card.locator(".image input").bounding_box()
    assert box and field and field["width"] == box["width"]


def test_the_tape_stays_at_the_newest_event(screen):
    """Also where it stands a pixel off the top, for which browsers hold what is seen in its place."""
    first = [made_up.event(f"e{number}") | {"at": number} for number in range(20)]
    screen.open_still().show(first)
    tape = screen.page.locator("#tape")
    tape.evaluate("it => it.scrollTop = 1")
    screen.show([*first, *(made_up.event(f"n{number}") | {"at": 100 + number} for number in range(8))])
    assert tape.evaluate("it => it.scrollTop") <= 1
