"""What an instructor does from the wall to all: a word, and where in a lesson the class is.

The class's place is kept with the workshop, for those who come late. `hold` keeps everybody from going past it;
`bring` leads there whoever is behind, and disturbs nobody who is there or further. `follow` leads everybody there who
does not want to be alone, and their pages with them: also to a slide, which is no place in their clusters.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lab.apimachinery.errors import ApiError, bad_request
from lab.apimachinery.kinds import LESSONS
from lab.client import Client
from lab.models import Seat, Workshop
from lab.tutorials import progress, shelf
from lab.tutorials.lesson import Lesson, Step
from lab.tutorials.slides import slides
from lab.tutorials.told import telling
from lab.tutorials.views import begin

from .acts import INSTRUCTOR, change_lesson
from .everybody import FAILURES, with_each

BROUGHT = "Your instructor has brought the class here."
Form = Mapping[str, str]


@dataclass(frozen=True)
class Led:
    """Where to. `slide` as the workshop has it."""

    lesson: str
    step: str
    slide: str


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
    brought = sum(one is True for one in came.values())
    return f"{brought} of {len(came)} are brought to step {_number(lesson, step)}.{_failed(came)}"


def _failed(came: Mapping[str, bool | str]) -> str:
    failed = sorted({one for one in came.values() if isinstance(one, str)})
    return f" Failed: {'; '.join(failed)}" if failed else ""


def follow(workshop: Workshop, form: Form, by: str) -> str:
    """To `slide`, the number of one of the lesson's, or else to a step. `going`: they have followed, as far as the page
    that asks knows; it may be open since before somebody else let them go."""
    if form.get("going") and not Workshop.objects.filter(pk=workshop.pk, led=True).exists():
        raise ApiError(409, "Conflict", "your class goes on by itself: it was let go on the wall")
    if number := form.get("slide", ""):
        place = slide_of(form.get("lesson", ""), number)
        Workshop.objects.filter(pk=workshop.pk).update(slide=place, led=True)
        return f"{_follow(workshop)} you to slide {number}."
    lesson, step = place_of(form)
    Workshop.objects.filter(pk=workshop.pk).update(lesson=lesson.id, step=step.id, slide="", led=True)
    seats = list(workshop.taken.filter(alone=False).order_by("id"))
    came = with_each(seats, lambda seat: lead(seat, lesson, step, by, everybody=True))
    return f"{_follow(workshop)} you to step {_number(lesson, step)}.{_failed(came)}"


def _follow(workshop: Workshop) -> str:
    follows = workshop.taken.filter(alone=False).count()
    return f"{follows} of {workshop.taken.count()} follow{'s' if follows == 1 else ''}"


def part(workshop: Workshop, form: Form, by: str) -> str:
    Workshop.objects.filter(pk=workshop.pk).update(led=False, slide="")
    workshop.taken.update(alone=False)
    return "Everybody goes on by themselves."


def be_alone(seat: Seat, alone: bool) -> None:
    """Out of a class that is led, and back: then to where it is."""
    Seat.objects.filter(pk=seat.pk).update(alone=alone)
    if not alone and seat.workshop.led and not seat.workshop.slide:
        come_late(seat)


def leads_to(led: Led, cluster: str) -> str:
    """The address to which the page of a learner goes who is led. Pure."""
    if led.slide:
        lesson, _, number = led.slide.partition("/")
        return f"/lessons/{lesson}/slides#{number}"
    return f"/clusters/{cluster}/lessons/{led.lesson}/"


def lead(seat: Seat, lesson: Lesson, step: Step, by: str, everybody: bool = False) -> bool | str:
    """Whether they were behind, or with `everybody` anywhere else, and are there now; or why it could not be done."""
    try:
        client = Client(seat.cluster, INSTRUCTOR, hardware=True)
        obj = client.find(LESSONS, "", lesson.id)
        wanted = is_behind, *([is_past] if everybody else [])
        if obj and not obj["spec"].get("paused") and not any(where(obj, lesson, step) for where in wanted):
            return False
        begin(client, lesson)
        change_lesson(seat, lambda obj, lesson, _: _led(obj, lesson, step, by))
    except FAILURES as error:
        return str(error)
    return True


def _led(obj: dict, lesson: Lesson, step: Step, by: str) -> dict:
    there = way_to(obj, lesson, step)
    return {**telling(obj, there.id, BROUGHT, by, time.time(), hint=False), "spec": progress.entered(obj, there)}


def is_behind(obj: dict, lesson: Lesson, step: Step) -> bool:
    here, there = lesson.step(obj["spec"].get("step", "")), way_to(obj, lesson, step)
    return here is None or lesson.steps.index(here) < lesson.steps.index(there)


def is_past(obj: dict, lesson: Lesson, step: Step) -> bool:
    here = lesson.step(obj["spec"].get("step", ""))
    return here is not None and lesson.steps.index(here) > lesson.steps.index(step)


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
        lead(seat, lesson, step, seat.workshop.by, everybody=seat.workshop.led)


def place_of(form: Form) -> tuple[Lesson, Step]:
    """`lesson`, its id, and `step`, the number of one of its steps, or its id. Raises ApiError."""
    lesson, number = shelf.lesson(form.get("lesson", "")), form.get("step", "")
    if lesson is None:
        raise bad_request("there is no such lesson")
    if named := lesson.step(number):
        return lesson, named
    if not number.isdecimal() or not 1 <= int(number) <= len(lesson.steps):
        raise bad_request(f"choose one of its {len(lesson.steps)} steps")
    return lesson, lesson.steps[int(number) - 1]


def slide_of(id: str, number: str) -> str:
    """As the workshop keeps it. Raises ApiError."""
    lesson = shelf.lesson(id)
    if lesson is None:
        raise bad_request("there is no such lesson")
    most = len(slides(lesson))
    if not number.isdecimal() or not 1 <= int(number) <= most:
        raise bad_request(f"choose one of its {most} slides")
    return f"{id}/{int(number)}"


def _number(lesson: Lesson, step: Step) -> int:
    return lesson.steps.index(step) + 1


TO_ALL: dict[str, Callable[[Workshop, Form, str], str]] = {
    "say": say,
    "hold": hold,
    "release": release,
    "bring": bring,
    "follow": follow,
    "part": part,
}
