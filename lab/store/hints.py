"""Saying that the log grew. Only hints: when one is lost, the tick finds a second later what it would have said.

Two kinds of listener. Controllers are poked by a Celery task, one for all whom a write concerns; however much happens
meanwhile, no more than one is waiting for each. Watchers (streams, boards, the proxy) in other processes hear `cluster
revision` on a Redis channel.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import redis
import redis.asyncio
from celery import current_app
from django.conf import settings
from kombu.exceptions import OperationalError
from redis.backoff import NoBackoff
from redis.retry import Retry

from .view import Change, View

log = logging.getLogger(__name__)
CHANNEL = f"orrery:revisions:{settings.LAB_ID}"  # several labs may share one Redis
PENDING_SECONDS = 5  # a poke that was lost with its worker blocks the next one no longer than this
FALLBACK_SECONDS = 1.0
LOT = 8  # clusters that one task may be about: what the tick finds of a whole class is still shared out
Work = dict[str, list[str]]  # what a task is told: cluster → the names of its subscribers there


@dataclass(frozen=True)
class Subscriber:
    """A reader of the log that runs as a task. `wants` looks at one change and must be quick and pure."""

    name: str
    task: str
    queue: str
    wants: Callable[[Change], bool]


class _Broker:
    """Says once that the broker is away, and once that it is back, however many hints are lost between.

    Who writes waits for a broker that hangs, but only once a second; the other hints are not even tried.
    """

    error: Exception | None = None
    rests_until = 0.0

    def says(self, error: Exception | None) -> None:
        if bool(error) != bool(self.error):
            log.warning("the broker is %s", f"away, the tick stands in: {error}" if error else "back")
        self.error = error
        self.rests_until = time.monotonic() + FALLBACK_SECONDS if error else 0.0

    @property
    def rests(self) -> bool:
        return time.monotonic() < self.rests_until


class _Own(threading.local):
    """Of each thread: what it is at, and what it has made for itself to do."""

    task = ""
    work: Work


_broker, _own = _Broker(), _Own()
_subscribers: dict[str, Subscriber] = {}
# Once more at once, on a new connection, if the broker was started anew; redis-py itself would try for ten seconds.
_once_more = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
_client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1, retry=_once_more)


def subscribe(name: str, task: str, queue: str, wants: Callable[[Change], bool]) -> None:
    """From now on a change that `name` wants sends `task({cluster: [name, …]})` to `queue`: a task costs its worker
    more than most controllers need for what it says, so those that share task and queue are told together, in the
    order in which they subscribed."""
    _subscribers[name] = Subscriber(name, task, queue, wants)


def announce(view: View, before: int, head: int) -> None:
    """Tell everybody concerned that the log went from `before` to `head`. Never fails: the write has happened."""
    changes = view.changes_since(before)
    wanted = [
        subscriber
        for subscriber in _subscribers.values()
        if changes is None or any(subscriber.wants(change) for change in changes)
    ]
    poke({view.name: wanted}, f"{view.name} {view.uid} {head}")


def poke(wanted: dict[str, list[Subscriber]], news: str = "") -> None:
    """Send each subscriber its task for that cluster, unless one is already waiting, and several clusters' in one; and
    tell the watchers the news, if any."""
    pairs = [(cluster, subscriber) for cluster, subscribers in wanted.items() for subscriber in subscribers]
    for cluster, subscriber in pairs:
        if subscriber.task == _own.task and subscriber.name not in _own.work.setdefault(cluster, []):
            _own.work[cluster].append(subscriber.name)
    pairs = [(cluster, subscriber) for cluster, subscriber in pairs if subscriber.task != _own.task]
    if _broker.rests or not (pairs or news):
        return
    try:
        pipe = _client.pipeline(transaction=False)
        for cluster, subscriber in pairs:
            pipe.set(_pending(cluster, subscriber.name), 1, nx=True, ex=PENDING_SECONDS)
        if news:
            pipe.publish(CHANNEL, news)
        answers = pipe.execute()
        _broker.says(None)
        fresh: dict[tuple[str, str], Work] = {}
        for (cluster, subscriber), is_fresh in zip(pairs, answers, strict=False):
            if is_fresh:
                work = fresh.setdefault((subscriber.task, subscriber.queue), {})
                work.setdefault(cluster, []).append(subscriber.name)
        for (task, queue), work in fresh.items():
            clusters = list(work)
            for lot in (clusters[start : start + LOT] for start in range(0, len(clusters), LOT)):
                args = [{cluster: work[cluster] for cluster in lot}]
                current_app.send_task(task, args=args, queue=queue, **settings.TRANSIENT)
    except (redis.RedisError, OperationalError, OSError) as error:
        _broker.says(error)


def poke_by_name(work: Work) -> None:
    poke({cluster: [_subscribers[name] for name in names if name in _subscribers] for cluster, names in work.items()})


@contextlib.contextmanager
def at(task: str) -> Iterator[Work]:
    """For a thread that is at such a task: what its own writes would send it for is put down in what this yields, to
    be done by itself, or poked afterwards. A chain of loops that wake each other needs the broker for none of it."""
    _own.task, _own.work = task, {}
    try:
        yield _own.work
    finally:
        _own.task = ""


def taken(work: Work) -> None:
    """Their task has begun: what happens from now on needs a new one. Called before a log is read."""
    if _broker.rests:
        return
    try:
        _client.delete(*[_pending(cluster, name) for cluster, names in work.items() for name in names])
    except redis.RedisError as error:
        _broker.says(error)


def _pending(cluster: str, name: str) -> str:
    return f"orrery:pending:{settings.LAB_ID}:{cluster}:{name}"


def heard(stopped: Callable[[], bool]) -> Iterator[str]:
    """For a thread: the name of each cluster whose log has grown, until `stopped`. What is said while the broker is
    away is not heard."""
    while not stopped():
        try:
            with _client.pubsub(ignore_subscribe_messages=True) as pubsub:  # type: ignore[no-untyped-call]
                pubsub.subscribe(CHANNEL)
                while not stopped():
                    if message := pubsub.get_message(timeout=FALLBACK_SECONDS / 2):
                        yield message["data"].decode().partition(" ")[0]
        except redis.RedisError:
            time.sleep(FALLBACK_SECONDS)


class Ear:
    """One subscription of a process to the channel, shared by everybody who waits in its event loop. Nobody is woken by
    what others wait for: in a class that would be sixty boards at each renewal of a Lease."""

    def __init__(self) -> None:
        self._heads: dict[str, tuple[str, int]] = {}  # cluster → its uid, and the newest revision that was heard of
        self._waiting: dict[str, dict[asyncio.Future[None], int]] = {}  # cluster → who waits, and what they know
        self._task = asyncio.get_running_loop().create_task(self._listen())

    async def _listen(self) -> None:
        while True:
            try:
                client = redis.asyncio.Redis.from_url(settings.REDIS_URL, socket_timeout=None)
                async with client, client.pubsub() as pubsub:
                    await pubsub.subscribe(CHANNEL)
                    async for message in pubsub.listen():
                        if message["type"] == "message":
                            self._heard(message["data"])
            except (redis.RedisError, OSError):
                await asyncio.sleep(FALLBACK_SECONDS)

    def _heard(self, data: bytes) -> None:
        cluster, uid, said = data.decode().split(" ")
        known_uid, known = self._heads.get(cluster, ("", 0))
        head = max(int(said), known) if uid == known_uid else int(said)
        self._heads[cluster] = (uid, head)
        for grown, after in self._waiting.get(cluster, {}).items():
            if head > after and not grown.done():
                grown.set_result(None)

    def _head(self, cluster: str) -> int:
        return self._heads.get(cluster, ("", 0))[1]

    async def wait(self, after: dict[str, int], timeout: float) -> None:
        """Until the log of one of these clusters has passed what stands beside it."""
        if any(self._head(cluster) > head for cluster, head in after.items()):
            return
        grown = asyncio.get_running_loop().create_future()
        for cluster, head in after.items():
            self._waiting.setdefault(cluster, {})[grown] = head
        try:
            await asyncio.wait((grown,), timeout=timeout)
        finally:
            for cluster in after:
                del self._waiting[cluster][grown]
                if not self._waiting[cluster]:
                    del self._waiting[cluster]


_ears: dict[asyncio.AbstractEventLoop, Ear] = {}


async def wait_for_revision(cluster: str, after: int, timeout: float = FALLBACK_SECONDS) -> None:
    """Return when the cluster's log is known to have passed `after`, or after `timeout` seconds: then look anyway."""
    await wait_for_any({cluster: after}, timeout)


async def wait_for_any(after: dict[str, int], timeout: float = FALLBACK_SECONDS) -> None:
    """The same of several clusters, each with the revision that is known: until one of them has passed it."""
    loop = asyncio.get_running_loop()
    if loop not in _ears:
        for dead in [known for known in _ears if known.is_closed()]:
            del _ears[dead]
        _ears[loop] = Ear()
    await _ears[loop].wait(after, timeout)
