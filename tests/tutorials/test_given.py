"""What counts as an answer: a learner may write anything into their Lesson, and nobody's page may fail for it."""

import pytest
from django.test import Client as Browser

from lab.apimachinery.kinds import LESSONS
from lab.client import Client
from lab.client.clusters import ensure_cluster
from lab.tutorials import progress, shelf
from lab.tutorials.given import MOST, given
from lab.tutorials.lesson import Answer, Lesson, Question, Step
from lab.tutorials.predictions import in_sum

WHICH = Question("predict", "Which?", answers=(Answer("a", "A", right=True), Answer("b", "B")))
MUCH = Question("predict", "How much?", number="pods count", within=0.5)
STEPS = tuple(Step(id, id, 1, "", predict=question) for id, question in (("which", WHICH), ("much", MUCH)))
LESSON = Lesson("07-asking", "Asking", "A track", 2, "", "/nowhere", steps=STEPS)
ODD = ({"a": 1}, [1], True, None, "c", float("nan"), float("inf"), 10**400, MOST, "99999999999999999999", "")


@pytest.mark.parametrize("said", ODD)
def test_what_is_no_answer_is_not_given(said):
    for question in (WHICH, MUCH):
        assert given(question, said) is None
        assert progress.verdict(question, said, {"pods count": "3"}, {"a"}) == {}


def test_an_answer_is_an_id_or_a_number_as_it_was_written():
    assert [given(WHICH, "a"), given(WHICH, 1)] == ["a", None]
    assert [given(MUCH, said) for said in ("3", 3, 2.5, "-1e3")] == [3, 3, 2.5, -1000]


def acting(step: Step, said: object) -> dict:
    """Who has answered, and has no verdict yet."""
    status = {"step": step.id, "phase": progress.ACT, "committed": {"time": 1.0}}
    return {"spec": {"step": step.id, "run": 1, "answers": {step.id: {"predict": said}}}, "status": status}


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.id)
def test_who_writes_anything_is_counted_by_nobody(step):
    learners = [acting(step, said) for said in (*ODD, "a", 3)]
    (found,) = in_sum([LESSON], [{LESSON.id: obj} for obj in learners])["lessons"][0]["steps"]
    assert found["predicted"] == 1
    kept = [{"status": {"steps": {step.id: {"predicted": {"chosen": said, "right": False}}}}} for said in ODD]
    assert in_sum([LESSON], [{LESSON.id: obj} for obj in kept])["lessons"] == []


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.id)
def test_a_step_is_passed_whatever_was_written(step):
    for said in ODD:
        obj = acting(step, said)
        kept = progress.passed(obj["status"], obj, step, 9, 3.0, {"pods count": "3"}, {"a"})["steps"][step.id]
        assert not {"chosen", "predicted"} & kept.keys()
        assert "first" not in progress.entered(obj, step)


@pytest.mark.django_db
@pytest.mark.parametrize("written", ["99999999999999999999", "nan", "much"])
def test_a_number_that_is_none_is_refused_in_words(monkeypatch, written):
    ensure_cluster("asking")
    client = Client("asking", "board", hardware=True)
    client.create(LESSONS, {"metadata": {"name": LESSON.id}, "spec": {"step": "much", "run": 1}})
    monkeypatch.setattr(shelf, "find", lambda id: shelf.Shelved(id, "1", LESSON))
    answer = Browser().post(
        f"/clusters/asking/lessons/{LESSON.id}/do/answer", {"predict": written}, HTTP_HOST="localhost"
    )
    assert (answer.status_code, b"write a number" in answer.content) == (200, True)
    assert "answers" not in client.get(LESSONS, "", LESSON.id)["spec"]
