"""One reader of a cluster's log for all boards that watch it in this process: read once, serialise once, fan out here.

A browser is a place in the sequence of deltas and nothing more. Whoever is ready to send asks for what is new since
its place; if that is one delta, all share the same bytes; if it is several, they are merged, newest row each; if it is
too long ago, or nearly everything, it is a snapshot. So a slow browser costs the server no queue, and skips frames.
"""

import asyncio
import contextlib
import logging
import secrets
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import orjson
from channels.db import database_sync_to_async
from django.db import DatabaseError

from lab import metrics
from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import PODS
from lab.client import Change, Client, cluster_names, wait_for_revision

from .board import Board
from .deltas import Delta, Phase
from .figures import figures
from .rows import Row, row_id
from .verdicts import verdicts_of

log = logging.getLogger(__name__)
COALESCE_SECONDS = 0.1
FLUSH_EARLY = 200  # revisions that are not kept waiting for the end of the 100 ms
REMEMBERED = 512  # deltas
SNAPSHOT_SHARE = 0.3  # of the rows: past it a snapshot is smaller than what changed
NOWHERE = -1
MEASURE_SECONDS = 1.0
ASK_WHY_OF = 20  # pods a reading: the decision is shown where eyes can follow it, not for five thousand at once

Result = TypeVar("Result")
Place = tuple[str, int]  # epoch and sequence number: where a board stands


@dataclass(frozen=True)
class Step:
    """A delta with its place: it takes a board from `prev` to `seq`, which are revisions of the log. It names the rows
    and does not hold them: whoever asks later gets them as they are then."""

    prev: int
    seq: int
    ids: tuple[str, ...]
    phases: dict[str, list[Phase]]


class Feed:
    """The rows of one cluster and the last deltas. `catch_up` reads the log; the rest is asking."""

    def __init__(self, cluster: str):
        self.cluster = cluster
        self.client = Client(cluster, author="board")
        self.watchers: set[asyncio.Event] = set()  # of each browser its own: set when there is something new
        self.tasks: list[asyncio.Task] = []
        self.figures = NO_FIGURES  # the newest message of what flows; it has no place, and no past
        self._reading = threading.Lock()  # whoever has it may wait for the database,
        self._lock = threading.Lock()  # and whoever has this never: it is asked for in the event loop
        self._texts: dict[int, str] = {}  # what was serialised for those at a place, until the next step
        self._begin()

    def _begin(self) -> None:
        """From what there is: with a new epoch, in which no place of an older one means anything."""
        view = self.client.view()
        # The place is taken before the objects: what is written meanwhile is read again, and once more is harmless.
        head = view.revision
        board = Board(view, self._standing_verdicts())
        with self._lock:
            self.epoch = secrets.token_hex(6)
            self.seq = self.read = head
            self.board = board
            self._steps: deque[Step] = deque(maxlen=REMEMBERED)
            self._texts.clear()

    def _standing_verdicts(self) -> dict[str, list[dict]]:
        """The decisions about the pods that wait for a node now: they were taken before anybody looked."""
        waiting = [pod for pod in self.client.list(PODS) if not pod["spec"].get("nodeName")]
        return {row_id(PODS.resource, pod): verdicts_of(self.client, pod) for pod in waiting[:ASK_WHY_OF]}

    def catch_up(self) -> None:
        """Read the log up to its head. Blocks; safe from several threads."""
        with self._reading:
            view = self.client.view()
            head = view.revision
            changes = view.changes_since(self.read)
            if changes is None:
                return self._begin()
            changes = [change for change in changes if change.revision <= head]
            verdicts = self._verdicts(changes)
            try:
                with self._lock:
                    self._take(self.board.apply(changes, verdicts), head)
            except Exception:  # half applied it would be wrong from now on, and nobody would see it
                log.exception("the board of %s cannot be brought up to date", self.cluster)
                self._begin()

    def _take(self, delta: Delta, head: int) -> None:
        self.read = max(head, self.read)
        if delta:
            self._steps.append(Step(self.seq, self.read, (*delta.upserts, *delta.removes), delta.phases))
            self.seq = self.read
            self._texts.clear()

    def _verdicts(self, changes: list[Change]) -> dict[str, list[dict]]:
        """The scheduler's decisions among these changes: kept beside the log's rows, not in the objects."""
        decided = [c for c in changes if c.resource == PODS.resource and c.author == "scheduler" and not c.deleted]
        return {
            row_id(PODS.resource, change.object): verdicts_of(self.client, change.object)
            for change in decided[-ASK_WHY_OF:]
        }

    def first(self) -> dict:
        """Everything, as the page carries it and as a snapshot says it."""
        with self._lock:
            return {**self._snapshot(), "now": time.time()}

    def _snapshot(self) -> dict:
        return {"type": "snap", "epoch": self.epoch, "seq": self.seq, "rows": list(self.board.rows.values())}

    def since(self, place: Place) -> tuple[str, Place]:
        """The message for a board that is at `place`, and where it is then; an empty message: there is nothing new."""
        with self._lock:
            here = (self.epoch, self.seq)
            if place == here:
                return "", here
            seq = place[1] if place[0] == self.epoch else NOWHERE
            if seq not in self._texts:
                message = self._delta(seq) or self._snapshot()
                self._texts[seq] = orjson.dumps(message).decode()
            return self._texts[seq], here

    def _delta(self, seq: int) -> dict | None:
        missed = [step for step in self._steps if step.prev >= seq]
        if not missed or missed[0].prev != seq:
            return None
        merged = merge(missed, self.board.rows)
        if len(missed) > 1 and len(merged.upserts) > SNAPSHOT_SHARE * len(self.board.rows):
            return None
        return {
            "type": "delta",
            "epoch": self.epoch,
            "prev": seq,
            "seq": self.seq,
            "upserts": list(merged.upserts.values()),
            "removes": list(merged.removes),
            "phases": merged.phases,
        }

    # Following, in the event loop.

    async def follow(self) -> None:
        """Read whenever the log grows: the first change at once, those that follow it every 100 ms."""
        told = 0
        while True:
            try:
                await in_reader(self.catch_up)
                if self.seq != told:  # also where a page, and not this reader, has read the log
                    told = self.seq
                    for wake in self.watchers:
                        wake.set()
                    await wait_for_revision(self.cluster, self.read + FLUSH_EARLY, COALESCE_SECONDS)
                await wait_for_revision(self.cluster, self.read)
            except (DatabaseError, ApiError) as error:
                log.warning("the board of %s waits: %s", self.cluster, error)
                await asyncio.sleep(1)
            except Exception:  # the others who watch must not be left with what was
                log.exception("the board of %s waits", self.cluster)
                await asyncio.sleep(1)

    async def measure(self) -> None:
        """Look once a second at what flows through the cluster; who watches is woken where it is not as before."""
        while True:
            found = await asyncio.to_thread(self._measured)
            if found != self.figures:
                self.figures = found
                for wake in self.watchers:
                    wake.set()
            await asyncio.sleep(MEASURE_SECONDS)

    def _measured(self) -> str:
        return figures_message(*metrics.of_board(self.cluster))


