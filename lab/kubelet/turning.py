"""Whether a node's kubelet may sync a pod now: its wheel (`lab.apimachinery.wheels`). Only memory."""

import threading
import time

from lab.apimachinery.wheels import BROKEN, PAUSED, RUNNING, SLOW, STEP, Wheel

WAITS = -1e9  # has rested for long


class Turning:
    """The wheel of one node's kubelet, and the pods that wait for it. Any worker may ask."""

    def __init__(self) -> None:
        self.wheel = Wheel("")
        self._lock = threading.Lock()
        self._waiting: dict[str, None] = {}  # uids, in the order in which they came
        self._taken = 0
        self._turned = WAITS

    def put(self, wheel: Wheel) -> list[str]:
        """As it is declared now. The pods that waited, if that is news to them."""
        with self._lock:
            old, self.wheel = self.wheel, wheel
            self._taken = max(self._taken, wheel.taken)
            if (old.mode, old.steps, old.seconds) == (wheel.mode, wheel.steps, wheel.seconds):
                return []
            waiting, self._waiting = list(self._waiting), {}
            return waiting

    @property
    def paused(self) -> bool:
        return self.wheel.mode == PAUSED

    def takes(self, uid: str) -> bool:
        """Whether this pod is synced now; if not, it is noted that it waits."""
        if self.wheel.mode == RUNNING:
            return True
        with self._lock:
            if self._allowed():
                self._turned = time.monotonic()
                self._taken += self.wheel.mode == STEP
                self._waiting.pop(uid, None)
                return True
            self._waiting[uid] = None
            return False

    def _allowed(self) -> bool:
        if self.wheel.mode == STEP:
            return self._taken < self.wheel.steps
        return self.wheel.mode != BROKEN and self.wheel.allows(time.monotonic() - self._turned) != 0

    @property
    def rest(self) -> float | None:
        """Seconds after which one that waits may ask again; None: it is told."""
        if self.wheel.mode != SLOW:
            return None
        return max(0.05, self._turned + self.wheel.seconds - time.monotonic())
