"""Django's description of the lab."""

from django.apps import AppConfig

from . import celery


class LabConfig(AppConfig):
    name = "lab"
    verbose_name = "Orrery"
    celery = celery.app  # made as soon as Django is, so that every process sends its tasks to the same broker

    def ready(self) -> None:
        """Let every process that writes know which controllers there are to poke."""
        from . import tasks
        from .kubelet.tasks import subscribe_kubelet

        tasks.subscribe_all()
        subscribe_kubelet()
