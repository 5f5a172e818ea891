"""What a class has said, in its report: how it voted, and what it asked. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .polls import FIRST, SECOND, Polled, side_by_side
from .questions import Wanted

ALOUD = "aloud"  # an answer of which nothing is written
COLUMNS = ("first vote", "second vote", "question", "votes", "answer")
Names = Mapping[str, str]  # cluster → the name of its learner


@dataclass(frozen=True)
class Voices:
    polls: list[Polled]
    questions: list[Wanted]


def polled(poll: Polled, names: Names) -> dict:
    """`{lesson, step, ask, again, answers: [{text, first, second}], learners: [{name, first, second}]}`: what was
    chosen in each round, empty where nothing was. `again`: whether anybody voted a second time."""
    votes = [(round, answer) for said in poll.votes.values() for round, answer in said.items()]
    return {
        "lesson": poll.lesson,
        "step": poll.step,
        "ask": poll.question.ask if poll.question else "",
        "again": any(round == SECOND for round, _ in votes),
        "answers": side_by_side(poll.question, votes) if poll.question else [],
        "learners": [
            {"name": names[cluster], "first": chosen(poll, cluster, FIRST), "second": chosen(poll, cluster, SECOND)}
            for cluster in names
            if cluster in poll.votes
        ],
    }


def chosen(poll: Polled, cluster: str, round: int) -> str:
    """In words; of a question that was written anew meanwhile, the id."""
    id = poll.votes[cluster].get(round, "")
    answers = poll.question.answers if poll.question else ()
    return next((answer.text for answer in answers if answer.id == id), id)


def asked(question: Wanted, names: Names) -> dict:
    """`votes`: how many others wanted to know it."""
    return {
        "question": question.text,
        "name": names.get(question.by, ""),
        "votes": len(question.voters),
        "answered": bool(question.answered),
        "answer": question.answer,
    }


def rows_of(cluster: str, voices: Voices) -> Iterator[dict]:
    """Of one learner, by COLUMNS, and which step a poll was about. A line a poll, and a line a question."""
    for poll in voices.polls:
        if cluster in poll.votes:
            first, second = chosen(poll, cluster, FIRST), chosen(poll, cluster, SECOND)
            yield {"lesson": poll.lesson, "step": poll.step, "first vote": first, "second vote": second}
    for one in voices.questions:
        if one.by == cluster:
            yield {
                "question": one.text,
                "votes": len(one.voters),
                "answer": one.answer or (ALOUD if one.answered else ""),
            }
