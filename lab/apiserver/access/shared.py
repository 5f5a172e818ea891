"""An allowance that all web servers of a lab give out of together: its buckets are the broker's.

Each web server takes out a lot at a time, and asks the broker no more before it is used up; and where nothing was left,
no more before there is enough. So most requests cost no round trip, and none costs two. While the broker is away each
gives out of buckets of its own.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from .allowance import MOST_KNOWN, Allowance

log = logging.getLogger(__name__)
LOTS = 20  # in a full bucket
AWAY_SECONDS = 1.0  # so long a broker that is away is not asked again
# Fills the bucket by the broker's clock, and gives what is needed or a lot, whichever is more, as far as there is so
# much: (what was given, or 0; seconds until there is what was needed).
GIVE = """
local a_second, at_once, needed, lot = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local held, time = redis.call('HMGET', KEYS[1], 'left', 'at'), redis.call('TIME')
local now, left, given = time[1] + time[2] / 1000000, at_once, 0
if held[1] then left = math.min(at_once, held[1] + math.max(0, now - held[2]) * a_second) end
if left >= needed then given = math.min(left, math.max(needed, lot)) end
redis.call('HSET', KEYS[1], 'left', string.format('%.6f', left - given), 'at', string.format('%.6f', now))
redis.call('EXPIRE', KEYS[1], math.ceil(at_once / a_second))
return {string.format('%.6f', given), string.format('%.6f', (needed - left) / a_second)}
"""
_once_more = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
_client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1, retry=_once_more)
_give = _client.register_script(GIVE)


@dataclass
class Lot:
    """What is at hand of a bucket. `needs`: for so much more the broker had not enough, and has not before `enough`."""

    left: float = 0.0
    stale: float = 0.0  # from when on it is worth nothing: the bucket would have been full since
    needs: float = 0.0
    enough: float = 0.0


class Shared:
    """An Allowance of that name."""

    def __init__(self, name: str, a_second: float, at_once: float, clock: Callable[[], float] = time.monotonic):
        self._key = f"orrery:share:{settings.LAB_ID}:{name}"
        self._a_second, self._at_once, self._clock = a_second, at_once, clock
        self._alone = Allowance(a_second, at_once, clock)
        self._away = 0.0  # until when the broker is taken to be
        self._lots: dict[str, Lot] = {}
        self._lock, self._asks = threading.Lock(), threading.Lock()

    def at_hand(self, whose: str, cost: float = 1.0) -> float | None:
        """As `wait`, and waits for nothing itself; None where one has to ask the broker."""
        cost = min(cost, self._at_once)
        with self._lock:
            now = self._clock()
            if now < self._away:
                return self._alone.wait(whose, cost)
            lot = self._lots.get(whose)
            if lot is None or now >= lot.stale:
                return None
            if lot.left >= cost:
                lot.left -= cost
                return 0.0
            return lot.enough - now if now < lot.enough and cost - lot.left >= lot.needs else None

    def wait(self, whose: str, cost: float = 1.0) -> float:
        """Take so much; 0. Or take nothing: the seconds after which there will be enough, as far as there ever is."""
        with self._asks:  # who waits for another finds what they have brought
            known = self.at_hand(whose, cost)
            return self._ask(whose, min(cost, self._at_once)) if known is None else known

    def _ask(self, whose: str, cost: float) -> float:
        lot = self._take_up(whose)
        left, lot.left = lot.left, 0.0  # nobody else takes of it meanwhile
        try:
            given, seconds = self._given(whose, cost - left)
        except redis.RedisError as error:
            log.debug("each web server gives for itself while the broker is away: %s", error)
            with self._lock:
                self._away = self._clock() + AWAY_SECONDS
                return self._alone.wait(whose, cost)
        with self._lock:
            now = self._clock()
            lot.stale = now + self._at_once / self._a_second
            if given:
                lot.left = max(0.0, left + given - cost)
                return 0.0
            lot.left, lot.needs, lot.enough = left, cost - left, now + seconds
            return seconds

    def _take_up(self, whose: str) -> Lot:
        with self._lock:
            now = self._clock()
            if len(self._lots) >= MOST_KNOWN:
                self._lots = {name: lot for name, lot in self._lots.items() if now < lot.stale}
            lot = self._lots.get(whose)
            if lot is None or now >= lot.stale:
                lot = self._lots[whose] = Lot()
            return lot

    def _given(self, whose: str, needed: float) -> tuple[float, float]:
        asked = (self._a_second, self._at_once, needed, self._at_once / LOTS)
        given, seconds = _give(keys=[f"{self._key}:{whose}"], args=asked)
        return float(given), float(seconds)


# Of the API, by pods of a stranger's cluster together: they have tokens, and do not come by the room's door.
OF_PODS = Shared("pods", 20, 200)
