"""How long something has been as it is, by this process's own steady clock.

A heartbeat is a time written by another machine. Comparing it with the clock here would declare healthy nodes dead
whenever the two clocks differ, or one of them is set back. So, as in Kubernetes, what counts is when *we* last saw it
change. A restarted process begins to count anew, which errs on the side of patience.
"""

import time
from collections.abc import Callable, Hashable, Iterable


class Stopwatch:
    """For each key: since when it has the value that was last seen. Forgets keys when told who is left."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._seen: dict[Hashable, tuple[object, float]] = {}

    def seconds(self, key: Hashable, value: object) -> float:
        """How long `key` has been seen with this `value`; 0 if it is seen so for the first time."""
        now = self._clock()
        before = self._seen.get(key)
        if before is None or before[0] != value:
            self._seen[key] = (value, now)
            return 0.0
        return now - before[1]

    def keep(self, keys: Iterable[Hashable], group: Callable[[Hashable], bool] = lambda key: True) -> None:
        """Forget those of a group that are not among `keys`."""
        left = set(keys)
        for key in [key for key in list(self._seen) if group(key) and key not in left]:
            self._seen.pop(key, None)
