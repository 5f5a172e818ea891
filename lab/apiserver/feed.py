"""One reader of the log for all watches of a cluster in this process: Kubernetes' Cacher.

However many clients watch, the log is read once. A watch that is idle waits on an event and costs nothing; one whose
client reads slowly keeps only its place in the log, and reads the rest from the store when it gets there.
"""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Sequence

from django.db import DatabaseError

from lab.store import Change, Compacted, UnknownCluster, changes, view, wait_for_revision

from .controlplane import members_down
from .threads import in_thread

log = logging.getLogger(__name__)
REMEMBERED = 512
RETRY_SECONDS = 1.0


class Feed:
    """What happens in one cluster, from the moment somebody watches. Belongs to one event loop."""

    def __init__(self, cluster: str, revision: int):
        self.cluster = cluster
        self.revision = revision
        self.watchers = 0
        self.gone = False  # the cluster was deleted
        self.down = False  # no control-plane node is up: whoever watches is cut off, as from a server that died
        self._floor = revision  # after this revision, everything is in `_recent`
        self._recent: deque[Change] = deque()
        self._grew = asyncio.Event()
        self._reader = asyncio.get_running_loop().create_task(self._read())

    async def after(self, revision: int, timeout: float) -> Sequence[Change]:
        """What was written after `revision`, waiting for it if need be; empty when `timeout` seconds have passed.

        Raises Compacted if that is longer ago than the store remembers, UnknownCluster if the cluster is gone.
        """
        if revision >= self.revision and not self.gone:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._grew.wait(), timeout)
        if self.gone:
            raise UnknownCluster(self.cluster)
        if revision < self._floor:
            return await in_thread(changes, self.cluster, revision)
        news = []
        for change in reversed(self._recent):
            if change.revision <= revision:
                break
            news.append(change)
        return news[::-1]

    async def _read(self) -> None:
        while not self.gone:
            await wait_for_revision(self.cluster, self.revision)
            try:
                news, self.down = await in_thread(_news, self.cluster, self.revision)
                self._take(news)
            except UnknownCluster:
                self.gone = True
                self._wake()
            except Compacted as forgotten:
                # Whoever has not read what is missing asks the store for it, and is told that it is gone.
                self._recent.clear()
                self._floor = self.revision = forgotten.oldest
                self._wake()
            except DatabaseError as error:
                log.warning("watches of %s wait for the store: %s", self.cluster, error)
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:  # a cluster that is deleted while it is read: the next look says so
                log.exception("watches of %s wait", self.cluster)
                await asyncio.sleep(RETRY_SECONDS)

    def _take(self, news: Sequence[Change]) -> None:
        if not news:
            return
        self._recent.extend(news)
        self.revision = news[-1].revision
        while len(self._recent) > REMEMBERED:
            self._floor = self._recent.popleft().revision
        self._wake()

    def _wake(self) -> None:
        self._grew.set()
        self._grew = asyncio.Event()

    def close(self) -> None:
        self._reader.cancel()


def _news(cluster: str, revision: int) -> tuple[Sequence[Change], bool]:
    state = view(cluster)
    recent, down = state.changes_since(revision), bool(members_down(state))
    return (changes(cluster, revision) if recent is None else recent), down


_feeds: dict[tuple[asyncio.AbstractEventLoop, str], Feed] = {}


@contextlib.asynccontextmanager
async def watching(cluster: str, head: int) -> AsyncIterator[Feed]:
    """The feed of a cluster, shared with all who watch it. `head` is where a new one begins: the newest revision."""
    key = (asyncio.get_running_loop(), cluster)
    feed = _feeds.get(key)
    if feed is None or feed.gone:
        feed = _feeds[key] = Feed(cluster, head)
    feed.watchers += 1
    try:
        yield feed
    finally:
        feed.watchers -= 1
        if not feed.watchers:
            feed.close()
            if _feeds.get(key) is feed:
                del _feeds[key]
