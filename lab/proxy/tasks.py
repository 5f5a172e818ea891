"""No task here: the agent lives in the kubelet's worker, and follows the log by itself."""

from lab.celery import lives_in_worker

from .agent import agent_of_environment

lives_in_worker(agent_of_environment)
