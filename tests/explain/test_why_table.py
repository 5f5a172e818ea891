"""Programs go by a card's reason: each stands in the map, and nothing stands there that nobody says."""

import ast
from pathlib import Path

import lab
from lab.explain import why

from .asking import REASONS


def reasons(path: Path) -> set[str]:
    """Those that stand as such in a `Card(question, answer, reason, …)`; others come from conditions, events and the
    like."""
    cards = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Card" and len(node.args) > 2
    ]
    parts = [part.value for card in cards for part in ast.walk(card.args[2]) if isinstance(part, ast.Constant)]
    return {part for part in parts if isinstance(part, str) and part[:1].isupper()}


def test_each_reason_is_listed():
    said = set().union(*map(reasons, Path(why.__file__).parent.glob("*.py")))
    assert {"Complete", "NotSelected", "WaitingForItsTime"} <= said  # they are found as they are written
    assert said - {"Wheel"} <= REASONS  # and then its mode


def test_each_that_is_listed_is_a_word_of_the_house():
    text = "".join(path.read_text() for path in Path(lab.__file__).parent.rglob("*.py"))
    made = {f"Wheel{mode}" for mode in ("Paused", "Slow", "Step", "Broken")}
    made |= {f"FailedGet{kind}Metric" for kind in ("Resource", "ContainerResource", "Pods", "Object", "External")}
    assert {reason for reason in REASONS - made if f'"{reason}"' not in text} == set()
