"""From a folder to a Lesson. All that is wrong with it is said at once, each with its file and line.

14-self-healing/
  lesson.md        front matter (`schema.LESSON`), the introduction; ## Slide, ## Questions
  1-a-process.md   front matter (`schema.STEP`), what to do; ## Afterwards, ## Slide
  web-3.yaml       scenes and what is applied
"""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from . import schema
from .claims import Claim, parse, parse_reading, parse_subject
from .lesson import Act, Answer, Check, Fault, Hint, Lesson, Moment, Question, Step
from .pages import HERE, Mistake, Mistakes, Page, seconds

FOLDER = re.compile(r"(\d\d)-[a-z0-9]([-a-z0-9]*[a-z0-9])?")
HTTP = re.compile(r"(GET|POST) http://[-a-z0-9.]+(:[a-z0-9]+)?/\S*")
FILE = re.compile(r"(\d{1,2})-([a-z0-9]([-a-z0-9]*[a-z0-9])?)\.md")


@cache
def misconceptions() -> dict[str, str]:
    """Name → what somebody believes."""
    return yaml.safe_load((HERE / "misconceptions.yaml").read_text())


def read_lesson(folder: Path) -> Lesson:
    """Raises Mistakes."""
    mistakes: list[Mistake] = []
    steps = [_step(file, mistakes) for file in sorted(folder.glob("[0-9]*-*.md"), key=_number)]
    page = Page(folder / "lesson.md", schema.LESSON, mistakes)
    if not FOLDER.fullmatch(folder.name):
        page.wrong("", f"a lesson's folder is called like 14-self-healing, not {folder.name}")
    if not steps:
        page.wrong("", "a lesson has a step at least: a file called like 1-first-step.md")
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
        page.must_exist("start", front["start"])
    predict = _question(page, "predict", {"id": "predict", **front["predict"]}) if "predict" in front else None
    return Step(
        id=named[2] if named else file.stem,
        title=str(front.get("title", "")),
        minutes=_float(front.get("minutes")),
        text=page.text,
        afterwards=page.sections.get("Afterwards", ""),
        slide=page.sections.get("Slide", ""),
        speaker=str(front.get("speaker", "")),
        start=str(front.get("start", "")),
        predict=predict,
        questions=_each(page, front, "questions", _question),
        checks=_each(page, front, "checks", _check),
        hints=_each(page, front, "hints", _hint),
        faults=_each(page, front, "faults", _fault),
        explain=str(front.get("explain", "")),
        solution=_each(page, front, "solution", _act),
    )


def _each(page: Page, front: dict, name: str, read: Callable[[Any, str, dict], Any]) -> tuple:
    found = tuple(read(page, f"{name}[{index}]", one) for index, one in enumerate(front.get(name, ())))
    ids = [one.id for one in found if hasattr(one, "id")]
    for index, id in enumerate(ids):
        if id in ids[:index]:
            page.wrong(f"{name}[{index}].id", f"{id} is the name of another one already")
    return found


def _question(page: Page, path: str, one: dict) -> Question:
    answers = tuple(Answer(**{"misconception": "", **answer}) for answer in one.get("answers", ()))
    if answers and not any(answer.right for answer in answers):
        page.wrong(f"{path}.answers", "one answer must be right: true")
    for index, answer in enumerate(answers):
        if answer.misconception and answer.misconception not in misconceptions():
            page.wrong(
                f"{path}.answers[{index}].misconception", f"{answer.misconception} is not in misconceptions.yaml"
            )
    if "number" in one:
        page.tried(f"{path}.number", parse_reading, one["number"])
    return Question(**{**one, "answers": answers})


def claims_of(page: Page, path: str, given: str | list | None) -> tuple[Claim, ...]:
    """One claim or several, as their author wrote them."""
    if isinstance(given, str):
        return tuple(filter(None, [page.tried(path, parse, given)]))
    return tuple(filter(None, (page.tried(f"{path}[{i}]", parse, text) for i, text in enumerate(given or ()))))


def _check(page: Page, path: str, one: dict) -> Check:
    moments = tuple(_moment(page, f"{path}.history[{i}]", each) for i, each in enumerate(one.get("history", ())))
    return Check(
        id=one["id"],
        text=one["text"],
        fail=one.get("fail", ""),
        state=claims_of(page, f"{path}.state", one.get("state")),
        always=claims_of(page, f"{path}.always", one.get("always")),
        moments=moments,
        questions=one.get("questions", False),
        within=seconds(one.get("within")),
        after=one.get("after", ""),
    )


def _moment(page: Page, path: str, one: dict) -> Moment:
    event = next(name for name in ("created", "deleted", "changed") if name in one)
    subject = page.tried(f"{path}.{event}", parse_subject, one[event])
    where = page.tried(f"{path}.where", parse, f"it {one['where']}") if "where" in one else None
    return Moment(event, subject, one.get("by", ""), where, seconds(one.get("within")), one.get("count", 1))


def _hint(page: Page, path: str, one: dict) -> Hint:
    return Hint(one["text"], claims_of(page, f"{path}.when", one.get("when")), seconds(one.get("after")))


def _fault(page: Page, path: str, one: dict) -> Fault:
    acts = tuple(_act(page, f"{path}.acts[{i}]", act) for i, act in enumerate(one["acts"]))
    return Fault(seconds(one["after"]) or 0.0, acts, seconds(one.get("every")) or 0.0)


def _act(page: Page, path: str, one: dict) -> Act:
    kind = next(way for way in schema.WAYS if way in one)
    form = {key: value for key, value in one.items() if key not in (kind, "label", "within")}
    given = one[kind]
    if kind in ("apply",):
        page.must_exist(f"{path}.{kind}", given)
    if "input" in form:
        page.must_exist(f"{path}.input", form["input"])
    if kind == "delete":
        page.tried(f"{path}.{kind}", parse_subject, given)
    if kind == "http" and not HTTP.fullmatch(given):
        page.wrong(f"{path}.{kind}", "write it like: POST http://loans/faults?error=on")
    if kind not in ("do", "kubectl") and (extra := form.keys() - {"input"}):
        page.wrong(f"{path}.{min(extra)}", f"{kind} takes none of that")
    return Act(
        kind,
        text=given if isinstance(given, str) and kind != "wait" else "",
        form=given if kind == "answer" else form,
        claims=claims_of(page, f"{path}.wait", given) if kind == "wait" else (),
        within=seconds(one.get("within")) or Act.within,
        label=one.get("label", ""),
    )
