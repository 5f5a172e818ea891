"""When each learner was last seen: worth knowing now, so it is the broker's, and not the log's.

Seen is who asks for something by the room's port, and whose page answers on its websocket.
"""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import redis
from django.conf import settings

T = TypeVar("T")
REST_SECONDS = 2.0
AWAY_SECONDS = 12.0  # a page that is open says so every five
_client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)


_rests = 0.0  # until when the broker is taken to be away: whoever asks one that hangs waits for a second


def _told(ask: Callable[[], T], otherwise: T) -> T:
    global _rests
    if time.monotonic() < _rests:
        return otherwise
    try:
        return ask()
    except redis.RedisError:
        _rests = time.monotonic() + REST_SECONDS
        return otherwise


def seen(cluster: str) -> None:
    """Where that cannot be said now, it is known a few seconds later."""
    _told(lambda: _client.hset(_key(), cluster, int(time.time())), 0)


def last_seen(clusters: Sequence[str]) -> dict[str, float]:
    """Of those who ever were, and whom the broker remembers."""
    nothing: list[bytes | str | None] = [None] * len(clusters)
    found = _told(lambda: _client.hmget(_key(), list(clusters)), nothing) if clusters else nothing
    return {cluster: float(at) for cluster, at in zip(clusters, found, strict=True) if at}


def seen_since(then: float) -> int:
    """How many were seen since then. Raises RedisError."""
    found: list[bytes] = _client.hvals(_key())  # type: ignore[assignment]
    return sum(float(at) >= then for at in found)


def forgotten(cluster: str) -> None:
    _told(lambda: _client.hdel(_key(), cluster), 0)


def away_since(at: float, now: float) -> float:
    """0 for who is here."""
    return at if now - at > AWAY_SECONDS else 0.0


def _key() -> str:
    return f"orrery:seen:{settings.LAB_ID}"
