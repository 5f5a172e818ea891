"""Leases as heartbeats: every node has one, and a kubelet that speaks for thousands of nodes renews them together.

A kubelet renews its node's Lease every few seconds. Here one kubelet looks after all nodes of its runtime; thousands of
simulated ones would fill the log with nothing else. So the Lease of such a node names another one, its kubelet's own,
with the annotation `orrery.io/renewed-with`, and counts as renewed whenever that one is. A node that falls silent
(powered off, cut off) is taken out first: its Lease stands alone again, and grows old. Pure.
"""

from collections.abc import Callable

LEASE_NAMESPACE = "kube-node-lease"
RENEWED_WITH = "orrery.io/renewed-with"


def renewed_with(lease: dict) -> str:
    """The name of the Lease that this one is renewed with; "" if it stands alone."""
    return (lease["metadata"].get("annotations") or {}).get(RENEWED_WITH, "")


def renew_time(lease: dict, find: Callable[[str], dict | None]) -> str | None:
    """When it was renewed last. `find` gives another Lease by its name."""
    joint = find(renewed_with(lease)) if renewed_with(lease) else None
    return (joint or lease)["spec"].get("renewTime")
