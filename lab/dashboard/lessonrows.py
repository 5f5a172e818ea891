"""The row of a lesson: when it changes, the page that shows the lesson asks for what is new. Pure."""

import json
import zlib

from lab.apimachinery.kinds import LESSONS

from .rows import Row, compact, head

TEXT = "orrery.io/text"  # the version of its files, where its author works on them (lab/tutorials/authoring.py)
TOLD = "orrery.io/told"  # what an instructor has said to its learner (lab/tutorials/told.py)


def lesson_row(lesson: dict) -> Row:
    """`of`: what parts of the page are made of, each as a number that changes with it."""
    spec, status = lesson["spec"], lesson.get("status", {})
    phase, step = status.get("phase", ""), spec.get("step", "")
    notes = lesson["metadata"].get("annotations", {})
    parts = {
        "stage": [spec.get("run"), step, phase, status.get("message")],
        "answers": spec.get("answers", {}).get(step),
        "checks": status.get("checks"),
        "hints": [spec.get("hints"), status.get("hints"), status.get("moreHints")],
        "done": [spec.get("skip"), status.get("done")],
        "steps": status.get("steps"),
    }
    parts |= {name: notes[key] for name, key in (("text", TEXT), ("told", TOLD)) if notes.get(key)}
    of = {name: zlib.crc32(json.dumps(part).encode()) for name, part in parts.items()}
    return compact({**head("lesson", LESSONS.resource, lesson), "step": step, "phase": phase, "of": of})
