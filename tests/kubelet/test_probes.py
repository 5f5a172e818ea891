import itertools

from lab.kubelet.probes import LIVENESS, READINESS, STARTUP, rhythm_of, tally_of


def verdicts(probe: dict, results: str, verdict: bool | None = None) -> list[bool | None]:
    """The verdict after each result: `+` a success, `-` a failure."""
    tally = tally_of(probe, verdict)
    found = []
    for result in results:
        tally.add(result == "+")
        found.append(tally.verdict)
    return found


def test_one_success_is_enough_and_three_failures_are_unless_told_otherwise():
    assert verdicts({}, "+---") == [True, True, True, False]
    assert verdicts({"successThreshold": 2, "failureThreshold": 1}, "++-++") == [None, True, False, False, True]


def test_a_success_in_between_begins_the_count_again():
    assert verdicts({}, "--+--+", verdict=True) == [True] * 6


def test_only_a_change_of_the_verdict_is_told():
    tally = tally_of({"failureThreshold": 2}, verdict=True)
    assert [tally.add(result) for result in (True, False, False, False, True, True)] == [
        False, False, True, False, True, False,
    ]  # fmt: skip


def tries(kind: str, probe: dict, seconds: float, answers_after: float = 1e9) -> list[tuple[float, bool]]:
    """When it is asked within so many seconds, and whether a failure then counts."""
    rhythm = rhythm_of(kind, probe, None)
    rhythm.begin(0.0)
    now, found = 0.0, []
    while now <= seconds:
        found.append((now, rhythm.counts(now)))
        now += rhythm.pause(now >= answers_after, now)
    return found


def test_a_container_that_is_starting_is_asked_often_and_failures_count_once_a_period():
    asked = tries(READINESS, {"periodSeconds": 1}, 3.9)
    gaps = [later - sooner for (sooner, _), (later, _) in itertools.pairwise(asked)]
    assert asked[0][0] == 0 and gaps[0] < 0.03 and max(gaps) <= 1
    assert sum(now < 0.5 for now, _ in asked) >= 6
    assert 2 <= sum(counted for _, counted in asked) <= 3


def test_once_it_has_answered_it_is_asked_each_period():
    asked = [now for now, _ in tries(STARTUP, {"periodSeconds": 2}, 9, answers_after=0.1)]
    late = [now for now in asked if now > 0.2]
    assert [round(later - sooner, 3) for sooner, later in itertools.pairwise(late)] == [2, 2, 2]


def test_probes_that_are_not_in_a_hurry_come_together_at_whole_seconds():
    rhythm = rhythm_of(READINESS, {"periodSeconds": 3}, True)
    assert [round(now + rhythm.pause(True, now), 3) for now in (0.0, 10.3, 10.7, 13.004)] == [3, 13, 14, 16]


def test_commands_are_run_less_eagerly_than_requests_are_made():
    assert len(tries(READINESS, {"exec": {}}, 1)) < 5 < len(tries(READINESS, {"httpGet": {}}, 1))


def test_liveness_is_asked_each_period_and_no_failure_counts_before_the_first_is_over():
    assert tries(LIVENESS, {"periodSeconds": 5}, 11) == [(0.0, False), (5.0, True), (10.0, True)]
