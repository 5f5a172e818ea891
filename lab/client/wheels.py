"""Asking the wheels whether a loop may turn now. `lab.apimachinery.wheels` says what they mean."""

import time

from lab.apimachinery import wheels
from lab.apimachinery.kinds import WHEELS
from lab.apimachinery.wheels import Wheel
from lab.models import Cursor
from lab.store import Change, View

from .client import Client


def wheel_of(view: View, name: str) -> Wheel:
    """How the loop `name` turns, as far as the view has read."""
    return wheels.read(name, view.get(WHEELS.resource, "", name))


def allowed(wheel: Wheel, cursor: str) -> int | None:
    """How many keys a loop may take now; None: all there are. `cursor` names the row that says when it last turned."""
    if wheel.mode != wheels.SLOW:
        return wheel.allows(0.0)
    last = Cursor.objects.filter(name=cursor).values_list("held_since", flat=True).first()
    return wheel.allows(time.time() - (last or 0.0))


def is_turned(change: Change, name: str) -> bool:
    """Whether somebody has just changed how the loop `name` turns."""
    if change.resource != WHEELS.resource or change.name != name:
        return False
    return change.old is None or change.deleted or change.old["spec"] != change.object["spec"]


def note_steps(client: Client, wheel: Wheel, keys: list[str]) -> None:
    """Write down which keys a wheel that is stepped has taken: because of who asked for it."""
    obj = client.find(WHEELS, "", wheel.name)
    if obj and wheel.mode == wheels.STEP and keys:
        taken = obj.get("status", {}).get("taken", 0) + len(keys)
        because = client.caused_by(int(obj["metadata"]["resourceVersion"]))
        because.patch(WHEELS, "", wheel.name, {"status": {"taken": taken, "last": keys[-1]}}, subresource="status")
