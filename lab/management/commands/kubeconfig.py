"""`manage.py kubeconfig`: how kubectl finds a cluster of this lab."""

import base64
from typing import Any

import yaml
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from lab.apimachinery.kubeconfig import kubeconfig
from lab.apiserver.access.user import LOOPBACK, MASTERS
from lab.client import cluster_names
from lab.management import pki
from lab.supervisor.state import read_run


class Command(BaseCommand):
    help = "Print a kubeconfig: manage.py kubeconfig > orrery.yaml; kubectl --kubeconfig orrery.yaml get pods"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("cluster", nargs="?", default=settings.DEFAULT_CLUSTER)
        parser.add_argument("--data", metavar="DIR", help="the lab's data folder")
        parser.add_argument(
            "--plain", action="store_true", help="without TLS and credentials, for the loopback; tokens need TLS"
        )

    def handle(self, cluster: str, **options: Any) -> None:
        try:
            known = cluster_names()
        except DatabaseError as error:
            raise CommandError("There is no cluster yet. Start the lab first: python3 manage.py up") from error
        if cluster not in known:
            raise CommandError(f'There is no cluster "{cluster}"; there is: {", ".join(known) or "none"}')
        run = read_run(settings.DATA_DIR)
        if options["plain"]:
            config = kubeconfig(cluster, run.get("board") or f"http://127.0.0.1:{settings.PORT}/", {}, {})
        else:
            config = kubeconfig(cluster, run.get("tls") or f"https://127.0.0.1:{settings.TLS_PORT}/", *credentials())
        self.stdout.write(yaml.safe_dump(config, sort_keys=False), ending="")


def credentials() -> tuple[dict, dict]:
    """What a kubeconfig says of the authority, and of a user who may do everything."""
    certificate, key = pki.client_certificate(settings.PKI_DIR, LOOPBACK.name, (MASTERS,))
    authority = (settings.PKI_DIR / "ca.crt").read_bytes()
    user = {"client-certificate-data": _encoded(certificate), "client-key-data": _encoded(key)}
    return {"certificate-authority-data": _encoded(authority)}, user


def _encoded(pem: bytes) -> str:
    return base64.b64encode(pem).decode()
