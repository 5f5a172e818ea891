"""The wall as it is read from the database, and who may see it."""

import asyncio
import json

import orjson
import pytest
from asgiref.testing import ApplicationCommunicator
from django.template.loader import render_to_string
from django.test import Client as Browser

from lab.apimachinery.kinds import LESSONS
from lab.asgi import application
from lab.client import Client
from lab.dashboard.lessonrows import lesson_row
from lab.httpserver import ONLY_CLUSTER
from lab.tutorials import column, shelf
from lab.tutorials.told import told_in
from lab.tutorials.views import begin, client_of
from lab.workshops import presence
from lab.workshops.gate import COOKIE, Gate
from lab.workshops.seats import join
from lab.workshops.wall import Wall
from lab.workshops.watching import Gone

pytestmark = pytest.mark.django_db(transaction=True)
PLAYED = "10-desired-state"


@pytest.fixture
def ada(workshop):
    seat, token = join(workshop.code, "Ada")
    seat.token = token
    return seat


def play(cluster: str) -> None:
    begin(client_of(cluster), shelf.find(PLAYED).lesson)


def do(browser: Browser, workshop, what: str, **form: str):
    return browser.post(f"/staff/workshops/{workshop.code}/wall/do/{what}", form)


def test_a_tile_follows_the_cluster_and_one_that_has_not_moved_is_not_asked(workshop, ada, monkeypatch):
    bob, _ = join(workshop.code, "Bob")
    wall = Wall(workshop.code)
    assert list(wall.look().tiles) == [ada.cluster, bob.cluster]
    play(ada.cluster)
    asked = []
    monkeypatch.setattr("lab.workshops.wall.Client", lambda name, *a, **k: asked.append(name) or Client(name, *a, **k))
    shown = wall.look()
    assert shown.tiles[ada.cluster]["step"] == 1 and "step" not in shown.tiles[bob.cluster]
    assert asked == [ada.cluster]
    assert [lesson["id"] for lesson in shown.room["lessons"]] == [PLAYED]
    wall.look()
    assert asked == [ada.cluster]
    workshop.delete()
    with pytest.raises(Gone):
        wall.look()


@pytest.mark.parametrize("began", [{"time": "yesterday"}, {"time": 1e300}, "x"])
def test_what_a_learner_writes_into_their_own_lesson_takes_the_wall_from_nobody(workshop, ada, began):
    bob, _ = join(workshop.code, "Bob")
    play(ada.cluster)
    obj = client_of(ada.cluster).get(LESSONS, "", PLAYED)
    said = {"run": obj["spec"]["run"], "step": obj["spec"]["step"], "phase": "Act", "began": began}
    Client(ada.cluster, "kubectl").update_status(LESSONS, {**obj, "status": said})
    tiles = Wall(workshop.code).look().tiles
    assert orjson.dumps(tiles) and tiles[bob.cluster]["name"] == "Bob" and tiles[ada.cluster]["name"] == "Ada"


def test_who_was_seen_is_here_and_later_away(workshop, ada, monkeypatch):
    wall = Wall(workshop.code)
    presence.seen(ada.cluster)
    assert "away" not in wall.look().tiles[ada.cluster]
    monkeypatch.setattr(presence, "AWAY_SECONDS", -1.0)
    assert wall.look().tiles[ada.cluster]["away"]


def test_a_hand_goes_up_and_down_by_its_learner_and_by_the_instructor(workshop, ada, teacher):
    learner, wall = Browser(headers={"cookie": f"{COOKIE}={ada.token}"}), Wall(workshop.code)
    hand = lambda: wall.look().tiles[ada.cluster].get("hand")  # noqa: E731
    assert learner.post("/room/hand", {"up": "1"}).status_code == 204 and hand()
    since = hand()
    learner.post("/room/hand", {"up": "1"})
    assert hand() == since
    learner.post("/room/hand")
    assert hand() is None
    learner.post("/room/hand", {"up": "1"})
    assert "Ada" in do(teacher, workshop, "lower", seat=ada.cluster).json()["message"] and hand() is None
    assert Browser().post("/room/hand", {"up": "1"}).status_code == 403


