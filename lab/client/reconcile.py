"""The loop that every controller turns: read what changed → which keys that concerns → sync each key.

Level-triggered: `sync` is told only *which* object, never what happened to it; it looks at what is there and at what
should be, and takes one step. So a change seen twice, late, or together with ten others ends in the same state.
This is controller-runtime's idea; its work queue is here the log itself, a cursor over it, and a table of keys to
see again later. Any worker may take a turn; the hold on the cursor sees to it that they take turns.
"""

import contextlib
import itertools
import logging
import time
from collections.abc import Iterable
from weakref import WeakKeyDictionary

from django.db import InterfaceError, OperationalError, transaction

from lab import metrics
from lab.apimachinery.errors import ApiError
from lab.apimachinery.wheels import BROKEN, PAUSED, Wheel
from lab.store import Change, LostFence, View, view

from . import requeue
from .client import Client
from .cursors import cursor_name, move, place_of, positions_of, skip, whole_turn
from .election import is_led
from .locks import Lock, keeping
from .requeue import Failure, Unseen
from .wheels import allowed, is_turned, note_steps, wheel_of

log = logging.getLogger(__name__)
AWAY = (OperationalError, InterfaceError)  # the database is locked, full or gone: no key's fault, the turn is over
TRIES = 3  # of a sync that met somebody else's write: it has only to look again, not to wait
# After so long the keys that are left wait for the next turn, and the turns that are left for the next task: tasks
# stay far shorter than the time after which they would be delivered again, and a long list of keys is no lump.
TURN_SECONDS = 5.0
TASK_SECONDS = 20.0
# Of the loops of each cluster, up to where `behind` has looked and found nothing: so it reads no change twice.
_nothing_until: WeakKeyDictionary[View, dict[str, int]] = WeakKeyDictionary()


class Controller:
    """One control loop. Subclasses say what they watch, which keys a change concerns, and how to converge a key."""

    name = ""
    author = ""  # who the log says wrote it: `<name>-controller`, unless the subclass says otherwise
    watches: tuple[str, ...] = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "name" in vars(cls) and "author" not in vars(cls):
            cls.author = f"{cls.name}-controller"

    def keys(self, change: Change) -> Iterable[str]:
        """The keys that a change concerns. Quick and pure: it is asked about every change, in every process."""
        raise NotImplementedError

    def all_keys(self, client: Client) -> Iterable[str]:
        """Every key there is: after a start, or when the log no longer reaches back to the cursor."""
        raise NotImplementedError

    def standing(self, client: Client, key: str) -> int:
        """What makes a key due though nothing is known to have changed: the object as it stands, where it is one."""
        return 0

    def sync(self, client: Client, key: str) -> float | None:
        """Take one step towards what `key` should be; the seconds after which to look again though nothing changes."""
        raise NotImplementedError

    def sync_all(self, client: Client, causes: dict[str, int]) -> dict[str, float | None]:
        """Sync each key (with the revision that made it due); those that fail are requeued with growing delay."""
        delays: dict[str, float | None] = {}
        enough = time.monotonic() + TURN_SECONDS
        for key, cause in causes.items():
            if delays and (time.monotonic() > enough or wheel_of(client.view(), self.name).mode == PAUSED):
                delays[key] = Unseen()
                continue
            try:
                delays[key] = self._sync_against_others(client.caused_by(cause), key)
            except (LostFence, *AWAY):
                raise
            except Exception as error:  # one key's failure, whatever it is, must not stop the others
                delays[key] = failed(self, client, key, error)
        return delays

    def singly(self, client: Client, causes: dict[str, int]) -> dict[str, int]:
        """The same keys where each is one thing to do: asked if the loop's wheel takes no more than some of them."""
        return causes

    def _sync_against_others(self, client: Client, key: str) -> float | None:
        """`sync`, again at once if what it had read was changed meanwhile."""
        for _ in range(TRIES - 1):
            try:
                return self.sync(client, key)
            except ApiError as error:
                if error.code != 409:
                    raise
        return self.sync(client, key)

    def wants(self, change: Change) -> bool:
        return is_turned(change, self.name) or bool(self.concerned(change))

    def concerned(self, change: Change) -> list[str]:
        """The keys that a change concerns; none of one that cannot be read: it must not keep the loop from the rest."""
        if change.resource not in self.watches:
            return []
        try:
            return list(self.keys(change))
        except Exception:
            log.exception("%s cannot read revision %d of %s", self.name, change.revision, change.resource)
            return []


def failed(controller: Controller, client: Client, key: str, error: Exception) -> Failure:
    """Say why a key's sync failed, in the words that fit; a Failure to return from `sync_all` as its delay."""
    if isinstance(error, ApiError):
        log.info("%s %s: %s", controller.name, key, error.message)
        return Failure(error.message)
    log.error("%s %s in %s failed", controller.name, key, client.cluster, exc_info=error)
    return Failure(f"{type(error).__name__}: {error}")


