"""The heart of an agent: its hold, and its nodes' heartbeats, in a thread of their own.

Both must be on time however much else there is to do, or another agent takes over, and thousands of nodes are taken
for dead in the middle of starting thousands of pods. (Kubernetes' API server keeps a lane free for Leases.)
"""

import logging
import threading
import time
from collections.abc import Callable

from django.db import Error as DatabaseError
from django.db import close_old_connections, connections

from lab.apimachinery.errors import ApiError
from lab.client import Lock, LostFence, UnknownCluster

log = logging.getLogger(__name__)
LOCK_SECONDS = 6.0  # shorter than a node may be silent: a kubelet that was killed is replaced before its nodes are lost
RENEW_SECONDS = 1.5
STEP_SECONDS = 0.5


class Heart:
    """`beat` writes the heartbeats, each `beat_seconds`; `give_up` is told when somebody else has the hold."""

    def __init__(self, runtime: str, beat: Callable[[], None], beat_seconds: float, give_up: Callable[[str], None]):
        self.lock = Lock(f"kubelet/{runtime}", LOCK_SECONDS)
        self._beat = beat
        self._beat_seconds = beat_seconds
        self._give_up = give_up
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"{runtime}-heart", daemon=True)

    def start(self) -> None:
        """Called by who has taken the lock."""
        self._thread.start()

    def stop(self) -> None:
        """And give the lock back, so that the next agent need not wait for it to run out."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5)
        self.lock.release()

    def _run(self) -> None:
        renew = beat = 0.0
        while not self._stopping.is_set():
            now = time.monotonic()
            try:
                if now >= renew:
                    close_old_connections()
                    if not self.lock.acquire():
                        raise LostFence(self.lock.name)
                    renew = now + RENEW_SECONDS
                if now >= beat:
                    self._beat()
                    beat = now + self._beat_seconds
            except LostFence:
                self._give_up("another one has taken its place")
                break
            except (DatabaseError, ApiError, UnknownCluster) as error:
                log.warning("%s: a heartbeat is late: %s", self.lock.name, error)
            self._stopping.wait(STEP_SECONDS)
        connections.close_all()
