"""`manage.py backup FILE`: all workshops, learners and clusters in one file, while the lab goes on."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from lab.operations import backup

KEPT_OUT = (
    "Not in it: what pods have written to volumes, and images that were built. Containers are made anew. "
    "Whoever has the file is master of the lab: it has all its keys."
)


class Command(BaseCommand):
    help = "Write workshops, accounts, learners, their progress and all clusters with their history into one file."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="where; it must not be there yet")
        parser.add_argument("--data", metavar="DIR", help="the lab's data folder")

    def handle(self, **options: Any) -> None:
        path: Path = options["file"]
        if path.exists():
            raise CommandError(f"{path} is there already: choose another name.")
        try:
            rows = backup.write(path)
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
        except DatabaseError as error:
            raise CommandError(f"The database does not answer, or no lab was here yet: {error}") from error
        self.stdout.write(f"{path}: {said(rows)}.\n{KEPT_OUT}")


def said(rows: dict[str, int]) -> str:
    """The tables that people know, in words. Pure."""
    words = (("lab.workshop", "workshops"), ("lab.seat", "learners"), ("lab.cluster", "clusters"))
    return ", ".join(f"{rows.get(table, 0)} {word}" for table, word in (*words, ("lab.revision", "revisions")))
