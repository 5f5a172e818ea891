"""`/metrics`: what the lab's processes have counted together, and what there is just now, in Prometheus' words.

Everything comes from the broker and the database, so any web process answers for all of them: scrape one.
"""

import time
from collections.abc import Iterable, Iterator
from itertools import accumulate

import redis
from django.conf import settings
from django.db.models import Count, Min
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from lab import counters, parts
from lab.apimachinery.kinds import PODS
from lab.client import Client, UnknownCluster, cluster_names
from lab.models import Requeue
from lab.workshops.presence import seen_since

Counted = dict[tuple[str, tuple[str, ...], str], float]
SEEN_SECONDS = 60.0
PHASES = ("Pending", "Running", "Succeeded", "Failed", "Unknown")
_client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)


class Lab:
    """A collector. Where the broker is away, what it knows is left out, and `orrery_broker_up` says so."""

    def collect(self) -> Iterator[Metric]:
        yield from of_clusters()
        try:
            found = [*counted(counters.counted()), *of_broker()]
        except redis.RedisError:
            found = []
        yield GaugeMetricFamily("orrery_broker_up", "Whether the broker answers.", value=bool(found))
        yield from found


def text() -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Lab())
    return generate_latest(registry)


def counted(values: Counted) -> Iterator[Metric]:
    """The counters and histograms as families. Pure."""
    for metric in counters.ALL:
        mine = {(labels, bound): value for (name, labels, bound), value in values.items() if name == metric.name}
        series = sorted({labels for labels, _ in mine})
        if not metric.bounds:
            family = CounterMetricFamily(metric.name, metric.help, labels=metric.labels)
            for labels in series:
                family.add_metric(labels, mine[labels, ""])
            yield family
            continue
        times = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
        bounds = [*map(str, metric.bounds), "+Inf"]
        for labels in series:
            sums = accumulate(mine.get((labels, bound), 0.0) for bound in bounds)
            times.add_metric(labels, list(zip(bounds, sums, strict=True)), mine.get((labels, counters.SUM), 0.0))
        yield times


def gauge(name: str, help: str, label: str, values: Iterable[tuple[str, float]]) -> Metric:
    family = GaugeMetricFamily(name, help, labels=[label])
    for which, value in values:
        family.add_metric([which], value)
    return family


def of_clusters() -> Iterator[Metric]:
    """What the database says."""
    names = cluster_names()
    yield GaugeMetricFamily("orrery_clusters", "Clusters in the database.", value=len(names))
    phases = dict.fromkeys(PHASES, 0)
    for pod in pods(names):
        phase = pod.get("status", {}).get("phase", "Pending")
        phases[phase if phase in phases else "Unknown"] += 1
    yield gauge("orrery_pods", "Pods of all clusters, by phase.", "phase", phases.items())
    waiting = Requeue.objects.values("controller").annotate(keys=Count("id"), due=Min("due")).order_by("controller")
    rows = list(waiting)
    yield gauge("orrery_controller_waiting_keys", "Keys to be seen again: for they failed, or their time comes.",
                "controller", [(row["controller"], row["keys"]) for row in rows])  # fmt: skip
    late = [(row["controller"], max(0.0, time.time() - row["due"])) for row in rows]
    yield gauge("orrery_controller_overdue_seconds", "How long the longest of them is overdue.", "controller", late)


def pods(clusters: list[str]) -> Iterator[dict]:
    for cluster in clusters:
        try:
            yield from Client(cluster, "metrics").list(PODS)
        except UnknownCluster:
            continue  # it went just now


def of_broker() -> Iterator[Metric]:
    """What the broker says. Raises RedisError."""
    prefix = settings.CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"]
    queues = (settings.CELERY_TASK_DEFAULT_QUEUE, settings.KUBELET_QUEUE)
    lengths = [(queue, float(_client.llen(prefix + queue))) for queue in queues]
    yield gauge("orrery_queue_length", "Celery tasks that no worker has taken yet, by queue.", "queue", lengths)
    there = parts.present()
    under_way = sum(one.get("tasks", 0) for one in there)
    yield GaugeMetricFamily("orrery_tasks_under_way", "Celery tasks that a worker is at.", value=under_way)
    names = sorted({one["part"] for one in there})
    numbers = [(name, sum(one["part"] == name for one in there)) for name in names if name != parts.CLOCK]
    yield gauge("orrery_processes", "Processes that say that they are there.", "part", numbers)
    doors: dict[str, float] = {}
    for one in there:
        for door, number in one.get("websockets", {}).items():
            doors[door] = doors.get(door, 0) + number
    yield gauge("orrery_websockets", "Websockets that are open, by door.", "door", sorted(doors.items()))
    seen = seen_since(time.time() - SEEN_SECONDS)
    yield GaugeMetricFamily("orrery_learners_seen", "Learners who were here in the last minute.", value=seen)
