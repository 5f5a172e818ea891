"""What an instructor does from the wall to all: a word, and where in a lesson the class is.

The class's place is kept with the workshop, for those who come late. `hold` keeps everybody from going past it;
`bring` leads there whoever is behind, and disturbs nobody who is there or further.
"""

import time
from collections.abc import Callable, Mapping

from lab.apimachinery.errors import ApiError, bad_request
from lab.apimachinery.kinds import LESSONS
from lab.client import Client, UnknownCluster
from lab.models import Seat, Workshop
from lab.tutorials import progress, shelf
from lab.tutorials.lesson import Lesson, Step
from lab.tutorials.told import telling
from lab.tutorials.views import begin

from .acts import INSTRUCTOR, change_lesson
from .everybody import with_each

BROUGHT = "Your instructor has brought the class here."
Form = Mapping[str, str]


def say(workshop: Workshop, form: Form, by: str) -> str:
    """Of nothing at all it is taken away."""
    said = " ".join(form.get("text", "").split())
    most = Workshop._meta.get_field("said").max_length
    if len(said) > most:
        raise bad_request(f"make it shorter: at most {most} letters")
    Workshop.objects.filter(pk=workshop.pk).update(said=said)
    return "It stands in every learner's page." if said else "It is taken away."


def hold(workshop: Workshop, form: Form, by: str) -> str:
    lesson, step = place_of(form)
    Workshop.objects.filter(pk=workshop.pk).update(lesson=lesson.id, step=step.id, held=True)
    return f"Nobody goes past step {_number(lesson, step)} until you let them go on."


def release(workshop: Workshop, form: Form, by: str) -> str:
    Workshop.objects.filter(pk=workshop.pk).update(held=False)
    return "Everybody goes on as they like."


def bring(workshop: Workshop, form: Form, by: str) -> str:
    """A class that is held is held there from now on."""
    lesson, step = place_of(form)
    Workshop.objects.filter(pk=workshop.pk).update(lesson=lesson.id, step=step.id)
    came = with_each(list(workshop.taken.order_by("id")), lambda seat: lead(seat, lesson, step, by))
    words = [f"{sum(one is True for one in came.values())} of {len(came)} are brought to step {_number(lesson, step)}."]
    failed = [one for one in came.values() if isinstance(one, str)]
    return " ".join([*words, *(["Failed: " + "; ".join(sorted(set(failed)))] if failed else [])])


def lead(seat: Seat, lesson: Lesson, step: Step, by: str) -> bool | str:
    """Whether they were behind, and are there now; or why it could not be done."""
    try:
        client = Client(seat.cluster, INSTRUCTOR, hardware=True)
        obj = client.find(LESSONS, "", lesson.id)
        if obj and not obj["spec"].get("paused") and not is_behind(obj, lesson, step):
            return False
        begin(client, lesson)
        change_lesson(seat, lambda obj, lesson, _: _led(obj, lesson, step, by))
    except (ApiError, UnknownCluster) as error:
        return str(error)
    return True


def _led(obj: dict, lesson: Lesson, step: Step, by: str) -> dict:
    there = way_to(obj, lesson, step)
    return {**telling(obj, there.id, BROUGHT, by, time.time()), "spec": progress.entered(obj, there)}


def is_behind(obj: dict, lesson: Lesson, step: Step) -> bool:
    here, there = lesson.step(obj["spec"].get("step", "")), way_to(obj, lesson, step)
    return here is None or lesson.steps.index(here) < lesson.steps.index(there)


def way_to(obj: dict, lesson: Lesson, step: Step) -> Step:
    """The step itself for who has passed the one before it, and stands on its stage still; for others the nearest
    before it that has a scene."""
    here = lesson.step(obj["spec"].get("step", ""))
    follows = here and progress.next_step(lesson, here) is step and here.id in obj.get("status", {}).get("steps", {})
    return step if follows else progress.begin_of(lesson, step)


def come_late(seat: Seat) -> None:
    """Who joins a class that is somewhere lands there. Where that cannot be, they begin by themselves."""
    lesson = shelf.lesson(seat.workshop.lesson)
    step = lesson.step(seat.workshop.step) if lesson else None
    if lesson and step:
        lead(seat, lesson, step, seat.workshop.by)


def place_of(form: Form) -> tuple[Lesson, Step]:
    """`lesson`, its id, and `step`, the number of one of its steps. Raises ApiError."""
    lesson, number = shelf.lesson(form.get("lesson", "")), form.get("step", "")
    if lesson is None:
        raise bad_request("there is no such lesson")
    if not number.isdecimal() or not 1 <= int(number) <= len(lesson.steps):
        raise bad_request(f"choose one of its {len(lesson.steps)} steps")
    return lesson, lesson.steps[int(number) - 1]


def _number(lesson: Lesson, step: Step) -> int:
    return lesson.steps.index(step) + 1


TO_ALL: dict[str, Callable[[Workshop, Form, str], str]] = {
    "say": say,
    "hold": hold,
    "release": release,
    "bring": bring,
}
