"""The slides of a lesson, from the files of its steps: one for the lesson, then for each step the question that the
room votes on, and its slide; what to keep; and at last what people ask. Pure but for `show`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET

from . import marking, shelf
from .lesson import Lesson, Question


@dataclass(frozen=True)
class Slide:
    """`kind`: title, vote, step, keep or questions. `notes`: what the speaker alone sees."""

    kind: str
    body: SafeString
    notes: SafeString


def slides(lesson: Lesson) -> list[Slide]:
    return list(_slides(lesson))


def _slides(lesson: Lesson) -> Iterator[Slide]:
    yield Slide("title", marking.html(lesson.slide or _outline(lesson)), marking.html(lesson.speaker))
    for step in lesson.steps:
        if step.predict:
            yield Slide("vote", _vote(step.predict), marking.html(f"{step.speaker}\n\n{_verdict(step.predict)}"))
        if step.slide or not step.predict:
            notes = step.afterwards if step.predict else f"{step.speaker}\n\n{step.afterwards}"
            yield Slide("step", marking.html(step.slide or f"# {step.title}"), marking.html(notes))
    if lesson.keep:
        terms = "\n".join(f"- **{term}**: {meaning}" for term, meaning in lesson.terms)
        yield Slide("keep", marking.html(f"# To keep\n\n{lesson.keep}"), marking.html(terms))
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
    return "\n".join(lines) or f"It is measured: {question.number}, in {question.unit}."


@require_GET
def show(request: HttpRequest, id: str) -> HttpResponse:
    found = shelf.find(id)
    if found is None or found.lesson is None:
        raise Http404("There is no such lesson, or it has mistakes: manage.py lessons check")
    following = next((each for each in shelf.lessons() if each.id > id), None)
    context = {"lesson": found.lesson, "slides": slides(found.lesson), "following": following}
    return render(request, "tutorials/slides.html", context)
