"""What one Visitors object has seen: totals, the last ten seconds, a point for each of the last sixty. Pure but for
the time, which the caller says: seconds of a steady clock.

`lab/visitors/__init__.py` says what the answer of `shown` means.
"""

import time
from collections import Counter, deque
from dataclasses import dataclass, field

from .latency import added, bucket, percentiles

POINTS = 60
WINDOW = 10
FAILURES = 10
MOST_PODS, MOST_VERSIONS = 200, 20  # who answered first is forgotten first
FAILED_STATUS = 500


@dataclass
class Tally:
    """Of one version in one second."""

    requests: int = 0
    errors: int = 0
    buckets: dict[int, int] = field(default_factory=dict)


@dataclass
class Second:
    number: int
    late: int = 0
    versions: dict[str, Tally] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """How one request ended. `kind` is empty, or how it failed: refused, timeout, reset, malformed, http (5xx)."""

    request_id: str
    kind: str = ""
    status: int = 0
    pod: str = ""
    version: str = ""
    milliseconds: float = 0.0
    message: str = ""


class Figures:
    def __init__(self, now: float):
        self.epoch = time.time()  # another number means another count, begun anew at zero
        self.requests = self.errors = self.late = 0
        self.statuses: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.pods: dict[str, dict] = {}
        self.versions: dict[str, dict] = {}
        self.failures: deque[dict] = deque(maxlen=FAILURES)
        self._second = Second(int(now))
        self._past: deque[Second] = deque(maxlen=WINDOW)
        self._points: deque[dict] = deque(maxlen=POINTS)

    def count(self, outcome: Outcome, now: float) -> None:
        failed = bool(outcome.kind)
        self.requests += 1
        self.errors += failed
        tally = self._at(now).versions.setdefault(outcome.version, Tally())
        tally.requests += 1
        tally.errors += failed
        if outcome.status:
            self.statuses[str(outcome.status)] += 1
            number = bucket(outcome.milliseconds)
            tally.buckets[number] = tally.buckets.get(number, 0) + 1
        if outcome.pod:
            pod = _entry(self.pods, outcome.pod, MOST_PODS)
            pod["requests"] += 1
            pod["errors"] += failed
            pod["version"] = outcome.version
        if outcome.version:
            version = _entry(self.versions, outcome.version, MOST_VERSIONS)
            version["requests"] += 1
            version["errors"] += failed
        if failed:
            self._remember(outcome)

    def count_late(self, requests: int, now: float) -> None:
        self.late += requests
        self._at(now).late += requests

    def _remember(self, outcome: Outcome) -> None:
        self.kinds[outcome.kind] += 1
        said = {"time": round(time.time(), 3), "kind": outcome.kind, "status": outcome.status, "pod": outcome.pod}
        said |= {"version": outcome.version, "requestId": outcome.request_id, "message": outcome.message}
        self.failures.append(said)

    def _at(self, now: float) -> Second:
        """The second that it is now; those before it are over."""
        number = int(now)
        if number > self._second.number:
            first = max(self._second.number, number - POINTS)
            for past in range(first, number):
                over = self._second if past == self._second.number else Second(past)
                self._past.append(over)
                self._points.append(_point(over))
            self._second = Second(number)
        return self._second

    def shown(self, now: float, in_flight: int) -> dict:
        self._at(now)
        past = self._past
        seen = {version for second in past for version in second.versions}
        recent = {version: _recent([s.versions[version] for s in past if version in s.versions]) for version in seen}
        idle = _recent([])
        return {
            "epoch": self.epoch,
            "requests": self.requests,
            "errors": self.errors,
            "late": self.late,
            "inFlight": in_flight,
            **_recent([tally for second in past for tally in second.versions.values()]),
            "statuses": dict(self.statuses),
            "failures": dict(self.kinds),
            "lastFailures": list(self.failures),
            "versions": {name: totals | recent.get(name, idle) for name, totals in self.versions.items()},
            "pods": self.pods,
            "series": self._series(now),
        }

    def _series(self, now: float) -> dict:
        columns = {name: [point[name] for point in self._points] for name in _point(Second(0))}
        return {"end": round(time.time() - (now - self._second.number)), **columns}


def _entry(entries: dict[str, dict], name: str, most: int) -> dict:
    if name not in entries:
        if len(entries) >= most:
            del entries[next(iter(entries))]
        entries[name] = {"requests": 0, "errors": 0}
    return entries[name]


def _recent(tallies: list[Tally]) -> dict:
    """Of the last seconds, of which there are WINDOW: those before the first request count too."""
    requests, errors = sum(tally.requests for tally in tallies), sum(tally.errors for tally in tallies)
    shares = {"rate": requests / WINDOW, "errorRate": round(errors / requests, 4) if requests else 0.0}
    return shares | percentiles(added(tally.buckets for tally in tallies))


def _point(second: Second) -> dict:
    tallies = second.versions.values()
    counts = {"requests": sum(tally.requests for tally in tallies), "errors": sum(tally.errors for tally in tallies)}
    return counts | {"late": second.late} | percentiles(added(tally.buckets for tally in tallies))
