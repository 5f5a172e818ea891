"""From a folder to a Lesson. All that is wrong with it is said at once, each with its file and line.

14-self-healing/
  lesson.md        front matter (`schema.LESSON`), the introduction; ## Slide, ## Questions
  1-a-process.md   front matter (`schema.STEP`), what to do; ## Afterwards, ## Slide
  web-3.yaml       scenes and what is applied
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lab.dashboard.commandline import arguments

from . import marking, parts, schema, sheet
from .lesson import Act, Lesson, Step
from .pages import Block, Mistake, Mistakes, Page
from .scenes import read_scene
from .texts import places

FOLDER = re.compile(r"(\d\d)-[a-z0-9]([-a-z0-9]*[a-z0-9])?")
EXPLAINED = re.compile(r"thread|why [a-z]+/[-a-z0-9.]+")
TOOK = "took "  # `{took healed}`: the seconds that the check called healed took
FILE = re.compile(r"(\d{1,2})-([a-z0-9]([-a-z0-9]*[a-z0-9])?)\.md")


def read_lesson(folder: Path) -> Lesson:
    """Raises Mistakes."""
    mistakes: list[Mistake] = []
    steps = [_step(file, mistakes) for file in sorted(folder.glob("[0-9]*-*.md"), key=_number)]
    page = Page(folder / "lesson.md", schema.LESSON, mistakes)
    if not FOLDER.fullmatch(folder.name):
        page.wrong("", f"a lesson's folder is called like 14-self-healing, not {folder.name}")
    if not steps:
        page.wrong("", "a lesson has a step at least: a file called like 1-first-step.md")
    for id, times in Counter(step.id for step in steps).items():
        if times > 1:
            page.wrong("", f"{times} steps are called {id}: a step's name, without its number, is its own")
    front = page.front
    lesson = Lesson(
        id=folder.name,
        title=str(front.get("title", "")),
        track=str(front.get("track", "")),
        minutes=_float(front.get("minutes")),
        text=page.text,
        folder=str(folder),
        goals=tuple(front.get("goals", ())),
        terms=tuple(dict(front.get("terms", {})).items()),
        questions=tuple(page.questions()),
        slide=page.sections.get("Slide", ""),
        keep=page.sections.get("To keep", ""),
        speaker=str(front.get("speaker", "")),
        runtimes=tuple(front.get("runtimes", schema.RUNTIMES)),
        steps=tuple(steps),
    )
    if mistakes:
        raise Mistakes(sorted(mistakes, key=lambda one: (one.file, one.line)))
    return lesson


def _number(file: Path) -> int:
    return int(file.name.partition("-")[0])


def _float(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def _step(file: Path, mistakes: list[Mistake]) -> Step:
    page = Page(file, schema.STEP, mistakes)
    front, named = page.front, FILE.fullmatch(file.name)
    if not named:
        page.wrong("", "a step's file is called like 1-first-step.md")
    if "start" in front:
        page.tried("start", lambda name: read_scene(file.parent, name, ""), front["start"])
    predict = parts.question(page, "predict", {"id": "predict", **front["predict"]}) if "predict" in front else None
    step = Step(
        id=named[2] if named else file.stem,
        title=str(front.get("title", "")),
        minutes=_float(front.get("minutes")),
        text=page.text,
        afterwards=page.sections.get("Afterwards", ""),
        slide=page.sections.get("Slide", ""),
        speaker=str(front.get("speaker", "")),
        start=str(front.get("start", "")),
        predict=predict,
        questions=_each(page, front, "questions", parts.question),
        checks=_each(page, front, "checks", parts.check),
        hints=_each(page, front, "hints", parts.hint),
        faults=_each(page, front, "faults", parts.fault),
        buttons=tuple(_buttons(page)),
        explain=str(front.get("explain", "")),
        solution=_each(page, front, "solution", parts.act),
    )
    if front:
        _check_whole(page, step)
    return step


def _each(page: Page, front: dict, name: str, read: Callable[[Block, str, dict], Any]) -> tuple:
    found = tuple(read(page, f"{name}[{index}]", one) for index, one in enumerate(front.get(name, ())))
    ids = [one.id for one in found if hasattr(one, "id")]
    for index, id in enumerate(ids):
        if id in ids[:index]:
            page.wrong(f"{name}[{index}].id", f"{id} is the name of another one already")
    return found


def _buttons(page: Page) -> Iterator[Act]:
    """The acts of the text, in their order. What is to be typed, and sheets, are looked at on the way."""
    in_text = sum(fence.kind == "do" for fence in marking.fences(page.text))
    for fence in page.fences():
        if fence.kind == "kubectl":
            for command in marking.commands(fence.text):
                try:
                    arguments(command)
                except ValueError as error:
                    page.wrong_at(fence.line, f"{command}: {error}")
        if fence.kind == marking.SHEET:
            block = Block(page.file, fence.line - 1, fence.text, sheet.SCHEMA, page.mistakes)
            if block.front:
                for index, row in enumerate(sheet.read_sheet(block.front, block.wrong).readings):
                    block.tried(f"readings[{index}].reading", parts.a_reading, row["reading"])
        if fence.kind == "do":
            in_text -= 1
            if in_text < 0:
                page.wrong_at(fence.line, "a button stands in the text of the step, above the first ##")
            block = Block(page.file, fence.line - 1, fence.text, schema.BUTTON, page.mistakes)
            if block.front:
                yield parts.act(block, "", block.front)


def _check_whole(page: Page, step: Step) -> None:
    """What no part of a step can say by itself."""
    if step.checks and not step.solution:
        page.wrong("checks", "there is no solution: neither could the step be skipped, nor its checks be proven")
    if step.explain and not EXPLAINED.fullmatch(step.explain):
        page.wrong("explain", "write: thread, or: why deployment/web")
    known = [check.id for check in step.checks]
    for index, check in enumerate(step.checks):
        if check.after and check.after not in known[:index]:
            page.wrong(f"checks[{index}].after", f"no check before it is called {check.after}")
        for reading in places(check.fail):
            page.tried(f"checks[{index}].fail", parts.a_reading, reading)
    for reading in marking.readings(step.afterwards):
        taken = reading.removeprefix(TOOK)
        try:
            other, of_another, _ = taken.partition("/")
            if taken != reading and of_another:
                if not any(page.file.parent.glob(f"[0-9]*-{other}.md")):
                    raise ValueError(f"there is no step {other}")
            elif taken != reading and taken not in known:
                raise ValueError(f"no check is called {taken}")
            if taken == reading:
                parts.a_reading(reading)
        except ValueError as error:
            page.wrong_at(page.line_with(f"{{{reading}}}"), str(error))
