"""What a step's checks come to, as the log grows."""

import time
from typing import Any

from lab.apimachinery.errors import ApiError, unavailable
from lab.store import Change, Compacted
from lab.tutorials.checking import BROKEN, ERROR, NOT_YET, PASSED, Judge, Result
from lab.tutorials.claims import Reading, parse, parse_subject
from lab.tutorials.lesson import Answer, Check, Moment, Question, Step

from .made_up import State, deployment, pod, row

FIRST = pod("web-1")


def moment(event: str, subject: str = "pods app=web", **rest: Any) -> Moment:
    return Moment(event, parse_subject(subject), **rest)


class Bench:
    """A judge with a log and a state that a test writes."""

    def __init__(
        self, *checks: Check, questions: tuple[Question, ...] = (), state: State | None = None, rows_at_once: int = 99
    ):
        self.log: list[Change] = []
        self.state = state or State(FIRST, deployment("web", 1, 1))
        self.figures: dict[str, Any] = {}
        self.compacted, self._rows = False, rows_at_once
        self.away: ApiError | None = None
        self.began = time.time()
        self.before: dict[str, dict] = {}
        step = Step("a", "A", 1, "", checks=checks, questions=questions)
        then = State(*self.state.objects)
        self.judge = Judge(step, 0, self.began, self._outside, lambda revision: then, self._after)

    def _outside(self, reading: Reading) -> list[Any] | None:
        if reading.subject.kind not in ("http", "visitors"):
            return None
        if self.away:
            raise self.away
        return [self.figures.get(reading.fact, 0)]

    def _after(self, revision: int) -> list[Change]:
        if self.compacted:
            raise Compacted(10**6)
        return [change for change in self.log if change.revision > revision][: self._rows]

    def results(self, **answers: Any) -> list[Result]:
        found = self.judge.judge(self.state, self.before, answers)
        self.before = {result.id: result.as_dict() for result in found}
        return found

    def outcomes(self, **answers: Any) -> list[str]:
        return [result.outcome for result in self.results(**answers)]


def test_what_held_once_stays_passed_and_says_what_was_read() -> None:
    bench = Bench(Check("three", "", state=(parse("deployment/web ready == 3"),), fail="{deployment/web ready} of 3"))
    assert [(r.outcome, r.text) for r in bench.results()] == [(NOT_YET, "1 of 3")]
    bench.state = State(deployment("web", 3, 3))
    assert [(r.outcome, r.text) for r in bench.results()] == [(PASSED, "deployment/web ready: 3")]
    bench.state = State(deployment("web", 3, 2))
    assert bench.outcomes() == [PASSED]


def test_what_must_always_hold_is_broken_by_one_revision_between_two_looks() -> None:
    bench = Bench(Check("never", "", always=(parse("pods app=web ready >= 1"),)))
    assert bench.outcomes() == [PASSED]
    gone = row(FIRST, "replicaset-controller", bench.began, old=FIRST, deleted=True)
    bench.log += [gone, row(pod("web-2"), "replicaset-controller", bench.began)]
    bench.state = State(pod("web-2"))
    [result] = bench.results()
    assert (result.outcome, result.revision) == (BROKEN, gone.revision)
    assert "pods app=web ready was 0" in result.text


def test_figures_that_must_always_hold_are_asked_for() -> None:
    bench = Bench(Check("served", "", always=(parse("http://web/ status == 0"),)))
    assert bench.outcomes() == [PASSED]
    bench.figures["status"] = 503
    assert bench.outcomes() == [BROKEN]


def healed(within: float | None = None) -> Check:
    second = moment("created", by="replicaset-controller", within=within)
    return Check("healed", "", moments=(moment("deleted", by="person"), second))


