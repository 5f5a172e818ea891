"""Each part of the lab: whether it does its work, a word about it, and what to do if it does not.

`look` asks, `judged` decides and asks nobody. `/readyz` counts what this web process cannot serve without; what else
is missing the clusters notice, and to send visitors to another web process would help nobody.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import redis
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection

from lab import parts
from lab.models import Cluster
from lab.supervisor.state import LEAST_FREE_BYTES

LITTLE_BYTES = 1024**3  # a class fills this in an afternoon


@dataclass(frozen=True)
class Part:
    """`counts`: whether `/readyz` fails with it."""

    name: str
    well: bool
    word: str
    help: str = ""
    counts: bool = False


@dataclass(frozen=True)
class Seen:
    """What was found: why the database and the broker do not answer, who is there, and the room on the disk."""

    database: str = ""
    vendor: str = ""
    clusters: int = 0
    broker: str = ""
    there: list[dict[str, Any]] = field(default_factory=list)
    free_bytes: int | None = None
    disk: str = ""


def look() -> Seen:
    """Ask all of them. Blocks, and never raises."""
    said: dict[str, Any] = {"vendor": connection.display_name}
    try:
        said["clusters"] = Cluster.objects.count()
    except DatabaseError as error:
        said["database"] = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    try:
        said["there"] = parts.present()
    except redis.RedisError as error:
        said["broker"] = str(error)
    try:
        room = os.statvfs(settings.DATA_DIR)
        said["free_bytes"] = room.f_bavail * room.f_frsize
    except OSError as error:
        said["disk"] = f"{settings.DATA_DIR}: {error.strerror}"
    return Seen(**said)


def judged(seen: Seen, now: float) -> list[Part]:
    """The parts, in the order in which one needs the other. Pure."""
    return [_database(seen), _broker(seen), _disk(seen), *_processes(seen, now), *_engines(seen)]


def _database(seen: Seen) -> Part:
    if seen.database:
        return Part("database", False, seen.database, "Start it, or mend DATABASE_URL. Nothing is lost.", True)
    return Part("database", True, f"{seen.vendor}, {_number(seen.clusters, 'cluster', 'clusters')}", counts=True)


def _broker(seen: Seen) -> Part:
    if seen.broker:
        help = "Start Redis where REDIS_URL says. Nothing is lost: who comes back reads the log."
        return Part("broker", False, f"does not answer: {seen.broker}", help, True)
    return Part("broker", True, "answers", counts=True)


def _disk(seen: Seen) -> Part:
    if seen.free_bytes is None:
        return Part("disk", False, seen.disk, "Mount the data folder, ORRERY_DATA, for all parts.", True)
    word = f"{_size(seen.free_bytes)} free in {settings.DATA_DIR}"
    if seen.free_bytes < LEAST_FREE_BYTES:
        return Part("disk", False, f"full: {word}", "Free some: docker image prune, old workshops, logs.", True)
    if seen.free_bytes < LITTLE_BYTES:
        return Part("disk", True, f"little room: {word}", "Free some before the next class.", True)
    return Part("disk", True, word, counts=True)


def _processes(seen: Seen, now: float) -> Iterator[Part]:
    """The clock, web servers, and workers by what they take."""
    unknown = "not known while the broker is away"
    ticks = [one["time"] for one in seen.there if one["part"] == parts.CLOCK]
    word = unknown if seen.broker else f"ticked {max(0.0, now - max(ticks)):.0f} s ago" if ticks else "has stopped"
    help = "Start it: python -m lab.beat. If it runs, no worker of the control plane takes its tick."
    yield Part("clock", bool(ticks), word, "" if ticks else help)
    web = sum(one["part"] == "web" for one in seen.there)
    yield Part("web", True, _number(web, "process", "processes") if web else "this process")
    queues = {"control-plane": settings.CELERY_TASK_DEFAULT_QUEUE, "kubelet": settings.KUBELET_QUEUE}
    for role, queue in queues.items():
        names = [one["name"].removeprefix("worker@") for one in seen.there if queue in one.get("queues", ())]
        word = f"{_number(len(names), 'process', 'processes')}: {', '.join(names)}" if names else "none"
        help = f"Start one: python -m lab.worker {queue}. If it runs, its log says more."
        yield Part(f"worker-{role}", bool(names), unknown if seen.broker else word, "" if names else help)


def _engines(seen: Seen) -> Iterator[Part]:
    """What runs containers, as their kubelets say."""
    found = [(name, trouble) for one in seen.there for name, trouble in one.get("engines", {}).items()]
    for name, trouble in sorted(found):
        help = "Start the engine, or mend what it says: docker info and docker run must work there. Pods then come."
        yield Part(f"engine-{name}", not trouble, trouble or "answers its kubelet", help if trouble else "")
    if not found:
        help = "A worker of the kubelet's queue needs ORRERY_KUBELET: docker, process or simulated."
        yield Part("engine", False, "no kubelet looks after any", help)


def _size(count: int) -> str:
    return f"{count / 1024**3:.1f} GiB" if count >= 1024**3 else f"{count // 1024**2} MiB"


def _number(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def report() -> list[Part]:
    return judged(look(), time.time())
