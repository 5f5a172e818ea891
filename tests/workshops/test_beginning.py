"""Who comes before the class has begun waits, and gets in by itself."""

import time

import pytest
from django.test import Client as Browser

from lab.apimachinery.kinds import LESSONS
from lab.models import Seat, Workshop
from lab.tutorials.views import client_of
from lab.workshops.gate import COOKIE
from lab.workshops.notice import Notice
from lab.workshops.seats import join
from lab.workshops.tiles import seat_part, whole
from lab.workshops.wall import Wall

pytestmark = pytest.mark.django_db(transaction=True)
PLAYED = "10-desired-state"
EDIT = {"title": "An evening", "lessons": [PLAYED], "seats": "9", "forget": "2100-01-01"}


@pytest.fixture
def hall(workshop) -> Workshop:
    workshop.waits, workshop.lessons = True, [PLAYED]
    workshop.save()
    return workshop


def comes(nickname: str) -> Browser:
    answer = Browser().post("/join", {"code": "BCDFGH", "nickname": nickname})
    token = answer.cookies[COOKIE].value
    browser = Browser(headers={"cookie": f"{COOKIE}={token}"})
    browser.token, browser.seat = token, Seat.objects.get(nickname=nickname)
    return browser


def begins(teacher: Browser) -> tuple[int, str]:
    answer = teacher.post("/staff/workshops/BCDFGH/wall/do/begin")
    return answer.status_code, answer.json()["message"]


def told(learner: Browser) -> dict:
    return Notice("BCDFGH").look().of(learner.seat.cluster)


def test_who_waits_sees_who_they_are_how_many_are_there_and_what_comes(hall, teacher):
    ada = comes("Ada")
    comes("Bob")
    page = ada.get("/room/").content.decode()
    assert "You are <b>Ada</b>" in page and "<b data-there>2</b>" in page and "Desired state" in page
    assert "To your board" not in page and told(ada)["waiting"] == 2
    assert begins(teacher) == (200, "The class has begun, with 2 learners.")
    assert told(ada)["waiting"] == 0 and "To your board" in ada.get("/room/").content.decode()
    assert begins(teacher) == (400, "it has begun already")
    assert "To your board" in comes("Cleo").get("/room/").content.decode()


@pytest.mark.parametrize("waits", [True, False])
def test_a_class_of_a_planned_length_ends_so_long_after_its_beginning(workshop, teacher, waits):
    teacher.post("/staff/workshops/BCDFGH/edit", {**EDIT, "waits": waits, "minutes": "90"})
    ada = comes("Ada")
    assert bool(told(ada)["time"]["ends"]) is not waits
    if waits:
        begins(teacher)
    comes("Bob")
    left = told(ada)["time"]["ends"] - time.time()
    assert 89 * 60 < left <= 90 * 60
    teacher.post("/staff/workshops/BCDFGH/wall/do/extend", {"minutes": "5"})
    assert told(ada)["time"]["ends"] - time.time() > 94 * 60


def test_who_waits_reaches_nothing_but_the_room_and_all_of_theirs_at_once_when_it_begins(hall, teacher, ask):
    ada = comes("Ada")
    mine = f"/clusters/{ada.seat.cluster}/"
    for path in (mine, f"{mine}lessons/{PLAYED}/", "/lessons/"):
        assert ask(path, ada.token)[0] == 303, path
    status, words = ask(f"{mine}board/do/scale", ada.token, method="POST")
    assert status == 403 and "has not begun" in words
    assert ask(f"{mine}board", ada.token, kind="websocket") == (0, "websocket.close")
    for path in ("/room/", "/room/live", "/room/hand"):
        assert ask(path, ada.token)[0] == 200
    begins(teacher)
    for path in (mine, "/lessons/"):
        assert ask(path, ada.token) == (200, ada.seat.cluster)


def test_a_class_that_is_somewhere_when_it_begins_has_all_of_them_there(hall, teacher):
    ada = comes("Ada")
    Workshop.objects.update(lesson=PLAYED, step="take-one-away")
    bob = comes("Bob")
    for learner in (ada, bob):
        assert client_of(learner.seat.cluster).list(LESSONS) == []
    begins(teacher)
    for learner in (ada, bob, comes("Cleo")):
        assert client_of(learner.seat.cluster).get(LESSONS, "", PLAYED)["spec"]["step"]


def test_on_the_wall_they_wait_and_nobody_is_late_before_it_has_begun(hall, teacher):
    ada = comes("Ada")
    shown = Wall("BCDFGH").look()
    assert shown.tiles[ada.seat.cluster]["waits"] and shown.room["waiting"]
    begins(teacher)
    shown = Wall("BCDFGH").look()
    assert "waits" not in shown.tiles[ada.seat.cluster] and not shown.room["waiting"]
    part = seat_part(1, "Ada", "bcdfgh-1", 0, 0)
    tile = whole(part, {"since": 1000, "due": 1120}, begun=5000.5)
    assert tile["since"] == 5000 and tile["rank"] % 10**10 == 5120
    assert whole(part, {"since": 6000, "due": 6120}, begun=5000.5)["since"] == 6000  # came late
    assert whole(part, {"since": 1000, "due": 1120, "step": 1}, begun=5000.5)["since"] == 1000


def test_a_workshop_does_without_unless_it_is_said(workshop, teacher):
    assert "To your board" in comes("Ada").get("/room/").content.decode()
    assert (
        begins(teacher)[0] == 400 and "Begin the class" not in teacher.get("/staff/workshops/BCDFGH/").content.decode()
    )


def test_it_is_begun_from_its_page_too(hall, teacher):
    ada = comes("Ada")
    assert "Begin the class" in teacher.get("/staff/workshops/BCDFGH/").content.decode()
    page = teacher.post("/staff/workshops/BCDFGH/begin", follow=True).content.decode()
    assert "It began at" in page and "Begin the class" not in page and told(ada)["waiting"] == 0
    assert teacher.post("/staff/workshops/BCDFGH/begin").status_code == 400


def test_nobody_is_sent_out_of_a_class_that_they_are_in(workshop, teacher):
    ada = comes("Ada")
    teacher.post("/staff/workshops/BCDFGH/edit", {**EDIT, "waits": "True"})
    assert Workshop.objects.get().waits and "To your board" in ada.get("/room/").content.decode()


def test_a_class_that_nobody_is_in_waits_from_then_on(workshop, teacher):
    teacher.post("/staff/workshops/BCDFGH/edit", {**EDIT, "waits": "True"})
    seat, _ = join("BCDFGH", "Ada")
    assert seat.workshop.is_waiting
    teacher.post("/staff/workshops/BCDFGH/edit", {**EDIT, "waits": "False"})
    assert not Workshop.objects.get().is_waiting


def test_what_is_over_is_waited_for_no_more(hall, teacher):
    ada = comes("Ada")
    teacher.post("/staff/workshops/BCDFGH/wall/do/end")
    assert "is over" in ada.get("/room/").content.decode() and begins(teacher)[0] == 400
