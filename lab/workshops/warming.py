"""Clusters that are made before the class comes, so that who joins waits for nothing."""

import time

from lab.client import cluster_names
from lab.client.clusters import delete_cluster
from lab.models import Workshop
from lab.tutorials.cluster import ensure_learning_cluster

from .seats import next_clusters

BATCH_SECONDS = 10.0  # a task stays far shorter than the time after which it would be delivered again


def made_ahead(workshop: Workshop) -> tuple[int, int]:
    """Of how many free seats the cluster is there, and how many there are."""
    free, there = next_clusters(workshop), set(cluster_names())
    return sum(name in there for name in free), len(free)


def make_ahead(code: str) -> bool:
    """Make some, in the order in which they will be taken; whether there are more to make."""
    enough = time.monotonic() + BATCH_SECONDS
    while workshop := Workshop.objects.filter(code=code).first():
        there = set(cluster_names())
        name = next((name for name in next_clusters(workshop) if name not in there), "")
        if not name or time.monotonic() > enough:
            return bool(name)
        ensure_learning_cluster(name, workshop.guard)
        if not Workshop.objects.filter(code=code).exists():  # it was deleted meanwhile, with those that it knew of
            delete_cluster(name)
    return False
