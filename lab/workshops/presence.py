"""When each learner was last seen: worth knowing now, so it is the broker's, and not the log's.

Seen is who asks for something by the room's port, and whose page answers on its websocket.
"""

import time
from collections.abc import Sequence

import redis
from django.conf import settings

AWAY_SECONDS = 12.0  # a page that is open says so every five
_client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)


def seen(cluster: str) -> None:
    try:
        _client.hset(_key(), cluster, int(time.time()))
    except redis.RedisError:
        return  # known a few seconds later


def last_seen(clusters: Sequence[str]) -> dict[str, float]:
    """Of those who ever were, and whom the broker remembers."""
    try:
        found = _client.hmget(_key(), list(clusters)) if clusters else []
    except redis.RedisError:
        return {}
    return {cluster: float(at) for cluster, at in zip(clusters, found, strict=True) if at}


def seen_since(then: float) -> int:
    """How many were seen since then. Raises RedisError."""
    found: list[bytes] = _client.hvals(_key())  # type: ignore[assignment]
    return sum(float(at) >= then for at in found)


def forgotten(cluster: str) -> None:
    try:
        _client.hdel(_key(), cluster)
    except redis.RedisError:
        return


def away_since(at: float, now: float) -> float:
    """0 for who is here."""
    return at if now - at > AWAY_SECONDS else 0.0


def _key() -> str:
    return f"orrery:seen:{settings.LAB_ID}"