def catch_up(cluster: str, controller: Controller) -> int:
    """Bring one controller of one cluster up to date with the log; how many keys it synced.

    Returns at once if there is nothing to do, or if another worker is at it: that worker looks again before it stops.
    """
    synced, turn = 0, -1
    enough = time.monotonic() + TASK_SECONDS
    while turn and time.monotonic() < enough:
        with contextlib.suppress(LostFence):  # somebody else has had this turn; what it has left is seen in the next
            synced += (turn := _turn(cluster, controller))
    return synced


def _turn(cluster: str, controller: Controller) -> int:
    """How many keys it has seen to; 0 if none is due, or if somebody is at it. Raises LostFence if somebody was."""
    state = view(cluster)
    name, wheel = cursor_name(state, controller.name), wheel_of(state, controller.name)
    most = allowed(wheel, name)
    if most == 0 or not is_led(state, controller.name):
        return 0  # what there is to do waits in the log
    head = state.revision  # before anything is looked at: the view grows under us, and what came later was not seen
    place = place_of(name)
    if place.is_held:
        return 0  # who holds it looks again before they stop
    causes = _causes(state, controller, place.revision)
    if not causes:
        return 0
    with keeping(Lock(name, turn=place.free_turn)) as lock:
        if not lock:
            return 0  # another thread is at it, and looks again, too
        began = time.monotonic()
        client = Client(cluster, controller.author, fence=lock.fence)
        with whole_turn(lock):
            if most is not None:
                folded, causes = causes, controller.singly(client, causes)
                delays = dict.fromkeys(folded) | _some(controller, client, causes, wheel, most)
            else:
                delays = _sync(controller, client, causes, wheel)
            _finish(state, controller, lock, max(head, place.revision), delays, causes)
    failures = sum(isinstance(delay, Failure) for delay in delays.values())
    seen = sum(not isinstance(delays.get(key), Unseen) for key in causes)  # the others wait for the next turn
    metrics.turned(cluster, controller.name, time.monotonic() - began, seen, failures)
    return seen


def _some(
    controller: Controller, client: Client, causes: dict[str, int], wheel: Wheel, most: int
) -> dict[str, float | None]:
    """Sync no more than `most` keys; the others wait as they did."""
    taken = dict(itertools.islice(causes.items(), most))
    delays = _sync(controller, client, taken, wheel)
    note_steps(client, wheel, list(taken))
    return {key: Unseen() for key in causes if key not in taken} | delays


def _sync(controller: Controller, client: Client, causes: dict[str, int], wheel: Wheel) -> dict[str, float | None]:
    if wheel.mode == BROKEN:
        return dict.fromkeys(causes, Failure(wheel.fault))
    try:
        return controller.sync_all(client, causes)
    except (LostFence, *AWAY):
        raise
    except Exception as error:  # of one that works in batches: all of the batch is tried again, later and later
        return {key: failed(controller, client, key, error) for key in causes}


def _causes(state: View, controller: Controller, position: int) -> dict[str, int]:
    """key → the revision that makes it due: from the log since the cursor, and from the keys whose time has come."""
    return requeue.due(state, controller.name) | news(state, controller, position)


def news(state: View, controller: Controller, position: int) -> dict[str, int]:
    """key → the revision that makes it due, from the log since the cursor; 0 where the log no longer says."""
    changes = state.changes_since(position) if position else None
    if changes is None:
        client = Client(state.name, controller.author)
        return {key: controller.standing(client, key) for key in controller.all_keys(client)}
    failing: dict[str, int] = {}
    if any(is_turned(change, controller.name) for change in changes):
        # What failed may do so no more: it need not wait for the end of its back-off.
        failing = dict(requeue.of(state, controller.name).filter(failures__gt=0).values_list("key", "cause"))
    return failing | {key: change.revision for change in changes for key in controller.concerned(change)}


def _finish(
    state: View,
    controller: Controller,
    lock: Lock,
    head: int,
    delays: dict[str, float | None],
    causes: dict[str, int],
) -> None:  # fmt: skip
    """Move the cursor, give the hold back and note the keys that want to be seen again: all of it or nothing."""
    with transaction.atomic():
        move(lock, head)
        requeue.renew(state, controller.name, delays, causes)


def behind(cluster: str, controllers: Iterable[Controller]) -> list[str]:
    """The controllers that have something to do: what the tick pokes, in case a hint was lost."""
    state = view(cluster)
    head = state.revision  # before anything is looked at: the view grows under us, and what came later was not seen
    due = requeue.loops_due(state)
    names = {cursor_name(state, c.name): c for c in controllers if is_led(state, c.name)}
    names = {name: c for name, c in names.items() if allowed(wheel_of(state, c.name), name) != 0}
    positions = positions_of(list(names))
    seen = _nothing_until.setdefault(state, {})
    starts = {name: max(position, seen.get(name, 0)) if position else 0 for name, position in positions.items()}
    late = {name for name, c in names.items() if c.name in due or news(state, c, starts.get(name, 0))}
    seen |= {name: head for name in positions.keys() - late}
    skip({name: positions.get(name, 0) for name in names.keys() - late}, head)
    return [names[name].name for name in late]
