"""Coming in and teaching, as browsers do it."""

import re
from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.utils.timezone import localdate

from lab.client import cluster_names
from lab.models import Cluster, Workshop
from lab.workshops import tries, warming
from lab.workshops.accounts import FIRST, make_first
from lab.workshops.seats import forget_overdue

WAYS = {"title": "An evening", "lessons": ["10-desired-state"], "seats": 2, "forget": "2100-01-01"}


@pytest.fixture(autouse=True)
def nobody_has_tried(monkeypatch, request) -> None:
    monkeypatch.setattr(tries, "_key", lambda address: f"tries-of-{request.node.name}")
    tries._client.delete(tries._key(""))


def signed_in(password: str, name: str = FIRST) -> tuple[Browser, str]:
    browser = Browser()
    answer = browser.post("/staff/sign-in", {"username": name, "password": password, "next": "/staff/workshops/"})
    return browser, answer.headers.get("Location", "")


def joined(code: str, nickname: str):
    return Browser().post("/join", {"code": code, "nickname": nickname})


@pytest.mark.django_db
def test_the_printed_password_is_good_once_and_then_one_chooses():
    printed = make_first()
    browser, where = signed_in(printed)
    assert where == "/staff/workshops/"
    assert browser.get(where).headers["Location"] == "/staff/password"
    assert signed_in(printed)[1] == ""  # it is used up
    again = make_first()  # who went without choosing is not locked out for good
    assert again and again != printed
    browser, _ = signed_in(again)
    browser.post("/staff/password", {"new_password1": "one of my own", "new_password2": "one of my own"})
    assert browser.get("/staff/workshops/").status_code == 200
    assert make_first() == "" and signed_in("one of my own")[1] == "/staff/workshops/"


@pytest.mark.django_db
def test_without_an_account_no_page_of_staff_says_anything(workshop):
    for path in ("/staff/workshops/", f"/staff/workshops/{workshop.code}/"):
        assert Browser().get(path).headers["Location"].startswith("/staff/sign-in")
    assert Browser().post(f"/staff/workshops/{workshop.code}/delete").headers["Location"].startswith("/staff/sign-in")
    assert Workshop.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_class_from_its_making_to_its_end(workshop):
    teacher, _ = signed_in("a long one to keep", "grace")
    page = teacher.post("/staff/workshops/", WAYS, follow=True)
    code = Workshop.objects.get(title="An evening").code
    assert code in page.content.decode() and "<svg" in page.content.decode()
    answer = joined(code, "Ada")
    assert answer.headers["Location"] == "/room/" and answer.cookies["orrery-seat"]["httponly"]
    token = answer.cookies["orrery-seat"].value
    ada = Browser()
    assert ada.get(f"/back/{token}").headers["Location"] == "/room/"  # on another device
    page = ada.get("/room/").content.decode()
    assert "Ada" in page and "Desired state" in page and f"{code.lower()}-1" in cluster_names()
    second = Browser(headers={"cookie": f"orrery-seat={joined(code, ' ada ').cookies['orrery-seat'].value}"})
    assert "<b>ada 2</b>, for another ada came before you" in second.get("/room/").content.decode()
    assert "came before you" not in page
    assert "All 2 seats are taken" in joined(code, "Eve").content.decode()
    teacher.post(f"/staff/workshops/{code}/close")
    assert "takes nobody any more" in joined(code, "Eve").content.decode()
    Workshop.objects.filter(code=code).update(forget=localdate() + timedelta(days=1))
    forget_overdue()
    assert f"{code.lower()}-1" in cluster_names()
    Workshop.objects.filter(code=code).update(forget=localdate() - timedelta(days=1))
    forget_overdue()  # the day has come, and in the west of it, too
    assert not any(name.startswith(code.lower()) for name in cluster_names())
    assert "is deleted" in (told := ada.get("/join")).content.decode() and not told.cookies["orrery-seat"].value
    assert ada.get("/back/" + token).status_code == 404
    joined(workshop.code, "Bob")
    teacher.post(f"/staff/workshops/{workshop.code}/delete")  # or by hand
    assert not Workshop.objects.exists() and not any(name.startswith(workshop.code.lower()) for name in cluster_names())


@pytest.mark.django_db(transaction=True)
def test_a_workshop_is_changed_while_learners_are_in_it(workshop):
    teacher, _ = signed_in("a long one to keep", "grace")
    for name in ("Ada", "Bob"):
        joined(workshop.code, name)
    path = f"/staff/workshops/{workshop.code}/edit"
    assert 'value="orrery/* mine/*"' in teacher.get(path).content.decode()
    page = teacher.post(path, {**WAYS, "seats": 1}).content.decode()
    assert "2 learners are in it already" in page
    assert "is no pattern of images" in teacher.post(path, {**WAYS, "images": "orrery/* nginx;latest"}).content.decode()
    workshop.refresh_from_db()
    assert workshop.title == "A class"
    changed = {**WAYS, "title": "Another", "seats": 5, "forget": "2100-02-03"}
    changed |= {"pods": 40, "images": "orrery/*, nginx:*"}
    assert teacher.post(path, changed).headers["Location"] == f"/staff/workshops/{workshop.code}/"
    workshop.refresh_from_db()
    assert (workshop.title, workshop.seats, str(workshop.forget)) == ("Another", 5, "2100-02-03")
    assert workshop.images == "orrery/* nginx:*"
    assert Cluster.objects.get(name="bcdfgh-2").guard == "orrery/* nginx:* pods=40"
    teacher.post(path, WAYS)
    assert Cluster.objects.get(name="bcdfgh-1").guard == "orrery/* mine/* pods=100"  # without a word of it
    assert Browser().get(path).status_code == 302


