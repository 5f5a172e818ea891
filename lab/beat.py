"""The clock: `celery -A lab.beat beat` sends what `settings.CELERY_BEAT_SCHEDULE` says, by name.

It runs no task, so it loads none, nor Django: half the memory of the others, for a process that only counts seconds.
"""

from celery import Celery

from . import settings

app = Celery("beat", fixups=[])
app.config_from_object(settings, namespace="CELERY")
