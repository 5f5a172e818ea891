"""No task here: the visitors' agent lives in a worker, where there is a front door to go through."""

from lab.celery import lives_in_worker

from .agent import agent_of_environment

lives_in_worker(agent_of_environment)
