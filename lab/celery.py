"""The Celery application: `lab/worker.py` runs its tasks, `lab/beat.py` sends those that a clock begins."""

import os
from collections.abc import Callable
from typing import Protocol, TypeVar

from celery import Celery
from celery.signals import setup_logging, worker_ready, worker_shutting_down

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lab.settings")

app = Celery("lab")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["lab", "lab.kubelet", "lab.proxy", "lab.visitors", "lab.tutorials"])


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
