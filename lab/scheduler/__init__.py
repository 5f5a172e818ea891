"""kube-scheduler: finds each new pod the node that suits it best, and says why.

May read pods and nodes and write bindings, through the client; filters, scores and preemption are pure functions.
Must never start anything, nor move a pod that has a node: it only preempts, which means to delete and to wait.
"""

from .scheduler import Scheduler

SCHEDULER = Scheduler()

__all__ = ["SCHEDULER", "Scheduler"]
