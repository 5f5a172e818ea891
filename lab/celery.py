"""The Celery application: `lab/worker.py` runs its tasks, `lab/beat.py` sends those that a clock begins.

Celery's fixup for Django is left out: it closes every connection to the database before each task and after it.
"""

import os
from collections.abc import Callable
from typing import Protocol, TypeVar

from celery import Celery
from celery.signals import setup_logging, task_prerun, worker_ready, worker_shutting_down
from django.db import close_old_connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lab.settings")

app = Celery("lab", fixups=[])
app.set_default()  # for all threads, which else would know of none
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["lab", "lab.kubelet", "lab.proxy", "lab.visitors", "lab.tutorials"])


@task_prerun.connect
def replace_broken_connections(**_: object) -> None:
    """As before a request: one to a database that was restarted, say."""
    close_old_connections()


@setup_logging.connect
def leave_logging_alone(**_: object) -> None:
    """Somebody who answers this signal has set logging up, Celery believes: the settings have."""


class Resident(Protocol):
    """What lives in a worker beside its tasks, in threads of its own."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


R = TypeVar("R", bound=Resident)


def lives_in_worker(make: Callable[[], R | None]) -> list[R]:
    """What `make` makes, if anything, starts when this process is a worker that is ready, and stops with it. The list
    holds it meanwhile."""
    here: list[R] = []

    def begin(**_: object) -> None:
        if not here and (resident := make()):
            here.append(resident)
            resident.start()

    def end(**_: object) -> None:
        while here:
            here.pop().stop()

    worker_ready.connect(begin, weak=False)
    worker_shutting_down.connect(end, weak=False)
    return here
