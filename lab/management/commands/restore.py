"""`manage.py restore FILE`: a backup in the place of all that is there, of a lab that does not run."""

from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from lab import parts
from lab.client import cluster_names
from lab.operations import restore
from lab.supervisor.state import is_running

from .backup import said


class Command(BaseCommand):
    help = "Put a backup in the place of all that is in the database. Stop the lab first, start it afterwards."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="what `backup` has written")
        parser.add_argument("--yes", action="store_true", help="do not ask before what is there is replaced")
        parser.add_argument("--data", metavar="DIR", help="the lab's data folder")

    def handle(self, **options: Any) -> None:
        path: Path = options["file"]
        try:
            head = restore.examine(path)
        except restore.Refused as why:
            raise CommandError(str(why)) from why
        if still := running():
            raise CommandError(f"The lab still runs: {still}. Stop it, then restore.")
        if (there := clusters()) and not options["yes"] and not self.agreed(there):
            self.stdout.write("Kept.")
            return
        settings.DATA_DIR.chmod(0o700)
        restore.restore(path, head)
        when = f"as they were at {head.made} on {head.database}"
        self.stdout.write(f"{said(head.rows)}, {when}. Start the lab: containers are made anew.")

    def agreed(self, there: list[str]) -> bool:
        what = f"{len(there)} clusters and all workshops in {settings.DATABASES['default']['NAME']}"
        try:
            return input(f"Replace {what}? They are lost. Type yes: ") == "yes"
        except EOFError:
            raise CommandError(
                f"Kept: {what} are there, and nobody to be asked. With --yes they are replaced."
            ) from None


def running() -> str:
    """What of the lab runs, in words; of one on several machines, what its broker has heard."""
    if is_running(settings.DATA_DIR):
        return "in this folder (`manage.py down` stops it)"
    try:
        return ", ".join(parts.staying())
    except redis.RedisError:
        return ""


def clusters() -> list[str]:
    try:
        return cluster_names()
    except DatabaseError:  # there are no tables yet
        return []
