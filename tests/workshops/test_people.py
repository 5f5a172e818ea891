"""Accounts that an instructor makes: a password shown once, a part in the workshop, and gone again."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from lab.models import Help, Role, Workshop
from lab.workshops.groups import divide
from lab.workshops.roles import INSTRUCTOR
from lab.workshops.seats import join

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/staff/workshops/BCDFGH/people"


def add(teacher: Browser, account: str, role: str = "assistant", groups: str = "A", path: str = PATH) -> str:
    return teacher.post(path, {"account": account, "role": role, "groups": list(groups)}).content.decode()


def password_in(page: str) -> str:
    found = re.search(r"<code>([A-Z-]{14})</code>", page)
    return found[1] if found else ""


def signed_in(name: str, password: str) -> tuple[Browser, str]:
    browser = Browser()
    answer = browser.post("/staff/sign-in", {"username": name, "password": password})
    return browser, answer.headers.get("Location", "")


def chooses(browser: Browser) -> None:
    browser.post("/staff/password", {"new_password1": "one of my own", "new_password2": "one of my own"})


def test_a_password_is_shown_once_good_once_and_then_one_chooses(workshop, teacher):
    divide(workshop, "2")
    page = add(teacher, "bert", groups="B")
    password = password_in(page)
    assert password and "assistant of group B; has not chosen a password yet" in page
    assert password not in teacher.get(PATH).content.decode()
    bert, where = signed_in("bert", password)
    assert where and bert.get(where).headers["Location"] == "/staff/password"
    assert signed_in("bert", password)[1] == ""
    chooses(bert)
    assert bert.get("/staff/workshops/BCDFGH/wall").status_code == 200
    assert signed_in("bert", "one of my own")[1] and "not chosen" not in teacher.get(PATH).content.decode()


def test_a_first_sign_in_whose_answer_was_lost_is_sent_again_by_the_same_browser_alone(workshop, teacher):
    form = {"username": "bert", "password": password_in(add(teacher, "bert"))}
    lost, other = Browser(), Browser()
    for browser in (lost, other):
        browser.get("/staff/sign-in")
    before = lost.cookies["csrftoken"].value
    lost.post("/staff/sign-in", form)
    lost.cookies.clear()
    lost.cookies["csrftoken"] = before
    assert "Location" not in other.post("/staff/sign-in", form).headers
    assert "Location" not in lost.post("/staff/sign-in", form | {"password": "something else"}).headers
    assert lost.post("/staff/sign-in", form).headers["Location"] == "/staff/workshops/"
    assert lost.get("/staff/workshops/").headers["Location"] == "/staff/password"
    chooses(lost)
    lost.cookies.clear()
    lost.cookies["csrftoken"] = before
    assert "Location" not in lost.post("/staff/sign-in", form).headers


def test_who_went_without_choosing_gets_another_and_who_has_chosen_does_not(workshop, teacher):
    bert, _ = signed_in("bert", password_in(add(teacher, "bert")))
    again = password_in(teacher.post(f"{PATH}/new-password", {"account": "bert"}).content.decode())
    assert again and bert.get("/staff/workshops/").headers["Location"].startswith("/staff/sign-in")
    bert, _ = signed_in("bert", again)
    chooses(bert)
    assert teacher.post(f"{PATH}/new-password", {"account": "bert"}).status_code == 403
    assert signed_in("bert", "one of my own")[1]


def test_nobody_gets_a_password_for_an_account_that_opens_more_than_their_workshop(workshop, teacher):
    other = Workshop.objects.create(code="ZZZZZZ", title="Other", by="linus", forget="2100-01-01")
    User.objects.create_superuser("root", password="a long one to keep")
    for name in ("root", "linus", "eve"):
        add(teacher, name)
    Role.objects.create(workshop=other, account="eve", role=INSTRUCTOR)
    for name in ("root", "linus", "eve"):
        assert teacher.post(f"{PATH}/new-password", {"account": name}).status_code == 403, name
        teacher.post(f"{PATH}/away", {"account": name})
        assert User.objects.filter(username=name).exists()


def test_who_is_there_already_keeps_the_password_and_has_one_part(workshop, teacher):
    User.objects.create_user("linus", password="a long one to keep")
    page = add(teacher, "linus", "observer")
    assert "has an account already" in page and not password_in(page)
    assert "has a part in this workshop already" in add(teacher, "linus", "instructor")
    assert "has a part in this workshop already" in add(teacher, "grace", "observer")
    assert Role.objects.get().role == "observer" and Role.objects.get().groups == ""
    divide(workshop, "2")
    for role, groups, why in (
        ("king", "A", "Select a valid choice"),
        ("assistant", "AC", "Select a valid choice"),
        ("assistant", "", "Choose at least one"),
    ):
        assert why in add(teacher, "eve", role, groups)
    assert not User.objects.filter(username="eve").exists()


def test_a_fellow_instructor_may_all_of_it_and_make_workshops(workshop, teacher):
    linus, _ = signed_in("linus", password_in(add(teacher, "linus", "instructor")))
    chooses(linus)
    assert linus.get("/staff/workshops/BCDFGH/edit").status_code == 200
    assert "A new workshop" in linus.get("/staff/workshops/").content.decode()


def test_who_is_taken_away_is_out_at_once_and_beside_nobody(workshop, teacher):
    seat, _ = join(workshop.code, "Ada")
    bert, _ = signed_in("bert", password_in(add(teacher, "bert")))
    chooses(bert)
    Help.objects.create(seat=seat, by="bert", state="Looks")
    teacher.post(f"{PATH}/away", {"account": "bert"})
    assert not (Role.objects.exists() or Help.objects.exists() or User.objects.filter(username="bert").exists())
    assert bert.get("/staff/workshops/BCDFGH/wall").headers["Location"].startswith("/staff/sign-in")
    assert teacher.post(f"{PATH}/away", {"account": "grace"}).status_code == 404


def test_who_made_workshops_only_by_a_part_that_is_taken_away_does_so_no_more(workshop, teacher):
    """Who has made one, or is an instructor elsewhere, goes on."""
    other = Workshop.objects.create(code="ZZZZZZ", title="Other", by="grace", forget="2100-01-01")
    for name, elsewhere in (("linus", "assistant"), ("edsger", "instructor"), ("barbara", "observer")):
        add(teacher, name, "instructor")
        Role.objects.create(workshop=other, account=name, role=elsewhere)
    Workshop.objects.create(code="YYYYYY", title="Hers", by="barbara", forget="2100-01-01")
    for name in ("linus", "edsger", "barbara"):
        teacher.post(f"{PATH}/away", {"account": name})
    assert set(User.objects.filter(is_staff=True).values_list("username", flat=True)) == {"grace", "edsger", "barbara"}
    assert User.objects.filter(username="linus").exists()


def test_with_a_workshop_go_the_accounts_of_who_only_helped_in_it(workshop, teacher):
    other = Workshop.objects.create(code="ZZZZZZ", title="Other", by="grace", forget="2100-01-01")
    for name, role in (("bert", "assistant"), ("anna", "assistant"), ("linus", "instructor")):
        add(teacher, name, role)
    Role.objects.create(workshop=other, account="anna", role="assistant", groups="A")
    teacher.post("/staff/workshops/BCDFGH/delete")
    assert set(User.objects.values_list("username", flat=True)) == {"grace", "anna", "linus"}


def test_groups_are_divided_from_the_page(workshop, teacher):
    for name in ("Ada", "Bob", "Cleo"):
        join(workshop.code, name)
    assert teacher.post(f"{PATH}/groups", {"groups": "2"}).headers["Location"] == PATH
    assert "A: 2, B: 1 learners" in teacher.get(PATH).content.decode()
    add(teacher, "bert", groups="B")
    answer = teacher.post(f"{PATH}/groups", {"groups": "1"}, headers={"accept": "text/html"})
    assert answer.status_code == 400 and "Bert helps group B" in answer.content.decode()


def test_an_assistant_has_several_groups_and_gets_others(workshop, teacher):
    for name in ("Ada", "Bob", "Cleo"):
        join(workshop.code, name)
    divide(workshop, "3")
    assert "assistant of groups A and C" in add(teacher, "bert", groups="CA")
    ada, bob, cleo = workshop.taken.order_by("group")
    for seat in (ada, cleo):
        Help.objects.create(seat=seat, by="bert", state="Looks")

    def gets(account: str, groups: str) -> int:
        form = {"account": account, "groups": list(groups)}
        return teacher.post(f"{PATH}/helps", form, headers={"accept": "text/html"}).status_code

    assert gets("bert", "BC") == 302 and Role.objects.get().groups == "BC"
    assert [one.seat for one in Help.objects.all()] == [cleo]
    add(teacher, "otto", "observer")
    assert gets("bert", "") == gets("bert", "D") == gets("otto", "A") == 400 and gets("grace", "A") == 404
    page = teacher.get("/staff/workshops/BCDFGH/").content.decode()
    assert "bert (assistant of groups B and C)" in page and "otto (observer)" in page
    assert Role.objects.get(account="bert").groups == "BC" and Role.objects.get(account="otto").groups == ""


def test_where_there_is_one_group_nobody_has_to_choose_it(workshop, teacher):
    assert "Groups of an assistant" not in teacher.get(PATH).content.decode()
    add(teacher, "bert", groups="")
    assert Role.objects.get().groups == "A"
