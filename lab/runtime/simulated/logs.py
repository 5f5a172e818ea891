"""The log of a simulated container: made up when somebody reads it, from how long it has run. Nothing is stored."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lab.runtime import Container, Lines, LogOptions

MOST_LINES = 1000  # of a long life; older ones count as rotated away
LOOK_SECONDS = 0.5
NEVER = math.inf


@dataclass(frozen=True)
class Life:
    """What a log is made from: the container as it is now, where it runs, how often it writes, whether it is over."""

    container: Container
    node: str
    every: float
    over: bool


def total(life: Life, now: float) -> int:
    """How many lines there are by now: one at the start, one each `every` seconds, one at the end."""
    if not life.container.started_at:
        return 0
    return 1 + _beats(life, now) + bool(life.container.finished_at)


def line(life: Life, index: int) -> tuple[float, str]:
    """The line of that number, which must have been written, with its time."""
    one = life.container
    if index == 0:
        return one.started_at, f"simulated: {one.name} ({one.image}) starts on {life.node}; nothing really runs here"
    if one.finished_at and index > _beats(life, one.finished_at):
        how = "is killed" if one.signal else f"ends with exit code {one.exit_code}"
        return one.finished_at, f"simulated: {one.name} {how}"
    return one.started_at + index * life.every, f"simulated: {one.name} has run for {index * life.every:g} s"


def _beats(life: Life, now: float) -> int:
    """How many of the regular lines there are: those before its end."""
    age = min(life.container.finished_at or NEVER, now) - life.container.started_at
    return max(0, math.ceil(age / life.every) - 1) if life.every else 0


def read(look: Callable[[], Life], wanted: LogOptions) -> Lines:
    """The lines, until the container has ended. `look` gives the container's life as it is at the time."""
    closed = threading.Event()

    def lines() -> Iterator[bytes]:
        life = look()
        count = total(life, time.time())
        index = max(0, count - (MOST_LINES if wanted.tail is None else min(wanted.tail, MOST_LINES)))
        while not closed.is_set():
            for when, text in (line(life, number) for number in range(index, count)):
                if when >= wanted.since:
                    yield f"{_moment(when)} {text}\n".encode() if wanted.timestamps else f"{text}\n".encode()
            index = max(index, count)
            if not wanted.follow or life.over:
                return
            closed.wait(_pause(life, index))
            life = look()
            count = total(life, time.time())

    return Lines(lines(), closed.set)


def _moment(when: float) -> str:
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(when))}.{int(when % 1 * 1e9):09d}Z"


def _pause(life: Life, index: int) -> float:
    """Seconds until the next line. The container may end before that, and nobody tells: look twice a second."""
    if not life.every or not index:
        return LOOK_SECONDS
    return min(LOOK_SECONDS, max(0.0, life.container.started_at + index * life.every - time.time()))
