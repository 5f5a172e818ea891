"""Who may go on: an instructor may have a class wait at a step, and nobody of it begins a later one of that lesson.

Lessons know of no classes. Who does, says here where the learner of a cluster is to wait.
"""

from collections.abc import Callable

from .lesson import Lesson, Step

Place = tuple[str, str]  # the ids of a lesson and of its step
WAITS = "your class waits here: your instructor goes on with everybody"
_asked: list[Callable[[str], Place | None]] = []


def asks(whom: Callable[[str], Place | None]) -> None:
    """`whom(cluster)` is asked from now on; nobody else."""
    _asked[:] = [whom]


def may_enter(cluster: str, lesson: Lesson, step: Step) -> bool:
    places = [place for whom in _asked if (place := whom(cluster)) and place[0] == lesson.id]
    return all(is_within(lesson, step, place) for place in places)


def is_within(lesson: Lesson, step: Step, place: Place) -> bool:
    """Whether it is not behind the place. A step that is no more holds nobody."""
    last = lesson.step(place[1])
    return last is None or lesson.steps.index(step) <= lesson.steps.index(last)
