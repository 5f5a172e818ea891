"""The DaemonSet controller: one pod on each node that fits, and on no other: what every machine needs one of.

May create and delete pods. Must never bind one: each says the name of its node, and the scheduler does the rest, so
that what a daemon asks for is counted like all else.
`nodes`, `plan` and `status` are pure decisions; `controller` reads, asks them, and writes.
"""
