"""A file of a lesson: its front matter, its text in sections, and what is wrong with it, each with its line."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema_rs

from lab.dashboard.yamllines import BadYaml, Document, documents

HERE = Path(__file__).parent
SCENES = HERE / "scenes"
DEMOS = HERE.parent / "demos"
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0}


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


class Page:
    """A file with its front matter: `front`, what stands before the first heading of ours, and the `sections`."""

    def __init__(self, file: Path, rules: dict, mistakes: list[Mistake]):
        self.file, self._mistakes = file, mistakes
        self.front: dict = {}
        self.document: Document | None = None
        text = file.read_text() if file.exists() else ""
        found = re.match(r"---\n(.*?\n)---\n?", text, re.DOTALL)
        if not found:
            self.wrong(
                "", "it begins with its front matter, between two lines of ---" if text else "this file is missing"
            )
        else:
            self._read_front(found[1], rules)
        self.sections = dict(_sections(text[found.end() :] if found else text))
        self.text = self.sections.pop("")

    def _read_front(self, text: str, rules: dict) -> None:
        try:
            found = documents(text)
        except BadYaml as error:
            self._mistakes.append(Mistake(self._name(), error.line + 1, error.message))
            return
        if found:
            self.document, self.front = found[0], found[0].object
        wrong = list(jsonschema_rs.Draft202012Validator(rules).iter_errors(self.front))
        for each in wrong:
            self.wrong(_path(each.instance_path), each.message)
        if wrong:
            self.front = {}  # what is made of it would only repeat them

    def wrong(self, path: str, text: str) -> None:
        line = self.document.line_of(path) + 1 if self.document and path else 1
        self._mistakes.append(Mistake(self._name(), line, f"{path}: {text}" if path else text))

    def _name(self) -> str:
        return f"{self.file.parent.name}/{self.file.name}"

    def tried(self, path: str, read: Callable[[str], Any], text: str) -> Any:
        """What is read of it; None, and a mistake, where it cannot be."""
        try:
            return read(text)
        except ValueError as error:
            self.wrong(path, str(error))
            return None

    def must_exist(self, path: str, name: str) -> None:
        if not find_file(self.file.parent, name):
            self.wrong(path, f"there is no file {name}, neither beside this one nor in scenes/")

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


def _sections(text: str) -> Iterator[tuple[str, str]]:
    parts = re.split(r"^## (Afterwards|Slide|Questions)\n", text, flags=re.MULTILINE)
    yield "", parts[0].strip()
    for name, part in zip(parts[1::2], parts[2::2], strict=True):
        yield name, part.strip()


def _path(parts: list[str | int]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).lstrip(".")


def seconds(text: str | None) -> float | None:
    """`20s` → 20.0"""
    found = re.fullmatch(r"([0-9.]+)(ms|s|m)", text or "")
    return float(found[1]) * UNITS[found[2]] if found else None
