"""`manage.py kubeconfig`: how kubectl finds a cluster of this lab."""

import yaml
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from lab.client import cluster_names
from lab.supervisor.state import read_run


class Command(BaseCommand):
    help = "Print a kubeconfig: manage.py kubeconfig > orrery.yaml; kubectl --kubeconfig orrery.yaml get pods"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("cluster", nargs="?", default=settings.DEFAULT_CLUSTER)
        parser.add_argument("--data", metavar="DIR", help="the lab's data folder")

    def handle(self, cluster: str, **options) -> None:
        try:
            known = cluster_names()
        except DatabaseError as error:
            raise CommandError("There is no cluster yet. Start the lab first: python3 manage.py up") from error
        if cluster not in known:
            raise CommandError(f'There is no cluster "{cluster}"; there is: {", ".join(known) or "none"}')
        board = read_run(settings.DATA_DIR).get("board") or f"http://127.0.0.1:{settings.PORT}/"
        self.stdout.write(yaml.safe_dump(kubeconfig(cluster, board), sort_keys=False), ending="")


def kubeconfig(cluster: str, board: str) -> dict:
    """One cluster, one user without credentials, one context; named so that it can be merged with others."""
    name = f"orrery-{cluster}"
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": f"{board}clusters/{cluster}"}}],
        "users": [{"name": name, "user": {}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": "default"}}],
        "current-context": name,
    }