def test_a_hint_stands_in_the_lesson_and_a_reset_begins_the_step_anew_and_says_so(workshop, ada, teacher):
    assert "begun no lesson" in do(teacher, workshop, "hint", seat=ada.cluster, text="Look").json()["message"]
    play(ada.cluster)
    client = client_of(ada.cluster)
    before = lesson_row(client.get(LESSONS, "", PLAYED))["of"]
    assert do(teacher, workshop, "hint", seat=ada.cluster, text="  ").status_code == 400
    assert do(teacher, workshop, "hint", seat=ada.cluster, text="Look at <b>web</b>.").status_code == 200
    obj, lesson = client.get(LESSONS, "", PLAYED), shelf.find(PLAYED).lesson
    assert lesson_row(obj)["of"].get("told") and "told" not in before  # by which her page asks for it
    assert [one["text"] for one in column.column(client, lesson, obj, "")["told"]] == ["Look at <b>web</b>."]
    part = Browser().get(f"/clusters/{ada.cluster}/lessons/{PLAYED}/parts?of=hints").content.decode()
    assert "From your instructor" in part and "Look at &lt;b&gt;web&lt;/b&gt;." in part
    do(teacher, workshop, "reset", seat=ada.cluster)
    again = client.get(LESSONS, "", PLAYED)
    assert again["spec"]["run"] == obj["spec"]["run"] + 1 and len(told_in(again, lesson.steps[0].id)) == 2


def test_what_is_said_to_all_is_taken_away_again(workshop, teacher):
    wall = Wall(workshop.code)
    assert do(teacher, workshop, "say", text=" Five  minutes. ").status_code == 200
    assert wall.look().room["said"] == "Five minutes."
    assert do(teacher, workshop, "say", text="x" * 300).status_code == 400
    do(teacher, workshop, "say")
    assert wall.look().room["said"] == ""


def test_nobody_but_staff_opens_the_wall_or_acts_there(workshop, ada, teacher):
    eve = Browser(headers={"cookie": f"{COOKIE}={ada.token}"})
    for browser in (Browser(), eve):
        assert browser.get(f"/staff/workshops/{workshop.code}/wall").headers["Location"].startswith("/staff/sign-in")
        answer = do(browser, workshop, "say", text="I am the teacher")
        assert answer.status_code == 302 and Wall(workshop.code).look().room["said"] == ""
    page = teacher.get(f"/staff/workshops/{workshop.code}/wall")
    assert page.status_code == 200 and "script-src 'self'" in page.headers["Content-Security-Policy"]
    strangers, _ = "ZZZZZZ-1", join(workshop.code, "Bob")
    assert do(teacher, workshop, "reset", seat=strangers).status_code == 404
    assert teacher.get("/staff/workshops/ZZZZZZ/wall").status_code == 404


def opened(path: str, cookies: str, app=application) -> tuple[bool, dict]:
    """Whether somebody is let in there, and the first that they hear."""

    async def connect() -> tuple[bool, dict]:
        headers = [(b"cookie", cookies.encode()), (b"host", b"localhost"), (b"origin", b"http://localhost")]
        scope = {"type": "websocket", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": headers}
        socket = ApplicationCommunicator(app, {**scope, "subprotocols": [], "state": {}})
        await socket.send_input({"type": "websocket.connect"})
        accepted = (await socket.receive_output(10))["type"] == "websocket.accept"
        heard = json.loads((await socket.receive_output(10))["text"]) if accepted else {}
        await socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await socket.wait(10)
        return accepted, heard

    return asyncio.run(connect())


def test_the_walls_socket_is_for_staff_and_a_learners_for_learners(workshop, ada, teacher):
    wall = f"/staff/workshops/{workshop.code}/wall"
    mine, staff = f"{COOKIE}={ada.token}", f"orrery-staff={teacher.cookies['orrery-staff'].value}"
    for cookies in ("", mine, "orrery-staff=made-up"):
        assert opened(wall, cookies)[0] is False
        assert opened(wall, cookies, app=Gate(application))[0] is False
    accepted, heard = opened(wall, staff)
    assert accepted and heard["type"] == "snap" and [row["name"] for row in heard["tiles"]] == ["Ada"]
    accepted, heard = opened("/room/live", mine, app=Gate(application))
    assert accepted and heard["type"] == "room" and heard["hand"] is False
    assert opened("/room/live", "", app=Gate(application))[0] is False
    assert opened("/room/live", mine)[0] is False  # by the plain port nobody has a seat


def test_a_learners_page_has_the_rooms_parts_and_others_have_not(workshop, ada, rf):
    for state, there in (({}, False), ({ONLY_CLUSTER: ada.cluster}, True)):
        request = rf.get("/lessons/")
        request.scope = {"state": state}
        assert ('id="said"' in render_to_string("_html.html", {}, request)) is there
