"""Codes that were wrong are counted, by the address that they come from: nobody tries them all.

Of 47 million codes, a hundred tries a minute find one of ten open workshops in half a month. Where a class sits behind
one address, its members mistype a few, and who has the link of the QR code types none.
"""

import time

import redis
from django.conf import settings

WRONG_A_MINUTE = 100
_client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)


def too_many(address: str) -> bool:
    """Whether nobody from there may try again this minute. Without a broker nobody may: it does not count either."""
    try:
        return int(_client.get(_key(address)) or 0) >= WRONG_A_MINUTE
    except redis.RedisError:
        return True


def was_wrong(address: str) -> None:
    try:
        with _client.pipeline() as both:
            both.incr(_key(address))
            both.expire(_key(address), 120)
            both.execute()
    except redis.RedisError:
        return


def _key(address: str) -> str:
    return f"orrery:tries:{settings.LAB_ID}:{address}:{int(time.time() // 60)}"