def figures_message(traffic: dict, visitors: dict, turns: dict | None = None) -> str:
    return orjson.dumps({"type": "figures", **figures(traffic, visitors, turns)}).decode()


NO_FIGURES = figures_message({}, {})


def merge(steps: list[Step], rows: dict[str, Row]) -> Delta:
    """One delta for several steps: each row as it is now, and every phase passed through on the way."""
    merged = Delta()
    for step in steps:
        for id_ in step.ids:
            if id_ in rows:
                merged.upserts[id_] = rows[id_]
            else:
                merged.removes.add(id_)
        for id_, phases in step.phases.items():
            merged.phases[id_] = [*merged.phases.get(id_, ()), *phases]
    return merged


# One thread reads for all boards of the process: reading is short, and SQLite wants few connections.
_reader = ThreadPoolExecutor(1, "board")
_feeds: dict[tuple[str, str], Feed] = {}
_feeds_lock = threading.Lock()


async def in_reader(work: Callable[[], Result]) -> Result:
    return await database_sync_to_async(work, thread_sensitive=False, executor=_reader)()


def feed_of(cluster: str) -> Feed:
    """The process's feed of a cluster, made if missing. Blocks. Raises ApiError 404 for an unknown cluster."""
    uid = Client(cluster, author="board").view().uid
    with _feeds_lock:
        if (uid, cluster) not in _feeds:
            there = set(cluster_names()) - {cluster}
            for key in [key for key, feed in _feeds.items() if key[1] not in there and not feed.watchers]:
                del _feeds[key]  # of a cluster that has gone
            _feeds[(uid, cluster)] = Feed(cluster)
        return _feeds[(uid, cluster)]


@contextlib.asynccontextmanager
async def watching(cluster: str, wake: asyncio.Event) -> AsyncIterator[Feed]:
    """The feed, followed as long as anybody watches it; `wake` is set whenever there is something new."""
    feed = await in_reader(lambda: feed_of(cluster))
    if not feed.watchers:
        feed.tasks = [asyncio.create_task(work) for work in (feed.follow(), feed.measure())]
    feed.watchers.add(wake)
    try:
        yield feed
    finally:
        feed.watchers.discard(wake)
        if not feed.watchers:
            for task in feed.tasks:
                task.cancel()
