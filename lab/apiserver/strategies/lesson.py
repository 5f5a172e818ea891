"""Lesson: where a learner is in a lesson, and what they have committed to (`lab/tutorials`)."""

from collections.abc import Iterator

from lab.apimachinery.errors import Cause

from .base import Strategy
from .causes import invalid, not_negative, required

COMMITTED = "a prediction is given once: reset the step (raise spec.run) to predict anew"


class LessonStrategy(Strategy):
    has_generation = True

    def default(self, obj: dict) -> None:
        obj.setdefault("spec", {}).setdefault("run", 1)

    def validate(self, obj: dict) -> Iterator[Cause]:
        spec = obj["spec"]
        if not spec.get("step"):
            yield required("spec.step", "the step that is played")
        yield from not_negative("spec.run", spec["run"])

    def validate_change(self, new: dict, old: dict) -> Iterator[Cause]:
        """What somebody has predicted stays, or it were no prediction. Answers to a quiz may be tried again."""
        yield from self.validate(new)
        before, after = old["spec"], new["spec"]
        if before["run"] != after["run"]:
            return
        for step, answers in before.get("answers", {}).items():
            said = answers.get("predict")
            now = after.get("answers", {}).get(step, {}).get("predict")
            if said is not None and now != said:
                yield invalid(f"spec.answers[{step}].predict", now, COMMITTED)
