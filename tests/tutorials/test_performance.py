"""When what a learner has done before the prediction is undone."""

from lab.tutorials.claims import parse
from lab.tutorials.lesson import Check, Step
from lab.tutorials.performance import is_early

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
