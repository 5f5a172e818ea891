"""The time in which a class stands still counts for nobody."""

from datetime import timedelta

import pytest

from lab.apimachinery.kinds import LESSONS
from lab.client import Client
from lab.models import Workshop
from lab.tutorials import pace, progress
from lab.tutorials.performance import Performance
from lab.tutorials.views import begin, client_of
from lab.workshops import stops
from lab.workshops.seats import join
from lab.workshops.stops import lost
from lab.workshops.tiles import seat_part, whole
from lab.workshops.wall import Shown, Wall

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("stood", "since", "seconds"),
    [
        ([], 100, 0),
        ([[100, 160]], 50, 60),
        ([[100, 160]], 130, 30),  # came while it stood
        ([[100, 160]], 160, 0),
        ([[100, 160], [200, 230]], 110, 80),
    ],
)
def test_what_is_lost_is_what_it_stood_still_after(stood, since, seconds):
    assert lost(stood, since) == seconds


def test_a_tile_begins_later_by_what_was_lost_and_keeps_its_place_among_others():
    part = seat_part(1, "Ada", "bcdfgh-1", 0, 0)
    tile = whole(part, {"since": 1000, "due": 1180, "step": 1}, stood=[[1100, 1700.5]])
    assert tile["since"] == 1600 and tile["rank"] % 10**10 == 1780
    assert whole(part, {"since": 1800, "due": 1980, "step": 1}, stood=[[1100, 1700.5]])["since"] == 1800


def does(teacher, what: str) -> Shown:
    assert teacher.post(f"/staff/workshops/BCDFGH/wall/do/{what}").status_code == 200
    return Wall("BCDFGH").look()


@pytest.mark.parametrize(("stops_by", "goes_by"), [("pause", "resume"), ("end", "go-on")])
def test_minutes_stand_still_from_when_it_pauses_or_ends_until_it_goes_on(
    workshop, teacher, lesson, monkeypatch, stops_by, goes_by
):
    seat, _ = join(workshop.code, "Ada")
    begin(client_of(seat.cluster), lesson)
    before = Wall("BCDFGH").look()
    since = before.tiles[seat.cluster]["since"]
    assert before.room["still"] == 0
    held = does(teacher, stops_by)
    assert held.room["still"] == pytest.approx(since, abs=30) and held.tiles[seat.cluster]["since"] == since
    again = does(teacher, "pause") if stops_by == "pause" else does(teacher, "resume")
    assert again.room["still"] == held.room["still"]  # who says it twice has said it once
    later = stops.now() + timedelta(minutes=10)
    monkeypatch.setattr(stops, "now", lambda: later)
    went_on = does(teacher, goes_by)
    assert went_on.room["still"] == 0
    assert went_on.tiles[seat.cluster]["since"] == pytest.approx(since + 600, abs=30)
    assert does(teacher, "resume").tiles[seat.cluster] == went_on.tiles[seat.cluster]


def test_what_ends_while_it_pauses_stands_still_since_the_pause(workshop, teacher):
    still = does(teacher, "pause").room["still"]
    later = stops.now() + timedelta(minutes=10)
    Workshop.objects.update(stopped=later - timedelta(minutes=20))
    assert does(teacher, "end").room["still"] == pytest.approx(still - 600, abs=2)


def test_in_a_lesson_too_no_second_counts_in_which_the_class_stands_still(workshop, teacher, lesson):
    """Nobody is hinted at, or struck by a fault, who may not act."""
    seat, _ = join(workshop.code, "Ada")
    client = Client(seat.cluster, "tutor", hardware=True)
    begin(client, lesson)
    obj = client.get(LESSONS, "", lesson.id)
    long_ago = {"revision": client.view().revision, "time": stops.now().timestamp() - 600}
    status = {**progress.setting(obj), "phase": progress.ACT, "began": long_ago, "committed": long_ago}
    client.update_status(LESSONS, {**obj, "status": status})

    def hints() -> list[int]:
        Performance(client).turn(client.get(LESSONS, "", lesson.id))
        return client.get(LESSONS, "", lesson.id)["status"]["hints"]

    does(teacher, "pause")
    Workshop.objects.update(stopped=stops.now() - timedelta(seconds=590))
    assert hints() == []
    does(teacher, "resume")
    assert hints() == []
    Workshop.objects.update(stood=[])
    assert hints() != []
    assert pace.rested("learn", 0.0, 100.0) == 0.0
