"""`manage.py prepare`: tables, certificates, and where there is no cluster the default one with the demo on it."""

from pathlib import Path
from typing import Any

import yaml
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import transaction

from lab import logs
from lab.apimachinery.kinds import BY_GVK
from lab.apimachinery.labels import RUNTIME_LABEL
from lab.apimachinery.services import API_ADDRESS, API_NAMES
from lab.client import Client, Put, cluster_names
from lab.client.clusters import ensure_cluster, furnish
from lab.management import pki

DEFAULT_CLUSTER = Path(__file__).parents[1] / "default-cluster.yaml"


FIRST_SIGN_IN = "Who teaches signs in as {name} with {password}, once, and then chooses a password of their own."


class Command(BaseCommand):
    help = "Make tables, certificates and, where there is none yet, the default cluster. `up` does this by itself."

    def handle(self, **options: Any) -> None:
        settings.DATA_DIR.chmod(0o700)  # Secrets and tokens lie in it, and other users of the machine are not asked for
        call_command("migrate", verbosity=0, interactive=False)
        pki.prepare(settings.PKI_DIR, own_hosts())
        for cluster in cluster_names():
            ensure_cluster(cluster)  # one that is older than this version is given what it lacks
            furnish(cluster)
        if not cluster_names():
            make_default_cluster()
        if settings.ROOM:
            self.make_first_account()

    def make_first_account(self) -> None:
        from lab.workshops.accounts import FIRST, make_first  # without a room there are no accounts

        if password := make_first():
            self.stdout.write(FIRST_SIGN_IN.format(name=FIRST, password=told(password)))


def told(password: str) -> str:
    """As it is said: to somebody at a terminal, or, where a program reads along, who keeps it, by the file it is in."""
    if settings.LOG_FORMAT != logs.JSON:
        return password
    path = settings.DATA_DIR / "first-sign-in"
    path.touch(0o600)
    path.write_text(f"{password}\n")
    return f"the password in {path}"


def own_hosts() -> list[str]:
    """The names and addresses by which clients may call this lab, pods among them; a pattern is none."""
    allowed = [host for host in settings.ALLOWED_HOSTS if not host.startswith((".", "*"))]
    return ["localhost", "127.0.0.1", "::1", settings.HOST, *allowed, *API_NAMES, API_ADDRESS]


def make_default_cluster() -> None:
    """All of it or nothing, so that one who was killed meanwhile finds it whole next time. What the user later
    deletes from it stays deleted."""
    with transaction.atomic():
        ensure_cluster(settings.DEFAULT_CLUSTER)
        furnish(settings.DEFAULT_CLUSTER)
        client = Client(settings.DEFAULT_CLUSTER, author="bootstrap")
        client.write([_put(obj) for obj in yaml.safe_load_all(DEFAULT_CLUSTER.read_text())])


def _put(obj: dict) -> Put:
    kind = BY_GVK[obj["apiVersion"], obj["kind"]]
    if kind.kind == "Node":
        obj["metadata"]["labels"][RUNTIME_LABEL] = settings.RUNTIME
    return Put(kind, obj)
