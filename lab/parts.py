"""Which processes of the lab there are, on however many machines: each says so every few seconds, by the broker.

`python -m lab.parts worker` says by its exit code whether this machine's worker is there, `python -m lab.parts clock`
whether the clock ticks: for health checks, which do not wait for all of Django.
"""

import json
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import redis
from django.conf import settings

log = logging.getLogger(__name__)
EVERY_SECONDS = 3.0
FRESH_SECONDS = 10.0  # who says nothing for so long is not there
FORGET_SECONDS = 600.0
LOOK_SECONDS = 0.2
LOST_SECONDS = 15.0  # a kubelet that was killed is replaced, and one that stalls comes back, within so long
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lab.settings")
CLOCK = "clock"  # what the tick says: that somebody counts the seconds, and somebody else does what is due

_client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)


class Here:
    """`start()` and `stop()`. `more` is what else there is to say of this process, each time."""

    def __init__(self, part: str, more: Callable[[], dict[str, Any]]):
        self._part, self._more = part, more
        self._name = f"{part}@{socket.gethostname()}:{os.getpid()}"
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="here", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """It goes, and says so."""
        self._stopping.set()
        self._thread.join(timeout=2)

    def _run(self) -> None:
        while not self._stopping.is_set():
            say(self._part, self._name, self._more())
            self._stopping.wait(EVERY_SECONDS)
        try:
            _client.hdel(_key(), self._name)
        except redis.RedisError as error:
            log.debug("not heard: %s", error)


def say(part: str, name: str, more: dict[str, Any]) -> None:
    """That it is there. A broker that is away does not hear it, and that is all."""
    said = {"part": part, "name": name, "time": time.time(), **more}
    try:
        _client.hset(_key(), name, json.dumps(said))
    except redis.RedisError as error:
        log.debug("not heard: %s", error)


def present() -> list[dict[str, Any]]:
    """What those have said last who are there. Raises RedisError."""
    found: dict[bytes, bytes] = _client.hgetall(_key())  # type: ignore[assignment]
    said = {name: json.loads(text) for name, text in found.items()}
    gone = [name for name, one in said.items() if _age(one) > FORGET_SECONDS]
    if gone:
        _client.hdel(_key(), *gone)
    return [one for _, one in sorted(said.items()) if _age(one) < FRESH_SECONDS]


def staying(which: Callable[[dict[str, Any]], Any] = bool) -> list[str]:
    """The names of those who say once more that they are there. Who has just been stopped or killed does not: that is
    waited for, no longer than they would be thought to be there. Raises RedisError."""
    spoke: set[str] = set()
    heard = {one["name"]: one["time"] for one in filter(which, present())}
    end = time.monotonic() + FRESH_SECONDS
    while heard and time.monotonic() < end:
        time.sleep(LOOK_SECONDS)
        now = {one["name"]: one["time"] for one in filter(which, present())}
        new = {name for name, at in now.items() if at != heard.get(name)}
        if new and not spoke:
            end = min(end, time.monotonic() + EVERY_SECONDS)  # by then all others have spoken, too
        spoke |= new
        heard = now
    return sorted(spoke)


@dataclass(frozen=True)
class Well:
    """How many seconds ago an engine answered last, and since how many it has done so without a pause. By the broker's
    clock, for machines differ in theirs; one that was set, or stood still, makes a pause for everybody."""

    ago: float
    steady: float


def note_well(engines: Iterable[str]) -> None:
    """That these engines answer. By the Node's name for them: `docker`, `docker.b`."""
    try:
        known, now = _well()
        for engine in engines:
            since, at = known.get(engine, (now, now))
            since = since if 0 <= now - at < LOST_SECONDS else now
            _client.hset(_key_of_wells(), engine, json.dumps([since, now]))
    except redis.RedisError as error:
        log.debug("not heard: %s", error)


def last_well() -> dict[str, Well]:
    """Of each engine that has ever answered. Raises RedisError."""
    known, now = _well()
    return {engine: Well(now - at, at - since) for engine, (since, at) in known.items()}


def _well() -> tuple[dict[str, tuple[float, float]], float]:
    """Engine → since when, and when last; and what the time is."""
    seconds, micros = _client.time()
    found: dict[bytes, bytes] = _client.hgetall(_key_of_wells())  # type: ignore[assignment]
    return {engine.decode(): tuple(json.loads(at)) for engine, at in found.items()}, seconds + micros / 1e6


def _age(one: dict[str, Any]) -> float:
    return time.time() - one["time"]


def _key() -> str:
    return f"orrery:parts:{settings.LAB_ID}"


def _key_of_wells() -> str:
    """Not `…:well`, where earlier versions keep a single time: in compose a broker outlives them."""
    return f"{_key()}:wells"


def main(part: str) -> str | None:
    """What is wrong; None if it is there."""
    mine = CLOCK if part == CLOCK else f"{part}@{socket.gethostname()}:"
    try:
        return None if any(one["name"].startswith(mine) for one in present()) else f"{part} is not there"
    except redis.RedisError as error:
        return f"the broker does not answer: {error}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
