"""How lessons are written: short, calm, and with no figure that nobody has measured."""

import re

import pytest

from lab.tutorials import shelf
from lab.tutorials.lesson import Lesson, Step

MOST_WORDS = 130
A_MINUTE = 200
CODE = re.compile(r"```.*?```|`[^`]*`|^\|.*$", re.DOTALL | re.MULTILINE)
LESSONS = shelf.lessons()
STEPS = [pytest.param(step, id=f"{lesson.id}/{step.id}") for lesson in LESSONS for step in lesson.steps]


def prose(text: str) -> list[str]:
    return CODE.sub(" ", text).split()


def said(step: Step) -> list[str]:
    questions = [*step.questions, *filter(None, [step.predict])]
    answers = [answer for question in questions for answer in question.answers]
    return [
        *(step.title, step.text, step.afterwards, step.slide, step.speaker),
        *(question.ask for question in questions),
        *(text for answer in answers for text in (answer.text, answer.because)),
        *(text for check in step.checks for text in (check.text, check.fail)),
        *(hint.text for hint in step.hints),
    ]


@pytest.mark.parametrize("step", STEPS)
def test_nothing_is_exclaimed(step):
    assert [text for text in said(step) if "!" in CODE.sub(" ", text)] == []


@pytest.mark.parametrize("step", STEPS)
def test_what_is_to_be_done_is_soon_read(step):
    assert len(prose(step.text)) <= MOST_WORDS and len(prose(step.afterwards)) <= MOST_WORDS


@pytest.mark.parametrize("lesson", [pytest.param(lesson, id=lesson.id) for lesson in LESSONS])
def test_a_lesson_takes_no_longer_than_it_says(lesson: Lesson):
    steps = sum(step.minutes for step in lesson.steps)
    assert steps <= 1.2 * lesson.minutes, f"its steps take {steps:g}"


def test_the_first_step_of_all_is_passed_within_three_minutes():
    lesson = LESSONS[0]
    step = lesson.steps[0]
    words = sum(len(prose(text)) for text in (lesson.text, step.text, *(check.text for check in step.checks)))
    assert words / A_MINUTE + 1 < 3, "a minute is left to look around and to press a button"


@pytest.mark.parametrize("lesson", [pytest.param(lesson, id=lesson.id) for lesson in LESSONS])
def test_what_people_ask_is_answered_in_two_sentences(lesson: Lesson):
    plain = {question: re.sub(r"\([^)]*\)|`[^`]*`", "", answer) for question, answer in lesson.questions}
    ends = {question: len(re.findall(r"[.?](?=\s|$)", answer)) for question, answer in plain.items()}
    assert {question: count for question, count in ends.items() if count != 2} == {}
