"""What the lab's processes count, all of them together: for Prometheus (`lab/operations/exposition.py`).

Each process adds up for a second, and then adds that to what the broker has: so there is one sum, whichever process is
asked and however many there are. A broker that is away is waited for; one that comes back empty begins at 0, as the
counters of a program that was started anew do, and Prometheus knows how to read that.
"""

import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import redis
from django.conf import settings

log = logging.getLogger(__name__)
EVERY_SECONDS = 1.0
SUM = "sum"  # beside the buckets of a histogram, in the place of a bound


@dataclass(frozen=True)
class Metric:
    """As Prometheus has it: a counter, or with `bounds` a histogram of seconds."""

    name: str
    help: str
    labels: tuple[str, ...]
    bounds: tuple[float, ...] = ()


SECONDS = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
REQUESTS = Metric("orrery_http_requests", "Requests answered, by door, method and code.", ("door", "method", "code"))
ANSWERS = Metric("orrery_http_answer_seconds", "From a request to the first byte of its answer.", ("door",), SECONDS)
TASKS = Metric("orrery_tasks", "Celery tasks that ended, by their state.", ("task", "state"))
TASK_TIMES = Metric("orrery_task_seconds", "How long Celery tasks took.", ("task",), SECONDS)
TURNS = Metric("orrery_controller_turn_seconds", "How long the turns of control loops took.", ("controller",), SECONDS)
KEYS = Metric("orrery_controller_keys", "Keys that control loops synced.", ("controller",))
FAILURES = Metric("orrery_controller_errors", "Keys whose sync failed, to be tried again.", ("controller",))
REVISIONS = Metric("orrery_revisions", "Rows appended to the logs of all clusters, by resource.", ("resource",))
ALL = (REQUESTS, ANSWERS, TASKS, TASK_TIMES, TURNS, KEYS, FAILURES, REVISIONS)

_client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
_waiting: Counter[str] = Counter()
_lock = threading.Lock()


class Soon:
    """Calls `act` so many seconds after there was `news`, in a thread of its own: once for all of that time. Who has
    none does without the thread."""

    def __init__(self, name: str, seconds: float, act: Callable[[], None]):
        self._name, self._seconds, self._act = name, seconds, act
        self._lock, self._heard = threading.Lock(), threading.Event()
        self._thread: threading.Thread | None = None

    def news(self) -> None:
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                    self._thread.start()
        self._heard.set()

    def _run(self) -> None:
        while True:
            self._heard.wait()
            self._heard.clear()
            time.sleep(self._seconds)
            self._act()


def count(metric: Metric, *labels: str, by: float = 1) -> None:
    """Never waits for anything."""
    if by:
        _add({_field(metric, labels): by})


def observe(metric: Metric, seconds: float, *labels: str) -> None:
    """One that took so long, in a histogram."""
    bound = next((str(each) for each in metric.bounds if seconds <= each), "+Inf")
    _add({_field(metric, labels, bound): 1, _field(metric, labels, SUM): seconds})


def flush() -> None:
    """Hand over what was counted. What the broker does not take is kept for the next time."""
    with _lock:
        taken = dict(_waiting)
        _waiting.clear()
    if not taken:
        return
    try:
        pipe = _client.pipeline(transaction=True)
        for field, by in taken.items():
            pipe.hincrbyfloat(_key(), field, by)
        pipe.execute()
    except redis.RedisError as error:
        log.debug("counts wait for the broker: %s", error)
        with _lock:
            _waiting.update(taken)


def counted() -> dict[tuple[str, tuple[str, ...], str], float]:
    """(name, labels, bound) → how many; the bound is empty where the metric is a counter. Raises RedisError."""
    flush()
    found: dict[bytes, bytes] = _client.hgetall(_key())  # type: ignore[assignment]
    fields = ((json.loads(field), float(value)) for field, value in found.items())
    return {(name, tuple(labels), bound): value for (name, labels, bound), value in fields}


def _field(metric: Metric, labels: tuple[str, ...], bound: str = "") -> str:
    return json.dumps([metric.name, labels, bound])


def _add(more: dict[str, float]) -> None:
    with _lock:
        _waiting.update(more)
    _soon.news()


def _key() -> str:
    return f"orrery:counters:{settings.LAB_ID}"


_soon = Soon("counters", EVERY_SECONDS, flush)
