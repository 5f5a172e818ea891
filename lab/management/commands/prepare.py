"""`manage.py prepare`: tables, and in a database without any cluster the default one with the demo on it."""

from pathlib import Path

import yaml
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import transaction

from lab.apimachinery.kinds import BY_GVK
from lab.apimachinery.labels import RUNTIME_LABEL
from lab.client import Client, Put, cluster_names
from lab.client.clusters import ensure_cluster

DEFAULT_CLUSTER = Path(__file__).parents[1] / "default-cluster.yaml"


class Command(BaseCommand):
    help = "Make the tables and, where there is no cluster yet, the default one. `up` does this by itself."

    def handle(self, **options) -> None:
        call_command("migrate", verbosity=0, interactive=False)
        if not cluster_names():
            make_default_cluster()


def make_default_cluster() -> None:
    """All of it or nothing, so that one who was killed meanwhile finds it whole next time. What the user later
    deletes from it stays deleted."""
    with transaction.atomic():
        ensure_cluster(settings.DEFAULT_CLUSTER)
        client = Client(settings.DEFAULT_CLUSTER, author="bootstrap")
        client.write([_put(obj) for obj in yaml.safe_load_all(DEFAULT_CLUSTER.read_text())])


def _put(obj: dict) -> Put:
    kind = BY_GVK[obj["apiVersion"], obj["kind"]]
    if kind.kind == "Node":
        obj["metadata"]["labels"][RUNTIME_LABEL] = settings.RUNTIME
    return Put(kind, obj)
