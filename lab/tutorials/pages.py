"""A file of a lesson: its front matter, its text in sections, and what is wrong with it, each with its line."""

import difflib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema_rs
from jsonschema_rs import ValidationErrorKind

from lab.dashboard.yamllines import BadYaml, Document, documents

from . import marking

HERE = Path(__file__).parent
MISCONCEPTIONS = HERE / "misconceptions.yaml"
SCENES = HERE / "scenes"
DEMOS = HERE.parent / "demos"
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0}
FRONT = re.compile(r"---\n(.*?\n)---\n?", re.DOTALL)
SECTION = re.compile(r"^## (Afterwards|Slide|To keep|Questions)[ \t]*\n", re.MULTILINE)


@dataclass(frozen=True)
class Mistake:
    """`file` as its author would write it, from the lessons' folder on; `line` counts from 1."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


class Mistakes(Exception):
    def __init__(self, mistakes: list[Mistake]):
        super().__init__("\n".join(map(str, mistakes)))
        self.mistakes = mistakes


class Block:
    """A piece of YAML in a file, `above` lines from its top: what it says (`front`), and what is wrong with it."""

    def __init__(self, file: Path, above: int, text: str, rules: dict, mistakes: list[Mistake]):
        self.file, self._above, self.mistakes = file, above, mistakes
        self.front: dict = {}
        self.document: Document | None = None
        try:
            found = documents(text)
        except BadYaml as error:
            self.wrong_at(above + error.line, error.message)
            return
        if found:
            self.document, self.front = found[0], found[0].object
        wrong = list(jsonschema_rs.Draft202012Validator(rules).iter_errors(self.front))
        for each in wrong:
            for path, said in _said(each, rules):
                self.wrong(path, said)
        if all(isinstance(each.kind, ValidationErrorKind.AdditionalProperties) for each in wrong):
            for each in wrong:
                _drop(self.front, each)
        else:
            self.front = {}  # what is made of it would only repeat them

    def wrong(self, path: str, text: str) -> None:
        """`path` as in a Status error: `checks[0].state`."""
        line = self.document.line_of(path) if self.document else 0
        self.wrong_at(self._above + line or 1, f"{path}: {text}" if path else text)

    def wrong_at(self, line: int, text: str) -> None:
        self.mistakes.append(Mistake(f"{self.file.parent.name}/{self.file.name}", line, text))

    def tried(self, path: str, read: Callable[[str], Any], text: str) -> Any:
        """What is read of it; None, and a mistake, where it cannot be."""
        try:
            return read(text)
        except ValueError as error:
            self.wrong(path, str(error))
            return None

    def must_exist(self, path: str, name: str) -> None:
        if not find_file(self.file.parent, name):
            self.wrong(path, f"there is no file {name}, neither beside this one nor in scenes/ or demos/")


class Page(Block):
    """The whole file: its front matter, the `text` before the first of our headings, and the `sections` under them."""

    def __init__(self, file: Path, rules: dict, mistakes: list[Mistake]):
        text = file.read_text() if file.exists() else ""
        found = FRONT.match(text)
        if found:
            super().__init__(file, 1, found[1], rules, mistakes)
        else:
            super().__init__(file, 0, "", {}, mistakes)
            self.wrong(
                "", "it begins with its front matter, between two lines of ---" if text else "this file is missing"
            )
        begins = found.end() if found else 0
        parts = SECTION.split(text[begins:])
        self.text = parts[0].strip()
        self.sections = dict(zip(parts[1::2], map(str.strip, parts[2::2]), strict=True))
        self._after_front, self._lines_before = text[begins:], text.count("\n", 0, begins)

    def fences(self) -> Iterator[marking.Fence]:
        """All of the file; `line` counts from its top, from 1."""
        for fence in marking.fences(self._after_front):
            yield marking.Fence(fence.kind, fence.text, self._lines_before + fence.line + 1)

    def line_with(self, text: str) -> int:
        """The first line, below the front matter, that has this text in it."""
        before, _, _ = self._after_front.partition(text)
        return self._lines_before + before.count("\n") + 1

    def questions(self) -> Iterator[tuple[str, str]]:
        for part in re.split(r"^### ", self.sections.get("Questions", ""), flags=re.MULTILINE)[1:]:
            question, _, answer = part.partition("\n")
            yield question.strip(), answer.strip()


def find_file(folder: Path, name: str) -> Path | None:
    """A scene or what is applied: of the lesson, else of those that all share: scenes/ and demos/. None if there is
    none, or if it lies outside of them."""
    for place in (folder, SCENES, DEMOS):
        file = place / name
        if file.is_file() and file.resolve().is_relative_to(place.resolve()):
            return file
    return None


def _said(error: jsonschema_rs.ValidationError, rules: dict) -> Iterator[tuple[str, str]]:
    """Path → what is wrong there; in the schema's own words where it has some, and with the name that was meant."""
    where, schema = error.instance_path, rules
    for step in error.schema_path[:-1]:
        schema = schema[step]
    if isinstance(error.kind, ValidationErrorKind.AdditionalProperties):
        for name in error.kind.unexpected:
            meant = difflib.get_close_matches(name, schema["properties"], 1)
            known = f"; {meant[0]}?" if meant else f", only {', '.join(schema['properties'])}"
            yield _path([*where, name]), f"there is no such field{known}"
    else:
        ours = schema.get("errorMessage") if error.schema_path[-1] == "oneOf" else None
        yield _path(where), ours or error.message


def _drop(front: dict, error: jsonschema_rs.ValidationError) -> None:
    """Take the fields away that there are not: the rest can be read, and its mistakes be told as well."""
    assert isinstance(error.kind, ValidationErrorKind.AdditionalProperties)
    part: Any = front
    for step in error.instance_path:
        part = part[step]
    for name in error.kind.unexpected:
        del part[name]


def _path(parts: list[str | int]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).lstrip(".")


def seconds(text: str | None) -> float | None:
    """`20s` → 20.0"""
    found = re.fullmatch(r"([0-9.]+)(ms|s|m)", text or "")
    return float(found[1]) * UNITS[found[2]] if found else None
