"""Where a learner is, from what their Lesson object says, and what it says next. Pure.

A run of a step goes through phases: `Setting` (the stage is being set), `Predict` (they have to commit themselves
first), `Act` (what they do counts, the checks are judged), `Passed`; `Error` where the lab itself cannot go on.
"""

import copy
from typing import Any

from .checking import PASSED, Result
from .given import given
from .lesson import Fault, Hint, Lesson, Question, Step

SETTING, PREDICT, ACT, DONE, ERROR = "Setting", "Predict", "Act", "Passed", "Error"
KEPT = ("steps", "tries")


def begins(obj: dict) -> bool:
    """Whether a run is asked for that has not begun."""
    spec, status = obj["spec"], obj.get("status", {})
    return (spec["run"], spec["step"]) != (status.get("run"), status.get("step"))


def setting(obj: dict) -> dict:
    """The status of a run that begins: of those before it, what was reached stays, and how often a step was tried."""
    kept = {key: value for key, value in obj.get("status", {}).items() if key in KEPT}
    run, step = obj["spec"]["run"], obj["spec"]["step"]
    tries = kept.get("tries", {})
    return {**kept, "run": run, "step": step, "phase": SETTING, "tries": {**tries, step: tries.get(step, 0) + 1}}


def on_stage(status: dict, step: Step, revision: int, now: float) -> dict:
    """The stage is set: what comes next."""
    begun = {**status, "phase": PREDICT if step.predict else ACT, "began": {"revision": revision, "time": now}}
    return begun if step.predict else {**begun, "committed": begun["began"]}


def committed(obj: dict, step: Step, now: float, early: bool) -> dict:
    """The status from which acts count; those since the step began do too where the learner was `early`, and then what
    they predicted is nobody's prediction."""
    status = obj["status"]
    since = status["began"]["revision"] if early else int(obj["metadata"]["resourceVersion"])
    shown = early or obj["spec"].get("skip") == step.id
    return {**status, "phase": ACT, "committed": {"revision": since, "time": now}, "shown": shown, "early": early}


def answers(obj: dict, step: Step) -> dict[str, Any]:
    return obj["spec"].get("answers", {}).get(step.id, {})


def judged(status: dict, results: list[Result]) -> dict:
    """Judged again: whatever trouble the lab had is over."""
    kept = {key: value for key, value in status.items() if key != "message"}
    return {**kept, "checks": [result.as_dict() for result in results]}


def struck(status: dict, step: Step, waited: float) -> tuple[dict, list[Fault]]:
    """The faults whose time has come after so many seconds, and the status that says how often each has."""
    came = list(status.get("struck", ())) or [0] * len(step.faults)
    due = [number for number, fault in enumerate(step.faults) if came[number] < _times(fault, waited)]
    for number in due:
        came[number] = _times(step.faults[number], waited)  # what was missed is not made up for
    return ({**status, "struck": came} if due else status), [step.faults[number] for number in due]


