"""For who writes lessons: a folder to begin with, and a watch that reads it again at each save."""

import contextlib
import re
import shutil
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError

from lab.client import cluster_names
from lab.dashboard.lessonrows import TEXT
from lab.supervisor.state import read_run

from . import shelf
from .pages import HERE
from .remote import Remote

NEW = HERE / "new"
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LOOK_SECONDS = 0.3


def new(slug: str) -> Path:
    """A lesson to change word by word, under the first free number. Raises ValueError for what cannot be its name."""
    if not SLUG.fullmatch(slug) or slug[0].isdigit():
        raise ValueError(f"{slug} cannot be a lesson's name: small letters, digits and -, as in blue-green; no number")
    numbers = {int(each.id[:2]) for each in shelf.every() if each.id[:2].isdigit()}
    free = next(number for number in count(1) if number not in numbers)
    folder = settings.LESSONS_DIR / f"{free:02}-{slug}"
    shutil.copytree(NEW, folder)
    page = folder / "lesson.md"
    page.write_text(page.read_text().replace("A new lesson", slug.replace("-", " ").capitalize()))
    return folder


def changed() -> Iterator[shelf.Shelved]:
    """Every lesson as it is now, and from then on each that changes, when it does. Never ends."""
    seen: dict[str, str] = {}
    while True:
        for each in shelf.every():
            if seen.get(each.id) != each.version:
                seen[each.id] = each.version
                yield each
        time.sleep(LOOK_SECONDS)


def reload(shelved: shelf.Shelved) -> bool:
    """Have the pages on which the lesson is open show it anew, or its mistakes, in the lab of this data folder; whether
    it is played in any cluster. The pages hear of it as of anything else, by a change of the Lesson."""
    board, reached = read_run(settings.DATA_DIR).get("board"), False
    if not board:
        return False
    with contextlib.suppress(OSError, DatabaseError):  # the lab does not run: then no page is open either
        for remote in (Remote(board, cluster) for cluster in cluster_names()):
            if remote.get(shelved.id):
                remote.patch(shelved.id, {"metadata": {"annotations": {TEXT: shelved.version}}})
                reached = True
    return reached
