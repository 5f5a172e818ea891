"""An instructor beside a learner: asked for, accepted, and ended by either."""

import pytest
from django.test import Client as Browser

from lab.apimachinery.errors import ApiError
from lab.models import Help
from lab.workshops import helping
from lab.workshops.gate import COOKIE
from lab.workshops.helping import ACTS, ASKED, LOOKS, NONE, OF_INSTRUCTOR, OF_LEARNER, OFFERS, after, is_act
from lab.workshops.notice import Notice
from lab.workshops.seats import join
from lab.workshops.wall import Wall

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def ada(workshop) -> Browser:
    seat, token = join(workshop.code, "Ada")
    browser = Browser(headers={"cookie": f"{COOKIE}={token}"})
    browser.seat = seat
    return browser


def do(teacher: Browser, learner: Browser, what: str, text: str = "") -> tuple[int, str]:
    path = f"/staff/workshops/{learner.seat.workshop.code}/wall/do/{what}"
    answer = teacher.post(path, {"seat": learner.seat.cluster, "text": text})
    return answer.status_code, answer.json()["message"]


def says(learner: Browser, what: str) -> int:
    return learner.post(f"/room/help/{what}").status_code


def told(learner: Browser) -> dict | None:
    return Notice(learner.seat.workshop.code).look().of(learner.seat.cluster)["help"]


def refusal(seat, by: str, acts: bool) -> str:
    try:
        helping.check_instructor(seat, by, acts)
    except ApiError as error:
        return error.message
    return ""


@pytest.mark.parametrize(
    ("moves", "acts", "state"),
    [
        (OF_INSTRUCTOR, ["look"], ASKED),
        (OF_LEARNER, ["refuse"], NONE),
        (OF_INSTRUCTOR, ["look", "take"], None),  # not before they have accepted
        (OF_INSTRUCTOR, ["give"], None),
        (OF_LEARNER, ["accept"], None),
        (OF_LEARNER, ["end"], NONE),
    ],
)
def test_one_thing_comes_after_another(moves, acts, state):
    here = ASKED if acts == ["refuse"] else NONE
    try:
        for act in acts:
            here = after(here, act, moves)
    except ApiError:
        here = None
    assert here == state


def test_either_ends_it_from_everywhere():
    for state in (ASKED, LOOKS, OFFERS, ACTS):
        assert after(state, "leave", OF_INSTRUCTOR) == after(state, "end", OF_LEARNER) == NONE
    assert after(ACTS, "give", OF_INSTRUCTOR) == after(ACTS, "back", OF_LEARNER) == LOOKS


def test_what_changes_a_cluster_is_an_act_and_what_reads_it_is_none():
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert is_act("http", method, "/clusters/b-1/api/v1/pods")
    assert not is_act("http", "GET", "/clusters/b-1/") and not is_act("websocket", "", "/clusters/b-1/board")
    assert is_act("websocket", "", "/clusters/b-1/api/v1/namespaces/default/pods/a/exec")
    assert is_act("websocket", "", "/clusters/b-1/api/v1/namespaces/default/pods/a/exec/")


def test_a_learner_is_asked_accepts_sees_it_and_ends_it(workshop, teacher, ada):
    assert refusal(ada.seat, "grace", False) == "this learner has not let you look along: ask them from the wall"
    assert do(teacher, ada, "look") == (200, "Ada is asked, and sees it at once.")
    assert told(ada) == {"by": "grace", "state": ASKED, "spot": "", "pointed": 0.0}
    assert Wall(workshop.code).look().tiles[ada.seat.cluster]["help"] == ["grace", ASKED]
    assert refusal(ada.seat, "grace", False) and do(teacher, ada, "point", "pods/default/a")[0] == 400
    assert says(ada, "accept") == 204 and not refusal(ada.seat, "grace", False)
    assert refusal(ada.seat, "eve", False)  # nobody else is let in with her
    assert do(teacher, ada, "point", "pods/default/a") == (200, "Ada sees where you point.")
    first = told(ada)
    assert first["spot"] == "pods/default/a" and first["pointed"] > 0
    do(teacher, ada, "point", "pods/default/a")
    assert told(ada)["pointed"] > first["pointed"]  # once more at the same
    assert do(teacher, ada, "point", "x" * 331)[0] == 400
    assert says(ada, "end") == 204 and told(ada) is None and refusal(ada.seat, "grace", False)
    assert "help" not in Wall(workshop.code).look().tiles[ada.seat.cluster]


def test_the_instructor_acts_when_it_is_accepted_and_the_learner_waits_until_it_is_given_back(teacher, ada):
    do(teacher, ada, "look")
    says(ada, "accept")
    assert "take over first" in refusal(ada.seat, "grace", True)
    do(teacher, ada, "take")
    assert refusal(ada.seat, "grace", True)  # she has not said yes
    helping.check_learner(ada.seat)
    says(ada, "accept")
    assert not refusal(ada.seat, "grace", True)
    with pytest.raises(ApiError, match="grace acts in your cluster now"):
        helping.check_learner(ada.seat)
    for back in (lambda: says(ada, "back"), lambda: do(teacher, ada, "give")):
        Help.objects.update(state=ACTS)
        back()
        helping.check_learner(ada.seat)
        assert told(ada)["state"] == LOOKS and refusal(ada.seat, "grace", True)


def test_what_is_out_of_turn_is_refused_in_words(workshop, teacher, ada):
    assert says(ada, "accept") == 400 and says(ada, "nonsense") == 400 and says(Browser(), "accept") == 403
    assert teacher.post(f"/staff/workshops/{workshop.code}/wall/do/nonsense").status_code == 404
    Help.objects.create(seat=ada.seat, by="linus", state=LOOKS)
    assert do(teacher, ada, "look") == (400, "linus is with them already")
    assert do(teacher, ada, "leave")[0] == 400 and Help.objects.exists()
    answer = Browser().post(f"/staff/workshops/{workshop.code}/wall/do/look", {"seat": ada.seat.cluster})
    assert answer.headers["Location"].startswith("/staff/sign-in")
