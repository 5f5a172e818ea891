"""Where a class is: held at a step, brought to one, and joined late."""

import pytest
from django.test import Client as Browser

from lab.apimachinery.kinds import LESSONS
from lab.models import Seat, Workshop
from lab.tutorials import pace, progress, shelf
from lab.tutorials.told import telling, told_in
from lab.tutorials.views import begin, client_of
from lab.workshops.leading import BROUGHT
from lab.workshops.notice import Notice
from lab.workshops.seats import join
from lab.workshops.wall import Wall

pytestmark = pytest.mark.django_db(transaction=True)
PLAYED = "10-desired-state"


@pytest.fixture
def ada(workshop, lesson) -> Seat:
    """She is at the first step."""
    seat, _ = join(workshop.code, "Ada")
    begin(client_of(seat.cluster), lesson)
    return seat


def press(seat: Seat, what: str, **form: str) -> str:
    """Of a learner's own column."""
    return Browser().post(f"/clusters/{seat.cluster}/lessons/{PLAYED}/do/{what}", form).content.decode()


def foot(seat: Seat) -> str:
    return Browser().get(f"/clusters/{seat.cluster}/lessons/{PLAYED}/parts?of=foot").content.decode()


def lead(teacher: Browser, workshop, what: str, step: int | str = "", lesson: str = PLAYED) -> tuple[int, str]:
    path = f"/staff/workshops/{workshop.code}/wall/do/{what}"
    answer = teacher.post(path, {"lesson": lesson, "step": str(step)})
    return answer.status_code, answer.json()["message"]


def at(seat: Seat) -> str:
    return client_of(seat.cluster).get(LESSONS, "", PLAYED)["spec"]["step"]


def passes(seat: Seat, lesson, id: str) -> None:
    """As the tutor would write it."""
    client = client_of(seat.cluster)
    obj = client.get(LESSONS, "", PLAYED)
    kept = {
        id: {
            "passed": {"revision": 1, "time": 1.0},
            "runs": 1,
            "hints": 0,
            "measured": {},
            "seconds": 1.0,
            "skipped": False,
        }
    }
    status = {**progress.setting(obj), "phase": progress.DONE, "committed": {"revision": 1, "time": 1.0}, "steps": kept}
    client.update_status(LESSONS, {**obj, "status": status})


def test_nobody_goes_past_a_step_where_the_class_is_held_until_it_goes_on(workshop, ada, teacher, lesson):
    passes(ada, lesson, lesson.steps[0].id)
    assert 'id="l-next"' in foot(ada)
    assert lead(teacher, workshop, "hold", 1) == (200, "Nobody goes past step 1 until you let them go on.")
    assert Notice(workshop.code).look().of(ada.cluster)["waits"] == f"{PLAYED}/{lesson.steps[0].id}"
    assert Wall(workshop.code).look().room["at"] == {"lesson": PLAYED, "step": 1, "held": True}
    assert 'id="l-next"' not in foot(ada) and "Your class waits here" in foot(ada)
    assert "class waits here" in press(ada, "next")
    assert "class waits here" in press(ada, "go", to=lesson.steps[2].id)
    assert at(ada) == lesson.steps[0].id
    lead(teacher, workshop, "release")
    assert Notice(workshop.code).look().of(ada.cluster)["waits"] == ""
    press(ada, "next")
    assert at(ada) == lesson.steps[1].id


def test_it_holds_no_other_cluster_and_no_other_lesson(workshop, ada, teacher, lesson):
    lead(teacher, workshop, "hold", 1)
    another = shelf.find("12-deployments").lesson
    assert not pace.may_enter(ada.cluster, lesson, lesson.steps[1])
    assert pace.may_enter("learn", lesson, lesson.steps[1])
    assert pace.may_enter(ada.cluster, another, another.steps[1])


