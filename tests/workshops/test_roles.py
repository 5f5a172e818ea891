"""Who may do what in a workshop: a table of it, and each door asked by each of them."""

import asyncio

import pytest
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth.models import User
from django.test import Client as Browser

from lab.apiserver.threads import in_thread
from lab.asgi import application
from lab.dashboard.answers import clusters_for
from lab.models import Help, Role, Workshop
from lab.workshops import consumers, teaching
from lab.workshops.gate import COOKIE
from lab.workshops.roles import ASSISTANT, INSTRUCTOR, OBSERVER, Standing, may, refusal, standing, workshops_of
from lab.workshops.seats import join

from .conftest import inside
from .test_wall import opened

pytestmark = pytest.mark.django_db(transaction=True)
WHO = (Standing(INSTRUCTOR), Standing(ASSISTANT, "A"), Standing(ASSISTANT, "B"), Standing(OBSERVER), Standing())
# To a learner of group A: who may, in the order of WHO.
TABLE = {
    **dict.fromkeys(("wall", "report"), "yyyy-"),
    **dict.fromkeys(
        ("hint", "reset", "lower", "answer", "look", "take", "give", "leave", "point", "progress"), "yy---"
    ),
    **dict.fromkeys(("say", "hold", "release", "bring", "follow", "part", "ask", "again", "finish", "remove"), "y----"),
    **dict.fromkeys(("pause", "resume", "extend", "end", "go-on", "begin", "group"), "y----"),
    **dict.fromkeys(("inject", "page", "people", "edit"), "y----"),
}


@pytest.mark.parametrize(("act", "said"), TABLE.items())
def test_a_role_may_what_the_table_says(act, said):
    assert "".join("-" if refusal(who, act, "Ada", "A") else "y" for who in WHO) == said


def test_who_has_several_groups_helps_in_each_and_nobody_who_is_in_none():
    several = Standing(ASSISTANT, "AC")
    assert [refusal(several, "hint", "Ada", group) == "" for group in ("A", "B", "C", "")] == [True, False, True, False]


def test_the_table_has_all_that_is_done_from_the_wall():
    assert {*teaching.TO_ALL, *teaching.TO_ONE} <= TABLE.keys()


def test_a_refusal_says_why():
    assert "Ada is not in group B" in refusal(WHO[2], "hint", "Ada", "A")
    assert "Ada is not in groups B and C" in refusal(Standing(ASSISTANT, "BC"), "hint", "Ada", "A")
    assert "for an instructor" in refusal(WHO[1], "hold")
    assert "you observe" in refusal(WHO[3], "hint", "Ada", "A")
    assert "no part in this workshop" in refusal(WHO[4], "wall")


def comes(name: str) -> Browser:
    User.objects.create_user(name, password="a long one to keep", is_staff=name == "linus")
    browser = Browser()
    browser.post("/staff/sign-in", {"username": name, "password": "a long one to keep"})
    return browser


@pytest.fixture
def people(workshop) -> dict[str, Browser]:
    """Of group A, of B, who observes, and the instructor of another class. Ada is in A, Bob in B."""
    Workshop.objects.filter(pk=workshop.pk).update(groups=2)
    for name in ("Ada", "Bob"):
        join(workshop.code, name)
    found = {name: comes(name) for name in ("anna", "bert", "otto", "linus")}
    for name, role, group in (("anna", ASSISTANT, "A"), ("bert", ASSISTANT, "B"), ("otto", OBSERVER, "")):
        Role.objects.create(workshop=workshop, account=name, role=role, groups=group)
    User.objects.update(last_login="2026-01-01T00:00:00Z")
    return found


def does(browser: Browser, what: str, **form: str) -> tuple[int, str]:
    answer = browser.post(f"/staff/workshops/BCDFGH/wall/do/{what}", form)
    return answer.status_code, answer.json()["message"]


def test_who_made_it_and_a_superuser_are_its_instructors_and_another_instructor_is_not(workshop, people):
    root = User.objects.create_superuser("root", password="a long one to keep")
    for name in ("grace", "root"):
        assert standing(User.objects.get(username=name), workshop).role == INSTRUCTOR
    assert not may(User.objects.get(username="linus"), workshop, "wall")
    assert list(workshops_of(User.objects.get(username="linus"))) == [] and list(workshops_of(root)) == [workshop]
    User.objects.filter(username="grace").update(is_active=False)
    assert not may(User.objects.get(username="grace"), workshop, "wall")


