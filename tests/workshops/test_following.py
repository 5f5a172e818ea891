"""A class that is led: to a step, to a slide; with a way out and back in."""

import copy

import pytest
from django.test import Client as Browser

from lab.apimachinery.kinds import LESSONS
from lab.httpserver import ONLY_CLUSTER
from lab.tutorials import progress, shelf
from lab.tutorials.slides import show, slides
from lab.tutorials.views import begin, client_of
from lab.workshops.gate import COOKIE
from lab.workshops.leading import Led, leads_to
from lab.workshops.notice import Notice
from lab.workshops.seats import join
from lab.workshops.wall import Wall

from .test_leading import PLAYED, at, lead, press

pytestmark = pytest.mark.django_db(transaction=True)


def comes(workshop, name: str, *begun) -> Browser:
    seat, token = join(workshop.code, name)
    browser = Browser(headers={"cookie": f"{COOKIE}={token}"})
    browser.seat = seat
    for one in begun:
        begin(client_of(seat.cluster), one)
    return browser


def told(workshop, learner: Browser) -> dict | None:
    return Notice(workshop.code).look().of(learner.seat.cluster)["led"]


def to_slide(teacher: Browser, workshop, slide: str, of: str = PLAYED) -> tuple[int, str]:
    path = f"/staff/workshops/{workshop.code}/wall/do/follow"
    answer = teacher.post(path, {"lesson": of, "slide": slide})
    return answer.status_code, answer.json()["message"]


def test_where_a_page_is_led():
    assert leads_to(Led("10-a", "one", ""), "c-1") == "/clusters/c-1/lessons/10-a/"
    assert leads_to(Led("10-a", "one", "12-b/3"), "c-1") == "/lessons/12-b/slides#3"


def test_all_are_led_who_are_not_on_their_own_also_who_is_further(workshop, teacher, lesson):
    ada, bob, eve = comes(workshop, "Ada", lesson), comes(workshop, "Bob"), comes(workshop, "Eve", lesson)
    press(eve.seat, "go", to=lesson.steps[3].id)
    further = at(eve.seat)
    assert told(workshop, ada) is None
    assert bob.post("/room/alone", {"on": "1"}).status_code == 204
    assert lead(teacher, workshop, "follow", 2) == (200, "2 of 3 follow you to step 2.")
    there = progress.begin_of(lesson, lesson.steps[1]).id
    assert at(ada.seat) == at(eve.seat) == there != further
    assert not client_of(bob.seat.cluster).list(LESSONS)
    place = {"to": f"/clusters/{ada.seat.cluster}/lessons/{PLAYED}/", "place": f"{PLAYED}/{lesson.steps[1].id}"}
    assert told(workshop, ada) == {**place, "alone": False}
    assert told(workshop, bob)["alone"] is True
    shown = Wall(workshop.code).look()
    assert shown.room["led"] and [tile.get("alone") for tile in shown.tiles.values()] == [None, True, None]
    bob.post("/room/alone")  # back in
    assert at(bob.seat) == there and told(workshop, bob)["alone"] is False
    assert lead(teacher, workshop, "follow", lesson.steps[2].id)[0] == 200  # by its id, as a lesson's page knows it
    assert told(workshop, ada)["place"] == f"{PLAYED}/{lesson.steps[2].id}"
    ada.post("/room/alone", {"on": "1"})
    lead(teacher, workshop, "part")
    assert told(workshop, ada) is None
    lead(teacher, workshop, "follow", 1)
    assert told(workshop, ada)["alone"] is False  # asked anew, all are


def test_a_slide_is_no_place_in_their_clusters(workshop, teacher, lesson):
    ada = comes(workshop, "Ada", lesson)
    lead(teacher, workshop, "follow", 2)
    before = client_of(ada.seat.cluster).view().revision
    assert to_slide(teacher, workshop, "2") == (200, "1 of 1 follows you to slide 2.")
    assert told(workshop, ada)["to"] == f"/lessons/{PLAYED}/slides#2"
    assert client_of(ada.seat.cluster).view().revision == before
    page = ada.get(f"/lessons/{PLAYED}/slides")
    assert page.status_code == 200
    most = len(slides(lesson))
    for number in ("0", str(most + 1), "x"):
        assert to_slide(teacher, workshop, number) == (400, f"choose one of its {most} slides")
    assert to_slide(teacher, workshop, "1", "99-none")[0] == 400
    late = Browser()
    assert late.post("/join", {"code": workshop.code, "nickname": "Late"}).status_code == 302
    assert told(workshop, ada)["to"] == f"/lessons/{PLAYED}/slides#2"
    assert lead(teacher, workshop, "follow", 2)[0] == 200 and told(workshop, ada)["to"].endswith(f"{PLAYED}/")


def test_nobody_without_a_seat_is_alone_or_leads(workshop):
    assert Browser().post("/room/alone", {"on": "1"}).status_code == 403
    for what in ("follow", "part"):
        answer = Browser().post(f"/staff/workshops/{workshop.code}/wall/do/{what}", {"lesson": PLAYED, "step": "1"})
        assert answer.headers["Location"].startswith("/staff/sign-in")
    assert not Wall(workshop.code).look().room["led"]


def test_who_learns_is_shown_no_notes_of_the_speaker(workshop, rf, settings):
    settings.TEMPLATES = copy.deepcopy(settings.TEMPLATES)
    settings.TEMPLATES[0]["OPTIONS"]["context_processors"].append("lab.workshops.context.seated")
    seat, _ = join(workshop.code, "Ada")
    first = next(one.notes for one in slides(shelf.lesson(PLAYED)) if one.notes)
    request = rf.get(f"/lessons/{PLAYED}/slides")
    assert str(first) in show(request, PLAYED).content.decode()
    request.scope = {"state": {ONLY_CLUSTER: seat.cluster}}
    assert str(first) not in show(request, PLAYED).content.decode()
