"""Who lives in a worker and acts alone: of however many workers there are, the one that has the hold.

As a kubelet does: hints wake it, a hold lets one act, and what it does may be done twice.
"""

import logging
import threading

from django.db import Error as DatabaseError
from django.db import close_old_connections, connections

from lab.apimachinery.errors import ApiError
from lab.store import Change, LostFence, UnknownCluster, View

from .following import Follower
from .locks import Lock

log = logging.getLogger(__name__)
LOCK_SECONDS = 6.0
AGAIN_SECONDS = 1.0  # after a round that failed
COALESCE_SECONDS = 0.05  # what comes at once is looked at at once


class Standby:
    """`start()` and `stop()`. What it is for says `turn`, and `wants`, what of the log shall wake it."""

    def __init__(self, name: str):
        self.name = name
        self.lock = Lock(name, LOCK_SECONDS)
        self._stopping, self._woken = threading.Event(), threading.Event()
        self._follower = Follower(name, self.wants, self.hear)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def wants(self, change: Change) -> bool:
        """Whether it has to look because of a change. Quick and pure; asked in another thread."""
        raise NotImplementedError

    def hear(self, view: View) -> None:
        """There is news of a cluster; called in another thread."""
        self._woken.set()

    def turn(self) -> float:
        """One round; seconds until the next. Nothing is done without `lock`, which it takes and gives back itself."""
        raise NotImplementedError

    def start(self) -> None:
        self._thread.start()
        self._follower.start()

    def stop(self) -> None:
        """Another one may take over at once."""
        self._follower.stop()
        self._stopping.set()
        self._woken.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stopping.is_set():
            wait = AGAIN_SECONDS
            try:
                close_old_connections()
                wait = self.turn()
            except (DatabaseError, ApiError, UnknownCluster, LostFence) as error:
                log.warning("%s: %s", self.name, error)
            except Exception:  # one failure, whatever it is, must not end all that comes after it
                log.exception("%s stumbles", self.name)
            self._woken.wait(wait)
            self._woken.clear()
            self._stopping.wait(COALESCE_SECONDS)
        self.lock.release()
        connections.close_all()
