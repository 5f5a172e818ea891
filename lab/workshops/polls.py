"""A poll of the whole class: the question that a step asks before one acts, answered, talked about, answered again.

Both votes are counted side by side: what talking has changed. (Peer instruction: Crouch and Mazur, American Journal of
Physics 69, 970, 2001.) Who voted what stands in the report, and on nobody's page while the class goes on.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from django.db import IntegrityError
from django.utils.timezone import now

from lab.apimachinery.errors import bad_request
from lab.models import Poll, Seat, Vote, Workshop
from lab.tutorials import shelf
from lab.tutorials.lesson import Question

from .leading import Form, place_of

FIRST, SECOND = 1, 2


@dataclass(frozen=True)
class Polled:
    """A poll as the report has it. `question`: None where its step asks nothing any more. `votes`: cluster → round →
    the id of an answer."""

    lesson: str
    step: str
    began: float
    question: Question | None
    votes: Mapping[str, Mapping[int, str]]


def ask(workshop: Workshop, form: Form, by: str) -> str:
    """In the place of one that is open."""
    lesson, step = place_of(form)
    if step.predict is None or not step.predict.answers:
        raise bad_request("this step asks for nothing that one could choose")
    finish(workshop, form, by)
    Poll.objects.create(workshop=workshop, lesson=lesson.id, step=step.id)
    return "Everybody is asked."


def ask_again(workshop: Workshop, form: Form, by: str) -> str:
    if not Poll.objects.filter(workshop=workshop, ended=None).update(round=SECOND):
        raise bad_request("nobody is asked anything")
    return "Everybody is asked once more."


def finish(workshop: Workshop, form: Form, by: str) -> str:
    Poll.objects.filter(workshop=workshop, ended=None).update(ended=now())
    return "The poll is over."


def open_poll(workshop: Workshop) -> tuple[Poll, Question] | None:
    """The one that is open. One whose step has been written anew and asks nothing any more is none."""
    poll = Poll.objects.filter(workshop=workshop, ended=None).last()
    question = question_of(poll) if poll else None
    return (poll, question) if poll and question else None


def question_of(poll: Poll) -> Question | None:
    lesson = shelf.lesson(poll.lesson)
    step = lesson.step(poll.step) if lesson else None
    return step.predict if step and step.predict and step.predict.answers else None


def vote(seat: Seat, poll: int, round: int, answer: str) -> None:
    """Once in each round. Raises ApiError for what is not asked, or not any more."""
    found = open_poll(seat.workshop)
    if found is None or (found[0].pk, found[0].round) != (poll, round):
        raise bad_request("this is not asked any more")
    if answer not in {one.id for one in found[1].answers}:
        raise bad_request("choose one of the answers")
    try:
        Vote.objects.create(poll=found[0], seat=seat, round=round, answer=answer)
    except IntegrityError:
        raise bad_request("you have voted already") from None


def asked(found: tuple[Poll, Question] | None) -> dict | None:
    """What a learner's page shows: `{poll, round, ask, answers: [{id, text}]}`."""
    if found is None:
        return None
    poll, question = found
    answers = [{"id": one.id, "text": one.text} for one in question.answers]
    return {"poll": poll.pk, "round": poll.round, "ask": question.ask, "answers": answers}


def voters(found: tuple[Poll, Question] | None) -> frozenset[str]:
    """The clusters of who has voted in this round."""
    if found is None:
        return frozenset()
    votes = Vote.objects.filter(poll=found[0], round=found[0].round)
    return frozenset(votes.values_list("seat__cluster", flat=True))


def counted(poll: Poll, question: Question) -> dict:
    """`{ask, round, answers: [{text, first, second}], voted: [in the first round, in the second]}`."""
    votes = list(Vote.objects.filter(poll=poll).values_list("round", "answer"))
    voted = [sum(round == number for round, _ in votes) for number in (FIRST, SECOND)]
    return {"ask": question.ask, "round": poll.round, "answers": side_by_side(question, votes), "voted": voted}


def side_by_side(question: Question, votes: Iterable[tuple[int, str]]) -> list[dict]:
    """`{text, first, second}` of each answer. `votes`: the round and the id of what was chosen. Pure."""
    counts = Counter(votes)
    return [
        {"text": one.text, "first": counts[FIRST, one.id], "second": counts[SECOND, one.id]} for one in question.answers
    ]


def all_of(workshop: Workshop) -> list[Polled]:
    """In the order in which they were asked."""
    votes: dict[int, dict[str, dict[int, str]]] = {}
    given = Vote.objects.filter(poll__workshop=workshop).values_list("poll_id", "seat__cluster", "round", "answer")
    for poll, cluster, round, answer in given:
        votes.setdefault(poll, {}).setdefault(cluster, {})[round] = answer
    return [_polled(poll, votes.get(poll.pk, {})) for poll in workshop.polls.order_by("began")]


def _polled(poll: Poll, votes: Mapping[str, Mapping[int, str]]) -> Polled:
    lesson = shelf.lesson(poll.lesson)
    step = lesson.step(poll.step) if lesson else None
    titles = lesson.title if lesson else poll.lesson, step.title if step else poll.step
    return Polled(*titles, poll.began.timestamp(), question_of(poll), votes)


TO_ALL: dict[str, Callable[[Workshop, Form, str], str]] = {"ask": ask, "again": ask_again, "finish": finish}
