"""What an author is told of a lesson: all that is wrong, each in its line."""

import shutil
from pathlib import Path

import pytest

from lab.tutorials import shelf
from lab.tutorials.pages import Mistakes, find_file
from lab.tutorials.reading import read_lesson

LESSON = """---
title: A lesson
track: Trying
minutes: 5
---
Hello.

## Slide
# One

## To keep
- It waits

## Questions
### Why?
Because.
"""
STEP = """---
title: A step
minutes: 2
start: base.yaml
predict:
  ask: What then?
  answers:
    - {id: same, text: the same, misconception: pod-is-a-vm}
    - {id: other, text: another, right: true}
checks:
  - {id: three, text: Three are ready, state: deployment/web ready == 3, fail: "{deployment/web ready} of 3"}
  - {id: healed, text: It healed, history: [{deleted: pods app=web, by: person}, {created: pods app=web, within: 2s}]}
solution:
  - {do: scale, namespace: default, name: web, replicas: 3}
---
Do this:

```do
do: scale
namespace: default
name: web
replicas: 3
label: Scale to three
```

```kubectl
kubectl scale deployment web --replicas 3
```

## Afterwards
It took {took healed} s; {pods app=web count} stand.
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    folder = tmp_path / "91-trying"
    folder.mkdir()
    (folder / "lesson.md").write_text(LESSON)
    (folder / "1-first.md").write_text(STEP)
    return folder


def mistakes(folder: Path) -> list[str]:
    with pytest.raises(Mistakes) as found:
        read_lesson(folder)
    return [str(one) for one in found.value.mistakes]


def spoil(folder: Path, old: str, new: str, file: str = "1-first.md") -> None:
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1))


def test_a_lesson_is_read(folder):
    lesson = read_lesson(folder)
    assert (lesson.id, lesson.number, lesson.title, lesson.slide) == ("91-trying", 91, "A lesson", "# One")
    assert (lesson.keep, lesson.questions) == ("- It waits", (("Why?", "Because."),))
    step = lesson.step("first")
    assert step and step.predict and step.predict.answers[1].right
    assert [check.id for check in step.checks] == ["three", "healed"]
    assert step.checks[1].moments[1].within == 2.0
    assert step.buttons[0].form == {"namespace": "default", "name": "web", "replicas": 3}
    assert step.buttons[0].label == "Scale to three"
    assert step.text.startswith("Do this:") and step.afterwards.startswith("It took")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("minutes: 2", "minutes: soon", '91-trying/1-first.md:3: minutes: "soon" is not of type "number"'),
        ("title: A step", "titel: A step", "1-first.md:2: titel: there is no such field; title?"),
        (
            "state: deployment/web ready == 3, ",
            "",
            "1-first.md:11: checks[0]: a check has exactly one of state, always",
        ),
        ("start: base.yaml", "start: nowhere.yaml", "1-first.md:4: start: there is no file nowhere.yaml"),
        ("start: base.yaml", "start: ../../lesson.py", "1-first.md:4: start: there is no file"),
        ("pod-is-a-vm", "pod-is-a-cat", "1-first.md:8: predict.answers[0].misconception: pod-is-a-cat is not in"),
        (", right: true", "", "1-first.md:7: predict.answers: one answer must be right: true"),
        (
            "deployment/web ready == 3, fail",
            "deployment/web raedy == 3, fail",
            '1-first.md:11: checks[0].state: "raedy"',
        ),
        ("deployment/web ready == 3", "it is ready", '1-first.md:11: checks[0].state: "it is ready" is no claim'),
        ("{deployment/web ready} of", "{ready} of", "1-first.md:11: checks[0].fail"),
        ("id: healed", "id: three", "1-first.md:12: checks[1].id: three is the name of another"),
        ("history: [", "after: four, history: [", "1-first.md:12: checks[1].after: no check before it is called four"),
        ("  - {do: scale,", "  - {do: sclae,", "1-first.md:14: solution[0].do: the board has no act sclae"),
        ("do: scale\nn", "do: sclae\nn", "1-first.md:19: do: the board has no act sclae"),
        ("label: Scale to three\n", "", '1-first.md:19: "label" is a required property'),
        ("kubectl scale deployment web", "kubectl edit deployment web", "1-first.md:27: kubectl edit"),
        ("{took healed}", "{took heald}", "1-first.md:31: no check is called heald"),
        ("{pods app=web count}", "{pods app=web cuont}", '1-first.md:31: "cuont" cannot be read of a Pod'),
        (
            "## Afterwards\n",
            "## Afterwards\n```do\ndo: drain\nname: node-a\nlabel: Drain\n```\n",
            "1-first.md:32: a button",
        ),
        ("checks:", "checks: [", "1-first.md:1"),
        ("---\ntitle", "title", "1-first.md:1: it begins with its front matter"),
    ],
)
def test_a_mistake_is_told_in_its_line(folder, old, new, said):
    spoil(folder, old, new)
    assert any(said in one for one in mistakes(folder)), mistakes(folder)


def test_the_mistakes_of_a_sheet_are_told_in_their_lines(folder):
    sheet = [
        "inputs:",
        "  - {id: guests, label: Guests, min: 1, max: 9, value: 10}",
        "readings:",
        "  - {id: mib, label: Memory, reading: machine containers.memory}",
        "outputs:",
        "  - {label: Both, formula: guest * mib}",
    ]
    spoil(folder, "Do this:", "\n".join(["```sheet", *sheet, "```"]))
    said = mistakes(folder)
    assert "1-first.md:18: inputs[0].value: 10 is not from min to max" in said[0]
    assert '1-first.md:20: readings[0].reading: "containers.memory" cannot be read of machine' in said[1]
    assert '1-first.md:22: outputs[0].formula: nothing in the sheet has the id "guest"' in said[2]


def test_all_mistakes_are_told_at_once(folder):
    spoil(folder, "pod-is-a-vm", "pod-is-a-cat")
    spoil(folder, "{took healed}", "{took heald}")
    spoil(folder, "track: Trying\n", "", "lesson.md")
    assert len(mistakes(folder)) == 3


def test_a_field_that_there_is_not_hides_no_other_mistake(folder):
    file = folder / "1-first.md"
    changed = file.read_text().replace("title: A step", "title: A step\nhint: []")
    file.write_text(changed + "\n## Afterwards\n{took nobody} seconds.\n")
    with pytest.raises(Mistakes) as caught:
        read_lesson(folder)
    assert [one.text.partition(":")[0] for one in caught.value.mistakes] == ["hint", "no check is called nobody"]


def test_a_lesson_without_steps_is_none(folder):
    (folder / "1-first.md").unlink()
    assert any("has a step at least" in one for one in mistakes(folder))


def test_a_step_has_a_name_of_its_own(folder):
    shutil.copy(folder / "1-first.md", folder / "2-first.md")
    assert any("2 steps are called first" in one for one in mistakes(folder))


def test_a_file_outside_is_not_found(folder):
    assert find_file(folder, "lesson.md") and find_file(folder, "bank/monolith.yaml")
    assert find_file(folder, "../../lesson.md") is None


def test_a_lesson_with_mistakes_takes_no_other_away_and_is_read_anew(folder, settings):
    settings.LESSONS_DIR = folder.parent
    shutil.copytree(folder, folder.parent / "92-another")
    spoil(folder, "minutes: 2", "minutes: soon")
    wrong, right = shelf.every()
    assert wrong.lesson is None and wrong.mistakes[0].line == 3
    assert [lesson.id for lesson in shelf.lessons()] == ["92-another"]
    spoil(folder, "minutes: soon", "minutes: 2.5")
    assert shelf.find("91-trying").lesson.steps[0].minutes == 2.5
    assert shelf.find("92-another") is right, "what has not changed is not read again"
    assert shelf.find("../lessons") is None and shelf.find("93-none") is None


def test_every_lesson_can_be_read():
    assert [str(mistake) for each in shelf.every() for mistake in each.mistakes] == []
    assert shelf.lessons()