def test_moments_count_in_their_order_and_by_whom_they_came() -> None:
    bench = Bench(healed())
    ending = {**FIRST, "metadata": {**FIRST["metadata"], "deletionTimestamp": "2026-01-01T00:00:00Z"}}
    bench.log.append(row(pod("web-2"), "replicaset-controller", bench.began))
    bench.log.append(row(ending, "replicaset-controller", bench.began + 1, old=FIRST))
    assert bench.outcomes() == [NOT_YET]
    bench.log.append(row(ending, "kubectl", bench.began + 2, old=FIRST))
    assert bench.outcomes() == [NOT_YET]
    bench.log.append(row(pod("db-1", app="db"), "replicaset-controller", bench.began + 3))
    assert bench.outcomes() == [NOT_YET]
    bench.log.append(row(pod("web-3"), "replicaset-controller", bench.began + 3.5))
    [result] = bench.results()
    assert (result.outcome, result.seconds) == (PASSED, 1.5)


def test_a_moment_that_comes_too_late_has_to_come_anew() -> None:
    bench = Bench(healed(within=2))
    for start, pause in ((0, 3), (10, 1)):
        gone = row(FIRST, "kubectl", bench.began + start, old=FIRST, deleted=True)
        bench.log += [gone, row(pod("web-2"), "replicaset-controller", bench.began + start + pause)]
        outcomes = bench.outcomes()
    assert outcomes == [PASSED]


def test_so_many_of_a_moment_and_what_is_claimed_of_its_object() -> None:
    check = Check("scaled", "", moments=(moment("changed", "deployment/web", where=parse("it/x .spec.replicas == 3")),))
    three = Check("three", "", moments=(moment("created", count=2),))
    bench = Bench(check, three)
    old = deployment("web", 1, 1)
    bench.log += [row(deployment("web", 2, 1), "kubectl", bench.began, old=old), row(pod("b"), "x", bench.began)]
    assert bench.outcomes() == [NOT_YET, NOT_YET]
    bench.log += [row(deployment("web", 3, 1), "kubectl", bench.began, old=old), row(pod("c"), "x", bench.began)]
    assert bench.outcomes() == [PASSED, PASSED]


def test_who_does_it_piece_by_piece_sees_some_of_what_follows_before_the_last() -> None:
    gone, made = moment("deleted", by="person", count=3), moment("created", by="replicaset-controller", count=3)
    bench = Bench(Check("all", "", moments=(gone, made)))

    def delete(name: str) -> None:
        bench.log.append(row(pod(name), "kubectl", bench.began, old=pod(name), deleted=True))

    def make(name: str) -> None:
        bench.log.append(row(pod(name), "replicaset-controller", bench.began))

    make("a")  # before anything was deleted: it follows nothing
    for name in ("b", "c"):
        delete(name)
        make(f"for-{name}")
        assert bench.outcomes() == [NOT_YET]
    make("of-a-release")  # whatever is made: the last one comes after the last deletion
    assert bench.outcomes() == [NOT_YET]
    delete("d")
    assert bench.outcomes() == [NOT_YET]
    make("for-d")
    assert bench.outcomes() == [PASSED]


def test_what_comes_after_another_check_is_not_looked_at_before() -> None:
    bench = Bench(healed(), Check("one", "", state=(parse("deployment/web ready == 1"),), after="healed"))
    assert bench.outcomes() == [NOT_YET, NOT_YET]
    gone = row(FIRST, "kubectl", bench.began, old=FIRST, deleted=True)
    bench.log += [gone, row(pod("web-2"), "replicaset-controller", bench.began)]
    assert bench.outcomes() == [PASSED, PASSED]


def test_a_quiz_is_passed_when_all_are_right() -> None:
    asked = Question("who", "Who?", (Answer("a", "A", right=True), Answer("b", "B")))
    bench = Bench(Check("quiz", "", questions=True, fail="read the reason"), questions=(asked,))
    assert bench.outcomes() == [NOT_YET]
    assert bench.results(who="b")[0].text == "0 of 1 are right: read the reason"
    assert bench.outcomes(who="a") == [PASSED]


def test_what_the_lab_cannot_read_is_its_own_error() -> None:
    bench = Bench(Check("odd", "", state=(parse("lorry/web ready == 1"),)), healed())
    assert bench.outcomes() == [ERROR, NOT_YET]


