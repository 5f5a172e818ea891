"""kube-scheduler: finds each new pod the node that suits it best, and says why.

May read pods and nodes and write bindings, through the client; filters, scores and preemption are pure functions.
Must never start anything, nor move a pod that has a node: it only preempts, which means to delete and to wait.

Read it along a pod's way; in brackets the extension points of kube-scheduler's framework that are at work there:

`informer`, `cache`      what the log says of nodes and pods, kept as sums; which changes may help who waits
`podinfo`, `nodeinfo`    one pod and one node, parsed
`queue`                  who is tried when                                        [PreEnqueue in `cache.is_pending`]
`scheduler`              one run: look, decide, write
`batch`                  the decision: the scheduling cycles of all who wait      [QueueSort, Reserve]
`filters`                where it cannot run, by the node alone                   [Filter]
`topology`, `spread`     and by where others are                                  [PreFilter, Filter, PreScore, Score]
`scores`, `scale`        where it runs best                                       [Score, NormalizeScore]
`candidates`, `group`    all nodes, filtered and scored; `sampling`: how many of them
`preemption`, `trial`    who makes room for a pod that fits nowhere               [PostFilter]
`volumebinding`          what its claims have to say before and after             [PreFilter, PreBind]
`diagnosis`, `reporting` what is said of it

The plugins have their names in Kubernetes as functions or modules: `node_resources_fit` is NodeResourcesFit. A run ends
with the binding cycle of all at once (Bind): one transaction. Nothing waits in between, so there is no Permit.
"""

from .scheduler import Scheduler

SCHEDULER = Scheduler()

__all__ = ["SCHEDULER", "Scheduler"]
