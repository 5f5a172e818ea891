"""What a tile says, from made-up objects."""

import json

import pytest

from lab.apimachinery.kinds import LESSONS, NODES, PODS
from lab.tutorials.lesson import Check, Lesson, Step
from lab.tutorials.told import telling, told_in
from lab.workshops.tiles import cluster_part, news, seat_part, whole

from ..tutorials.made_up import pod

CHECKS = (Check("asked", "You have asked for three"), Check("ready", "Three are ready"))
STEPS = tuple(Step(id, id.title(), 3, "", checks=CHECKS) for id in ("say", "take", "stop"))
LESSON = Lesson("10-desired-state", "Desired state", "Core", 9, "", "", steps=STEPS)
JOINED, BEGAN = 1_000_000.0, 1_000_600.0


def lesson(step: str = "say", phase: str = "Act", spec: dict | None = None, **status) -> dict:
    return {
        "metadata": {"name": LESSON.id, "resourceVersion": "7", "creationTimestamp": "1970-01-12T13:40:00Z"},
        "spec": {"step": step, "run": 1, **(spec or {})},
        "status": {"run": 1, "step": step, "phase": phase, "began": {"time": BEGAN}, **status},
    }


def tile(*lessons: dict, nodes=(), pods=(), hand: float = 0, away: float = 0) -> dict:
    objects = {LESSONS.resource: list(lessons), NODES.resource: list(nodes), PODS.resource: list(pods)}
    part = cluster_part(objects, lambda id: LESSON if id == LESSON.id else None, JOINED)
    return whole(seat_part(1, "Ada", "bcdfgh-1", hand, away), part)


def judged(*outcomes: str) -> list[dict]:
    return [{"id": c.id, "outcome": o, "text": f"{c.id}: 1 of 3"} for c, o in zip(CHECKS, outcomes, strict=True)]


def kept(**times: float) -> dict:
    return {id: {"passed": {"time": at}} for id, at in times.items()}


def test_a_tile_says_the_step_the_minutes_and_the_words_of_the_first_check_that_fails():
    said = tile(lesson("take", checks=judged("passed", "not yet"), hints=[0], steps=kept(say=BEGAN - 9)))
    assert (said["step"], said["title"], said["minutes"], said["since"]) == (2, "Take", 3, BEGAN)
    assert said["says"] == "ready: 1 of 3" and said["hints"] == 1 and said["passed"] == [1]
    assert "fault" not in said and "broken" not in said


def test_what_the_lab_fails_at_is_never_shown_as_the_learners():
    assert tile(lesson(checks=judged("error", "not yet")))["fault"]
    assert tile(lesson(phase="Error", message="no such scene"))["says"] == "no such scene"
    assert tile(lesson(checks=judged("broken", "not yet")))["broken"]


def test_who_resets_a_step_is_no_less_stuck():
    again = {"tries": {"take": 3}, "steps": kept(say=BEGAN - 500)}
    assert tile(lesson("take", **again))["since"] == BEGAN - 500
    assert tile(lesson("take", tries={"take": 1}, steps=kept(say=BEGAN - 500)))["since"] == BEGAN
    begun_anew = lesson("take", spec={"run": 2}, **again)
    assert tile(begun_anew)["phase"] == "Setting" and tile(begun_anew)["since"] == BEGAN - 500


def test_the_lesson_that_is_played_is_the_one_that_does_not_rest():
    rests = lesson("stop", spec={"paused": True})
    rests["metadata"] = {**rests["metadata"], "resourceVersion": "99"}
    assert tile(rests, lesson("say"))["step"] == 1
    unknown = lesson()
    unknown["metadata"] = {**unknown["metadata"], "name": "99-of-another-lab"}
    assert "step" not in tile(unknown)


def test_the_most_stuck_come_first():
    late, later = lesson(began={"time": BEGAN}), lesson(began={"time": BEGAN + 60})
    ended = lesson("stop", "Passed", steps=kept(say=1, take=2, stop=3))
    order = [
        tile(later, hand=BEGAN + 900),
        tile(lesson(phase="Error", message="no")),
        tile(),  # joined long ago, and has begun nothing
        tile(late),
        tile(later),
        tile(lesson(phase="Passed", steps=kept(say=BEGAN + 100))),
        tile(ended),
    ]
    assert [one["rank"] for one in order] == sorted(one["rank"] for one in order)
    assert order[-1]["ended"]


@pytest.mark.parametrize(("state", "letter"), [({}, "r"), ({"ready": False}, "s"), ({"phase": "Failed"}, "f")])
def test_the_small_board_has_a_letter_a_pod_and_a_sign_a_node(state, letter):
    def node(name: str, ready: str) -> dict:
        return {"metadata": {"name": name}, "status": {"conditions": [{"type": "Ready", "status": ready}]}}

    head = node("control-plane-a", "True")
    head["metadata"]["labels"] = {"node-role.kubernetes.io/control-plane": ""}
    system = pod("dns")
    system["metadata"]["namespace"] = "kube-system"
    pods = [pod("web-1", **state), pod("web-2", node=""), system]
    said = tile(nodes=[node("node-b", "False"), head, node("node-a", "True")], pods=pods)
    assert said["board"] == [f"+{letter}", "-"] and said["waiting"] in ("r", "p")


def test_only_what_differs_is_sent_and_what_is_gone_is_said():
    before = {"a": {"id": "a", "hand": 5, "step": 1}, "b": {"id": "b"}}
    after = {"a": {"id": "a", "step": 2}, "c": {"id": "c", "step": 1}}
    assert news(before, before) == ([], [])
    assert news(before, after) == ([{"id": "a", "step": 2, "hand": None}, {"id": "c", "step": 1}], ["b"])


def test_what_an_instructor_says_stands_at_its_step_and_nonsense_is_nothing():
    obj = telling(telling(lesson(), "say", "Look left.", "grace", 5.0), "take", "Take two.", "grace", 6.0)
    assert [one["text"] for one in told_in(obj, "say")] == ["Look left."]
    assert tile(obj)["hints"] == 1
    assert tile(telling(obj, "say", "You were brought here.", "ada", 9.0, hint=False))["hints"] == 1
    for nonsense in ("{", "7", '["x"]'):
        obj["metadata"]["annotations"]["orrery.io/told"] = nonsense
        assert told_in(obj, "say") == []


def test_whatever_time_a_learner_has_written_there_an_instructor_can_say_something():
    told = [{"step": "say", "text": "Look left.", "by": "grace", "time": 10**400}]
    obj = lesson()
    obj["metadata"]["annotations"] = {"orrery.io/told": json.dumps(told)}
    assert telling(obj, "say", "Look left.", "grace", 5.0) is obj  # it stands there already
    assert [one["text"] for one in told_in(telling(obj, "say", "Look right.", "grace", 5.0), "say")] == [
        "Look left.",
        "Look right.",
    ]
