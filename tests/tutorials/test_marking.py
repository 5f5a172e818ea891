import pytest

from lab.tutorials import marking
from lab.tutorials.lesson import Act


def test_html_of_an_author_is_shown_as_it_is_written():
    shown = marking.html("<script>alert(1)</script> and [here](javascript:alert(1)) <b>bold</b>")
    assert "<script" not in shown and "<b>" not in shown and "href" not in shown
    assert "&lt;script&gt;" in shown


def test_a_reading_is_shown_as_it_was_measured_and_not_in_code():
    text = "It took {took healed} s, and {pods app=web count} stand. `{app: web}`"
    assert marking.readings(text) == ["took healed", "pods app=web count"]
    shown = marking.html(text, measured={"took healed": "0.4"})
    assert '<output class="reading" title="took healed">0.4</output> s' in shown
    assert '<output class="reading" title="pods app=web count">…</output>' in shown
    assert "<code>{app: web}</code>" in shown


def test_what_was_measured_is_no_html():
    assert "<i>" not in marking.html("{pods app=web node}", measured={"pods app=web node": "<i>"})


def test_commands_can_be_copied_and_run():
    shown = marking.html("```kubectl\nkubectl scale deployment web \\\n  --replicas 3\nget pods -l 'a=\"b\"'\n```")
    assert 'data-run="kubectl scale deployment web --replicas 3"' in shown
    assert 'data-run="get pods -l &#x27;a=&quot;b&quot;&#x27;"' in shown
    assert shown.count("data-copy") == 2 and 'aria-label="Run kubectl scale deployment web --replicas 3"' in shown


def test_an_act_is_a_button_which_knows_its_place():
    acts = [Act("do", "kill", label="Kill it"), Act("do", "scale", label="Three & more")]
    shown = marking.html("```do\ndo: kill\n```\nThen:\n```do\ndo: scale\n```", buttons=acts)
    assert '<button type="button" data-act="0">Kill it</button>' in shown
    assert '<button type="button" data-act="1">Three &amp; more</button>' in shown


@pytest.mark.parametrize(
    ("text", "applied"),
    [("apiVersion: v1\nkind: Pod", True), ("services:\n  web:\n    image: a", False), ("# x\napiVersion: v1", True)],
)
def test_a_file_can_be_applied_where_it_holds_objects_of_kubernetes(text, applied):
    shown = marking.html(f"```yaml\n{text}\n```")
    assert ("data-apply" in shown) is applied and "data-copy" in shown


def test_a_door_leads_to_a_service_and_a_link_leaves_the_lesson_open():
    text = "[the bank](door:bank/accounts) and [more](https://kubernetes.io/)"
    shown = marking.html(text, door="http://{service}.{namespace}.learn.localhost:8089/")
    assert 'href="http://bank.default.learn.localhost:8089/accounts" target="_blank"' in shown
    assert 'href="https://kubernetes.io/" target="_blank" rel="noopener"' in shown
    assert "<a>the bank</a>" in marking.html(text)


def test_a_fence_knows_its_line():
    assert [(one.kind, one.line) for one in marking.fences("a\n\n```do\nb\n```\n\n```\nc\n```")] == [("do", 3), ("", 7)]


def test_a_cell_is_aligned_by_a_class():
    shown = marking.html("| a | b |\n|---|:-:|\n| c | d |")
    assert '<th class="center">b</th>' in shown and '<td class="center">d</td>' in shown and "style" not in shown
    assert "<td>c</td>" in shown
