"""What learners ask before the whole class, and others want to know too: the most wanted first.

Who asks is told to those who teach, and to no other learner.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from zlib import crc32

from django.db import transaction
from django.utils.timezone import now

from lab.apimachinery.errors import Cause, bad_request, too_many_requests
from lab.models import Question, Seat, Upvote, Workshop

from .leading import Form

A_MINUTE, MOST_OPEN = 3, 10  # of one learner: asked within a minute, and waiting for an answer
MOST_SHOWN = 60


@dataclass(frozen=True)
class Wanted:
    """A question as it is shown. `by`: the cluster of who asks. `voters`: those of who wants to know it too."""

    id: int
    text: str
    by: str
    at: float
    answer: str
    answered: float  # 0: not yet
    voters: frozenset[str]


def ordered(questions: Iterable[Wanted]) -> list[Wanted]:
    """Those that wait for an answer, the most wanted first, of equal ones the oldest; then the others, the newest
    answer first. Pure."""
    return sorted(questions, key=lambda one: (bool(one.answered), -(one.answered or len(one.voters)), one.at))


def of_workshop(workshop: Workshop) -> list[Wanted]:
    """Those that pages show."""
    return all_of(workshop)[:MOST_SHOWN]


def all_of(workshop: Workshop) -> list[Wanted]:
    votes: dict[int, set[str]] = {}
    given = Upvote.objects.filter(question__workshop=workshop)
    for question, cluster in given.values_list("question_id", "seat__cluster"):
        votes.setdefault(question, set()).add(cluster)
    rows = workshop.questions.select_related("seat")
    return ordered(_wanted(row, frozenset(votes.get(row.pk, ()))) for row in rows)


def _wanted(row: Question, voters: frozenset[str]) -> Wanted:
    answered = row.answered.timestamp() if row.answered else 0.0
    return Wanted(row.pk, row.text, row.seat.cluster, row.asked.timestamp(), row.answer, answered, voters)


def on_wall(questions: Iterable[Wanted]) -> list[dict]:
    """For who teaches: `by` is the tile, so that a name is shown or hidden here as it is there."""
    return [
        {"id": one.id, "text": one.text, "by": one.by, "votes": len(one.voters)}
        | ({"answered": int(one.answered), "answer": one.answer} if one.answered else {})
        for one in questions
    ]


def in_short(cluster: str, questions: Iterable[Wanted]) -> dict:
    """What a learner's page is told: how many wait, how many of their own are answered, and a sum that is another
    whenever something is. The list itself is fetched by who looks at it: sixty pages on bad Wi-Fi need little."""
    told = [(one.id, one.answer, one.answered, len(one.voters)) for one in questions]
    mine = sum(bool(one.answered) for one in questions if one.by == cluster)
    return {"open": sum(not one[2] for one in told), "mine": mine, "sum": crc32(repr(told).encode())}


def put(seat: Seat, text: str) -> None:
    """Before the class. Raises ApiError."""
    text, most = " ".join(text.split()), Question._meta.get_field("text").max_length
    if not text:
        raise bad_request("write your question first")
    if len(text) > most:
        raise bad_request(f"make it shorter: at most {most} letters")
    with transaction.atomic():
        Seat.objects.select_for_update().get(pk=seat.pk)  # else two at once are both the last one
        theirs = Question.objects.filter(seat=seat)
        if theirs.filter(text=text, asked__gt=now() - timedelta(minutes=1)).exists():
            return  # the same, pressed twice
        if theirs.filter(asked__gt=now() - timedelta(minutes=1)).count() >= A_MINUTE:
            raise _too_many(f"{A_MINUTE} questions in a minute are enough: ask this one a little later", 60)
        if theirs.filter(answered=None).count() >= MOST_OPEN:
            raise _too_many(f"{MOST_OPEN} questions of yours wait for an answer: take one back first", 60)
        Question.objects.create(workshop=seat.workshop, seat=seat, text=text)


def _too_many(why: str, seconds: int) -> Exception:
    return too_many_requests(why, Cause("", why, "TooManyQuestions"), seconds)


def want(seat: Seat, question: int, wanted: bool) -> None:
    """Vote it up, or take that back. Who does either twice has done it once. Raises ApiError."""
    row = _open(seat.workshop, question)
    if row.seat_id == seat.pk:
        raise bad_request("it is your own question")
    if wanted:
        Upvote.objects.get_or_create(question=row, seat=seat)
    else:
        Upvote.objects.filter(question=row, seat=seat).delete()


def take_back(seat: Seat, question: int) -> None:
    """One's own. Raises ApiError."""
    if not Question.objects.filter(seat=seat, pk=question).delete()[0]:
        raise bad_request("this question is not there any more")


def _open(workshop: Workshop, question: int) -> Question:
    row = workshop.questions.filter(pk=question).first()
    if row is None:
        raise bad_request("this question is not there any more")
    if row.answered:
        raise bad_request("this question is answered already")
    return row


def asker(workshop: Workshop, form: Form) -> Seat | None:
    """Who asks the question that a form is about, if it is about one."""
    number = form.get("question", "")
    row = workshop.questions.select_related("seat").filter(pk=int(number)).first() if number.isdecimal() else None
    return row.seat if row else None


def answer(workshop: Workshop, form: Form, by: str) -> str:
    """In words, or with none: then it was answered aloud."""
    text, most = " ".join(form.get("text", "").split()), Question._meta.get_field("answer").max_length
    if len(text) > most:
        raise bad_request(f"make it shorter: at most {most} letters")
    row = _open(workshop, _number(form))
    Question.objects.filter(pk=row.pk).update(answer=text, answered=now())
    return "Everybody can read the answer." if text else "It is marked as answered."


def remove(workshop: Workshop, form: Form, by: str) -> str:
    """What shall stand before nobody."""
    workshop.questions.filter(pk=_number(form)).delete()
    return "The question is gone."


def _number(form: Form) -> int:
    number = form.get("question", "")
    if not number.isdecimal():
        raise bad_request("say which question it is")
    return int(number)


TO_ALL: dict[str, Callable[[Workshop, Form, str], str]] = {"answer": answer, "remove": remove}
