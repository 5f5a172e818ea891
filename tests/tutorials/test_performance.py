"""When what a learner has done before the prediction is undone."""

from lab.tutorials.claims import parse, parse_subject
from lab.tutorials.lesson import Check, Moment, Step
from lab.tutorials.performance import has_begun, is_early

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
