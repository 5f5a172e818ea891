"""The tutor: sets the stage of each step that is begun, judges its checks as the log grows, keeps what was reached.

It stands outside the cluster, as a teacher beside a machine: it lives in the worker and not among the controllers, so
it goes on while the cluster's control plane is down or its loops are stopped. Whatever it knows is in the Lesson and in
the log; another one may take over at any moment.
"""

import contextlib
import logging
import time
from operator import itemgetter

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import LESSONS
from lab.client import Change, Client, LostFence, Standby, UnknownCluster, View

from . import progress
from .performance import Performance

log = logging.getLogger(__name__)
NAME = "tutor"
TICK_SECONDS = 0.5  # while something is looked at that no change of the log tells
LOOK_SECONDS = 5.0  # only a backstop: of a change the follower says
RENEW_SECONDS = 1.5  # of the hold, which is a write: far less than it lasts


class Tutor(Standby):
    """A class of sixty plays at once: a turn is of those clusters alone that have news, or whose time has come."""

    def __init__(self) -> None:
        super().__init__(NAME)
        self._playing: dict[tuple[str, str], Performance] = {}  # (cluster, lesson's uid) → what is played there
        self._news: set[str] = set()  # the clusters to look at since something was written there
        self._due: dict[str, float] = {}  # cluster → when to look at it though nothing was written
        self._renewed = -RENEW_SECONDS  # when the hold was, by the steady clock

    def wants(self, change: Change) -> bool:
        """Lessons; and where one is played, everything that somebody else wrote."""
        return change.author != NAME and (change.resource == LESSONS.resource or bool(self._playing))

    def hear(self, view: View) -> None:
        self._news.add(view.name)
        super().hear(view)

    def turn(self) -> float:
        """News before what only time brings; none waits for more than one look at another cluster."""
        for _ in range(len(self._news)):
            self._look(self._news.pop())
        for cluster, due in sorted(self._due.items(), key=itemgetter(1)):
            if self._news or due > time.monotonic():
                break
            self._look(cluster)
        if self._news:
            return 0.0
        return max(0.0, min(self._due.values(), default=time.monotonic() + LOOK_SECONDS) - time.monotonic())

    def _look(self, cluster: str) -> None:
        """At all lessons that are played in a cluster."""
        self._due[cluster] = time.monotonic()  # where this fails, it is done again
        try:
            active = self._active(cluster)
        except (ApiError, UnknownCluster) as error:
            if isinstance(error, ApiError) and error.code != 404:
                raise
            active = []  # the cluster is gone, and its lessons with it
        keys = {(cluster, obj["metadata"]["uid"]) for obj in active}
        self._playing = {key: one for key, one in self._playing.items() if key[0] != cluster or key in keys}
        if not active:
            del self._due[cluster]
        elif self._has_hold():
            self._due[cluster] = min(self._turn(cluster, obj) for obj in active) + time.monotonic()
        else:
            self._playing.clear()  # whoever has it goes on from what the log says
            self._due[cluster] += LOOK_SECONDS

    def _has_hold(self) -> bool:
        now = time.monotonic()
        if now - self._renewed >= RENEW_SECONDS:
            if not self.lock.acquire():
                return False
            self._renewed = now
        return True

    def _active(self, cluster: str) -> list[dict]:
        """The lessons of a cluster that are not over: one whose step is passed waits for its learner."""
        found = Client(cluster, NAME).list(LESSONS)
        return [obj for obj in found if not obj["spec"].get("paused") and (progress.begins(obj) or is_under_way(obj))]

    def _turn(self, cluster: str, obj: dict) -> float:
        key = (cluster, obj["metadata"]["uid"])
        if key not in self._playing:
            self._playing[key] = Performance(Client(cluster, NAME, fence=self.lock.fence, hardware=True))
        try:
            return self._playing[key].turn(obj)
        except LostFence:
            self._renewed = -RENEW_SECONDS
            raise
        except ApiError as error:
            if error.code != 409:
                log.warning("%s in %s: %s", obj["metadata"]["name"], cluster, error.message)
                with contextlib.suppress(ApiError):  # somebody was faster, and the next turn says it
                    self._playing[key].trouble(obj, error.message)
            return TICK_SECONDS


def is_under_way(obj: dict) -> bool:
    return obj.get("status", {}).get("phase") not in (progress.DONE, progress.ERROR)