def test_an_assistant_helps_their_own_group_alone(workshop, people):
    ada, bob = workshop.taken.order_by("id")
    assert (ada.group, bob.group) == ("A", "B")
    anna = people["anna"]
    assert does(anna, "look", seat=ada.cluster)[0] == 200
    assert does(anna, "lower", seat=ada.cluster)[0] == 200
    status, words = does(anna, "look", seat=bob.cluster)
    assert status == 403 and "Bob is not in group A" in words and Help.objects.count() == 1
    for what in ("say", "hold", "bring", "pause", "end", "finish", "remove"):
        assert does(anna, what, lesson="10-desired-state", step="1")[0] == 403, what
    workshop.refresh_from_db()
    assert not (workshop.held or workshop.paused or workshop.over)


def test_an_assistant_answers_what_their_group_asks(workshop, people):
    asked = [workshop.questions.create(seat=seat, text="Why?") for seat in workshop.taken.order_by("id")]
    assert does(people["anna"], "answer", question=str(asked[0].pk), text="So.")[0] == 200
    assert does(people["anna"], "answer", question=str(asked[1].pk), text="So.")[0] == 403
    assert does(people["anna"], "answer", question="999")[0] == 403
    assert [one.answer for one in workshop.questions.order_by("id")] == ["So.", ""]


def test_an_observer_acts_on_nobody_and_knows_nobody_by_name(workshop, people):
    otto, (ada, _) = people["otto"], workshop.taken.order_by("id")
    for what in (*teaching.TO_ONE, *teaching.TO_ALL):
        assert does(otto, what, seat=ada.cluster)[0] == 403, what
    key = f"orrery-staff={otto.cookies['orrery-staff'].value}"
    accepted, heard = opened("/staff/workshops/BCDFGH/wall", key)
    assert accepted and [tile["name"] for tile in heard["tiles"]] == ["No. 1", "No. 2"]
    for path in ("wall", "report", "report.json", "report.csv"):
        answer = otto.get(f"/staff/workshops/BCDFGH/{path}")
        assert answer.status_code == 200 and "Ada" not in answer.content.decode()
        assert path == "wall" or "No. 1" in answer.content.decode()
    assert "Ada" in people["anna"].get("/staff/workshops/BCDFGH/report").content.decode()


FOR_INSTRUCTORS = ("", "edit", "people", "delete", "open", "close", "warm", "rehearse", "drill", "people/groups")


@pytest.mark.parametrize("name", ["anna", "otto", "linus"])
def test_what_is_for_its_instructors_is_refused_in_plain_words(workshop, people, name):
    browser = people[name]
    for path in FOR_INSTRUCTORS:
        for asks in (browser.get, browser.post):
            answer = asks(f"/staff/workshops/BCDFGH/{path}", headers={"accept": "text/html"})
            assert answer.status_code in (403, 405), path
            assert answer.status_code == 405 or "This is not yours to do" in answer.content.decode()
    assert Workshop.objects.filter(is_open=True).exists()
    assert browser.get("/staff/workshops/BCDFGH/wall").status_code == (403 if name == "linus" else 200)


def test_each_sees_their_own_workshops_and_only_instructors_make_some(workshop, people):
    pages = {name: browser.get("/staff/workshops/").content.decode() for name, browser in people.items()}
    assert "assistant of group A" in pages["anna"] and "observer" in pages["otto"]
    assert "BCDFGH" not in pages["linus"] and "A new workshop" in pages["linus"]
    for name in ("anna", "otto"):
        assert "A new workshop" not in pages[name] and "Health" not in pages[name]
        assert people[name].post("/staff/workshops/", {"title": "Mine"}).status_code == 403
    assert Workshop.objects.count() == 1


def test_what_one_may_not_do_is_not_in_the_page(workshop, people):
    page = people["otto"].get("/staff/workshops/BCDFGH/wall").content.decode()
    assert 'data-role="observer"' in page and 'href="/staff/workshops/BCDFGH/"' not in page.split("tiles-pane")[0]
    assert '<button name="fault"' not in people["anna"].get("/staff/workshops/BCDFGH/report").content.decode()


ELSEWHERE = [
    ("/clusters/learn/", 403), ("/clusters/default/api/v1/secrets", 403), ("/metrics", 403), ("/health", 403),
    ("/lessons/predictions", 403), ("/lessons/?cluster=bcdfgh-2", 403), ("/", 303), ("/lessons/", 200),
]  # fmt: skip


