"""Judging a step's checks: of the state, of every state since, and of what the log tells.

`Judge` has what a check is judged by, and is asked again after each change. A result is `passed`; `not yet`, with what
was read; `broken`, where something that must always hold did not, so that only Reset helps; or `error`, which is the
lab's.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

from lab.apimachinery.errors import ApiError
from lab.store import Change, Compacted

from . import facts
from .claims import Claim, Reading
from .facts import Objects, all_hold
from .happenings import Replay, Sequence
from .lesson import Check, Step
from .texts import filled, shown

Outcome = Literal["passed", "not yet", "broken", "error"]
PASSED: Outcome = "passed"
NOT_YET: Outcome = "not yet"
BROKEN: Outcome = "broken"
ERROR: Outcome = "error"
LOST = "the history since the step's start is no longer kept; Reset begins a new one"


class Present(Objects, Protocol):
    """The state that is judged, and the revision of the log that it is of."""

    revision: int


@dataclass(frozen=True)
class Result:
    """`text`: by what it passed, or why it has not. `revision`: of the log's row that decided it; 0 if none did.
    `seconds`: since the step began, or what a history took from its first moment to its last. `at`: when it passed, in
    seconds since the epoch."""

    id: str
    outcome: Outcome
    text: str
    revision: int = 0
    seconds: float = 0.0
    at: float = 0.0

    as_dict = asdict


class Judge:
    """Judges the checks of one step, from `since` on, a revision of the log; `began` in seconds since the epoch.

    `outside(reading)` reads what no object says: figures, answers of services, the inside of containers; it returns
    None for a kind that objects have. `changes(after)` are the log's rows after a revision, oldest first."""

    def __init__(
        self,
        step: Step,
        since: int,
        began: float,
        outside: Callable[[Reading], list[Any] | None],
        then: Callable[[int], Objects],
        changes: Callable[[int], list[Change]],
    ):
        self._step, self._since, self._began = step, since, began
        self._outside, self._then, self._changes = outside, then, changes
        self._replay: Replay | None = None
        self._moments = {check.id: Sequence(check.moments, began) for check in step.checks if check.moments}
        self._read_to = since
        self._lost = False  # whether the log no longer reaches back to where this has to read on

    def judge(self, now: Present, before: Mapping[str, dict], answers: Mapping[str, Any]) -> list[Result]:
        """The results of all checks, by `now`; `before`: the results of last time, as dicts, of which those that passed
        and those that broke, stay. Never raises but for a database that is away."""
        try:
            self._catch_up()
        except Compacted:
            self._lost = True
        results: list[Result] = []
        for check in self._step.checks:
            old = before.get(check.id)
            if old and (old["outcome"] == BROKEN or (old["outcome"] == PASSED and not check.always)):
                results.append(Result(**old))
                continue
            if check.after and not any(one.id == check.after and one.outcome == PASSED for one in results):
                results.append(Result(check.id, NOT_YET, "it is looked at when the one above has passed"))
                continue
            try:
                results.append(self._late(check, self._one(check, now, answers), results))
            except (ValueError, ApiError) as error:
                results.append(Result(check.id, ERROR, str(error)))
        return results

    def _read(self, now: Objects, reading: Reading) -> list[Any]:
        return facts.told(now, reading, self._outside)

    def _one(self, check: Check, now: Present, answers: Mapping[str, Any]) -> Result:
        if check.questions:
            return self._quiz(check, answers)
        if self._lost and not check.state:
            return Result(check.id, ERROR, LOST)
        if check.moments:
            return self._told(check, now)
        if check.always:
            return self._always(check, now)
        return self._stands(check, now)

    def _stands(self, check: Check, now: Present) -> Result:
        for claim in check.state:
            read = self._read(now, claim.reading)
            if not all_hold(claim, read):
                return Result(check.id, NOT_YET, self._fail(check, now, claim, read))
        said = "; ".join(f"{claim.reading}: {shown(self._read(now, claim.reading))}" for claim in check.state)
        return self._passed(check, said, max(map(_newest(now), check.state)) or now.revision)

    def _passed(self, check: Check, said: str = "", revision: int = 0) -> Result:
        at = time.time()
        return Result(check.id, PASSED, said, revision, at - self._began, at)

    def _fail(self, check: Check, now: Objects, claim: Claim, read: list[Any]) -> str:
        if check.fail:
            return filled(check.fail, lambda reading: self._read(now, reading), {})
        return f"{claim.reading} is {shown(read)}, and not {claim.operator} {shown([claim.value])}"

    def _always(self, check: Check, now: Present) -> Result:
        assert self._replay
        if check.id in self._replay.broken:
            revision, claim, read = self._replay.broken[check.id]
            words = filled(check.fail, lambda reading: self._read(now, reading), {}) if check.fail else ""
            told = f"at revision {revision} {claim.reading} was {shown(read)}"
            return Result(check.id, BROKEN, f"{words}: {told}" if words else told, revision)
        for claim in check.always:  # figures have no history in the log: they are asked for, and count up
            if not facts.can_read(claim.reading) and not all_hold(claim, read := self._read(now, claim.reading)):
                return Result(check.id, BROKEN, self._fail(check, now, claim, read), now.revision)
        return Result(check.id, PASSED, "so far")

    def _told(self, check: Check, now: Objects) -> Result:
        told = self._moments[check.id]
        if told.done:
            return Result(check.id, PASSED, "", told.revision, told.took, told.ended)
        said = told.missing()
        return Result(check.id, NOT_YET, filled(check.fail, lambda r: self._read(now, r), {}) if check.fail else said)

    def _quiz(self, check: Check, answers: Mapping[str, Any]) -> Result:
        asked = self._step.questions or ((self._step.predict,) if self._step.predict else ())
        missing = [question for question in asked if question.id not in answers]
        if missing:
            return Result(check.id, NOT_YET, f"{len(missing)} of {len(asked)} are not answered")
        if self._step.questions:
            wrong = [q for q in asked if not any(a.right and a.id == answers[q.id] for a in q.answers)]
            if wrong:
                score = f"{len(asked) - len(wrong)} of {len(asked)} are right"
                return Result(check.id, NOT_YET, f"{score}: {check.fail}" if check.fail else score)
        return self._passed(check)

    def _late(self, check: Check, result: Result, done: list[Result]) -> Result:
        if check.within is None:
            return result
        start = next((one.at for one in done if one.id == check.after), 0.0) or self._began
        took = time.time() - start
        if took > check.within and result.outcome == NOT_YET:
            return Result(check.id, BROKEN, f"it was to be within {check.within:g} s; {result.text}")
        return result

    def _catch_up(self) -> None:
        """Read the log's growth, once for all checks, and to its end: what is judged by a part of it may be wrong."""
        always = [check for check in self._step.checks if check.always]
        if always and self._replay is None:
            self._replay = Replay(always, self._then(self._since))
        if not always and not self._moments:
            return
        while rows := self._changes(self._read_to):
            for change in rows:
                self._read_to = change.revision
                for told in self._moments.values():
                    told.take(change)
                if self._replay:
                    self._replay.take(change)


def _newest(now: Objects) -> Callable[[Claim], int]:
    """The revision of what was written last of the objects that a claim reads: its row decided."""

    def newest(claim: Claim) -> int:
        subject = claim.reading.subject
        found = facts.find(now, subject) if facts.can_read(claim.reading) else []
        return max((int(obj["metadata"].get("resourceVersion", 0)) for obj in found), default=0)

    return newest


def readings(step: Step) -> Iterator[Reading]:
    """All that a step's checks look at: who keeps watch needs to know whether something of it is told by no change."""
    for check in step.checks:
        for claim in (*check.state, *check.always):
            yield claim.reading
