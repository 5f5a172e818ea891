"""All lessons and where a learner is in them, and what they have done: for the path and the certificate. Pure."""

from datetime import UTC, datetime

from django.conf import settings

from . import shelf
from .lesson import Lesson
from .parts import misconceptions

SANDBOX = "Sandbox"


def tracks(objects: dict[str, dict]) -> dict:
    """`{"tracks": [(name, [row])], "broken", "going", "passed", "lessons", "minutes", "faults"}` of the Lessons by
    their names; `faults`: how many broken things the sandbox has to repair."""
    rows: dict[str, list[dict]] = {}
    for lesson in shelf.lessons():
        rows.setdefault(lesson.track, []).append(_row(lesson, objects.get(lesson.id)))
    ordered = sorted(rows.items(), key=lambda one: one[0] == SANDBOX)
    every = [row for name, found in ordered if name != SANDBOX for row in found]
    going = next((row for _, found in ordered for row in found if row["state"] == "going"), None)
    following = next((row for row in every if row["state"] != "passed"), None)
    return {
        "tracks": ordered,
        "broken": [each for each in shelf.every() if not each.lesson],
        "going": going or following,
        "passed": sum(row["state"] == "passed" for row in every),
        "lessons": len(every),
        "faults": sum(bool(step.checks) for row in rows.get(SANDBOX, ()) for step in row["lesson"].steps),
        "minutes": round(sum(row["lesson"].minutes for row in every)),
    }


def _row(lesson: Lesson, obj: dict | None) -> dict:
    kept = obj.get("status", {}).get("steps", {}) if obj else {}
    passed = sum(step.id in kept for step in lesson.steps)
    state = "passed" if passed == len(lesson.steps) else "begun" if obj else ""
    if obj and state == "begun" and not obj["spec"].get("paused"):
        state = "going"
    here = lesson.step(obj["spec"]["step"]) if obj else None
    return {
        "lesson": lesson,
        "passed": passed,
        "steps": len(lesson.steps),
        "state": state,
        "here": here,
        "can": settings.RUNTIME in (*lesson.runtimes, "auto"),
        "verb": "Do again" if state == "passed" else "Continue" if state else "Start",
    }


def certificate_of(objects: dict[str, dict]) -> dict:
    """What was done, when, in how many tries, from the Lessons; and what was believed on the way. What the lab
    has shown is listed, and counted apart."""
    lessons: list[dict] = []
    every: list[dict] = []
    for lesson in shelf.lessons():
        obj = objects.get(lesson.id)
        kept = obj.get("status", {}).get("steps", {}) if obj else {}
        steps = [_told(step.title, kept[step.id]) for step in lesson.steps if step.id in kept]
        every += steps
        if steps:
            lessons.append({"lesson": lesson, "steps": steps, "whole": len(steps) == len(lesson.steps) == _done(steps)})
    predicted = [step["predicted"] for step in every if "predicted" in step]
    beliefs = {one["misconception"] for one in predicted if "misconception" in one}
    return {
        "lessons": lessons,
        "done": _done(every),
        "shown": len(every) - _done(every),
        "whole": sum(each["whole"] for each in lessons if each["lesson"].track != SANDBOX),
        "all": sum(lesson.track != SANDBOX for lesson in shelf.lessons()),
        "predicted": len(predicted),
        "right": sum(one["right"] for one in predicted),
        "beliefs": [misconceptions()[name] for name in sorted(beliefs) if name in misconceptions()],
        "minutes": round(sum(step["seconds"] for step in every if not step["skipped"]) / 60),
    }


def _done(steps: list[dict]) -> int:
    """How many of them the learner has done."""
    return sum(not step["skipped"] for step in steps)


def _told(title: str, kept: dict) -> dict:
    return {**kept, "title": title, "when": datetime.fromtimestamp(kept["passed"]["time"], UTC)}