def test_who_is_behind_is_brought_and_who_is_further_is_left_alone(workshop, ada, teacher, lesson):
    bob, _ = join(workshop.code, "Bob")  # who has begun nothing
    eve, _ = join(workshop.code, "Eve")
    begin(client_of(eve.cluster), lesson)
    press(eve, "go", to=lesson.steps[2].id)
    before = client_of(eve.cluster).get(LESSONS, "", PLAYED)["metadata"]["resourceVersion"]
    wanted = progress.begin_of(lesson, lesson.steps[1])
    assert lead(teacher, workshop, "bring", 2) == (200, "2 of 3 are brought to step 2.")
    for seat in (ada, bob):
        assert at(seat) == wanted.id
        told = told_in(client_of(seat.cluster).get(LESSONS, "", PLAYED), wanted.id)
        assert [one["text"] for one in told] == [BROUGHT]
    assert client_of(eve.cluster).get(LESSONS, "", PLAYED)["metadata"]["resourceVersion"] == before
    assert lead(teacher, workshop, "bring", 2)[1].startswith("0 of 3")


def test_who_has_passed_the_step_before_goes_on_upon_the_same_stage(workshop, ada, teacher, lesson):
    bare = next(step for step in lesson.steps if not step.start)
    before = lesson.steps[lesson.steps.index(bare) - 1]
    press(ada, "go", to=before.id)
    passes(ada, lesson, before.id)
    lead(teacher, workshop, "bring", lesson.steps.index(bare) + 1)
    assert at(ada) == bare.id


def test_who_comes_late_lands_where_the_class_is(workshop, ada, teacher, lesson):
    lead(teacher, workshop, "bring", 2)
    late = Browser()
    assert late.post("/join", {"code": workshop.code, "nickname": "Late"}).status_code == 302
    assert at(Seat.objects.get(nickname="Late")) == progress.begin_of(lesson, lesson.steps[1]).id


@pytest.mark.parametrize(("step", "lesson"), [("99", PLAYED), ("0", PLAYED), ("", PLAYED), ("1", "99-none"), ("1", "")])
def test_a_place_that_is_none_is_refused_in_words(workshop, teacher, step, lesson):
    for what in ("hold", "bring"):
        status, words = lead(teacher, workshop, what, step, lesson)
        assert status == 400 and ("choose one of its" in words or "no such lesson" in words)
    workshop.refresh_from_db()
    assert (workshop.lesson, workshop.held) == ("", False)


def test_a_page_that_is_open_still_takes_no_class_along_that_was_let_go(workshop, ada, teacher, lesson):
    def follow(**more: str) -> tuple[int, str]:
        form = {"lesson": lesson.id, "step": "1", **more}
        answer = teacher.post(f"/staff/workshops/{workshop.code}/wall/do/follow", form)
        return answer.status_code, answer.json()["message"]

    assert follow()[0] == follow(going="1")[0] == 200
    lead(teacher, workshop, "part")
    assert follow(going="1") == (409, "your class goes on by itself: it was let go on the wall")
    assert not Workshop.objects.get().led


def test_a_hint_and_a_reset_that_are_pressed_twice_are_pressed_once(ada, lesson):
    client = client_of(ada.cluster)

    def spec() -> dict:
        return client.get(LESSONS, "", lesson.id)["spec"]

    run, step = spec()["run"], lesson.steps[0].id
    assert f'name="run" value="{run}"' in foot(ada)
    for _ in range(2):
        press(ada, "hint", asked="0")
    assert spec()["hints"] == {step: 1}
    press(ada, "hint", asked="1")
    assert spec()["hints"] == {step: 2}
    for _ in range(2):
        press(ada, "reset", run=str(run))
    assert spec()["run"] == run + 1


def test_what_an_instructor_says_twice_at_once_is_said_once():
    said = telling(telling({"metadata": {}}, "one", "Look", "grace", 100.0), "one", "Look", "grace", 103.0)
    assert [one["time"] for one in told_in(said, "one")] == [100.0]
    for step, by, time in (("two", "grace", 104.0), ("one", "linus", 104.0), ("one", "grace", 111.0)):
        said = telling(said, step, "Look", by, time)
    assert len(told_in(said, "one")) == 3 and len(told_in(said, "two")) == 1
