"""What a loop has before it: the keys that the log makes due, and those that it wants to see again."""

from typing import NamedTuple

from lab.store import View

from . import requeue
from .cursors import cursor_name, place_of
from .reconcile import Controller, news

LOOPS: dict[str, Controller] = {}  # every process knows every loop: `lab.tasks.subscribe_all`


class Ahead(NamedTuple):
    """One key. `due` is in seconds since the epoch, 0 for what the log makes due now; `cause` the revision that it is
    due to, 0 where it is the clock; after `failures` in a row, the last one with `error`."""

    key: str
    cause: int = 0
    due: float = 0.0
    failures: int = 0
    error: str = ""


def ahead(view: View, loop: str) -> list[Ahead]:
    """The keys of a loop, those that are due now first."""
    rows = requeue.of(view, loop).values_list("key", "cause", "due", "failures", "error")
    found = {row[0]: Ahead(*row) for row in rows}
    controller = LOOPS[loop]
    position = place_of(cursor_name(view, loop)).revision
    for key, cause in news(view, controller, position).items():
        found[key] = found.get(key, Ahead(key))._replace(cause=cause, due=0.0)
    return sorted(found.values(), key=lambda one: one.due)
