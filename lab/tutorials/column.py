"""The column of a lesson beside the board: what its templates show, part by part.

Each part stands by itself, so that a check that turns takes neither the focus nor a choice that is half made.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.db.models import Q
from django.utils.safestring import SafeString

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import BY_RESOURCE, LEASES, LESSONS
from lab.client import Client
from lab.explain import thread
from lab.explain.authors import AUTHORS
from lab.store import find

from . import facts, marking, pace, progress
from .checking import BROKEN, ERROR, NOT_YET, PASSED
from .claims import parse_reading, parse_subject
from .facts import kind_of
from .lesson import Lesson, Question, Step
from .outside import Outside
from .parts import misconceptions
from .shelf import lessons
from .texts import shown
from .told import told_in

# In the order in which they stand in the column.
PARTS = ("path", "stage", "text", "predict", "questions", "checks", "hints", "done", "after", "foot", "more")
HOPS = 6
# Rows that no part of the lab has written, but for notes of where a learner is.
BY_A_PERSON = ~Q(author__in=list(AUTHORS)) & ~Q(resource=LESSONS.resource)
SIGNS = {
    PASSED: ("✓", "Passed"),
    BROKEN: ("✕", "Broken"),
    ERROR: ("!", "The lab failed"),
    NOT_YET: ("…", "Not yet"),
}


def column(client: Client, lesson: Lesson, obj: dict | None, door: str) -> dict:
    """What all parts show. `obj`: the learner's Lesson, None where it is not begun; `door`: see `frontdoor.way_in`."""
    spec, status = (obj["spec"], obj.get("status", {})) if obj else ({}, {})
    step = lesson.step(spec.get("step", "")) or lesson.steps[0]
    if obj and progress.begins(obj):
        status = progress.setting(obj)
    kept = status.get("steps", {}).get(step.id, {}) if status.get("phase") == progress.DONE else {}
    words = _Words({**_read(client, step), **kept.get("measured", {})}, door)
    said = spec.get("answers", {}).get(step.id, {})
    following = progress.next_step(lesson, step)
    return {
        "cluster": client.cluster,
        "lesson": lesson,
        "step": step,
        "begun": bool(obj),
        "phase": status.get("phase", ""),
        "message": status.get("message", ""),
        "run": spec.get("run", 0),
        "path": list(_path(lesson, step, status)),
        "place": lesson.steps.index(step) + 1,
        "intro": words(lesson.text) if step is lesson.steps[0] else "",
        "text": words(step.text, step.buttons),
        "predict": _question(step.predict, said, words) if step.predict else None,
        "questions": [_question(one, said, words) for one in step.questions],
        "checks": _checks(step, status),
        "told": told_in(obj, step.id) if obj else [],
        "hints": list(_hints(step, status, words)),
        "hints_asked": spec.get("hints", {}).get(step.id, 0),
        "more_hints": status.get("moreHints", False),
        "skipping": spec.get("skip") == step.id,
        **acts_of(step, status.get("done", [])),
        "after": _after(client, step, status, words) if status.get("phase") == progress.DONE else None,
        "next": following,
        "waits": pace.WAITS if following and not pace.may_enter(client.cluster, lesson, following) else "",
        "next_lesson": _following(lesson),
        "back": progress.begin_of(lesson, step),
        "asked": [(question, words(answer)) for question, answer in lesson.questions],
        "terms": lesson.terms,
    }


class _Words:
    """Markdown as HTML, with what was measured in its places."""

    def __init__(self, measured: dict[str, str], door: str):
        self._measured, self._door = measured, door

    def __call__(self, text: str, buttons: tuple = ()) -> SafeString:
        return marking.html(text, measured=self._measured, buttons=buttons, door=self._door)


def _read(client: Client, step: Step) -> dict[str, str]:
    """What the text has in braces, and what its sheets begin with, as it is now."""
    outside, found = Outside(client), {}
    for text in marking.readings(step.text):
        with contextlib.suppress(ValueError, ApiError):
            found[text] = shown(facts.told(client.view(), parse_reading(text), outside))
    return found


def _path(lesson: Lesson, here: Step, status: dict) -> Iterator[dict]:
    kept = status.get("steps", {})
    for number, step in enumerate(lesson.steps, 1):
        passed = kept.get(step.id)
        state = "skipped" if passed and passed.get("skipped") else "passed" if passed else "ahead"
        before = lesson.steps[number - 2] if number > 1 else None
        open_ = bool(passed) or before is None or before.id in kept or not before.checks
        yield {"number": number, "step": step, "state": state, "here": step is here, "open": open_}


