"""The cluster's loops, turned by hand."""

from collections.abc import Iterable

from lab.client.reconcile import Controller, catch_up


def run_until_quiet(cluster: str, controllers: Iterable[Controller], rounds: int = 100) -> int:
    """Turn all loops in this thread until none has anything to do now; how many keys were synced."""
    total = 0
    for _ in range(rounds):
        synced = sum(catch_up(cluster, controller) for controller in controllers)
        total += synced
        if not synced:
            return total
    raise RuntimeError(f"the controllers of {cluster} do not come to rest: one of them wakes itself")
