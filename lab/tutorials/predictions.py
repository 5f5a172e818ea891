"""What learners have predicted, in sum over all clusters: what a class believes, for who teaches it. Pure."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from . import progress
from .given import given
from .lesson import Lesson, Step
from .parts import misconceptions


def in_sum(lessons: Iterable[Lesson], learners: list[dict[str, dict]]) -> dict:
    """`learners`: of each the Lessons by their names. `{"lessons": [{lesson, steps}], "beliefs": [(belief, how many)],
    "learners": how many have predicted at all}`; a step is `{step, predicted, right, answers: [{text, right, count,
    percent, belief}], guesses}`, the guesses of a number in order. Of each learner the first prediction counts."""
    found: list[dict] = []
    beliefs: Counter[str] = Counter()
    for lesson in lessons:
        steps = []
        for step in lesson.steps:
            first = [one for objects in learners if (one := _first(objects.get(lesson.id), step))]
            beliefs.update(one["misconception"] for one in first if "misconception" in one)
            if first:
                steps.append(_summed(step, first))
        if steps:
            found.append({"lesson": lesson, "steps": steps})
    known = misconceptions()
    told = [(known[name], times) for name, times in beliefs.most_common() if name in known]
    return {"lessons": found, "beliefs": told, "learners": sum(map(_has_predicted, learners))}


def _first(obj: dict | None, step: Step) -> dict[str, Any] | None:
    """What they predicted first, with the verdict; without one where the cluster has not given it yet."""
    if obj is None or step.predict is None:
        return None
    status = obj.get("status", {})
    kept = status.get("steps", {}).get(step.id, {}).get("predicted")
    here = status.get("step") == step.id and status.get("phase") == progress.ACT and not status.get("shown")
    said = kept or {"chosen": progress.answers(obj, step).get(step.predict.id) if here else None}
    chosen = given(step.predict, said.get("chosen"))
    return None if chosen is None else {**said, "chosen": chosen}


def _summed(step: Step, first: list[dict]) -> dict:
    assert step.predict
    chosen = Counter(one["chosen"] for one in first)
    true = {id for one in first for id in one.get("came", ())}
    answers = [
        {
            "text": answer.text,
            "right": answer.id in true,
            "count": chosen[answer.id],
            "percent": round(100 * chosen[answer.id] / len(first)),
            "belief": misconceptions().get(answer.misconception, ""),
        }
        for answer in step.predict.answers
    ]
    right = sum(one.get("right", False) for one in first)
    guesses = sorted(chosen.elements()) if step.predict.number else []
    return {"step": step, "predicted": len(first), "right": right, "answers": answers, "guesses": guesses}


def _has_predicted(objects: dict[str, dict]) -> bool:
    kept = (one for obj in objects.values() for one in obj.get("status", {}).get("steps", {}).values())
    return any("predicted" in one for one in kept)
