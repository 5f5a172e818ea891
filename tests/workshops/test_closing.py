"""A class that pauses, has some minutes more, and ends: asleep, or gone but for the certificates."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.test import Client as Browser
from django.utils.timezone import now

from lab.apimachinery.controlplane import POWER
from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import LESSONS, NODES
from lab.apimachinery.patch.json_merge import json_merge as merged
from lab.client import cluster_names
from lab.client.clusters import delete_cluster
from lab.models import Help, Seat, Workshop
from lab.tutorials.views import begin, client_of
from lab.workshops import closing
from lab.workshops.afterwards import _kept
from lab.workshops.closing import IS_OVER, PAUSES, at_home, check_goes_on, why_not
from lab.workshops.gate import COOKIE
from lab.workshops.notice import Notice
from lab.workshops.seats import forget, join
from lab.workshops.wall import Wall

from .test_leading import PLAYED, passes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada(workshop, lesson) -> Browser:
    seat, token = join(workshop.code, "Ada")
    browser = Browser(headers={"cookie": f"{COOKIE}={token}"})
    browser.seat = seat
    begin(client_of(seat.cluster), lesson)
    passes(seat, lesson, lesson.steps[0].id)
    return browser


def do(teacher: Browser, workshop, what: str, **form: str) -> tuple[int, str]:
    answer = teacher.post(f"/staff/workshops/{workshop.code}/wall/do/{what}", form)
    return answer.status_code, answer.json()["message"]


def told(workshop, learner: Browser) -> dict:
    return Notice(workshop.code).look().of(learner.seat.cluster)["time"]


def refusal(seat: Seat) -> str:
    try:
        check_goes_on(seat)
    except ApiError as error:
        return error.message
    return ""


def powers(seat: Seat) -> set[str | None]:
    nodes = client_of(seat.cluster).list(NODES)
    return {node["metadata"].get("annotations", {}).get(POWER) for node in nodes}


def test_what_is_over_is_over_whether_it_pauses_or_not():
    assert why_not(False, False) == ""
    assert why_not(True, False) == PAUSES
    assert why_not(True, True) == why_not(False, True) == IS_OVER


@pytest.mark.parametrize("spec", [{"rate": 5}, {"rate": 5.5, "path": "/a"}, {"thinkSeconds": 2, "concurrency": 3}])
def test_visitors_go_home_with_their_cluster_and_come_back_as_they_were(spec):
    visitors = {"metadata": {}, "spec": spec}
    asleep = merged(visitors, at_home(visitors, True))
    assert asleep["spec"]["rate"] == 0 and "thinkSeconds" not in asleep["spec"]
    assert merged(asleep, at_home(asleep, True)) == asleep  # sent home once
    assert merged(asleep, at_home(asleep, False))["spec"] == spec


def test_visitors_whom_a_learner_had_sent_home_do_not_come_back():
    visitors = {"metadata": {}, "spec": {"rate": 0}}
    assert at_home(visitors, True) == at_home(visitors, False) == {}


def test_while_all_pause_nobody_acts(workshop, teacher, ada):
    assert refusal(ada.seat) == "" and not told(workshop, ada)["paused"]
    assert do(teacher, workshop, "pause") == (200, "Everybody can look, and nobody can act.")
    assert refusal(ada.seat) == PAUSES and told(workshop, ada)["paused"]
    assert Wall(workshop.code).look().room["time"]["paused"]
    do(teacher, workshop, "resume")
    assert refusal(ada.seat) == "" and not told(workshop, ada)["paused"]


def test_minutes_are_added_to_those_that_are_left(workshop, teacher, ada):
    assert told(workshop, ada)["ends"] == 0
    assert do(teacher, workshop, "extend", minutes="5") == (200, "5 minutes are left.")
    assert do(teacher, workshop, "extend", minutes="15") == (200, "20 minutes are left.")
    assert told(workshop, ada)["ends"] == pytest.approx(now().timestamp() + 20 * 60, abs=5)
    Workshop.objects.update(ends=now() - timedelta(hours=1))  # it is up
    assert do(teacher, workshop, "extend", minutes="5") == (200, "5 minutes are left.")
    for minutes in ("", "0", "241", "x"):
        assert do(teacher, workshop, "extend", minutes=minutes)[0] == 400


def test_a_class_that_is_over_sleeps_and_wakes(workshop, teacher, ada):
    assert powers(ada.seat) == {None}
    workshop.taken.update(hand=now())
    assert do(teacher, workshop, "end") == (200, "The class is over. 1 of 1 clusters are asleep.")
    assert "gone" not in Wall(workshop.code).look().tiles[ada.seat.cluster]
    assert powers(ada.seat) == {"off"} and refusal(ada.seat) == IS_OVER
    assert told(workshop, ada)["over"] and not told(workshop, ada)["goes"]
    assert not workshop.taken.exclude(hand=None).exists()  # nobody can be helped any more
    page = teacher.get(f"/staff/workshops/{workshop.code}/").content.decode()
    assert "nobody joins any more" in page and "Take nobody more" not in page and "Before they come" not in page
    assert "over since" in teacher.get("/staff/workshops/").content.decode()
    page = ada.get("/room/").content.decode()
    assert "is over" in page and "Your board, asleep" in page
    assert (
        "This workshop is over." in Browser().post("/join", {"code": workshop.code, "nickname": "Eve"}).content.decode()
    )
    assert do(teacher, workshop, "end")[0] == do(teacher, workshop, "extend", minutes="5")[0] == 400
    assert _kept(ada.seat)[PLAYED]["status"]["steps"]
    assert do(teacher, workshop, "go-on") == (200, "The class goes on. 1 of 1 clusters are awake.")
    assert Browser().post("/join", {"code": workshop.code, "nickname": "Eve"}).status_code == 302
    assert (
        powers(ada.seat) == {None} and refusal(ada.seat) == "" and "is over" not in ada.get("/room/").content.decode()
    )


def test_where_clusters_go_the_certificates_stay_until_the_class_is_forgotten(workshop, teacher, ada, lesson):
    Workshop.objects.update(goes=True)
    path = f"/lessons/certificate?cluster={ada.seat.cluster}"
    Help.objects.create(seat=ada.seat, by="grace", state="Looks")
    before = Browser().get(path).content.decode()
    assert lesson.steps[0].title in before
    assert do(teacher, workshop, "end") == (200, "The class is over. 1 of 1 clusters are gone.")
    assert ada.seat.cluster not in cluster_names()
    assert lesson.steps[0].title in Browser().get(path).content.decode()
    assert PLAYED in Browser().get(f"/lessons/progress.yaml?cluster={ada.seat.cluster}").content.decode()
    page = ada.get("/room/").content.decode()
    assert "is over" in page and "Your board" not in page and ada.seat.cluster not in cluster_names()
    shown = Wall(workshop.code).look()
    tile = shown.tiles[ada.seat.cluster]
    assert shown.room["time"]["goes"] and tile["gone"] and tile["lesson"] == PLAYED and tile["passed"] == [1]
    assert tile["step"] == 1 and "board" not in tile and "help" not in tile
    assert _kept(Seat.objects.get())[PLAYED]["status"]["steps"]  # the report goes on
    assert teacher.get(f"/staff/workshops/{workshop.code}/report").status_code == 200
    assert do(teacher, workshop, "go-on") == (400, "its clusters are gone")
    forget(Workshop.objects.get())
    assert not Seat.objects.exists() and lesson.steps[0].title not in Browser().get(path).content.decode()


def test_a_cluster_that_cannot_be_put_away_is_said_and_the_others_are(workshop, teacher, ada):
    bob, _ = join(workshop.code, "Bob")
    delete_cluster(bob.cluster)
    status, words = do(teacher, workshop, "end")
    assert status == 200 and words.startswith("The class is over. 1 of 2 clusters are asleep. Failed: ")
    assert powers(ada.seat) == {"off"} and client_of(ada.seat.cluster).list(LESSONS)


def test_which_of_both_is_chosen_with_the_workshop(workshop, teacher):
    ways = {"title": "An evening", "lessons": [PLAYED], "seats": 2, "forget": "2100-01-01"}
    for goes in (False, True):
        teacher.post(f"/staff/workshops/{workshop.code}/edit", {**ways, "goes": str(goes)})
        workshop.refresh_from_db()
        assert workshop.goes == goes
        page = teacher.get(f"/staff/workshops/{workshop.code}/edit").content.decode()
        assert f'value="{goes}" selected' in page


def test_an_end_that_was_cut_short_is_finished_when_it_is_pressed_again(workshop, teacher, ada, monkeypatch):
    bob, _ = join(workshop.code, "Bob")
    Workshop.objects.update(goes=True)

    def fails(cluster: str) -> None:
        if cluster == ada.seat.cluster:
            raise OperationalError("the database is away")
        delete_cluster(cluster)

    monkeypatch.setattr(closing, "delete_cluster", fails)
    assert do(teacher, workshop, "end") == (
        200,
        "The class is over. 1 of 2 clusters are gone. Failed: the database is away",
    )
    assert Wall(workshop.code).look().room["time"]["left"] == 1
    monkeypatch.setattr(closing, "delete_cluster", delete_cluster)
    assert do(teacher, workshop, "end") == (200, "The class is over. 1 of 1 clusters are gone.")
    assert Wall(workshop.code).look().room["time"]["left"] == 0
    assert do(teacher, workshop, "end") == (400, "it is over already")
    assert _kept(Seat.objects.get(pk=ada.seat.pk))[PLAYED]["status"]["steps"]


def test_two_who_press_at_once_both_count(workshop):
    """Each has read the workshop before the other has written it."""
    ours, theirs = Workshop.objects.get(), Workshop.objects.get()
    assert closing.extend(ours, {"minutes": "5"}, "grace") == "5 minutes are left."
    assert closing.extend(theirs, {"minutes": "5"}, "linus") == "10 minutes are left."
    closing.pause(ours, {}, "grace")
    closing.resume(theirs, {}, "linus")
    row = Workshop.objects.get()
    assert not row.paused and row.stopped is None and len(row.stood) == 1