@pytest.mark.django_db
def test_what_is_wrong_in_the_form_is_said_in_words(workshop):
    teacher, _ = signed_in("a long one to keep", "grace")
    asked = {**WAYS, "lessons": [], "seats": 999, "minutes": -3, "pods": 4000}
    page = teacher.post("/staff/workshops/", asked).content.decode()
    for said in ("Choose at least one lesson.", "from 1 to 200.", "from 1 to 1440.", "from 1 to 100."):
        assert said in page
    assert "Ensure" not in page and "field is required" not in page


@pytest.mark.django_db
def test_who_mistypes_the_code_goes_on_in_its_field(workshop):
    code = re.compile(r"<input name=\"code\"[^>]*autofocus")
    assert code.search(joined("BCDFGJ", "Ada").content.decode())
    assert not code.search(joined(workshop.code, "…").content.decode())  # it is the name that is wrong


@pytest.mark.django_db(transaction=True)
def test_lessons_stand_in_the_order_that_was_chosen(workshop):
    teacher, _ = signed_in("a long one to keep", "grace")
    path = f"/staff/workshops/{workshop.code}/"
    order = ["01-one-big-application", "10-desired-state", "14-self-healing"]
    teacher.post(f"{path}edit", {**WAYS, "lessons": order})
    for _ in range(3):  # at the top it stays where it is
        teacher.post(f"{path}earlier", {"lesson": "14-self-healing"})
    assert teacher.post(f"{path}earlier", {"lesson": "no-such"}).status_code == 302
    teacher.post(f"{path}edit", {**WAYS, "lessons": [*order, "05-machines-in-machines"]})
    workshop.refresh_from_db()
    assert workshop.lessons == ["14-self-healing", *order[:2], "05-machines-in-machines"]
    page = Browser(headers={"cookie": f"orrery-seat={joined(workshop.code, 'Ada').cookies['orrery-seat'].value}"})
    text = page.get("/room/").content.decode()
    assert text.index("14-self-healing") < text.index("01-one-big-application") < text.index("05-machines-in-machines")


@pytest.mark.django_db(transaction=True)
def test_clusters_made_ahead_are_taken_in_their_order_and_go_with_the_class(workshop, monkeypatch):
    sent = []
    monkeypatch.setattr(
        "lab.workshops.views.current_app.send_task", lambda name, args, queue: sent.append((name, args))
    )
    teacher, _ = signed_in("a long one to keep", "grace")
    path = f"/staff/workshops/{workshop.code}/"
    assert "0 of 3 clusters are made ahead" in teacher.get(path).content.decode()
    page = teacher.post(f"{path}warm", follow=True).content.decode()
    assert sent == [("lab.tasks.warm_workshop", [workshop.code])] and 'http-equiv="refresh"' in page
    looks_again = re.search(r"url=(\?making=0-\d+)", page)[1]
    assert looks_again in teacher.get(path + looks_again).content.decode()
    monkeypatch.setattr("lab.workshops.views.MAKING_SECONDS", -1)  # nobody makes any: they are not waited for for ever
    page = teacher.get(path + looks_again).content.decode()
    assert "http-equiv" not in page and "Make them now" in page
    assert "?making=0-" in teacher.get(f"{path}?making=none").content.decode()
    assert not warming.make_ahead(workshop.code)
    assert {f"bcdfgh-{n}" for n in (1, 2, 3)} <= set(cluster_names())
    page = teacher.get(f"{path}?making").content.decode()
    assert "3 of 3 clusters are made ahead. Whoever joins waits for nothing." in page and "http-equiv" not in page
    made = []
    monkeypatch.setattr("lab.tutorials.cluster.ensure_cluster", lambda *of: made.append(of))
    joined(workshop.code, "Ada")
    assert workshop.taken.get().cluster == "bcdfgh-1" and made == []
    assert "2 of 2 clusters" in teacher.get(path).content.decode()
    teacher.post(f"{path}delete")
    assert not any(name.startswith("bcdfgh") for name in cluster_names())


@pytest.mark.django_db(transaction=True)
def test_making_ahead_stops_now_and_then_and_where_the_class_is_gone(workshop, monkeypatch):
    monkeypatch.setattr(warming, "BATCH_SECONDS", -1)
    assert warming.make_ahead(workshop.code) and "bcdfgh-1" not in cluster_names()
    monkeypatch.setattr(warming, "BATCH_SECONDS", 10)
    real = warming.ensure_learning_cluster
    monkeypatch.setattr(warming, "ensure_learning_cluster", lambda *of: real(*of) and Workshop.objects.all().delete())
    assert not warming.make_ahead(workshop.code)
    assert not any(name.startswith("bcdfgh") for name in cluster_names())


@pytest.mark.django_db(transaction=True)
def test_who_tries_codes_is_stopped_and_a_link_still_works(workshop):
    token = joined(workshop.code, "Ada").cookies["orrery-seat"].value
    answers = [joined("ZZZZZZ", "Eve").status_code for _ in range(tries.WRONG_A_MINUTE + 1)]
    assert set(answers[:-1]) == {422} and answers[-1] == 429
    assert joined(workshop.code, "Eve").status_code == 429
    assert Browser().get(f"/back/{token}").status_code == 302
