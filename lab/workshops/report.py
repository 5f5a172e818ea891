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
from lab.tutorials.told import told_in

from . import voices as said
from .drills import FAULTS, Outcome
from .voices import Voices

COLUMNS = (
    "name", "group", "joined", "last seen", "lesson", "step", "passed", "seconds", "tries", "hints", "shown by the lab",
    "predicted", "came true", "misconception",
)  # fmt: skip
OF_DRILLS = ("fault", "struck", "hurt after", "noticed after", "well after", "not struck, for")
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
        "hints": sum(_hints(kept.get(lesson.id), step) for lesson in lessons for step in lesson.steps),
        "predicted": len(predicted),
        "right": sum(one["right"] for one in predicted),
    }


def _passed(lesson: Lesson, obj: dict | None) -> Iterator[tuple[Step, dict]]:
    kept = obj.get("status", {}).get("steps", {}) if obj else {}
    return ((step, kept[step.id]) for step in lesson.steps if step.id in kept)


def _hints(obj: dict | None, step: Step) -> int:
    """As many as the wall says: those that the lab showed at a step, passed or not, and those that an instructor sent
    there."""
    if obj is None:
        return 0
    status, sent = obj.get("status", {}), sum(one.get("hint") is True for one in told_in(obj, step.id))
    if step.id in status.get("steps", {}):
        return sent + status["steps"][step.id].get("hints", 0)
    return sent + (len(status.get("hints", ())) if obj["spec"]["step"] == step.id else 0)


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
        "hints": sum(_hints(obj, step) for obj in mine),
    }


def _drill(fault: str, began: datetime, found: list[Outcome]) -> dict:
    def median(word: str) -> float | None:
        seconds = [value for one in found if (value := getattr(one, word)) is not None]
        return statistics.median(seconds) if seconds else None

    return {
        "fault": title(fault),
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
    drills: list[tuple[str, datetime, list[Outcome]]],
    voices: Voices,
) -> str:
    """A line for each step that somebody came to, for each poll that they voted in, for each question that they asked,
    for each fault that came to them, and one for who did nothing of it: so everybody is in it."""
    out = io.StringIO()
    table = csv.DictWriter(out, (*COLUMNS, *said.COLUMNS, *OF_DRILLS), restval="")
    table.writeheader()
    for seat in seats:
        joined, kept = seat.joined.timestamp(), objects.get(seat.cluster, {})
        last = stamp(seen.get(seat.cluster, joined))
        who = {"name": seat.nickname, "group": seat.group, "joined": stamp(joined), "last seen": last}
        rows = [row for lesson in lessons if lesson.id in kept for row in _rows(lesson, kept[lesson.id])]
        rows += said.rows_of(seat.cluster, voices)
        for fault, began, found in drills:
            rows += [_struck(fault, began, one) for one in found if one.name == seat.nickname]
        for row in rows or [{}]:
            table.writerow({column: safe(str(value)) for column, value in {**who, **row}.items() if value is not None})
    return out.getvalue()


def _rows(lesson: Lesson, obj: dict) -> Iterator[dict]:
    """Of the steps that somebody has passed, and of the one that they are at."""
    kept, at = obj.get("status", {}).get("steps", {}), obj["spec"]["step"]
    for step in lesson.steps:
        if step.id in kept:
            yield {"lesson": lesson.title, "step": step.title, **_done(kept[step.id]), "hints": _hints(obj, step)}
        elif step.id == at:
            yield {"lesson": lesson.title, "step": step.title, "hints": _hints(obj, step)}


def _done(kept: dict) -> dict:
    first = kept.get("predicted", {})
    return {
        "passed": stamp(kept["passed"]["time"]),
        "seconds": kept["seconds"],
        "tries": kept["runs"],
        "shown by the lab": "yes" if kept["skipped"] else "",
        "predicted": first.get("chosen", ""),
        "came true": {True: "yes", False: "no"}.get(first.get("right"), ""),
        "misconception": first.get("misconception", ""),
    }


def _struck(fault: str, began: datetime, one: Outcome) -> dict:
    """In seconds; empty for what has not come."""
    said = (title(fault), stamp(began.timestamp()), one.hurt, one.noticed, one.well, one.failed)
    return dict(zip(OF_DRILLS, said, strict=True))


def title(fault: str) -> str:
    return FAULTS[fault].title if fault in FAULTS else fault


def stamp(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def safe(text: str) -> str:
    """Words of a learner's, which no spreadsheet shall calculate."""
    return f"'{text}" if text.startswith(FORMULAS) else text
