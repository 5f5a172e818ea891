"""A question to the whole class, answered twice."""

import pytest
from django.test import Client as Browser

from lab.tutorials import shelf
from lab.workshops.gate import COOKIE
from lab.workshops.notice import Notice
from lab.workshops.seats import join
from lab.workshops.wall import Wall

pytestmark = pytest.mark.django_db(transaction=True)
PLAYED = "10-desired-state"


@pytest.fixture
def question():
    """Of the first step that asks one, and the step's number."""
    lesson = shelf.lesson(PLAYED)
    step = next(step for step in lesson.steps if step.predict and step.predict.answers)
    return lesson.steps.index(step) + 1, step.predict


def comes(workshop, name: str) -> Browser:
    seat, token = join(workshop.code, name)
    browser = Browser(headers={"cookie": f"{COOKIE}={token}"})
    browser.cluster = seat.cluster
    return browser


def do(teacher: Browser, workshop, what: str, step: int = 0) -> tuple[int, str]:
    form = {"lesson": PLAYED, "step": str(step)}
    answer = teacher.post(f"/staff/workshops/{workshop.code}/wall/do/{what}", form)
    return answer.status_code, answer.json()["message"]


def told(workshop, learner: Browser) -> dict | None:
    return Notice(workshop.code).look().of(learner.cluster)["poll"]


def vote(learner: Browser, poll: dict, answer: str) -> tuple[int, str]:
    form = {"poll": str(poll["poll"]), "round": str(poll["round"]), "answer": answer}
    done = learner.post("/room/vote", form)
    return done.status_code, done.json()["message"] if done.content else ""


def test_both_votes_are_counted_side_by_side(workshop, teacher, question):
    number, asked = question
    ada, bob = comes(workshop, "Ada"), comes(workshop, "Bob")
    one, other = (answer.id for answer in asked.answers[:2])
    assert told(workshop, ada) is None and Wall(workshop.code).look().room["poll"] is None
    assert do(teacher, workshop, "ask", number) == (200, "Everybody is asked.")
    poll = told(workshop, ada)
    assert poll["ask"] == asked.ask and [each["id"] for each in poll["answers"]] == [each.id for each in asked.answers]
    assert vote(ada, poll, one) == vote(bob, poll, one) == (204, "")
    assert told(workshop, ada) is None  # who has voted is not asked
    do(teacher, workshop, "again")
    again = told(workshop, ada)
    assert again["round"] == 2
    assert vote(ada, poll, other)[1] == "this is not asked any more"  # the first round is over
    assert vote(ada, again, other)[0] == 204
    shown = Wall(workshop.code).look().room["poll"]
    counts = [(each["first"], each["second"]) for each in shown["answers"][:2]]
    assert counts == [(2, 0), (0, 1)] and shown["voted"] == [2, 1]
    do(teacher, workshop, "finish")
    assert told(workshop, bob) is None and Wall(workshop.code).look().room["poll"] is None


def test_with_the_class_its_poll_is_over(workshop, teacher, question):
    ada = comes(workshop, "Ada")
    do(teacher, workshop, "ask", question[0])
    do(teacher, workshop, "end")
    assert told(workshop, ada) is None and Wall(workshop.code).look().room["poll"] is None


def test_nobody_votes_twice_or_for_what_is_not_asked(workshop, teacher, question):
    number, asked = question
    ada = comes(workshop, "Ada")
    do(teacher, workshop, "ask", number)
    poll = told(workshop, ada)
    assert vote(ada, poll, "nonsense")[1] == "choose one of the answers"
    assert vote(ada, poll, asked.answers[0].id)[0] == 204
    assert vote(ada, poll, asked.answers[1].id)[1] == "you have voted already"
    assert vote(ada, {**poll, "poll": "what"}, asked.answers[0].id)[0] == 400
    assert vote(Browser(), poll, asked.answers[0].id)[0] == 403
    do(teacher, workshop, "ask", number)  # anew
    assert vote(ada, poll, asked.answers[0].id)[1] == "this is not asked any more"
    assert vote(ada, told(workshop, ada), asked.answers[0].id)[0] == 204


def test_a_step_that_asks_nothing_is_no_poll_and_without_one_none_is_asked_again(workshop, teacher):
    lesson = shelf.lesson(PLAYED)
    silent = next(n for n, step in enumerate(lesson.steps, 1) if step.predict is None or not step.predict.answers)
    assert do(teacher, workshop, "ask", silent)[0] == 400
    assert do(teacher, workshop, "again") == (400, "nobody is asked anything")