def _times(fault: Fault, waited: float) -> int:
    if waited < fault.after:
        return 0
    return int((waited - fault.after) // fault.every) + 1 if fault.every else 1


def is_passed(results: list[Result]) -> bool:
    return all(result.outcome == PASSED for result in results)


def hinted(status: dict, step: Step, holds: list[bool], asked: int, waited: float) -> dict:
    """The status with the numbers of the hints to show: those that fit the state, whose time has come, or that were
    asked for (`given`, and who asks once is given one, whatever comes by itself then). One that has a `when` is never
    shown where it does not hold: it would not be true."""
    fit = [i for i, hint in enumerate(step.hints) if holds[i] or not hint.when]
    due = [i for i in fit if _is_due(step.hints[i], holds[i], waited)]
    given = list(status.get("given", ()))
    others = [i for i in fit if i not in due and i not in given]
    more = max(0, asked - len(given))
    given += others[:more]
    shown = sorted({*due, *(i for i in given if i in fit)})
    return {**status, "hints": shown, "given": given, "moreHints": len(others) > more}


def _is_due(hint: Hint, holds: bool, waited: float) -> bool:
    """One that has both waits for both; one that has neither is said on request only."""
    fits, is_time = holds or not hint.when, hint.after is None or waited >= hint.after
    return fits and is_time and (bool(hint.when) or hint.after is not None)


def told_before(status: dict) -> dict[str, str]:
    """What the texts after other steps told of seconds, as `took their-step/check`, to be compared with."""
    return {
        f"took {id}/{check.removeprefix('took ')}": seconds
        for id, kept in status.get("steps", {}).items()
        for check, seconds in kept.get("measured", {}).items()
        if check.startswith("took ") and "/" not in check
    }


def passed(
    status: dict,
    obj: dict,
    step: Step,
    revision: int,
    now: float,
    measured: dict[str, str],
    true: set[str],
    rested: float = 0.0,
) -> dict:
    """The status when all checks have passed: the phase, and what is kept of the step for good. `true`: the answers to
    the prediction that have come true. `rested`: seconds that do not count. What the learner predicted first stays
    (`predicted`), in whichever run: the next time they know.
    What was predicted of what had been seen (`shown`), by the lab or by who acted first, is nobody's prediction."""
    before = status.get("steps", {}).get(step.id, {})
    said = answers(obj, step)
    kept: dict[str, Any] = {
        "passed": before.get("passed") or {"revision": revision, "time": now},
        "runs": status.get("tries", {}).get(step.id, 1),
        "seconds": round(now - status["committed"]["time"] - rested, 1),
        "skipped": obj["spec"].get("skip") == step.id and before.get("skipped", True),  # done once is done
        "hints": len(status.get("hints", ())),
        "measured": measured,
    }
    if step.predict and (found := verdict(step.predict, said.get(step.predict.id), measured, true)):
        shown = status.get("shown", False)
        kept |= {**found, "shown": shown, "early": status.get("early", False)}
        earlier = obj["spec"].get("first", {}).get(step.id)
        first = {} if shown else found
        if earlier is not None:
            first = verdict(step.predict, earlier, measured, true) or first
        first = before.get("predicted") or first
        kept |= {"predicted": first} if first else {}
    steps = {**status.get("steps", {}), step.id: kept}
    return {**status, "phase": DONE, "steps": steps}


def verdict(question: Question, chosen: Any, measured: dict[str, str], true: set[str]) -> dict[str, Any]:
    """What was predicted, whether it came so, and what somebody believes who predicts so; empty if it is no answer."""
    chosen = given(question, chosen)
    if chosen is None:
        return {}
    if question.number:
        read = measured.get(question.number, "")
        try:
            right = abs(float(chosen) - float(read)) <= question.within * abs(float(read))
        except (TypeError, ValueError):
            right = False
        return {"chosen": chosen, "right": right}
    answer = next((one for one in question.answers if one.id == chosen), None)
    found = {"chosen": chosen, "right": chosen in true, "came": sorted(true)}
    wrong = answer and answer.misconception and not found["right"]
    return {**found, "misconception": answer.misconception} if answer and wrong else found


def entered(obj: dict | None, step: Step) -> dict:
    """The spec of who goes to a step, or begins it anew: another run, in which nothing of it is answered yet."""
    spec = copy.deepcopy(obj["spec"]) if obj else {}
    said = spec.get("answers", {}).get(step.id, {})
    own = spec.get("skip") != step.id and not (obj or {}).get("status", {}).get("early")
    if step.predict and own and (predicted := given(step.predict, said.get(step.predict.id))) is not None:
        spec.setdefault("first", {}).setdefault(step.id, predicted)  # the next time they know more
    for named in ("answers", "hints"):
        spec.get(named, {}).pop(step.id, None)
    spec.pop("skip", None)
    spec.pop("paused", None)
    return {**spec, "step": step.id, "run": spec.get("run", 0) + 1}


def begin_of(lesson: Lesson, step: Step) -> Step:
    """Where Reset goes back to: the nearest step, from this one back, that has a scene of its own."""
    before = lesson.steps[: lesson.steps.index(step) + 1]
    return next((one for one in reversed(before) if one.start), lesson.steps[0])


def next_step(lesson: Lesson, step: Step) -> Step | None:
    index = lesson.steps.index(step) + 1
    return lesson.steps[index] if index < len(lesson.steps) else None
