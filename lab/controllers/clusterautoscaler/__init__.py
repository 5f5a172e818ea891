"""The cluster autoscaler: buys machines for pods that find no room, and gives back those that nobody needs.

`machines` says what a bought node is; `buying` and `selling` decide, by asking the scheduler what would be if (as
Kubernetes' own does, which is built with the scheduler inside); all of them are pure. `controller` reads and writes.
"""
