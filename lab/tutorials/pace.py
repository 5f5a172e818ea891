"""Who may go on: an instructor may have a class wait at a step, and nobody of it begins a later one of that lesson. And
for whom time goes on: a class that pauses is not hinted at, nor struck by a fault.

Lessons know of no classes. Who does, says here where the learner of a cluster is to wait, and for how long they had to
rest.
"""

from collections.abc import Callable

from .lesson import Lesson, Step

Place = tuple[str, str]  # the ids of a lesson and of its step
Rest = Callable[[str, float, float], float]  # cluster, since when and until when → seconds in which nobody could act
WAITS = "your class waits here: your instructor goes on with everybody"
_asked: list[Callable[[str], Place | None]] = []
_rests: list[Rest] = []


def asks(whom: Callable[[str], Place | None], rest: Rest) -> None:
    """These are asked from now on; nobody else."""
    _asked[:], _rests[:] = [whom], [rest]


def rested(cluster: str, since: float, now: float) -> float:
    return sum(rest(cluster, since, now) for rest in _rests)


def may_enter(cluster: str, lesson: Lesson, step: Step) -> bool:
    places = [place for whom in _asked if (place := whom(cluster)) and place[0] == lesson.id]
    return all(is_within(lesson, step, place) for place in places)


def is_within(lesson: Lesson, step: Step, place: Place) -> bool:
    """Whether it is not behind the place. A step that is no more holds nobody."""
    last = lesson.step(place[1])
    return last is None or lesson.steps.index(step) <= lesson.steps.index(last)
