"""How much one may ask for in a while: a bucket that fills by itself, and is emptied by what is asked.

Kubernetes' API priority and fairness shares out seats among flows (k8s.io/apiserver/pkg/util/flowcontrol); here each
stranger has a bucket of their own, so that one cannot take what the others need.
"""

import math
import threading
import time
from collections.abc import Callable

from lab.apimachinery.errors import ApiError, Cause, too_many_requests

MOST_KNOWN = 4096


class Allowance:
    """`a_second` units come in a second, and no more than `at_once` are kept."""

    def __init__(self, a_second: float, at_once: float, clock: Callable[[], float] = time.monotonic):
        self._a_second = a_second
        self._at_once = at_once
        self._clock = clock
        self._left: dict[str, tuple[float, float]] = {}  # whose → (how much is left, when that was)
        self._lock = threading.Lock()

    def wait(self, whose: str, cost: float = 1.0) -> float:
        """Take so much; 0. Or take nothing: the seconds after which there will be enough, as far as there ever is."""
        with self._lock:
            now = self._clock()
            left, since = self._left.get(whose, (self._at_once, now))
            left, cost = min(self._at_once, left + (now - since) * self._a_second), min(cost, self._at_once)
            if left < cost:
                return (cost - left) / self._a_second
            if len(self._left) >= MOST_KNOWN:
                self._forget(now)
            self._left[whose] = left - cost, now
            return 0.0

    def _forget(self, now: float) -> None:
        """Whose buckets are full again needs no note."""
        full = self._at_once / self._a_second
        self._left = {whose: (left, at) for whose, (left, at) in self._left.items() if now - at < full}


def too_fast(seconds: float) -> ApiError:
    again = max(1, math.ceil(seconds))
    why = f"this cluster asks for more than its share; try again in {again} s"
    return too_many_requests(f"too many requests: {why}", Cause("", why, "RateLimited"), again)
