"""Listing the engine, shared: many pods want to be looked at, one call answers them all."""

import threading
from collections import defaultdict

from lab.runtime import Runtime, Sandbox, Simulation


class Lister:
    """`fresh()` gives a list that was begun after the call; threads that wait for the same one share it.

    A simulation has it all in memory and is asked for each pod alone: of ten thousand, a list would be the dearest.
    """

    def __init__(self, runtime: Runtime):
        self._runtime = runtime
        self._simulation = runtime if isinstance(runtime, Simulation) else None
        self._changed = threading.Condition()
        self._begun = self._done = 0
        self._busy = False
        self._result: dict[str, list[Sandbox]] = {}

    def fresh_of(self, uid: str) -> list[Sandbox]:
        """The pod's sandboxes, newest first. Raises RuntimeFailure."""
        return self._simulation.list_pod(uid) if self._simulation else self.fresh().get(uid, [])

    def fresh(self) -> dict[str, list[Sandbox]]:
        """Pod's uid → its sandboxes, newest first. Raises RuntimeFailure."""
        with self._changed:
            wanted = self._begun + 1
            while self._done < wanted:
                if self._busy:
                    self._changed.wait()
                else:
                    self._list()
            return self._result

    def _list(self) -> None:
        """Called with the lock held, which is given up while the engine answers."""
        self._busy = True
        self._begun = mine = self._begun + 1
        self._changed.release()
        try:
            found = by_uid(self._runtime.list_pods())
        finally:
            self._changed.acquire()
            self._busy = False
            self._changed.notify_all()
        self._result, self._done = found, mine


def by_uid(sandboxes: list[Sandbox]) -> dict[str, list[Sandbox]]:
    found: dict[str, list[Sandbox]] = defaultdict(list)
    for sandbox in sorted(sandboxes, key=lambda sandbox: (not sandbox.ready, -sandbox.created_at)):
        found[sandbox.uid].append(sandbox)
    return dict(found)
