"""Django's description of the lab."""

import gc

from django.apps import AppConfig

from . import celery


class LabConfig(AppConfig):
    name = "lab"
    verbose_name = "Orrery"
    celery = celery.app  # made as soon as Django is, so that every process sends its tasks to the same broker

    def ready(self) -> None:
        """Let every process that writes know which controllers there are to poke."""
        from . import tasks
        from .kubelet.subscription import subscribe_kubelet
        from .tutorials import kept, pace
        from .workshops.closing import kept_of
        from .workshops.seats import waits_at
        from .workshops.stops import rested

        tasks.subscribe_all()
        subscribe_kubelet()
        pace.asks(waits_at, rested)
        kept.asks(kept_of)
        # What a process knows of its clusters lives long and holds no cycles. Looking for some after every 700 new
        # objects, as Python does unless told otherwise, takes three times as long as reading the objects.
        gc.set_threshold(10_000, 50, 50)
