"""How fast a HorizontalPodAutoscaler may follow its metrics."""

from lab.controllers.horizontalpodautoscaler import behavior
from lab.controllers.horizontalpodautoscaler.behavior import Bounds, Memory

WINDOW = 15.0
DOWN = {"selectPolicy": "Max", "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]}
UP = {"selectPolicy": "Max", "policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}]}


class Play:
    """Looks at given times: each recommendation is carried out, and remembered as an annotation would."""

    def __init__(self, current: int, most: int = 100, least: int = 1, rules: dict | None = None):
        self.current, self.least, self.most, self.rules = current, least, most, rules
        self.memory = Memory()
        self.limit = self.stable = ""

    def look(self, time: float, recommended: int) -> int:
        bounds = Bounds(self.current, self.least, self.most)
        step = behavior.step(recommended, bounds, self.rules, self.memory, time, WINDOW)
        self.memory = step.memory
        if step.replicas != self.current:
            keep = behavior.longest_period(self.rules)
            self.memory = self.memory.scale(step.replicas - self.current, time, keep)
        self.memory = Memory.of(self.memory.data())
        self.current, self.limit, self.stable = step.replicas, step.limit[0], step.stable[0]
        return self.current


def test_it_goes_up_at_once_to_the_double_or_to_four():
    play = Play(1)
    assert [play.look(time, 50) for time in range(5)] == [4, 8, 16, 32, 50]
    play = Play(3, most=5)
    assert play.look(0, 50) == 5
    assert play.limit == "TooManyReplicas"


def test_it_goes_down_only_when_fewer_were_enough_for_the_whole_window():
    play = Play(10)
    play.look(0, 10)
    assert [play.look(time, 2) for time in range(1, 16)] == [10] * 15
    assert play.stable == "ScaleDownStabilized"
    assert play.look(16.1, 2) == 2


def test_flutter_does_not_move_it():
    play = Play(6)
    assert {play.look(time, 6 - time % 3) for time in range(100)} == {6}


def test_flutter_beyond_its_bounds_is_not_worth_remembering():
    play = Play(2, least=2, most=4)
    play.look(0, 2)
    remembered = play.memory
    for time in range(1, 50):
        play.look(time, time % 2)
        assert (play.stable, play.limit) == ("ReadyForNewScale", "TooFewReplicas")
    assert play.memory == remembered


def test_it_stays_within_its_bounds():
    play = Play(3, least=2)
    play.look(0, 3)
    assert play.look(100, 0) == 3  # what was right until now still counts
    assert play.look(200, 0) == 2
    assert play.limit == "TooFewReplicas"


def test_whoever_takes_over_goes_on_where_the_other_stopped():
    """The memory goes through the annotation at each look; after a silence the last number counts as long as it was."""
    play = Play(8)
    play.look(0, 8)
    play.look(60, 2)  # the worker was away for a minute: nobody knows what was right meanwhile
    assert play.current == 8
    assert play.look(76, 2) == 2


def test_a_clock_set_back_makes_nothing_stick():
    play = Play(4)
    play.look(1000, 9)
    assert play.look(10, 3) == 8  # what was recommended lies in the future, and is forgotten
    assert play.look(30, 3) == 3


def test_policies_limit_what_is_added_in_a_period():
    play = Play(2, rules={"scaleUp": UP, "scaleDown": DOWN})
    assert play.look(0, 20) == 6
    assert play.look(5, 20) == 6
    assert play.limit == "ScaleUpLimit"
    assert play.look(15.1, 20) == 10


def test_one_by_one_is_a_limit_too():
    one_each = [{"type": "Pods", "value": 1, "periodSeconds": 10}]
    play = Play(2, rules={"scaleUp": {"policies": one_each}, "scaleDown": DOWN})
    assert [play.look(time, 20) for time in (0, 5, 10.1)] == [3, 3, 4]


def test_all_that_was_added_in_the_period_counts_and_what_was_before_is_forgotten():
    play = Play(2, rules={"scaleUp": UP, "scaleDown": DOWN})
    assert [play.look(time, wanted) for time, wanted in ((0, 4), (5, 5), (6, 20))] == [4, 5, 6]
    assert len(play.memory.scalings) == 3
    assert play.look(60, 20) == 10
    assert play.memory.scalings == ((60.0, 4),)


def test_where_no_rule_held_it_back_the_decision_names_none():
    assert behavior.step(8, Bounds(4, 1, 10), None, Memory(), 0.0, WINDOW).why == {"recommended": 8}


def test_the_policy_that_allows_most_is_taken_unless_told_otherwise():
    policies = [
        {"type": "Pods", "value": 1, "periodSeconds": 10},
        {"type": "Percent", "value": 50, "periodSeconds": 10},
    ]
    for select, expected in (("Max", 15), ("Min", 11), ("Disabled", 10)):
        rules = {"scaleUp": {"selectPolicy": select, "policies": policies}, "scaleDown": DOWN}
        assert Play(10, rules=rules).look(0, 50) == expected


def test_scaling_down_can_be_slowed_or_forbidden():
    slow = {"stabilizationWindowSeconds": 0, "selectPolicy": "Max"}
    by_two = {**slow, "policies": [{"type": "Pods", "value": 2, "periodSeconds": 10}]}
    play = Play(10, rules={"scaleUp": UP, "scaleDown": by_two})
    assert [play.look(time, 1) for time in (0, 1, 11, 22)] == [8, 8, 6, 4]
    assert Play(10, rules={"scaleUp": UP, "scaleDown": {**DOWN, "selectPolicy": "Disabled"}}).look(0, 1) == 10


def test_what_was_taken_away_may_come_back_at_once():
    """Scalings in both directions count, so that a policy is no ratchet."""
    quick = {"stabilizationWindowSeconds": 0, "selectPolicy": "Max"}
    quick["policies"] = [{"type": "Pods", "value": 4, "periodSeconds": 60}]
    play = Play(10, rules={"scaleUp": {**UP, "policies": quick["policies"]}, "scaleDown": quick})
    assert play.look(0, 1) == 6
    assert play.look(1, 20) == 14


def test_scaling_up_can_be_stabilized_too():
    rules = {"scaleUp": {**UP, "stabilizationWindowSeconds": 10}, "scaleDown": DOWN}
    play = Play(2, rules=rules)
    assert play.look(0, 5) == 2
    assert play.stable == "ScaleUpStabilized"
    assert play.look(5, 8) == 2
    assert play.look(10.1, 8) == 5