@pytest.mark.parametrize(("path", "status"), ELSEWHERE)
def test_beside_their_workshops_who_assists_or_observes_reads_lessons_and_no_more(people, ask, path, status):
    for name in ("anna", "otto"):
        key = people[name].cookies["orrery-staff"].value
        assert ask(path, key, cookie="orrery-staff")[0] == status
        assert ask(path, key, cookie="orrery-staff", method="POST")[0] == 403
    key = people["linus"].cookies["orrery-staff"].value
    assert ask(path, key, cookie="orrery-staff")[0] == (403 if "bcdfgh" in path else 200)


def test_an_assistant_is_offered_the_cluster_of_whom_they_help_and_no_other(workshop, people, ask, rf):
    ada, bob = workshop.taken.order_by("id")
    Help.objects.create(seat=ada, by="anna", state="Looks")
    offered = {}
    for name, browser in people.items():
        for path in (f"/clusters/{ada.cluster}/", f"/lessons/?cluster={ada.cluster}", "/lessons/"):
            status, _ = ask(path, browser.cookies["orrery-staff"].value, cookie="orrery-staff")
            request = rf.get(path)
            request.scope = {"state": inside.state}
            offered[name, path] = clusters_for(request) if status == 200 else status
    assert offered["anna", f"/clusters/{ada.cluster}/"] == [ada.cluster]
    assert offered["anna", f"/lessons/?cluster={ada.cluster}"] == []
    assert [offered[name, "/lessons/"] for name in ("anna", "bert", "otto")] == [[], [], []]
    for name in ("bert", "otto", "linus"):
        assert offered[name, f"/lessons/?cluster={ada.cluster}"] == 403
    assert bob.cluster not in offered["linus", "/lessons/"]  # it is of a class that is not theirs


def test_beside_a_learner_stays_who_may_be_there_and_as_long_as_they_may(workshop, people, ask):
    ada, _ = workshop.taken.order_by("id")
    path, key = f"/clusters/{ada.cluster}/api/v1/pods", people["anna"].cookies["orrery-staff"].value
    Help.objects.create(seat=ada, by="anna", state="Acts")
    for method in ("GET", "POST"):
        assert ask(path, key, cookie="orrery-staff", method=method) == (200, "instructor")
    workshop.taken.filter(pk=ada.pk).update(group="B")
    assert "not in group A" in ask(path, key, cookie="orrery-staff")[1]
    Role.objects.filter(account="anna").delete()
    assert "no part in this workshop" in ask(path, key, cookie="orrery-staff")[1]


def test_who_has_not_chosen_a_password_yet_comes_in_nowhere(workshop, people, ask):
    key = people["linus"].cookies["orrery-staff"].value
    assert ask("/clusters/learn/", key, cookie="orrery-staff")[0] == 200
    linus = User.objects.get(username="linus")
    linus.last_login = None
    linus.save()
    browser = Browser()
    Role.objects.create(workshop=workshop, account="linus", role=INSTRUCTOR)
    browser.post("/staff/sign-in", {"username": "linus", "password": "a long one to keep"})
    assert browser.get("/staff/workshops/").headers["Location"] == "/staff/password"
    assert ask("/clusters/learn/", browser.cookies["orrery-staff"].value, cookie="orrery-staff")[0] == 403


def test_a_wall_that_is_open_closes_for_who_may_not_see_it_any_more(workshop, people, monkeypatch):
    monkeypatch.setattr(consumers, "STILL_SECONDS", -1.0)
    monkeypatch.setattr(consumers, "BEAT_SECONDS", 0.05)
    cookie = f"orrery-staff={people['otto'].cookies['orrery-staff'].value}".encode()
    path = "/staff/workshops/BCDFGH/wall"

    async def watched() -> tuple[str, dict]:
        headers = [(b"cookie", cookie), (b"host", b"localhost"), (b"origin", b"http://localhost")]
        scope = {"type": "websocket", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers}
        socket = ApplicationCommunicator(application, {**scope, "subprotocols": [], "state": {}})
        await socket.send_input({"type": "websocket.connect"})
        heard = [(await socket.receive_output(10))["type"] for _ in range(3)]
        await in_thread(Role.objects.filter(account="otto").delete)
        while (last := await socket.receive_output(10))["type"] == "websocket.send":
            pass
        await socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await socket.wait(10)
        return heard[-1], last

    assert asyncio.run(watched()) == ("websocket.send", {"type": "websocket.close", "code": consumers.NOT_YOURS})


def test_a_learner_is_no_staff(workshop, people):
    _, token = join(workshop.code, "Eve")
    eve = Browser(headers={"cookie": f"{COOKIE}={token}"})
    assert eve.get("/staff/workshops/BCDFGH/people").headers["Location"].startswith("/staff/sign-in")
