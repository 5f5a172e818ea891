"""A thread of this process that is told what happens to objects of some kind, as by one of client-go's informers."""

import logging
import threading
import time
from collections.abc import Callable

import redis
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connections

from lab.store import Change, UnknownCluster, View, heads, hints, view

log = logging.getLogger(__name__)


class Follower:
    """Reads the log of each cluster as it grows, and calls `act` when there was a change that `wants`: first when it
    begins, and whenever it may have missed something. `wants` looks at one change and must be quick and pure."""

    def __init__(self, name: str, wants: Callable[[Change], bool], act: Callable[[View], None]):
        self._wants = wants
        self._act = act
        self._read: dict[str, tuple[str, int]] = {}  # cluster → its uid, and how far its log has been read
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"{name}-follower", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """It may still act once, within a second."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=None) as client:
                    pubsub = client.pubsub(ignore_subscribe_messages=True)
                    pubsub.subscribe(hints.CHANNEL)
                    self._follow(pubsub)
            except (redis.RedisError, OSError):
                self._look_everywhere()
                self._stopping.wait(hints.FALLBACK_SECONDS)
        connections.close_all()

    def _follow(self, pubsub: redis.client.PubSub) -> None:
        """Look where there is news, and everywhere once a second: hints may be lost."""
        due = 0.0
        while not self._stopping.is_set():
            if time.monotonic() >= due:
                due = time.monotonic() + hints.FALLBACK_SECONDS
                self._look_everywhere()
            for cluster in _grown(pubsub, max(0.0, due - time.monotonic())):
                self._look(cluster)

    def _look_everywhere(self) -> None:
        """At least where more was written than has been read, or where nothing is any more."""
        try:
            clusters = heads()
        except DatabaseError as error:
            log.info("no log can be read: %s", error)
            connections.close_all()  # a new connection may do better; one that works is kept, for it costs time to make
            return
        for cluster in {**self._read, **clusters}:
            if self._read.get(cluster) != clusters.get(cluster):
                self._look(cluster)
        self._read = {cluster: read for cluster, read in self._read.items() if cluster in clusters}

    def _look(self, cluster: str) -> None:
        try:
            state = view(cluster)
            head, (uid, cursor) = state.revision, self._read.get(cluster, ("", 0))
            changes = state.changes_since(cursor) if uid == state.uid else None
            if changes is None or any(self._wants(change) for change in changes):
                self._act(state)
        except (DatabaseError, UnknownCluster) as error:
            log.info("the log of %s is read later: %s", cluster, error)
            return
        except Exception:  # what cannot be acted on must not make us deaf to what comes after it
            log.exception("%s cannot act on the log of %s", self._thread.name, cluster)
        self._read[cluster] = (state.uid, head)


def _grown(pubsub: redis.client.PubSub, seconds: float) -> set[str]:
    """The clusters of which there is news; waits for some."""
    clusters, message = set(), pubsub.get_message(timeout=seconds)
    while message:
        clusters.add(message["data"].decode().partition(" ")[0])
        message = pubsub.get_message()
    return clusters
