"""The Celery tasks, all thin: which controller, of which cluster, catches up. The log says with what."""

import contextlib
import logging
import time
from collections.abc import Iterator
from typing import Any

import redis
from celery import shared_task
from celery.signals import task_postrun, task_prerun
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist

from lab import counters, logs, parts
from lab.apimachinery.errors import ApiError
from lab.client import UnknownCluster, ahead, cluster_names, engines
from lab.client.election import hold_elections
from lab.client.reconcile import AWAY, TASK_SECONDS, behind, catch_up
from lab.controllers import CONTROLLERS
from lab.pipeline import BUILDS
from lab.scheduler import SCHEDULER
from lab.store import compact, hints, subscribe
from lab.workshops.seats import forget_overdue
from lab.workshops.warming import make_ahead

log = logging.getLogger(__name__)
RECONCILE = "lab.tasks.reconcile"
CHAIN_SECONDS = 0.2  # for which a task goes on with what it has brought about itself
# The scheduler first: of all that a new pod pokes, it is the one that the pod waits for.
LOOPS = {controller.name: controller for controller in (SCHEDULER, *CONTROLLERS, BUILDS)}


def subscribe_all() -> None:
    """Called once in every process: from now on its writes poke the controllers that they concern."""
    ahead.LOOPS.update(LOOPS)
    for loop in LOOPS.values():
        subscribe(loop.name, RECONCILE, settings.CELERY_TASK_DEFAULT_QUEUE, loop.wants)


_began: dict[str, float] = {}


@task_prerun.connect
def begins(task_id: str, **_: object) -> None:
    _began[task_id] = time.monotonic()
    logs.request_id.set(task_id)
    logs.cluster.set("")


@task_postrun.connect
def ends(task_id: str, task: Any, state: str | None = None, **_: object) -> None:
    """Of each task, in the process that did it."""
    counters.count(counters.TASKS, task.name, state or "UNKNOWN")
    if began := _began.pop(task_id, 0.0):
        counters.observe(counters.TASK_TIMES, time.monotonic() - began, task.name)


def under_way() -> int:
    """How many tasks this process is at."""
    return len(_began)


@contextlib.contextmanager
def patience() -> Iterator[None]:
    """A database that is locked, full or away comes back, and the tick asks again in a second: one line will do."""
    try:
        yield
    except AWAY as error:
        log.warning("the controllers wait for the database: %s", str(error).strip())
    except UnknownCluster as gone:
        log.info("cluster %s is gone", gone)


@contextlib.contextmanager
def passing(cluster: str) -> Iterator[None]:
    """One cluster's failure, whatever it is, must not stop the others; one that has just gone is none."""
    logs.cluster.set(cluster)
    try:
        yield
    except AWAY:
        raise
    except (ApiError, UnknownCluster, ObjectDoesNotExist) as error:
        log.info("%s is passed by: %s", cluster, error)
    except Exception:
        log.exception("%s is passed by", cluster)


@shared_task(name=RECONCILE)
def reconcile(work: hints.Work) -> None:
    """These controllers of each cluster catch up, one after the other; then those for whom they have made work, and so
    on, but not for long: others are waiting. Whoever waits here for a slow one is poked by the tick, and caught up by
    another thread."""
    hints.taken(work)
    began = time.monotonic()
    with hints.at(RECONCILE) as made:
        catch_up_all(work, began + TASK_SECONDS)
        while made and time.monotonic() < began + CHAIN_SECONDS:
            next_ones = dict(made)
            made.clear()
            catch_up_all(next_ones, began + TASK_SECONDS)
    if made:
        hints.poke_by_name(made)


def catch_up_all(work: hints.Work, enough: float) -> None:
    """Who has not begun by then is poked anew."""
    turns = [(cluster, name) for cluster, names in work.items() for name in names]
    for number, (cluster, name) in enumerate(turns):
        if time.monotonic() > enough:
            left: hints.Work = {}
            for its, late in turns[number:]:
                left.setdefault(its, []).append(late)
            hints.poke_by_name(left)
            break
        logs.cluster.set(cluster)
        try:
            with patience():
                catch_up(cluster, LOOPS[name])
        except Exception:  # one controller's failure, whatever it is, must not stop the others
            log.exception("%s of %s cannot catch up", name, cluster)


@shared_task(name="lab.tasks.tick")
def tick() -> None:
    """Once a second: see who leads, and poke whoever has something to do: what a lost hint would have said, and what
    is due."""
    parts.say(parts.CLOCK, parts.CLOCK, {})
    late: hints.Work = {}
    with patience():
        for cluster in cluster_names():
            with passing(cluster):
                hold_elections(cluster)
                late[cluster] = behind(cluster, LOOPS.values())
    hints.poke_by_name(late)


@shared_task(name="lab.tasks.rescue_clusters")
def rescue_clusters() -> None:
    """See which engine is lost, and have what stood on it built anew elsewhere."""
    with patience(), contextlib.suppress(redis.RedisError):  # a broker that is away has lost what it was told
        for cluster, lost, to in engines.rescue():
            log.warning("engine %s is lost: %s moves to %s", lost, cluster, to)


@shared_task(name="lab.tasks.compact_logs")
def compact_logs() -> None:
    """Forget history beyond what is kept."""
    with patience():
        for cluster in cluster_names():
            with passing(cluster):
                compact(cluster)


@shared_task(name="lab.tasks.warm_workshop")
def warm_workshop(code: str) -> None:
    """Make clusters for whoever will join, a while's worth of them, and leave the rest to another task."""
    with patience():
        if make_ahead(code):
            warm_workshop.delay(code)


@shared_task(name="lab.tasks.rehearse_workshop")
def rehearse_workshop(code: str, run: str) -> None:
    """Set one more stage of a rehearsal, and leave the rest to another task."""
    from lab.workshops.rehearsal import rehearse  # which knows the pages of lessons, no load for those who never do

    with patience():
        if rehearse(code, run):
            rehearse_workshop.delay(code, run)


@shared_task(name="lab.tasks.forget_workshops")
def forget_workshops() -> None:
    """Delete what was to be deleted by now."""
    with patience():
        forget_overdue()