def test_what_comes_too_late_is_broken() -> None:
    bench = Bench(Check("soon", "", state=(parse("deployment/web ready == 3"),), within=0.01))
    time.sleep(0.02)
    assert bench.outcomes() == [BROKEN]


def test_what_visitors_must_never_see_is_asked_for_though_visitors_are_a_kind() -> None:
    bench = Bench(Check("served", "", always=(parse("visitors/web failed == 0"),)))
    assert bench.outcomes() == [PASSED]
    bench.figures["failed"] = 2
    bench.log.append(row({"kind": "Visitors", "metadata": {"name": "web", "namespace": "default"}}, "x", bench.began))
    [result] = bench.results()
    assert (result.outcome, result.text) == (BROKEN, "visitors/web failed is 2, and not == 0")


def test_what_broke_stays_broken_though_it_is_well_again() -> None:
    bench = Bench(Check("served", "", always=(parse("http://web/ status == 0"),)))
    bench.figures["status"] = 503
    assert bench.outcomes() == [BROKEN]
    bench.figures["status"] = 0
    assert bench.outcomes() == [BROKEN]


def test_all_of_the_log_is_read_before_anything_is_judged() -> None:
    bench = Bench(Check("never", "", always=(parse("pods app=web ready >= 1"),)), rows_at_once=2)
    bench.log += [row(pod(f"web-{n}"), "x", bench.began) for n in range(2, 5)]
    bench.log += [row(pod(f"web-{n}"), "x", bench.began, old=pod(f"web-{n}"), deleted=True) for n in range(1, 5)]
    assert bench.outcomes() == [BROKEN]


def test_a_history_that_is_no_longer_kept_is_the_labs_own_error_and_the_state_is_judged_all_the_same() -> None:
    always = Check("never", "", always=(parse("pods app=web ready >= 1"),))
    bench = Bench(healed(), always, Check("one", "", state=(parse("deployment/web ready == 1"),)))
    bench.compacted = True
    assert bench.outcomes() == [ERROR, ERROR, PASSED]


def test_a_part_of_the_lab_that_is_away_fails_one_check_and_no_other() -> None:
    bench = Bench(
        Check("asked", "", state=(parse("http://web/ status == 0"),)),
        Check("one", "", state=(parse("deployment/web ready == 1"),)),
    )
    bench.away = unavailable("the front door is closed")
    [asked, one] = bench.results()
    assert (asked.outcome, asked.text, one.outcome) == (ERROR, "the front door is closed", PASSED)


def test_a_state_was_decided_by_the_row_that_was_written_last_of_what_was_read() -> None:
    web = deployment("web", 3, 3)
    web["metadata"]["resourceVersion"] = "41"
    bench = Bench(
        Check("three", "", state=(parse("deployment/web ready == 3"),)),
        Check("gone", "", state=(parse("deployment/old exists == false"),)),
        state=State(web),
    )
    bench.state.revision = 50
    assert [result.revision for result in bench.results()] == [41, 50]


def test_what_must_come_soon_after_a_check_has_from_its_pass_on() -> None:
    bench = Bench(healed(), Check("three", "", state=(parse("deployment/web ready == 3"),), after="healed", within=60))
    bench.judge._began -= 100  # the step is open for long; what healed it took a second
    gone = row(FIRST, "kubectl", bench.began - 2, old=FIRST, deleted=True)
    bench.log += [gone, row(pod("web-2"), "replicaset-controller", bench.began - 1)]
    assert bench.outcomes() == [PASSED, NOT_YET]


def test_a_try_that_began_while_another_had_failed_counts() -> None:
    bench = Bench(healed(within=5))
    gone = [row(FIRST, "kubectl", bench.began + at, old=FIRST, deleted=True) for at in (0, 20)]
    bench.log += [*gone, row(pod("web-2"), "replicaset-controller", bench.began + 21)]
    [result] = bench.results()
    assert (result.outcome, result.seconds) == (PASSED, 1)
