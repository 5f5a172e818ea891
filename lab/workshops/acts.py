"""What an instructor does from the wall to one learner."""

import time
from collections.abc import Callable

from lab.apimachinery.errors import ApiError, bad_request
from lab.apimachinery.kinds import LESSONS
from lab.client import Client
from lab.models import Seat
from lab.tutorials import progress, shelf
from lab.tutorials.lesson import Lesson, Step
from lab.tutorials.told import telling
from lab.tutorials.views import TRIES

INSTRUCTOR = "instructor"  # who the log says it was
LONGEST_HINT = 500
RESET = "I have set this step to its beginning: try it once more."


def hint(seat: Seat, text: str, by: str) -> str:
    """It stands in their lesson at once, at the step that they are at."""
    text = " ".join(text.split())
    if not text:
        raise bad_request("write what they shall read")
    if len(text) > LONGEST_HINT:
        raise bad_request(f"make it shorter: at most {LONGEST_HINT} letters")
    change_lesson(seat, lambda obj, lesson, step: telling(obj, step.id, text, by, time.time()))
    return f"{seat.nickname} reads it now."


def reset(seat: Seat, text: str, by: str) -> str:
    """As their own button does; and they are told that it was not theirs."""

    def anew(obj: dict, lesson: Lesson, step: Step) -> dict:
        begin = progress.begin_of(lesson, step)
        return {**telling(obj, begin.id, RESET, by, time.time(), hint=False), "spec": progress.entered(obj, begin)}

    change_lesson(seat, anew)
    return f"The step of {seat.nickname} begins anew."


def lower(seat: Seat, text: str, by: str) -> str:
    Seat.objects.filter(pk=seat.pk).update(hand=None)
    return f"The hand of {seat.nickname} is down."


def change_lesson(seat: Seat, made: Callable[[dict, Lesson, Step], dict]) -> None:
    """Write what `made` makes of the Lesson that they play; their tutor writes it too, so it may take several tries."""
    client = Client(seat.cluster, INSTRUCTOR, hardware=True)
    for attempt in range(TRIES):
        obj = next((one for one in client.list(LESSONS) if not one["spec"].get("paused")), None)
        found = shelf.find(obj["metadata"]["name"]) if obj else None
        step = found.lesson.step(obj["spec"]["step"]) if obj and found and found.lesson else None
        if obj is None or found is None or found.lesson is None or step is None:
            raise bad_request(f"{seat.nickname} has begun no lesson yet")
        try:
            client.update(LESSONS, made(obj, found.lesson, step))
            return
        except ApiError as error:
            if error.code != 409 or attempt == TRIES - 1:
                raise


TO_ONE: dict[str, Callable[[Seat, str, str], str]] = {"hint": hint, "reset": reset, "lower": lower}
