"""The page for authors: its example can be read, and its tables are those of the program."""

import re

import pytest

from lab.tutorials import facts, outside, schema
from lab.tutorials.lesson import Act
from lab.tutorials.pages import HERE
from lab.tutorials.reading import read_lesson

PAGE = (HERE / "README.md").read_text()
ROWS = dict(re.findall(r"^\| (.+?) \| (.+) \|$", PAGE, re.MULTILINE))
KINDS = sorted({*facts.COUNTS, *facts.SPANS, *facts.VALUES})


def words(row: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", ROWS[row]))


def test_its_example_is_a_step_without_mistakes(tmp_path):
    folder = tmp_path / "91-example"
    folder.mkdir()
    example = re.search(r"^````markdown\n(.*?)^````$", PAGE, re.DOTALL | re.MULTILINE)
    (folder / "1-example.md").write_text(example[1])
    (folder / "lesson.md").write_text((HERE / "new" / "lesson.md").read_text())
    step = read_lesson(folder).steps[0]
    assert step.predict and step.checks and step.hints and step.afterwards and step.slide
    assert step.solution[0] == Act("do", "scale", {"name": "web", "replicas": 4})


@pytest.mark.parametrize("kind", KINDS)
def test_it_has_every_word_of_a_kind(kind):
    known = {*facts.COUNTS.get(kind, {}), *facts.SPANS.get(kind, {}), *facts.VALUES.get(kind, {})}
    assert words(kind) == known


def test_it_has_every_word_that_no_object_says():
    shown = {
        "visitors": "`visitors/web`",
        "http": "`http://loans/loans/1`",
        "why": "`why/deployment/web`",
        "image": "`image/orrery/bank:v2`",
    }
    for kind, known in outside.WORDS.items():
        assert words(shown.get(kind, f"`{kind}`")) == set(known)


def test_it_has_every_act_and_every_kind_of_check():
    acts = {found[1] for row in ROWS if (found := re.match(r"`\{([a-z]+):", row))}
    assert acts == set(schema.WAYS)
    assert {"`state`", "`always`", "`history`", "`questions`"} <= ROWS.keys() | set(
        re.findall(r"^\| (`[a-z]+`) ", PAGE, re.M)
    )