def acts_of(step: Step, done: list[dict]) -> dict:
    """What is shown of a solution: the acts that were done, how many there are, and what the next one waits for. That
    the lab waits between two is no act."""
    following = step.solution[len(done)] if len(done) < len(step.solution) else None
    subjects = [str(claim.reading.subject) for claim in following.claims] if following else []
    return {
        "done": [said for act, said in zip(step.solution, done, strict=False) if act.kind != "wait"],
        "acts": sum(act.kind != "wait" for act in step.solution),
        "waiting": ", ".join(dict.fromkeys(subjects)) if following and following.kind == "wait" else "",
    }


def _question(question: Question, said: dict[str, Any], words: _Words) -> dict:
    chosen = said.get(question.id)
    answers = [
        {"answer": one, "chosen": one.id == chosen, "because": words(one.because) if one.because else ""}
        for one in question.answers
    ]
    return {"question": question, "answers": answers, "chosen": chosen, "committed": chosen is not None}


def _checks(step: Step, status: dict) -> list[dict]:
    judged = {one["id"]: one for one in status.get("checks", ())}
    found = []
    for check in step.checks:
        result = judged.get(check.id, {"outcome": "not yet", "text": "", "revision": 0})
        sign, words = SIGNS[result["outcome"]]
        found.append({"check": check, "sign": sign, "words": words, **result})
    return found


def _hints(step: Step, status: dict, words: _Words) -> Iterator[dict]:
    """Each with why it has come: a hint that nobody has asked for says so."""
    for number in status.get("hints", ()):
        if number < len(step.hints):  # its author has taken it away
            hint, asked = step.hints[number], number in status.get("given", ())
            alone = "As things stand" if hint.when else f"After {hint.after or 0:g} s"
            yield {"text": words(hint.text), "asked": asked, "came": "As you asked" if asked else alone}


def _after(client: Client, step: Step, status: dict, words: _Words) -> dict:
    kept = status.get("steps", {}).get(step.id, {})
    return {
        **kept,
        "text": words(step.afterwards),
        "verdict": _verdict(step.predict, kept, words) if step.predict and "chosen" in kept else None,
        "thread": learners_act(client, status),
        "why": _why(step),
    }


def _verdict(question: Question, kept: dict, words: _Words) -> dict:
    answer = next((one for one in question.answers if one.id == kept["chosen"]), None)
    true = "; ".join(one.text for one in question.answers if one.id in kept.get("came", ()))
    return {
        "right": kept["right"],
        "number": question.number,
        "told": not kept["right"] or question.number,  # of a number, both, for near is right
        "chosen": answer.text if answer else f"{kept['chosen']} {question.unit}".strip(),
        "came": true or f"{kept['measured'].get(question.number, '?')} {question.unit}".strip(),
        "because": words(answer.because) if answer else "",
        "belief": misconceptions().get(kept.get("misconception", ""), ""),
    }


def learners_act(client: Client, status: dict) -> dict | None:
    """The thread of the last thing that a person did before the step was passed, else (a killed process is no write) of
    what the checks passed by: its revision, and its first hops. None if the log has nothing to tell of it."""
    deciding = [one["revision"] for one in status.get("checks", ()) if one["revision"]]
    try:
        since = status["committed"]["revision"]
        mine = find(client.cluster, BY_A_PERSON, since, max(deciding, default=since))
        revision = (mine or deciding or [0])[-1]
        told = thread.of_revision(client, revision)
    except ApiError:
        return None  # so long ago that the log does not tell any more
    # The tutor's own notes and signs of life are no consequence of an act: a request through the front door has none.
    hops = [hop for hop in told["hops"] if hop["object"]["resource"] not in (LESSONS.resource, LEASES.resource)]
    if not hops:
        return None
    shown = [{**hop, "took": f"{hop['after']:.1f} s"} for hop in hops[:HOPS]]
    return {"revision": revision, "hops": shown, "more": len(hops) > HOPS or told["truncated"]}


def _why(step: Step) -> str:
    """The row of the board whose Why tab explains the step: `deployments.apps/default/web`."""
    if not step.explain.startswith("why "):
        return ""
    subject = parse_subject(step.explain.removeprefix("why "))
    kind = kind_of(subject.kind)
    if kind is None:
        return ""
    place = f"{subject.namespace}/" if BY_RESOURCE[kind.resource].namespaced else ""
    return f"{kind.resource}/{place}{subject.name}"


def _following(lesson: Lesson) -> Lesson | None:
    every = lessons()
    later = [one for one in every if one.number > lesson.number and one.track != "Sandbox"]
    return later[0] if later else None


def folder_of(lesson: Lesson) -> Path:
    return Path(lesson.folder)
