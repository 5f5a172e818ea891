"""Reading a backup (`backup.py`) into a database, whatever kind it is, in the place of all that is there.

The tables are first made as they were when the backup was taken, then filled, then brought to what this version has:
so an older backup goes through the same migrations as an older lab. One that is newer than this version is refused.
"""

import base64
import gzip
import itertools
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from lab.models import Cursor

from .backup import FILES, FORMAT, be_patient

BATCH = 500
CHANGED = "Nothing was changed."


class Refused(Exception):
    """Why a file is not restored, in words for who asked for it."""


@dataclass(frozen=True)
class Head:
    """What a backup says of itself, and how many rows of each table there are in it."""

    schema: list[str]
    made: str
    database: str
    rows: Counter[str]


def examine(path: Path) -> Head:
    """Read it to its end, and change nothing. Raises Refused for what is no backup, is cut short, or is too new."""
    said = read_lines(path)
    first = next(said, None)
    if not isinstance(first, dict) or "orrery" not in first:
        raise Refused(f"{path} is no backup of a lab. {CHANGED}")
    known = {name for app, name in MigrationLoader(None).disk_migrations if app == "lab"}
    if why := newer(first, known):
        raise Refused(f"{path} was written by a newer Orrery: {why}. Update Orrery, then restore. {CHANGED}")
    rows: Counter[str] = Counter()
    last = first
    for line in said:
        if isinstance(line, dict):
            last = line
        else:
            rows[last["table"]] += 1
    if last.get("end") != rows.total():
        raise Refused(f"{path} is not whole: its end is missing. {CHANGED}")
    return Head(first["schema"], first["made"], first["database"], rows)


def newer(first: dict, known: Iterable[str]) -> str:
    """What of a backup is not known here. Pure."""
    if first["orrery"] != FORMAT:
        return f"its form is number {first['orrery']}, and this one reads number {FORMAT}"
    unknown = [name for name in first["schema"] if name not in known]
    return f"its tables have {', '.join(unknown)}, which this one does not know" if unknown else ""


def read_lines(path: Path) -> Iterator[Any]:
    try:
        with gzip.open(path, "rb") as file:
            for line in file:
                yield orjson.loads(line)
    except (EOFError, gzip.BadGzipFile, orjson.JSONDecodeError) as error:
        raise Refused(f"{path} is no backup, or was cut short: {error}. {CHANGED}") from error
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from error


def restore(path: Path, head: Head) -> None:
    """Of one that was examined. All that was there is gone."""
    drop_tables()
    call_command("migrate", "lab", head.schema[-1], verbosity=0, interactive=False)
    call_command("migrate", "auth", verbosity=0, interactive=False)
    call_command("migrate", "sessions", verbosity=0, interactive=False)
    then = MigrationLoader(connection).project_state(("lab", head.schema[-1])).apps
    with transaction.atomic():
        be_patient()
        Session.objects.all().delete()
        User.objects.all().delete()
        filled = [fill(then, table, rows) for table, rows in tables(path)]
        reset = connection.ops.sequence_reset_sql(no_style(), filled)
        with connection.cursor() as cursor:
            for statement in reset:
                cursor.execute(statement)
    call_command("migrate", verbosity=0, interactive=False)
    Cursor.objects.update(holder="", held_since=0, expires=0)  # of processes that are no more
    write_files(path)


def drop_tables() -> None:
    """And forget that they were made: to take migrations back would copy all rows, again and again."""
    mine = [name for name in connection.introspection.table_names() if name.startswith("lab_")]
    cascade = " CASCADE" if connection.vendor == "postgresql" else ""
    with connection.constraint_checks_disabled(), connection.cursor() as cursor:
        for name in mine:
            cursor.execute(f"DROP TABLE {connection.ops.quote_name(name)}{cascade}")
    recorder = MigrationRecorder(connection)
    recorder.ensure_schema()
    recorder.migration_qs.filter(app="lab").delete()


def tables(path: Path) -> Iterator[tuple[dict, Iterator[list]]]:
    """Each table that has rows, with them."""

    def rows() -> Iterator[tuple[dict, list]]:
        table: dict = {}
        for line in read_lines(path):
            if isinstance(line, dict):
                table = line
            else:
                yield table, line

    for _, group in itertools.groupby(rows(), key=lambda pair: pair[0]["table"]):
        table, first = next(group)
        yield table, itertools.chain([first], (row for _, row in group))  # noqa: B031 - what is left of it


def fill(then: Any, table: dict, rows: Iterator[list]) -> type[models.Model]:
    """One table, by the model that it had then; that model."""
    app, name = table["table"].split(".")
    model = User if app == "auth" else then.get_model(app, name)
    fields = [field for field in model._meta.concrete_fields if field.attname in table["columns"]]
    fields.sort(key=lambda field: table["columns"].index(field.attname))
    for field in fields:
        if getattr(field, "auto_now_add", False):
            field.auto_now_add = False  # of a model that lives as long as this: the times are those of then
    made = (model(**{f.attname: stored(f, value) for f, value in zip(fields, row, strict=True)}) for row in rows)
    while batch := list(itertools.islice(made, BATCH)):
        model._base_manager.bulk_create(batch)
    return model


def stored(field: Any, value: Any) -> Any:
    """Of a row's value, what its column takes."""
    return value if value is None or isinstance(field, models.JSONField) else field.to_python(value)


def write_files(path: Path) -> None:
    """For nobody else to read, as they were."""
    for line in read_lines(path):
        if isinstance(line, dict) and line.get("file") in FILES:
            target = settings.DATA_DIR / line["file"]
            target.parent.mkdir(mode=0o700, exist_ok=True)
            target.unlink(missing_ok=True)
            with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
                file.write(base64.b64decode(line["base64"]))
