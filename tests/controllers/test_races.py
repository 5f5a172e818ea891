"""Several workers turn the same loops at once, and now and then one loses its hold in the middle of its work.

Kubernetes' ReplicaSet controller guards itself with expectations against acting on what it has not yet seen. Here the
hold, the fence and the log's order must do: at no revision may there be more pods than were asked for.
"""

import contextlib
import random
import threading
import time

import pytest
from django.db import connections

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import PODS
from lab.apimachinery.meta import controller_of
from lab.client.clusters import delete_cluster
from lab.client.reconcile import catch_up
from lab.controllers.deployment.rollout import fenceposts
from lab.controllers.pods import is_active
from lab.models import Cursor
from lab.store import changes

from .cluster import WORKLOADS, Cluster

pytestmark = pytest.mark.django_db(transaction=True)
WORKERS = 4
SECONDS = 3.0


def turn_until(end: float, cluster: Cluster, chance: random.Random, failures: list[Exception]) -> None:
    try:
        while time.monotonic() < end:
            catch_up(cluster.name, chance.choice(WORKLOADS[:2]))
            if chance.random() < 0.3:  # a worker that has been asleep too long: its hold has run out
                Cursor.objects.filter(name__endswith=chance.choice(("replicaset", "deployment"))).update(expires=0)
    except Exception as error:
        failures.append(error)
    finally:
        connections.close_all()


def most_replicas(cluster: Cluster) -> int:
    """Over the whole log: the largest number of active pods of the Deployment at any revision."""
    active: dict[str, bool] = {}
    most, after = 0, 0
    while news := changes(cluster.name, after):
        for change in news:
            if change.resource == PODS.resource and controller_of(change.object):
                active[change.name] = not change.deleted and is_active(change.object)
                most = max(most, sum(active.values()))
        after = news[-1].revision
    return most


def test_however_workers_overtake_each_other_there_is_never_a_pod_too_many():
    chance = random.Random(7)
    cluster = Cluster("races")
    try:
        cluster.deploy(6)
        end, failures = time.monotonic() + SECONDS, []
        threads = [
            threading.Thread(target=turn_until, args=(end, cluster, random.Random(seed), failures))
            for seed in range(WORKERS)
        ]
        for thread in threads:
            thread.start()
        version = 1
        while time.monotonic() < end:
            waiting = [pod for pod in cluster.pods() if is_active(pod) and not pod.get("status", {}).get("conditions")]
            if waiting:
                with contextlib.suppress(ApiError):  # it may have been deleted meanwhile
                    cluster.run(waiting[:2])
            elif chance.random() < 0.5:
                version += 1
                cluster.release(f"v{version}")
            time.sleep(0.02)
        for thread in threads:
            thread.join(30)
        assert failures == []
        cluster.run_all()
        assert {pod["spec"]["containers"][0]["image"] for pod in cluster.pods()} == {f"web:v{version}"}
        assert len(cluster.pods()) == 6 and version > 2
        assert most_replicas(cluster) <= 6 + fenceposts(cluster.deployment())[0]
    finally:
        delete_cluster("races")
