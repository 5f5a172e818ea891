"""Whether lessons hold: each step is played in a lab of its own, as a learner who asks to be shown it would see it.

The stage is set, and no check may hold; the solution is done, and all of them must; what the text after it says in
figures must have been measured; and Reset leads back, where the next step does not go on from there.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from lab.supervisor.state import read_run

from . import marking, progress
from .checking import PASSED
from .lesson import Lesson, Step
from .progress import ACT, DONE, ERROR, PREDICT
from .remote import Remote

READY_SECONDS, STAGE_SECONDS, SOLUTION_SECONDS = 120.0, 120.0, 120.0
STILL_SECONDS = 1.0  # for so long nobody does anything, and nothing may pass
READING_SECONDS = 1.5  # nobody predicts sooner; what failed while the stage was set is counted by then
LOOK_SECONDS = 0.4
THEIRS = ("REDIS_URL", "DATABASE_URL")  # of whoever starts it: a lab of its own has its own


@dataclass(frozen=True)
class Proof:
    """`stage`, `solution`, `reset`: the seconds that they took, 0 for what was not done; `wrong`: what did not hold,
    empty if all did."""

    lesson: str
    step: str
    stage: float
    solution: float
    reset: float
    wrong: str
    measured: dict[str, str]

    as_dict = asdict

    def __str__(self) -> str:
        outcome = self.wrong or f"stage {self.stage:.1f} s, solution {self.solution:.1f} s, reset {self.reset:.1f} s"
        return f"{'ok' if not self.wrong else 'WRONG':<6} {self.lesson} {self.step}: {outcome}"


class Wrong(Exception):
    pass


@contextlib.contextmanager
def own_lab(runtime: str) -> Iterator[Remote]:
    """A lab in a folder of its own, which goes with all that it made. Raises Wrong if it does not start."""
    env = {key: value for key, value in os.environ.items() if key not in THEIRS and not key.startswith("ORRERY_")}
    env |= {"ORRERY_LESSONS": str(settings.LESSONS_DIR)}
    with tempfile.TemporaryDirectory(prefix="orrery-prove-", ignore_cleanup_errors=True) as folder:
        data, said = Path(folder) / "data", Path(folder) / "said"
        manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
        up = [*manage, "up", "--no-browser", "--port", "0", "--data", str(data), "--runtime", runtime]
        with said.open("w") as out:
            lab = subprocess.Popen(
                up, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
            )
        try:
            _until(READY_SECONDS, lambda: "Ready in" in said.read_text() or lab.poll() is not None)
            if lab.poll() is not None or "Ready in" not in said.read_text():
                raise Wrong(f"no lab could be started:\n{said.read_text()}")
            yield Remote(read_run(data)["board"], settings.DEFAULT_CLUSTER)
        finally:
            down = [*manage, "down", "--purge", "--yes", "--data", str(data)]
            subprocess.run(down, env=env, stdin=subprocess.DEVNULL, capture_output=True, check=False)
            lab.wait()


def prove(
    lessons: Sequence[Lesson], only: Sequence[str], runtime: str, labs: int, told: Callable[[Proof], None]
) -> None:
    """The steps of each lesson in their order, in so many labs at once; `told` hears of each when it is done. `only`:
    of a lesson that has one there, the steps that are called `14-self-healing/a-process-dies`. Raises Wrong if no lab
    can be started."""
    waiting, ending = deque(lessons), threading.Event()

    def work() -> None:
        with own_lab(runtime) as remote, contextlib.suppress(IndexError):
            while True:
                lesson = waiting.popleft()
                for step in _to_prove(lesson, only):
                    if ending.is_set():
                        return
                    told(_prove(remote, lesson, step))

    with ThreadPoolExecutor(labs) as pool:
        try:
            for each in [pool.submit(work) for _ in range(min(labs, len(lessons)))]:
                each.result()
        finally:
            ending.set()  # whoever is interrupted does not wait for all that is left


def _to_prove(lesson: Lesson, only: Sequence[str]) -> list[Step]:
    """A step without checks has nothing to prove."""
    mine = [each for each in only if each.startswith(f"{lesson.id}/")]
    return [step for step in lesson.steps if step.checks and (not mine or f"{lesson.id}/{step.id}" in mine)]


def _prove(remote: Remote, lesson: Lesson, step: Step) -> Proof:
    began, staged, reset, status, wrong = time.monotonic(), 0.0, 0.0, {}, ""
    try:
        run = remote.enter(lesson.id, step.id)
        _reach(remote, lesson.id, run, STAGE_SECONDS, PREDICT, ACT)
        staged = time.monotonic() - began
        if step.predict:
            time.sleep(READING_SECONDS)
            remote.patch(lesson.id, {"spec": {"answers": {step.id: _prediction(step)}}})
        _nothing_holds(remote, lesson.id, run, step)
        began = time.monotonic()
        remote.patch(lesson.id, {"spec": {"skip": step.id}})
        waits = sum(act.within for act in step.solution if act.kind == "wait")
        status = _reach(remote, lesson.id, run, SOLUTION_SECONDS + waits, DONE)
        missing = set(marking.readings(step.afterwards)) - set(_measured(status, step))
        missing = {one for one in missing if not _of_a_step_not_played(one, status)}
        if missing:
            wrong = f"not measured: {', '.join(sorted(missing))}"
        taken = time.monotonic() - began
        reset = _reset(remote, lesson, step)
    except (Wrong, OSError) as error:
        wrong = str(error)
        taken = time.monotonic() - began if staged else 0.0
    told = round(staged, 2), round(taken, 2), round(reset, 2)
    return Proof(lesson.id, step.id, *told, wrong, _measured(status, step))


def _reset(remote: Remote, lesson: Lesson, step: Step) -> float:
    """The seconds until the step can be played again; 0 where it has no scene of its own, or the next one has none."""
    following = progress.next_step(lesson, step)
    if not step.start or following and not following.start:
        return 0.0
    began = time.monotonic()
    try:
        _reach(remote, lesson.id, remote.enter(lesson.id, step.id), STAGE_SECONDS, PREDICT, ACT)
    except Wrong as error:
        raise Wrong(f"Reset: {error}") from None
    return time.monotonic() - began


def _measured(status: dict, step: Step) -> dict[str, str]:
    return status.get("steps", {}).get(step.id, {}).get("measured", {})


def _of_a_step_not_played(reading: str, status: dict) -> bool:
    """`took other-step/check`, where a step is proven without those before it."""
    other, of_another, _ = reading.removeprefix("took ").partition("/")
    return reading.startswith("took ") and bool(of_another) and other not in status.get("steps", {})


def _prediction(step: Step) -> dict[str, Any]:
    """As the solution says, or the right one; of a number any will do."""
    assert step.predict
    said = next((act.form for act in step.solution if act.kind == "answer" and step.predict.id in act.form), {})
    right = next((answer.id for answer in step.predict.answers if answer.right), 0)
    return {step.predict.id: said.get(step.predict.id, right)}


def _nothing_holds(remote: Remote, id: str, run: int, step: Step) -> None:
    """A question that is answered with the prediction is, at once."""
    free = {check.id for check in step.checks if check.always or (check.questions and not step.questions)}
    _reach(remote, id, run, STAGE_SECONDS, ACT, DONE)
    _until(STAGE_SECONDS, lambda: "checks" in (remote.get(id) or {}).get("status", {}))
    time.sleep(STILL_SECONDS)
    status = (remote.get(id) or {}).get("status", {})
    held = [one for one in status.get("checks", ()) if one["outcome"] == PASSED and one["id"] not in free]
    if held:
        raise Wrong("; ".join(f"{one['id']} holds before anything was done: {one['text']}" for one in held))


def _reach(remote: Remote, id: str, run: int, seconds: float, *phases: str) -> dict:
    """The status when this run is in one of the phases. Raises Wrong, with what it was in instead."""
    status: dict = {}

    def look() -> bool:
        nonlocal status
        status = (remote.get(id) or {}).get("status", {})
        return status.get("run") == run and status.get("phase") in (*phases, ERROR)

    _until(seconds, look)
    if status.get("run") != run or status.get("phase") not in phases:
        raise Wrong("; ".join([f"not {' or '.join(phases)} but {status.get('phase')}", *_said(status)]))
    return status


def _said(status: dict) -> Iterator[str]:
    if status.get("message"):
        yield status["message"]
    for one in status.get("checks", ()):
        if one["outcome"] != PASSED:
            yield f"{one['id']}: {one['outcome']}: {one['text']}"
    for act in status.get("done", ()):
        yield f"done: {act['text']}"


def _until(seconds: float, look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + seconds
    while not look() and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)
