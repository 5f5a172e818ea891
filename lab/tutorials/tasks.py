"""No task here: the tutor lives in a worker."""

from lab.celery import lives_in_worker

from .tutor import Tutor

lives_in_worker(Tutor)
