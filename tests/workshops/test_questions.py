"""What learners ask before the class: voted up, answered, and gone with it."""

import pytest
from django.test import Client as Browser

from lab.models import Question, Upvote
from lab.workshops import questions
from lab.workshops.gate import COOKIE
from lab.workshops.notice import Notice
from lab.workshops.questions import Wanted, in_short, ordered
from lab.workshops.seats import forget, join
from lab.workshops.wall import Wall

pytestmark = pytest.mark.django_db(transaction=True)


def comes(workshop, name: str) -> Browser:
    seat, token = join(workshop.code, name)
    browser = Browser(headers={"cookie": f"{COOKIE}={token}"})
    browser.cluster = seat.cluster
    return browser


def put(learner: Browser, text: str) -> tuple[int, str]:
    answer = learner.post("/room/questions", {"text": text})
    return answer.status_code, answer.json()["message"] if answer.status_code >= 400 else answer.content.decode()


def vote(learner: Browser, question: int, what: str = "want") -> int:
    return learner.post(f"/room/questions/{question}/{what}").status_code


def do(teacher: Browser, workshop, what: str, **form: str) -> tuple[int, str]:
    answer = teacher.post(f"/staff/workshops/{workshop.code}/wall/do/{what}", form)
    return answer.status_code, answer.json()["message"]


def on_wall(workshop) -> list[dict]:
    return Wall(workshop.code).look().room["questions"]


def told(workshop, learner: Browser) -> dict:
    return Notice(workshop.code).look().of(learner.cluster)["questions"]


def wanted(id: int, voters: int = 0, at: float = 0, answered: float = 0) -> Wanted:
    return Wanted(id, "why?", "c-1", at, "", answered, frozenset(map(str, range(voters))))


def test_the_most_wanted_comes_first_then_the_oldest_and_the_answered_ones_last():
    asked = [wanted(1, 1, 5), wanted(2, 9, 1, 80), wanted(3, 2, 7), wanted(4, 1, 2), wanted(5, 0, 1, 90)]
    assert [one.id for one in ordered(asked)] == [3, 4, 1, 5, 2]


def test_what_a_page_is_told_is_another_whenever_the_list_is():
    sums = [in_short("c-1", asked)["sum"] for asked in ([], [wanted(1)], [wanted(1, 1)], [wanted(1, 1, 0, 9)])]
    assert len(set(sums)) == 4
    told = in_short("c-1", [wanted(1), wanted(2, 0, 0, 9)])
    assert (told["open"], told["mine"]) == (1, 1)


def test_a_question_is_voted_up_and_answered_and_no_learner_is_told_whose_it_is(workshop, teacher):
    ada, bob, eve = (comes(workshop, name) for name in ("Ada", "Bob", "Eve"))
    before = told(workshop, bob)
    assert "What is a &lt;pod&gt;?" in put(ada, "What is\n a <pod>?")[1]
    put(bob, "Why two?")
    first, second = Question.objects.order_by("pk")
    assert told(workshop, bob)["open"] == 2 and told(workshop, bob)["sum"] != before["sum"]
    assert vote(ada, second.pk) == vote(eve, second.pk) == vote(eve, second.pk) == 200  # twice is once
    assert [(one["text"], one["votes"], one["by"]) for one in on_wall(workshop)] == [
        ("Why two?", 2, bob.cluster),
        ("What is a <pod>?", 0, ada.cluster),
    ]
    page = eve.get("/room/questions").content.decode()
    assert page.index("Why two?") < page.index("What is a") and "2 want to know it" in page
    assert not any(word in page for word in ("Ada", "Bob", ada.cluster, bob.cluster))
    assert vote(eve, second.pk, "unwant") == 200 and on_wall(workshop)[0]["votes"] == 1
    form = {"question": str(second.pk), "text": "One may fail."}
    assert do(teacher, workshop, "answer", **form) == (200, "Everybody can read the answer.")
    assert do(teacher, workshop, "answer", question=str(first.pk)) == (200, "It is marked as answered.")
    page = eve.get("/room/questions").content.decode()
    assert "One may fail." in page and "Answered aloud" in page
    assert told(workshop, bob)["mine"] == 1 and told(workshop, eve) == {**told(workshop, bob), "mine": 0}
    assert vote(ada, second.pk) == 400 and do(teacher, workshop, "answer", **form)[0] == 400
    assert do(teacher, workshop, "remove", question=str(second.pk))[0] == 200
    assert [one["text"] for one in on_wall(workshop)] == ["What is a <pod>?"]


def test_what_is_refused_is_refused_in_words(workshop, teacher):
    ada, bob = comes(workshop, "Ada"), comes(workshop, "Bob")
    assert put(ada, "  ") == (400, "write your question first")
    assert put(ada, "x" * 301) == (400, "make it shorter: at most 300 letters")
    assert put(ada, "x" * 300)[0] == 200
    mine = Question.objects.get().pk
    assert vote(ada, mine) == 400 and vote(bob, mine + 1) == 400 and vote(bob, mine, "back") == 400
    assert vote(bob, mine, "nonsense") == 404 and vote(Browser(), mine) == 403
    assert Browser().get("/room/questions").status_code == 403
    assert do(teacher, workshop, "answer", question="x")[0] == 400
    assert do(teacher, workshop, "answer", question=str(mine), text="x" * 501)[0] == 400
    assert vote(ada, mine, "back") == 200 and not Question.objects.exists()


def test_nobody_fills_the_list(workshop, monkeypatch):
    ada, bob = comes(workshop, "Ada"), comes(workshop, "Bob")
    assert [put(ada, f"Why {n}?")[0] for n in range(4)] == [200, 200, 200, 429]
    assert put(bob, "And I?")[0] == 200
    monkeypatch.setattr(questions, "A_MINUTE", 100)
    monkeypatch.setattr(questions, "MOST_OPEN", 3)
    assert "take one back first" in put(ada, "Once more?")[1]


def test_a_class_asks_its_own_instructor_alone_and_nothing_of_it_stays(workshop, teacher):
    ada = comes(workshop, "Ada")
    put(ada, "Why?")
    one = Question.objects.get()
    other = type(workshop).objects.create(code="CDFGHJ", title="Another", by="grace", forget="2100-01-01")
    eve = comes(other, "Eve")
    assert vote(eve, one.pk) == 400 and "Why?" not in eve.get("/room/questions").content.decode()
    do(teacher, other, "remove", question=str(one.pk))
    assert Question.objects.exists()
    vote(comes(workshop, "Bob"), one.pk)
    forget(workshop)
    assert not Question.objects.exists() and not Upvote.objects.exists()


def test_who_presses_ask_twice_has_asked_once(workshop):
    ada = comes(workshop, "Ada")
    assert [put(ada, text)[0] for text in ("Why is it red?", " Why  is it red? ", "And now?")] == [200] * 3
    assert list(Question.objects.order_by("id").values_list("text", flat=True)) == ["Why is it red?", "And now?"]
