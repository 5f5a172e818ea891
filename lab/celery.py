"""The Celery application: `lab/worker.py` runs its tasks, `lab/beat.py` sends those that a clock begins."""

import os

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lab.settings")

app = Celery("lab")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["lab", "lab.kubelet", "lab.proxy", "lab.visitors"])


@setup_logging.connect
def leave_logging_alone(**_: object) -> None:
    """Somebody who answers this signal has set logging up, Celery believes: the settings have."""
