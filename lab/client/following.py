"""Threads of this process that are told what happens to objects of some kind, as by one of client-go's informers.

One thread more reads the logs for all of them, as a shared informer does: each hint is heard once, and each log asked
for once, however many follow it.
"""

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
    """Follows the log of each cluster as it grows, and calls `act` when there was a change that `wants`: first when it
    begins, and whenever it may have missed something. `wants` looks at one change and must be quick and pure; `act` is
    called in a thread of the follower's own, once for all that came while it was at work."""

    def __init__(self, name: str, wants: Callable[[Change], bool], act: Callable[[View], None]):
        self._wants = wants
        self._act = act
        self._read: dict[str, tuple[str, int]] = {}  # cluster → its uid, and how far its log has been looked at
        self._due: dict[str, View] = {}  # to act on
        self._lock = threading.Lock()
        self._woken, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"{name}-follower", daemon=True)

    def __str__(self) -> str:
        return self._thread.name

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """It may still act once."""
        self._stopping.set()
        self._woken.set()

    def is_behind(self, known: dict[str, tuple[str, int]]) -> set[str]:
        """The clusters whose log it has not looked at as far as that, and those that are no more."""
        with self._lock:
            return {cluster for cluster in {**self._read, **known} if self._read.get(cluster) != known.get(cluster)}

    def look(self, state: View) -> None:
        """There may be news in that log."""
        with self._lock:
            head, (uid, cursor) = state.revision, self._read.get(state.name, ("", 0))
            self._read[state.name] = (state.uid, head)
            changes = state.changes_since(cursor) if uid == state.uid else None
            if changes is None or any(self._may_want(change) for change in changes):
                self._due[state.name] = state
                self._woken.set()

    def _may_want(self, change: Change) -> bool:
        try:
            return self._wants(change)
        except Exception:  # what cannot be judged is better looked at; nor must it make anybody deaf to the others
            log.exception(
                "%s cannot judge what became of %s %s/%s", self, change.resource, change.namespace, change.name
            )
            return True

    def forget(self, cluster: str) -> None:
        with self._lock:
            self._read.pop(cluster, None)
            self._due.pop(cluster, None)

    def _run(self) -> None:
        try:
            _look_everywhere([self])
            _reader.join(self)  # what came meanwhile, it will find
            while not self._stopping.is_set():
                self._woken.wait()
                self._woken.clear()
                self._act_on_news()
        finally:
            _reader.leave(self)
            connections.close_all()

    def _act_on_news(self) -> None:
        with self._lock:
            due, self._due = self._due, {}
            # What is in a view by now, `act` will see: that is no news any more.
            self._read |= {cluster: (state.uid, state.revision) for cluster, state in due.items()}
        for cluster, state in due.items():
            try:
                self._act(state)
            except (DatabaseError, UnknownCluster) as error:
                log.info("the log of %s is read later: %s", cluster, error)
                connections.close_all()  # a new one may do better; one that works is kept, for it costs time to make
                with self._lock:
                    self._read.pop(cluster, None)  # so it will be found behind
            except Exception:  # what cannot be acted on must not make us deaf to what comes after it
                log.exception("%s cannot act on the log of %s", self, cluster)


class _Reader:
    """Lives as long as anybody follows."""

    def __init__(self) -> None:
        self._followers: list[Follower] = []
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def join(self, follower: Follower) -> None:
        with self._lock:
            self._followers = [*self._followers, follower]
            if not self._thread:
                self._thread = threading.Thread(target=self._run, name="follower", daemon=True)
                self._thread.start()

    def leave(self, follower: Follower) -> None:
        with self._lock:
            self._followers = [each for each in self._followers if each is not follower]

    def _is_over(self) -> bool:
        with self._lock:
            if not self._followers:
                self._thread = None  # who joins now begins another one
            return not self._followers

    def _run(self) -> None:
        while self._thread is threading.current_thread():
            try:
                with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=None) as client:
                    pubsub = client.pubsub(ignore_subscribe_messages=True)
                    pubsub.subscribe(hints.CHANNEL)
                    self._follow(pubsub)
            except (redis.RedisError, OSError):
                if not self._is_over():
                    _look_everywhere(self._followers)
                    time.sleep(hints.FALLBACK_SECONDS)
        connections.close_all()

    def _follow(self, pubsub: redis.client.PubSub) -> None:
        """Look where there is news, and everywhere once a second: hints may be lost."""
        due = 0.0
        while not self._is_over():
            if time.monotonic() >= due:
                due = time.monotonic() + hints.FALLBACK_SECONDS
                _look_everywhere(self._followers)
            for cluster in _grown(pubsub, max(0.0, due - time.monotonic())):
                _look(cluster, self._followers)


_reader = _Reader()


def _look_everywhere(followers: list[Follower]) -> None:
    """At least where more was written than has been read, or where nothing is any more."""
    try:
        known = heads()
    except DatabaseError as error:
        log.info("no log can be read: %s", error)
        connections.close_all()
        return
    for cluster in set().union(*(follower.is_behind(known) for follower in followers)):
        _look(cluster, followers)


def _look(cluster: str, followers: list[Follower]) -> None:
    try:
        state = view(cluster)
    except UnknownCluster:
        for follower in followers:
            follower.forget(cluster)
        return
    except DatabaseError as error:
        log.info("the log of %s is read later: %s", cluster, error)
        return
    except Exception:  # one log that cannot be read must not keep anybody from the others
        log.exception("the log of %s cannot be read", cluster)
        return
    for follower in followers:
        follower.look(state)


def _grown(pubsub: redis.client.PubSub, seconds: float) -> set[str]:
    """The clusters of which there is news; waits for some."""
    clusters, message = set(), pubsub.get_message(timeout=seconds)
    while message:
        clusters.add(message["data"].decode().partition(" ")[0])
        message = pubsub.get_message()
    return clusters
