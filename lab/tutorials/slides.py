"""The slides of a lesson, from the files of its steps: one for the lesson, then for each step the question that the
room votes on, and its slide; what to keep; and at last what people ask. The notes have the figures that this lab has
measured. Pure but for `show`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET

from lab.apimachinery.kinds import LESSONS
from lab.dashboard.answers import clusters_for

from . import marking, shelf
from .lesson import Lesson, Question
from .views import client_of

UNKNOWN = "(not yet measured here)"
Measured = Mapping[str, Mapping[str, str]]  # step → reading, as it is written → what it was


@dataclass(frozen=True)
class Slide:
    """`kind`: title, vote, step, keep or questions. `notes`: what the speaker alone sees."""

    kind: str
    body: SafeString
    notes: SafeString


def slides(lesson: Lesson, measured: Measured | None = None) -> list[Slide]:
    return list(_slides(lesson, measured or {}))


def last_measured(objects: Iterable[dict]) -> Measured:
    """Of one lesson, as its learners' objects have it: each step's figures, of who has passed it last."""
    found: dict[str, dict] = {}
    for obj in objects:
        for step, kept in obj.get("status", {}).get("steps", {}).items():
            if step not in found or kept["passed"]["time"] > found[step]["passed"]["time"]:
                found[step] = kept
    return {step: kept.get("measured", {}) for step, kept in found.items()}


def _slides(lesson: Lesson, measured: Measured) -> Iterator[Slide]:
    yield Slide("title", marking.html(lesson.slide or _outline(lesson)), marking.html(lesson.speaker))
    for step in lesson.steps:
        known = measured.get(step.id, {})
        if step.predict:
            said = f"{step.speaker}\n\n{_verdict(step.predict)}"
            yield Slide("vote", _vote(step.predict), marking.html(said, measured=known, unknown=UNKNOWN))
        if step.slide or not step.predict:
            notes = step.afterwards if step.predict else f"{step.speaker}\n\n{step.afterwards}"
            told = marking.html(notes, measured=known, unknown=UNKNOWN)
            yield Slide("step", marking.html(step.slide or f"# {step.title}"), told)
    if lesson.keep:
        terms = [f"- **{term}**: {meaning}" for term, meaning in lesson.terms]
        can = ["Ask who has done it. They can now:\n", *(f"- {goal}" for goal in lesson.goals)]
        yield Slide("keep", marking.html(f"# To keep\n\n{lesson.keep}"), marking.html("\n".join(terms or can)))
    if lesson.questions:
        asked = "\n".join(f"- {question}" for question, _ in lesson.questions)
        told = "\n\n".join(f"**{question}** {answer}" for question, answer in lesson.questions)
        yield Slide("questions", marking.html(f"# Questions\n\n{asked}"), marking.html(told))


def _outline(lesson: Lesson) -> str:
    return f"# {lesson.title}\n\n" + "\n".join(f"- {step.title}" for step in lesson.steps)


def _vote(question: Question) -> SafeString:
    answers = format_html_join("", "<li>{}</li>", ((answer.text,) for answer in question.answers))
    return format_html('<h1>{}</h1><ol type="A">{}</ol>', question.ask, answers)


def _verdict(question: Question) -> str:
    """Of each answer, whether it is right and what is said to who has chosen it."""
    lines = [
        f"- **{chr(ord('A') + number)}{', right' if answer.right else ''}**: {answer.because or answer.text}"
        for number, answer in enumerate(question.answers)
    ]
    return "\n".join(lines) or f"It was, in {question.unit}, when it was measured last: {{{question.number}}}"


@require_GET
def show(request: HttpRequest, id: str) -> HttpResponse:
    found = shelf.find(id)
    if found is None or found.lesson is None:
        raise Http404("There is no such lesson, or it has mistakes: manage.py lessons check")
    following = next((each for each in shelf.lessons() if each.id > id), None)
    objects = (client_of(cluster).find(LESSONS, "", id) for cluster in clusters_for(request))
    measured = last_measured(filter(None, objects))
    context = {"lesson": found.lesson, "slides": slides(found.lesson, measured), "following": following}
    return render(request, "tutorials/slides.html", context)
