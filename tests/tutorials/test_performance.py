"""When what a learner has done before the prediction is undone, and what the tutor says led to what it writes."""

import pytest

from lab.apimachinery.kinds import LESSONS
from lab.client import Client
from lab.client.clusters import ensure_cluster
from lab.explain import thread
from lab.tutorials.claims import parse, parse_subject
from lab.tutorials.lesson import Act, Answer, Check, Moment, Question, Step
from lab.tutorials.performance import Performance, has_begun, is_early, shown_prediction

from .made_up import deployment, row

READY = (parse("deployment/web ready == 3"),)


def step(*checks: Check) -> Step:
    return Step("a", "A", 1, "", checks=checks)


def test_what_was_done_before_the_prediction_is_early():
    assert is_early(step(Check("three", "Three are ready", state=READY)), lambda claim: True)
    assert not is_early(step(Check("three", "Three are ready", state=READY)), lambda claim: False)


def test_what_waits_for_another_check_may_hold_from_the_start():
    replaced, still = Check("replaced", "It was replaced"), Check("still", "It answers", state=READY)
    after = Check("still", "It answers", state=READY, after="replaced")
    assert not is_early(step(replaced, after), lambda claim: True)
    assert is_early(step(replaced, still), lambda claim: True)


def test_what_a_history_begins_with_is_early_too_if_a_person_did_it():
    scaled = (Moment("changed", parse_subject("deployment/web"), by="person", where=parse("deployment replicas == 3")),)
    asked = step(Check("asked", "Three are asked for", moments=scaled))
    two, three = deployment("web", 2, 2), deployment("web", 3, 2)
    assert has_begun(asked, [row(three, "kubectl", 0.0, old=two)])
    assert not has_begun(asked, [row(three, "horizontal-pod-autoscaler", 0.0, old=two)])
    later = step(Check("then", "Then", moments=scaled, after="asked"))
    assert not has_begun(later, [row(three, "kubectl", 0.0, old=two)])


def test_who_is_shown_a_step_is_committed_to_its_prediction_and_not_to_another_question():
    vote = Question("predict", "Which?", answers=(Answer("a", "A"), Answer("b", "B", right=True)))
    other, said = Act("answer", form={"quiz": "x"}), Act("answer", form={"predict": "a"})
    solutions = ((), (other,), (said,))
    shown = [shown_prediction(Step("a", "A", 1, "", predict=vote, solution=acts)) for acts in solutions]
    assert shown == ["b", "b", "a"]


@pytest.mark.django_db
def test_what_the_tutor_writes_is_traced_back_to_whoever_began_the_lesson():
    """However often it has written since: not to the clock, by which it looks again."""
    ensure_cluster("ann")
    board, tutor = Client("ann", "board"), Client("ann", "tutor")
    asked = board.create(LESSONS, {"metadata": {"name": "01-x"}, "spec": {"step": "one", "run": 1}})
    playing = Performance(tutor)
    for message in ("first", "second"):
        playing._write(tutor.get(LESSONS, "", "01-x"), {"message": message})
    root = thread.of_revision(board, tutor.view().revision)["root"]
    assert (root["kind"], root["author"], root["revision"]) == ("person", "board", version(asked))
    skips = board.patch(LESSONS, "", "01-x", {"spec": {"skip": "one"}})
    playing._write(skips, {"message": "third"})
    assert tutor.history(LESSONS, "", "01-x", 1)[0]["cause"] == version(skips)


def version(obj: dict) -> int:
    return int(obj["metadata"]["resourceVersion"])
