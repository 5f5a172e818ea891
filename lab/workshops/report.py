"""What a workshop came to: who was there, how far they came, what they believed, how fast they recovered. Pure.

Everything is read of the seats, of the Lessons in the learners' clusters, of the drills' outcomes, and of what the
class has said.
"""

import csv
import io
import statistics
from collections.abc import Iterator
from datetime import UTC, datetime

from lab.models import Seat, Workshop
from lab.tutorials.lesson import Lesson, Step
from lab.tutorials.predictions import in_sum

from . import voices as said
from .drills import FAULTS, Outcome
from .voices import Voices

COLUMNS = (
    "name", "group", "joined", "last seen", "lesson", "step", "passed", "seconds", "tries", "hints", "shown by the lab",
    "predicted", "came true", "misconception",
)  # fmt: skip
FORMULAS = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for one


def report(
    workshop: Workshop,
    seats: list[Seat],
    lessons: list[Lesson],
    objects: dict[str, dict[str, dict]],
    seen: dict[str, float],
    drills: list[tuple[str, datetime, list[Outcome]]],
    voices: Voices,
) -> dict:
    """`objects`: cluster → the Lessons there, by their names. `seen`: cluster → when its learner was last seen. As
    data: `{"workshop", "learners", "steps", "beliefs", "drills", "polls", "questions"}`, times in RFC 3339."""
    names = {seat.cluster: seat.nickname for seat in seats}
    learners = [_learner(seat, lessons, objects.get(seat.cluster, {}), seen.get(seat.cluster)) for seat in seats]
    summed = in_sum(lessons, list(objects.values()))
    return {
        "workshop": {"title": workshop.title, "code": workshop.code, "made": stamp(workshop.made.timestamp()),
                     "forget": workshop.forget.isoformat(), "groups": workshop.groups},
        "learners": learners,
        "steps": [_step(lesson, step, list(objects.values())) for lesson in lessons for step in lesson.steps],
        "beliefs": [{"belief": belief, "learners": count} for belief, count in summed["beliefs"]],
        "drills": [_drill(fault, began, found) for fault, began, found in drills],
        "polls": [{**said.polled(one, names), "began": stamp(one.began)} for one in voices.polls],
        "questions": [{**said.asked(one, names), "asked": stamp(one.at)} for one in voices.questions],
    }  # fmt: skip


def _learner(seat: Seat, lessons: list[Lesson], kept: dict[str, dict], seen: float | None) -> dict:
    passed = [one for lesson in lessons for _, one in _passed(lesson, kept.get(lesson.id))]
    predicted = [one["predicted"] for one in passed if "predicted" in one]
    return {
        "name": seat.nickname,
        "group": seat.group,
        "joined": stamp(seat.joined.timestamp()),
        "seen": stamp(seen or seat.joined.timestamp()),
        "passed": sum(not one["skipped"] for one in passed),
        "shown": sum(one["skipped"] for one in passed),
        "minutes": round(sum(one["seconds"] for one in passed if not one["skipped"]) / 60, 1),
        "hints": sum(one.get("hints", 0) for one in passed),
        "predicted": len(predicted),
        "right": sum(one["right"] for one in predicted),
    }


def _passed(lesson: Lesson, obj: dict | None) -> Iterator[tuple[Step, dict]]:
    kept = obj.get("status", {}).get("steps", {}) if obj else {}
    return ((step, kept[step.id]) for step in lesson.steps if step.id in kept)


def _step(lesson: Lesson, step: Step, learners: list[dict[str, dict]]) -> dict:
    """How many came to it, and how many through it: the difference is where a class is lost."""
    mine = [objects[lesson.id] for objects in learners if lesson.id in objects]
    kept = [(obj["spec"]["step"], obj.get("status", {}).get("steps", {}).get(step.id)) for obj in mine]
    passed = [one for _, one in kept if one]
    here = [at for at, one in kept if at == step.id and not one]
    done = [one["seconds"] for one in passed if not one["skipped"]]
    return {
        "lesson": lesson.title,
        "step": step.title,
        "reached": len(passed) + len(here),
        "passed": len(passed),
        "lost": len(here),
        "shown": len(passed) - len(done),
        "seconds": round(statistics.median(done), 1) if done else None,
        "hints": sum(one.get("hints", 0) for one in passed),
    }


def _drill(fault: str, began: datetime, found: list[Outcome]) -> dict:
    def median(word: str) -> float | None:
        seconds = [value for one in found if (value := getattr(one, word)) is not None]
        return statistics.median(seconds) if seconds else None

    return {
        "fault": FAULTS[fault].title if fault in FAULTS else fault,
        "began": stamp(began.timestamp()),
        "learners": [one.as_dict() for one in found],
        "noticed": median("noticed"),
        "well": median("well"),
    }


def as_csv(
    seats: list[Seat],
    lessons: list[Lesson],
    objects: dict[str, dict[str, dict]],
    seen: dict[str, float],
    voices: Voices,
) -> str:
    """A line for each step that somebody passed, for each poll that they voted in, for each question that they asked,
    and one for who did nothing of it: so everybody is in it."""
    out = io.StringIO()
    table = csv.writer(out)
    columns = (*COLUMNS, *said.COLUMNS)
    table.writerow(columns)
    rest = ("",) * (len(COLUMNS) - 6)  # of a line that is about no step that was passed
    for seat in seats:
        joined = seat.joined.timestamp()
        who = (safe(seat.nickname), seat.group, stamp(joined), stamp(seen.get(seat.cluster, joined)))
        kept = objects.get(seat.cluster, {})
        rows = [_row(lesson, step, one) for lesson in lessons for step, one in _passed(lesson, kept.get(lesson.id))]
        for lesson, step, words in said.rows_of(seat.cluster, voices):
            rows.append((lesson, step, *rest, *(safe(str(word)) for word in words)))
        for row in rows or [()]:
            table.writerow((*who, *row, *("",) * (len(columns) - len(who) - len(row))))
    return out.getvalue()


def _row(lesson: Lesson, step: Step, kept: dict) -> tuple:
    first = kept.get("predicted", {})
    return (
        lesson.title, step.title, stamp(kept["passed"]["time"]), kept["seconds"], kept["runs"], kept.get("hints", 0),
        "yes" if kept["skipped"] else "", safe(str(first.get("chosen", ""))),
        {True: "yes", False: "no"}.get(first.get("right"), ""), first.get("misconception", ""),
    )  # fmt: skip


def stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def safe(text: str) -> str:
    """Words of a learner's, which no spreadsheet shall calculate."""
    return f"'{text}" if text.startswith(FORMULAS) else text
