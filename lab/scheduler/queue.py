"""Which waiting pods are tried when: kube-scheduler's scheduling queue, as far as a batch needs one.

A new pod is tried at once (it is in the activeQ, in Kubernetes). One that fitted nowhere is among the unschedulable
pods until something has changed that may help it, and then in the backoffQ until its back-off is over, which doubles
with each try: or a crowd of pods that cannot be helped would be considered again after every change of the cluster.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass

FLUSH_SECONDS = 300.0  # even if nothing seems to help: Kubernetes' podMaxInUnschedulablePodsDuration


@dataclass(slots=True)
class Waiting:
    """A pod that fitted nowhere: unschedulable, or, if `hopeful`, in the backoffQ."""

    tries: int
    until: float  # end of its back-off, on the monotonic clock
    hopeful: bool = False  # something has changed since it was tried
    reason: int = 0  # the revision that it was; 0: not known


class SchedulingQueue:
    """The pods that were tried and fitted nowhere; every other one that waits is active. It may be lost: then each is
    tried once more."""

    def __init__(self, first: float, most: float):
        """`first`, `most`: seconds of back-off after the first try, and at most."""
        self.first = first
        self.most = most
        self._waiting: dict[str, Waiting] = {}

    def due(self, pending: Iterable[str], named: set[str], helped: int | None) -> list[str]:
        """Of the `pending` pods those to try now: the named ones, and, if something has happened that may help any
        (`helped`: the revision, or 0), all whose back-off is over."""
        self._waiting = {key: self._waiting[key] for key in pending if key in self._waiting}
        now = time.monotonic()
        due = []
        for key in pending:
            waiting = self._waiting.get(key)
            if key in named or (helped is not None and (waiting is None or waiting.until <= now)):
                due.append(key)
            elif helped is not None and waiting:
                waiting.hopeful, waiting.reason = True, helped or waiting.reason
        return due

    def reason(self, key: str) -> int:
        """The revision that made the pod hopeful, if one is known."""
        return self._waiting[key].reason if key in self._waiting else 0

    def failed(self, key: str) -> None:
        """The pod was tried, and fits nowhere."""
        before = self._waiting.get(key)
        tries = before.tries + 1 if before else 1
        backoff = min(self.first * 2 ** min(tries - 1, 16), self.most)
        self._waiting[key] = Waiting(tries, time.monotonic() + backoff)

    def forget(self, keys: Iterable[str]) -> None:
        """These have a node as good as theirs, or will be told of by somebody else: the clock need not wake them."""
        for key in keys:
            self._waiting.pop(key, None)

    def hope(self, keys: Iterable[str]) -> None:
        """Something has happened that may help these: they are tried once more when their back-off is over."""
        for key in keys:
            if key in self._waiting:
                self._waiting[key].hopeful = True

    def next_try(self) -> float | None:
        """Seconds until a pod should be tried again though nothing more happens; None if none waits."""
        if not self._waiting:
            return None
        ends = [waiting.until for waiting in self._waiting.values() if waiting.hopeful]
        return max(min(ends) - time.monotonic(), 0.0) if ends else FLUSH_SECONDS
