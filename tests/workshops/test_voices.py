"""What a class has said, in its report: polls with both votes, and questions with theirs."""

import csv
import io

import pytest

from lab.models import Poll, Role, Upvote, Vote, Workshop
from lab.tutorials import shelf
from lab.workshops.polls import Polled
from lab.workshops.questions import Wanted
from lab.workshops.seats import join
from lab.workshops.voices import Voices, polled, rows_of

from .test_roles import comes

pytestmark = pytest.mark.django_db(transaction=True)
PLAYED = "10-desired-state"


@pytest.fixture
def said(workshop) -> Workshop:
    """Ada votes twice, Bob once, Cleo never; Bob asks what Ada wants to know too, and Ada asks what is answered."""
    ada, bob, _ = (join(workshop.code, name)[0] for name in ("Ada", "=Bob", "Cleo"))
    step = next(one for one in shelf.lesson(PLAYED).steps if one.predict and one.predict.answers)
    one, other = (answer.id for answer in step.predict.answers[:2])
    poll = Poll.objects.create(workshop=workshop, lesson=PLAYED, step=step.id)
    for seat, round, answer in ((ada, 1, one), (bob, 1, one), (ada, 2, other)):
        Vote.objects.create(poll=poll, seat=seat, round=round, answer=answer)
    Upvote.objects.create(question=workshop.questions.create(seat=bob, text="=Why three?"), seat=ada)
    workshop.questions.create(seat=ada, text="And then?", answer="Less.", answered="2026-01-01T00:00:00Z")
    return workshop


def test_the_report_counts_both_votes_and_says_who_voted_what(said, teacher):
    found = teacher.get("/staff/workshops/BCDFGH/report.json").json()
    (poll,) = found["polls"]
    words = [answer.text for answer in next(s for s in shelf.lesson(PLAYED).steps if s.predict).predict.answers]
    assert [(one["first"], one["second"]) for one in poll["answers"][:2]] == [(2, 0), (0, 1)]
    assert [(one["name"], one["first"], one["second"]) for one in poll["learners"]] == [
        ("Ada", words[0], words[1]),
        ("=Bob", words[0], ""),
    ]
    assert [(one["question"], one["name"], one["votes"], one["answer"]) for one in found["questions"]] == [
        ("=Why three?", "=Bob", 1, ""),
        ("And then?", "Ada", 0, "Less."),
    ]
    page = teacher.get("/staff/workshops/BCDFGH/report").content.decode()
    for part in (poll["ask"], "Who voted what", "And then?", "Less."):
        assert part in page
    assert "Second vote" in page
    Vote.objects.filter(round=2).delete()  # nothing is counted of what was not asked
    assert "Second vote" not in teacher.get("/staff/workshops/BCDFGH/report").content.decode()


def test_the_table_has_a_line_a_poll_and_a_line_a_question_and_calculates_neither(said, teacher):
    lines = list(csv.DictReader(io.StringIO(teacher.get("/staff/workshops/BCDFGH/report.csv").content.decode())))
    told = [(one["name"], bool(one["step"]), bool(one["second vote"]), one["question"], one["votes"]) for one in lines]
    assert told == [
        ("Ada", True, True, "", ""),
        ("Ada", False, False, "And then?", "0"),
        ("'=Bob", True, False, "", ""),
        ("'=Bob", False, False, "'=Why three?", "1"),
        ("Cleo", False, False, "", ""),
    ]
    assert lines[1]["answer"] == "Less." and lines[0]["passed"] == ""


def test_an_observer_reads_no_names_there(said):
    otto = comes("otto")
    Role.objects.create(workshop=said, account="otto", role="observer")
    found = otto.get("/staff/workshops/BCDFGH/report.json").json()
    names = [one["name"] for one in (*found["polls"][0]["learners"], *found["questions"])]
    assert names == ["No. 1", "No. 2", "No. 2", "No. 1"]


def test_a_question_that_was_written_anew_is_told_by_what_was_kept():
    poll = Polled("A lesson", "A step", 5.0, None, {"c-1": {1: "gone"}})
    told = polled(poll, {"c-1": "Ada", "c-2": "Bob"})
    assert told["ask"] == "" and told["learners"] == [{"name": "Ada", "first": "gone", "second": ""}]
    voted = {"first vote": "gone", "second vote": ""}
    assert list(rows_of("c-1", Voices([poll], []))) == [{"lesson": "A lesson", "step": "A step", **voted}]


def test_a_question_that_was_answered_aloud_is_so_in_the_file():
    one = Wanted(1, "And then?", "c-1", 5.0, "", 9.0, frozenset())
    assert [row["answer"] for row in rows_of("c-1", Voices([], [one]))] == ["aloud"]
