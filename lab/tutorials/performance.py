"""One step as it is played: from its Lesson object and the log to that object's next status.

`turn` takes one step and returns the seconds after which to look again though nothing changes.
"""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

from lab import metrics
from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import LESSONS
from lab.client import Client
from lab.store import Change, Compacted, View, changes, state_at

from . import facts, marking, pace, progress
from .acting import do
from .checking import Judge, Result, readings
from .claims import Claim, Reading, parse_reading
from .facts import all_hold
from .happenings import happened
from .lesson import Act, Fault, Lesson, Step
from .outside import Outside, counted, is_outside
from .scenes import Scene, read_scene
from .shelf import find
from .stage import awaited, forget, let_in, set_stage
from .texts import shown

AT_ONCE, SOON, OFTEN, SELDOM = 0.0, 0.2, 0.5, 5.0
FIGURES_SECONDS = 1.0  # what a request that fails needs to be counted
ROWS = 500  # of the log, at a time
TOO_EARLY = "What was done before the prediction does not count: the stage is set anew."
LEARNER = "board"  # who acts where a solution is shown: it is done on the learner's behalf


class Performance:
    """`client` acts from outside the cluster, and holds the tutor's fence."""

    def __init__(self, client: Client):
        self._client = client
        self._view: View  # of this turn: to ask for it at each claim takes longer than to look at it
        self._run = 0  # of which what follows was made
        self._step: Step | None = None  # as it was read when what follows was made
        self._since = 0.0  # when it was asked for
        self._judge: Judge | None = None
        self._scene: Scene | None = None
        self._outside = Outside(client)
        self._anew = False  # whether it was set once more, for something was done too early
        self._passing = 0.0  # since when all checks have passed
        self._forgotten = 0.0  # of which time, as `_since`, the programs have forgotten what they were told

    def turn(self, obj: dict) -> float:
        self._view, shelved = self._client.view(), find(obj["metadata"]["name"])
        if shelved and shelved.mistakes:  # its author is at work: the run goes on when they are mended
            return SELDOM
        played = shelved.lesson if shelved else None
        step = played.step(obj["spec"]["step"]) if played else None
        if played is None or step is None:
            return self._wrong(obj, "there is no such lesson, or it has no such step")
        if progress.begins(obj):
            self._write(obj, progress.setting(obj))
            return AT_ONCE
        status = obj["status"]
        if status["run"] != self._run:
            self._run, self._judge, self._scene, self._passing = status["run"], None, None, 0.0
            self._since, self._anew = time.time(), False
        if step is not self._step:  # another one, or its author has changed it
            self._step, self._judge, self._scene = step, None, None
        if status["phase"] == progress.SETTING:
            try:
                return self._set(obj, played, step)
            except ValueError as error:  # of its scene, which its author has changed since it was read
                return self._wrong(obj, str(error))
        if status["phase"] == progress.PREDICT:
            return self._commit(obj, step)
        return self._act(obj, played, step)

    def _write(self, obj: dict, status: dict) -> None:
        if status != obj.get("status"):
            self._because_of(obj).update_status(LESSONS, {**obj, "status": status})

    def _because_of(self, obj: dict) -> Client:
        """Acting on what was asked for last, however often the tutor itself has written since."""
        newest = int(obj["metadata"]["resourceVersion"])
        row = self._client.written_by(newest)
        is_own = row is not None and row["author"] == self._client.author
        return self._client.caused_by(row["cause"] if row and is_own else newest)

    def trouble(self, obj: dict, message: str) -> None:
        """Say that the lab has trouble of its own; it is tried again."""
        self._write(obj, {**obj.get("status", {}), "message": f"The lab tries again: {message}"})

    def _wrong(self, obj: dict, message: str) -> float:
        self._write(obj, {**progress.setting(obj), "phase": progress.ERROR, "message": message})
        return SELDOM

    def _set(self, obj: dict, played: Lesson, step: Step) -> float:
        because = self._because_of(obj)
        if step.start:
            scene = self._scene = self._scene or read_scene(Path(played.folder), step.start, settings.RUNTIME)
            if not set_stage(because, scene, self._since):
                names = awaited(self._client.view(), scene)
                said = [TOO_EARLY] if self._anew else []
                said += [f"Waiting for {', '.join(names)}."] if names else []
                self._write(obj, {**obj["status"], "message": " ".join(said)})
                return SOON
            if scene.forget and self._forgotten != self._since:
                forget(because, scene)
                self._forgotten = self._since
            let_in(because, scene)
        status = progress.on_stage(obj["status"], step, self._client.view().revision, time.time())
        status.pop("message", None)
        self._write(obj, {**status, "baseline": counted(self._client.cluster)})
        return SOON

    def _commit(self, obj: dict, step: Step) -> float:
        """Acts count from when the prediction is made."""
        if step.predict is None or step.predict.id in progress.answers(obj, step):
            self._outside.baseline = obj["status"].get("baseline", {})
            rows = all_since(self._client, obj["status"]["began"]["revision"])
            early = is_early(step, self._holds) or has_begun(step, rows)
            if step.start and not self._anew and early:
                self._anew, self._since = True, time.time()
                self._write(obj, {**obj["status"], "phase": progress.SETTING, "message": TOO_EARLY})
                return SOON
            counts = early and not step.start  # nothing can be set anew, and it cannot be done twice
            status = progress.committed(obj, step, time.time(), counts)
            self._write(obj, status if counts else {**status, "baseline": counted(self._client.cluster)})
            return SOON
        if obj["spec"].get("skip") == step.id:
            self._answer(obj, step, {step.predict.id: shown_prediction(step)})
            return SOON
        return SELDOM

    def _act(self, obj: dict, played: Lesson, step: Step) -> float:
        status, now = obj["status"], time.time()
        self._outside.baseline = status.get("baseline", {})
        judge = self._judged_by(step, status)
        before = {check["id"]: check for check in status.get("checks", ())}
        results = judge.judge(self._view, before, progress.answers(obj, step))
        rested = pace.rested(self._client.cluster, status["committed"]["time"], now)
        waited = now - status["committed"]["time"] - rested
        holds = [bool(h.when) and all(map(self._holds, h.when)) for h in step.hints]
        asked = obj["spec"].get("hints", {}).get(step.id, 0)
        status = progress.hinted(progress.judged(status, results), step, holds, asked, waited)
        passes = bool(step.checks) and progress.is_passed(results)
        self._passing = (self._passing or now) if passes else 0.0
        if passes and self._is_counted(step, self._passing):
            measured, true = self._measured(step, results, status), self._came_true(step)
            status = progress.passed(status, obj, step, self._view.revision, now, measured, true, rested)
        elif obj["spec"].get("skip") == step.id:
            status = self._solve(obj, played, step, status)
        status, due = progress.struck(status, step, waited)
        self._write(obj, status)  # before they strike: after a restart none comes twice
        for fault in due:
            self._strike(obj, played, fault)
        soon = self._passing or _needs_looking(step) or obj["spec"].get("skip") == step.id
        return OFTEN if soon else SELDOM

    def _judged_by(self, step: Step, status: dict) -> Judge:
        if self._judge is None:
            self._judge = Judge(
                step,
                status["committed"]["revision"],
                status["committed"]["time"],
                self._outside,
                then=lambda revision: state_at(self._client.cluster, revision),
                changes=lambda after: grown(self._client, after),
            )
        return self._judge

    def _holds(self, claim: Claim) -> bool:
        try:
            return all_hold(claim, self._told(claim.reading))
        except (ValueError, ApiError):
            return False

    def _told(self, reading: Reading) -> list[Any]:
        """Raises ValueError for what cannot be read."""
        return facts.told(self._view, reading, self._outside)

    def _is_counted(self, step: Step, moment: float) -> bool:
        """Whether what the visitors saw up to a moment has been counted: their figures come once a second, and later
        where the machine is busy."""
        if not _counts(step):
            return True
        said = metrics.oldest(self._client.cluster, metrics.VISITORS)
        return (said or time.time()) > moment + FIGURES_SECONDS

    def _measured(self, step: Step, results: list[Result], status: dict) -> dict[str, str]:
        """What the text after the pass has in braces, and what was guessed, as it is now: it is kept."""
        known = progress.told_before(status) | {f"took {result.id}": _seconds(result.seconds) for result in results}
        guessed = [step.predict.number] if step.predict and step.predict.number else []
        wanted = marking.readings(step.afterwards) + guessed
        for text in wanted:
            if text not in known:
                try:
                    known[text] = shown(self._told(parse_reading(text)))
                except (ValueError, ApiError):
                    continue
        return {text: known[text] for text in wanted if text in known}

    def _came_true(self, step: Step) -> set[str]:
        """The answers to the prediction that are right: some always are, others are what the cluster decides."""
        answers = step.predict.answers if step.predict else ()
        return {a.id for a in answers if a.right or a.claims and all(map(self._holds, a.claims))}

    def _solve(self, obj: dict, played: Lesson, step: Step, status: dict) -> dict:
        """The next act of the solution, before the learner's eyes."""
        done = status.get("done", [])
        if len(done) >= len(step.solution):
            return status
        act = step.solution[len(done)]
        if act.kind == "wait" and not all(map(self._holds, act.claims)):
            return status
        try:
            said = self._perform(obj, played, step, act)
        except ApiError as error:
            said = {"text": error.message, "kubectl": ""}
        return {**status, "done": [*done, said]}

    def _perform(self, obj: dict, played: Lesson, step: Step, act: Act) -> dict:
        if act.kind == "wait":
            return {"text": f"Waited until {', '.join(map(str, act.claims))}", "kubectl": ""}
        if act.kind == "answer":
            if step.questions:
                self._answer(obj, step, act.form)
            return {"text": "Answered", "kubectl": ""}
        learner = Client(self._client.cluster, LEARNER, int(obj["metadata"]["resourceVersion"]))
        done = do(learner, act, Path(played.folder))
        return {"text": done.message, "kubectl": done.kubectl}

    def _answer(self, obj: dict, step: Step, form: dict) -> None:
        said = {"spec": {"answers": {step.id: form}}}
        Client(self._client.cluster, LEARNER, hardware=True).patch(LESSONS, "", obj["metadata"]["name"], said)

    def _strike(self, obj: dict, played: Lesson, fault: Fault) -> None:
        because = self._because_of(obj)
        for act in fault.acts:
            with contextlib.suppress(ApiError):  # what it would have struck is gone already
                do(because, act, Path(played.folder))


