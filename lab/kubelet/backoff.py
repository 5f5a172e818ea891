"""Back-off: how long to leave alone what keeps failing. Kubernetes' numbers: 10 s, doubling to 300 s. Pure.

The first restart of a container is immediate; only the second death within its time waits. A container that ran for
twice the longest delay has proved itself, and starts from nothing again. Source: client-go/util/flowcontrol/backoff.go
and kuberuntime_manager.doBackOff.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

STABLE_AFTER = 2  # times the longest delay


@dataclass
class Entry:
    delay: float
    grown_at: float
    until: float = 0.0
    armed_by: str = ""


class Backoff:
    """One delay per key. Times come from `clock`, a monotonic one: a stepped wall clock must not hold a pod back."""

    def __init__(self, first: float, most: float, clock: Callable[[], float] = time.monotonic):
        self.first = first
        self.most = most
        self._clock = clock
        self._entries: dict[str, Entry] = {}

    def arm(self, key: str, failure: str) -> None:
        """`failure` (an id; told twice, it counts once) has just happened: the current delay begins now."""
        entry = self._entries.get(key)
        if entry is None or entry.armed_by == failure:
            return
        if self._clock() - entry.grown_at > STABLE_AFTER * self.most:
            del self._entries[key]
            return
        entry.armed_by = failure
        entry.until = self._clock() + entry.delay

    def grow(self, key: str) -> None:
        """It is being tried again: should it fail once more, the next delay is this one doubled."""
        entry = self._entries.get(key)
        if entry is None:
            self._entries[key] = Entry(self.first, self._clock())
            return
        entry.delay = min(entry.delay * 2, self.most)
        entry.grown_at = self._clock()
        entry.until = 0.0

    def failed(self, key: str) -> None:
        """It was tried and failed at once, as a pull does: grow, and wait from now on."""
        self.grow(key)
        self._entries[key].until = self._clock() + self._entries[key].delay

    def succeeded(self, key: str) -> None:
        self._entries.pop(key, None)

    def remaining(self, key: str) -> float:
        """Seconds until it may be tried again; 0 if it may be now."""
        entry = self._entries.get(key)
        return max(0.0, entry.until - self._clock()) if entry else 0.0

    def delay(self, key: str) -> float:
        entry = self._entries.get(key)
        return entry.delay if entry else 0.0

    def forget(self, prefix: str) -> None:
        """Drop every key that starts with `prefix`: its pod is gone."""
        for key in list(self._entries):  # in one step: other pods' workers add theirs meanwhile
            if key.startswith(prefix):
                del self._entries[key]


def go_duration(seconds: float) -> str:
    """Seconds as Go prints a Duration, since Kubernetes' messages carry it: `4s`, `1m20s`, `5m0s`, `500ms`."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    text = f"{rest:g}s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text
