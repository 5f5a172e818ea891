"""The lessons that there are. Each is read once, and anew when one of its files has changed.

A lesson with mistakes stands there with them, and takes no other away.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from .lesson import Lesson
from .pages import MISCONCEPTIONS, Mistake, Mistakes
from .reading import read_lesson


@dataclass(frozen=True)
class Shelved:
    """`lesson` is None where its files have mistakes. `version` changes with its files."""

    id: str
    version: str
    lesson: Lesson | None = None
    mistakes: tuple[Mistake, ...] = ()


_read: dict[Path, Shelved] = {}


def every() -> list[Shelved]:
    """By number."""
    folders = [
        each for each in settings.LESSONS_DIR.iterdir() if each.is_dir() and not each.name.startswith(("_", "."))
    ]
    return [_shelved(folder) for folder in sorted(folders)]


def lessons() -> list[Lesson]:
    """Those without mistakes, by number."""
    return [each.lesson for each in every() if each.lesson]


def find(id: str) -> Shelved | None:
    folder = settings.LESSONS_DIR / id
    inside = "/" not in id and not id.startswith(".")
    return _shelved(folder) if inside and folder.is_dir() else None


def lesson(id: str) -> Lesson | None:
    """The one of that id, if there is one without mistakes."""
    found = find(id) if id else None
    return found.lesson if found else None


def _shelved(folder: Path) -> Shelved:
    version = _version(folder)
    known = _read.get(folder)
    if known is None or known.version != version:
        known = _read[folder] = _fresh(folder, version)
    return known


def _fresh(folder: Path, version: str) -> Shelved:
    try:
        return Shelved(folder.name, version, read_lesson(folder))
    except Mistakes as wrong:
        return Shelved(folder.name, version, mistakes=tuple(wrong.mistakes))


def _version(folder: Path) -> str:
    """Of the newest file, and how many there are: a file that was taken away makes a difference too."""
    times = list(_times(folder))
    return f"{max(times)}-{len(times)}"


def _times(folder: Path) -> Iterator[int]:
    for file in (MISCONCEPTIONS, folder, *folder.iterdir()):
        with contextlib.suppress(FileNotFoundError):  # an editor's, for a moment
            yield file.stat().st_mtime_ns