def is_early(step: Step, holds: Callable[[Claim], bool]) -> bool:
    """Whether a check that waits for no other holds before anything counts: then it was done before the prediction, and
    is undone."""
    return any(check.state and not check.after and all(map(holds, check.state)) for check in step.checks)


def has_begun(step: Step, rows: Iterable[Change]) -> bool:
    """Whether somebody has done, among these rows, what a history begins with: who did it before it counts may find
    nothing left to do."""
    firsts = [check.moments[0] for check in step.checks if check.moments and not check.after]
    mine = [moment for moment in firsts if moment.by == "person"]
    return bool(mine) and any(happened(moment, row) for row in rows for moment in mine)


def all_since(client: Client, revision: int) -> Iterator[Change]:
    """The log after a revision, to its end; nothing of what is no longer kept."""
    with contextlib.suppress(Compacted):
        while rows := grown(client, revision):
            yield from rows
            revision = rows[-1].revision


def grown(client: Client, after: int) -> list[Change]:
    """The rows of the log after a revision, oldest first, as many as are in memory; else a while's worth of them."""
    recent = client.changes_since(after)
    return list(changes(client.cluster, after, ROWS)) if recent is None else recent


def shown_prediction(step: Step) -> str:
    """What the lab commits itself to where it shows a step: what its solution says, else the right answer. A number has
    none until it is measured."""
    assert step.predict
    said = (act.form[step.predict.id] for act in step.solution if act.kind == "answer" and step.predict.id in act.form)
    right = (answer.id for answer in step.predict.answers if answer.right or answer.claims)
    return next(said, next(right, ""))


def _seconds(taken: float) -> str:
    return f"{taken:.2g}" if taken < 10 else f"{taken:.0f}"


def _counts(step: Step) -> bool:
    """Whether its checks, or the text after it, say what visitors saw."""
    wanted = any(reading.subject.kind == "visitors" for reading in readings(step))
    return wanted or any(text.startswith("visitors/") for text in marking.readings(step.afterwards))


def _needs_looking(step: Step) -> bool:
    """Whether something of the step is told by no change of the log: figures, answers, time."""
    timed = any(check.within for check in step.checks) or any(hint.after for hint in step.hints) or step.faults
    return bool(timed) or any(is_outside(reading) for reading in readings(step))
