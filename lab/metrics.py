"""Figures that are worth knowing now and worthless in ten seconds: CPU of pods, requests of services.

In Kubernetes the metrics server and Prometheus's adapter hold them, in memory, beside the API and never in etcd. Here
the broker does: each producer replaces what it said last, readers take what is fresh. Losing them loses a moment.
"""

import json
import logging
import math
import threading
import time
from collections.abc import Iterable

import redis
from django.conf import settings

from lab import counters

log = logging.getLogger(__name__)
KEPT_SECONDS = 24 * 60 * 60  # after the last that was said of a cluster; then it has gone, or nothing turns in it
FRESH_SECONDS = 10.0  # who says nothing for so long has gone, and its figures with it

# topic → what a producer publishes; times in seconds since the epoch, durations in milliseconds.
POD_USAGE = "pods"  # {uid: {"cpuMillis": float, "memoryBytes": int, "containers": {name: both}}}   by each kubelet
# CPU is over the last two seconds; a pod is told of from its second look on, and not while its node is cut off.
TRAFFIC = "traffic"  # {"<namespace>/<service>:<port name or number>": {"servers": {pod uid: SERVER}}}   by the proxy
# SERVER: {"requests": n, "errors": n, "unreached": n, "totalMs": n, "inFlight": n, "rate": per second, "errorRate":
# 0…1, "unreachedRate": 0…1, "meanMs": float}. Requests, errors, those of them for which no connection was taken, and
# the time until the answers began are counted since the pod came; rates and mean are over the last few seconds.
TURNS = "turns"  # {loop's name: [ms that its last turn took, keys it took, how many failed]}   by the loops
COUNTS = "counts"  # of the broker's own counting: loop's name → its turns since the broker began
VISITORS = "visitors"  # {"<namespace>/<name>": FIGURES, told in lab/visitors/__init__.py}   by the visitors' agent

TURNS_SECONDS = 0.25  # after which a turn is told of, with all others of that time

_turned: dict[tuple[str, str], tuple[str, int]] = {}  # cluster and loop → its last turn's figures, and how many turns
_lock = threading.Lock()
_client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)


def publish(cluster: str, topic: str, producer: str, figures: dict) -> None:
    """Replace what `producer` said of `topic`. A broker that is away costs the figures, and nothing else."""
    pipe = _client.pipeline(transaction=False)
    pipe.hset(_key(cluster, topic), producer, _dated(figures))
    pipe.expire(_key(cluster, topic), KEPT_SECONDS)
    try:
        pipe.execute()
    except redis.RedisError as error:
        log.debug("figures lost: %s", error)


def turned(cluster: str, loop: str, seconds: float, keys: int, failures: int) -> None:
    """Say of a loop how its last turn was: at its end, so that one which rests costs nothing. Never waits."""
    counters.observe(counters.TURNS, seconds, loop)
    counters.count(counters.KEYS, loop, by=keys)
    counters.count(counters.FAILURES, loop, by=failures)
    with _lock:
        _, count = _turned.get((cluster, loop), ("", 0))
        _turned[cluster, loop] = _dated({loop: [round(seconds * 1000, 1), keys, failures]}), count + 1
    _soon.news()


def hand_over() -> None:
    """All turns since the last time, in one round trip. A broker that is away costs the figures."""
    with _lock:
        taken = dict(_turned)
        _turned.clear()
    pipe = _client.pipeline(transaction=False)
    for (cluster, loop), (figures, count) in taken.items():
        pipe.hincrby(_key(cluster, COUNTS), loop, count)
        pipe.hset(_key(cluster, TURNS), loop, figures)
    for cluster in {cluster for cluster, _ in taken}:
        for topic in (COUNTS, TURNS):
            pipe.expire(_key(cluster, topic), KEPT_SECONDS)
    try:
        pipe.execute()
    except redis.RedisError as error:
        log.debug("figures lost: %s", error)


def read(cluster: str, topic: str) -> dict:
    """The fresh figures of all producers in one dict; {} where there are none."""
    return _merged(_said(cluster, topic))


def of_board(cluster: str) -> tuple[dict, dict, dict]:
    """What a board shows of a cluster, asked for at once: traffic, visitors, and for each loop what TURNS has of it and
    how many turns there were, however long ago that was."""
    pipe = _client.pipeline(transaction=False)
    for topic in (TRAFFIC, VISITORS, TURNS):
        pipe.hvals(_key(cluster, topic))
    pipe.hgetall(_key(cluster, COUNTS))
    try:
        traffic, visitors, turns, counts = pipe.execute()
    except redis.RedisError as error:
        log.debug("no figures: %s", error)
        return {}, {}, {}
    numbers = {loop.decode(): int(count) for loop, count in counts.items()}
    loops = _merged(_fresh(turns, math.inf))
    return (
        _merged(_fresh(traffic)),
        _merged(_fresh(visitors)),
        {loop: [*figures, numbers.get(loop, 0)] for loop, figures in loops.items()},
    )


def oldest(cluster: str, topic: str) -> float:
    """When the producer spoke, of those that are fresh, that has been silent the longest: what was before it, all have
    told. 0 where there is none."""
    return min((one["time"] for one in _said(cluster, topic)), default=0.0)


def _said(cluster: str, topic: str) -> list[dict]:
    try:
        said = _client.hvals(_key(cluster, topic))
    except redis.RedisError as error:
        log.debug("no figures: %s", error)
        return []
    return _fresh(said)


def _fresh(said: Iterable[bytes | str], fresh: float = FRESH_SECONDS) -> list[dict]:
    return [one for one in map(json.loads, said) if time.time() - one["time"] < fresh]


def _merged(said: list[dict]) -> dict:
    merged: dict = {}
    for one in said:
        merged.update(one["figures"])
    return merged


def _dated(figures: dict) -> str:
    return json.dumps({"time": time.time(), "figures": figures})


def _key(cluster: str, topic: str) -> str:
    return f"orrery:metrics:{settings.LAB_ID}:{cluster}:{topic}"


_soon = counters.Soon("turns", TURNS_SECONDS, hand_over)
