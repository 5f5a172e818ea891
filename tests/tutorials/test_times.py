"""Pages tell times in the reader's own zone."""

from playwright.sync_api import Browser, expect

from ..labs import HOME

PAGE = """<p><time datetime="2026-01-31T20:05:00+00:00" data-day>31 Jan 2026, 20:05 UTC</time>
<time datetime="2026-01-31T20:05:00+00:00">20:05 UTC</time> <time>12 s</time>
<time datetime="2026-01-31T20:05:07Z" data-exact>20:05:07 UTC</time></p>"""


def test_a_time_is_told_in_the_readers_zone_and_in_that_of_all_when_one_points_at_it(browser: Browser):
    context = browser.new_context(timezone_id="Asia/Tokyo")
    page = context.new_page()
    page.set_content(PAGE)
    page.add_script_tag(path=HOME / "static/tutorials/times.js", type="module")
    expect(page.locator("p")).to_have_text("1 Feb 2026, 05:05 05:05 12 s 05:05:07")
    expect(page.locator("time").first).to_have_attribute("title", "31 Jan 2026, 20:05 UTC")
    context.close()
