"""The cluster that lessons run in: made when the first one is started, so that nothing is lost of what is in others."""

from django.conf import settings
from django.db import transaction

from lab.apimachinery.engines import labels_of
from lab.apimachinery.kinds import NODES
from lab.client import Client, cluster_names
from lab.client.clusters import ensure_cluster, furnish
from lab.client.engines import engine_for_one_more

from .pages import SCENES
from .scenes import BASE, read_scene

LEARN = "learn"


def ensure_learning_cluster(name: str = LEARN, guard: str = "") -> bool:
    """Make the cluster with the nodes that most scenes stand on, where it is not there yet; whether it was made. All of
    it or nothing, so that who was killed meanwhile finds it whole next time. A learner's, who is held to `guard`, gets
    the engine that has the fewest."""
    if name in cluster_names():
        return False
    with transaction.atomic():
        if not ensure_cluster(name, guard):
            return False  # somebody else has just made it
        furnish(name)
        nodes = [obj for obj in read_scene(SCENES, BASE, settings.RUNTIME).objects if obj["kind"] == NODES.kind]
        if engine := engine_for_one_more() if guard else "":
            for node in nodes:
                node["metadata"]["labels"] |= labels_of(engine)
        Client(name, author="bootstrap").create_many(NODES, nodes)
    return True
