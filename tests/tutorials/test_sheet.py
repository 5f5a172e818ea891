"""A sheet: what its formulas may say, what they come to, and that the page's script comes to the same."""

import math
from pathlib import Path

import pytest

from lab.tutorials import marking
from lab.tutorials.sheet import postfix, told, worked_out

STATIC = Path(__file__).parents[2] / "static" / "tutorials"
SHEET = """```sheet
inputs:
  - {id: guests, label: Guests, min: 1, max: 200, value: 100}
  - {id: system, label: Its operating system, min: 64, max: 1024, value: 256, unit: MiB, source: "https://example.org/"}
readings:
  - {id: container, label: A container here, reading: machine containers.memoryMiB, unit: MiB}
outputs:
  - {label: Guests take, formula: guests * system / 1024, unit: GiB}
  - {label: Containers take, formula: guests * container, unit: MiB}
  - {label: So many more fit, formula: "floor((system + container) / container)"}
```
"""


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("a * (b + 1)", 8),
        ("-a + 10", 8),
        ("floor(b / a)", 1),
        ("max(a, b) - min(a, 0.5)", 2.5),
        ("round(2.5)", 3),
        ("7", 7),
    ],
)
def test_a_formula_is_worked_out(formula, value):
    assert worked_out(postfix(formula, ["a", "b"]), {"a": 2, "b": 3}) == value


def test_what_is_not_known_or_divided_by_nothing_is_not_a_number():
    assert math.isnan(worked_out(postfix("a / b", ["a", "b"]), {"a": 1, "b": 0}))
    assert math.isnan(worked_out(postfix("min(a, b) + 1", ["a", "b"]), {"b": 0}))


@pytest.mark.parametrize(
    "formula",
    ["__import__('os')", "a.real", "a ** 9", "(lambda: 1)()", "c", "floor(1, 2)", "a if b else 1", "1 +", "'x'"],
)
def test_a_formula_can_do_nothing_else(formula):
    with pytest.raises(ValueError, match=r"formula|worked out|id"):
        postfix(formula, ["a", "b"])


def test_figures_are_told_shortly():
    assert [told(12345.6), told(0.25, "s"), told(3.0), told(math.nan, "MiB")] == ["12,346", "0.25 s", "3", "…"]


def test_a_sheet_says_what_follows_of_what_was_measured_without_a_script():
    text = marking.html(SHEET, measured={"machine containers.memoryMiB": "5"})
    assert marking.readings(SHEET) == ["machine containers.memoryMiB"]
    assert ">25 GiB</output>" in text and ">500 MiB</output>" in text and ">52</output>" in text
    assert ">…</output>" in marking.html(SHEET)


def test_the_script_comes_to_the_same(page):
    page.set_content(marking.html(SHEET, measured={"machine containers.memoryMiB": "5"}))
    page.add_script_tag(content=(STATIC / "sheet.js").read_text())
    page.get_by_label("Guests").fill("130")
    page.get_by_label("Its operating system").press("ArrowRight")
    assert page.locator("output").all_text_contents() == ["32.63 GiB", "650 MiB", "52"]
    assert page.locator("label b").all_text_contents() == ["130", "257 MiB"]
    steps, values = postfix("guests * system / 1024", ["guests", "system"]), {"guests": 130, "system": 257}
    assert told(worked_out(steps, values), "GiB") == "32.63 GiB"
