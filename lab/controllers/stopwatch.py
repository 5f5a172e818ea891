"""How long something has been as it is, by this process's own steady clock.

A heartbeat is a time written by another machine. Comparing it with the clock here would declare healthy nodes dead
whenever the two clocks differ, or one of them is set back. So, as in Kubernetes, what counts is when *we* last saw it
change. A restarted process begins to count anew, which errs on the side of patience.
"""

import math
import time
from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class Stopwatch(Generic[Key]):
    """For each key: for how long it has had the value that was last seen. Forgets keys when told who is left.

    `longest_look`: so many seconds count at most between one look and the next. Who looks each second, and then not for
    a minute, has not seen a minute of silence.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, longest_look: float = math.inf):
        self._clock = clock
        self._longest_look = longest_look
        self._seen: dict[Key, tuple[object, float, float]] = {}  # value, seconds so far, time of the last look

    def seconds(self, key: Key, value: object) -> float:
        """How long `key` has been seen with this `value`; 0 if it is seen so for the first time."""
        now = self._clock()
        known, so_far, looked = self._seen.get(key, (None, 0.0, now))
        if key not in self._seen or known != value:
            so_far, looked = 0.0, now
        so_far += min(now - looked, self._longest_look)
        self._seen[key] = (value, so_far, now)
        return so_far

    def keep(self, keys: Iterable[Key], group: Callable[[Key], bool] = lambda key: True) -> None:
        """Forget those of a group that are not among `keys`."""
        left = set(keys)
        for key in [key for key in list(self._seen) if group(key) and key not in left]:
            self._seen.pop(key, None)
