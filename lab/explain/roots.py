"""What begins a thread: a person, the clock or a fault. Told from the row alone, and by who has a clock. Pure."""

from dataclasses import asdict, dataclass

from lab.store import Row

from .authors import PERSON, part_of
from .words import fault_words, told

BY_PERSON, BY_CLOCK, BY_FAULT = "person", "clock", "fault"
FORGOTTEN = "forgotten"  # what caused it is no longer kept, so nobody can say
LOST = "lost"  # what caused it was not noted: whoever wrote it acts only when something has happened


@dataclass(frozen=True)
class Root:
    """`time`: epoch seconds of its row; a fault itself came before that."""

    kind: str
    author: str
    text: str
    time: float
    revision: int

    as_dict = asdict


def root(row: Row, within: str = "") -> Root:
    """What the thread begins with whose oldest row this is; `within` is as of `told`."""
    return Root(*_kind_and_text(row, within), row.time, row.revision)


def _kind_and_text(row: Row, within: str) -> tuple[str, str, str]:
    if row.cause:
        return FORGOTTEN, row.author, f"revision {row.cause} led to it, and is no longer kept"
    if part_of(row.author) is PERSON:
        return BY_PERSON, row.author, told(row, within)
    if fault := (row.why or {}).get("fault"):
        return BY_FAULT, row.author, fault_words(fault)
    if not part_of(row.author).clock:
        return LOST, row.author, f"nobody noted what led to it: {told(row, within)}"
    return BY_CLOCK, row.author, f"the time had come: {told(row, within)}"
