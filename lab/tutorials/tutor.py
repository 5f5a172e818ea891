"""The tutor: sets the stage of each step that is begun, judges its checks as the log grows, keeps what was reached.

It stands outside the cluster, as a teacher beside a machine: it lives in the worker and not among the controllers, so
it goes on while the cluster's control plane is down or its loops are stopped. Whatever it knows is in the Lesson and in
the log; another one may take over at any moment.
"""

import contextlib
import logging

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import LESSONS
from lab.client import Change, Client, Standby, cluster_names

from . import progress
from .performance import Performance

log = logging.getLogger(__name__)
NAME = "tutor"
TICK_SECONDS = 0.5  # while something is looked at that no change of the log tells
LOOK_SECONDS = 5.0  # only a backstop: of a change the follower says


class Tutor(Standby):
    def __init__(self) -> None:
        super().__init__(NAME)
        self._playing: dict[tuple[str, str], Performance] = {}  # (cluster, lesson's uid) → what is played there

    def wants(self, change: Change) -> bool:
        """Lessons; and where one is played, everything that somebody else wrote."""
        return change.author != NAME and (change.resource == LESSONS.resource or bool(self._playing))

    def turn(self) -> float:
        """One look at all lessons that are played."""
        active = [(cluster, obj) for cluster in cluster_names() for obj in self._active(cluster)]
        if not active or not self.lock.acquire():
            self._playing.clear()  # whoever has it goes on from what the log says
            return LOOK_SECONDS
        keys = {(cluster, obj["metadata"]["uid"]) for cluster, obj in active}
        self._playing = {key: one for key, one in self._playing.items() if key in keys}
        return min(self._turn(cluster, obj) for cluster, obj in active)

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
        except ApiError as error:
            if error.code != 409:
                log.warning("%s in %s: %s", obj["metadata"]["name"], cluster, error.message)
                with contextlib.suppress(ApiError):  # somebody was faster, and the next turn says it
                    self._playing[key].trouble(obj, error.message)
            return TICK_SECONDS


def is_under_way(obj: dict) -> bool:
    return obj.get("status", {}).get("phase") not in (progress.DONE, progress.ERROR)
