"""A backup: one file with all that a lab cannot make again, as it was at one moment, while the lab goes on.

Lines of JSON, compressed. The first says what it is and of which schema; then files (the authority, the sessions' key),
then each table: a line that names it and its columns, and one for each row; the last one counts the rows, so that a
file that was cut short is known by it. Nothing in it is of one kind of database. Whoever has it is master of the lab.
"""

import base64
import gzip
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, models
from django.db.migrations.recorder import MigrationRecorder

FORMAT = 1
FILES = ("secret-key", "pki/ca.crt", "pki/ca.key", "pki/sa.key")
PAGE = 1000


def write(path: Path) -> dict[str, int]:
    """How many rows of each table there are in it. The file is there whole or not at all, and its owner's alone."""
    part = path.with_name(f"{path.name}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as raw:
        with gzip.open(raw, "wb", compresslevel=6) as file, snapshot():
            rows: dict[str, int] = {}
            for line in lines(rows):
                file.write(orjson.dumps(line) + b"\n")
        raw.flush()
        os.fsync(raw.fileno())
    part.replace(path)
    return rows


@contextmanager
def snapshot() -> Iterator[None]:
    """All that is read within is of one moment, and nobody who writes has to wait for it."""
    begin = {"sqlite": "BEGIN"}.get(connection.vendor, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    with connection.cursor() as cursor:
        cursor.execute(begin)
        try:
            be_patient()
            yield
        finally:
            cursor.execute("ROLLBACK")


def be_patient() -> None:
    """With this transaction, though it stands still: nobody waits for it, and a page of large objects is packed, or
    unpacked, for half a minute."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")


def lines(rows: dict[str, int]) -> Iterator[Any]:
    """Of the file. Fills `rows` on the way."""
    applied = MigrationRecorder.Migration.objects.filter(app="lab").order_by("id")
    schema = list(applied.values_list("name", flat=True))
    made = datetime.now(UTC).isoformat(timespec="seconds")
    yield {"orrery": FORMAT, "schema": schema, "made": made, "database": connection.display_name}
    for name in FILES:
        if (path := settings.DATA_DIR / name).exists():
            yield {"file": name, "base64": base64.b64encode(path.read_bytes()).decode()}
    for model in [*in_order(apps.get_app_config("lab").get_models()), User]:
        if model._meta.db_table in connection.introspection.table_names():
            yield {"table": model._meta.label_lower, "columns": columns(model)}
            number = 0
            for row in read(model):
                number += 1
                yield row
            rows[model._meta.label_lower] = number
    yield {"end": sum(rows.values())}


def in_order(found: Any) -> list[type[models.Model]]:
    """Each after those that it points to."""
    waiting, done = list(found), []
    while waiting:
        ready = next(model for model in waiting if not {*points_to(model)} & {*waiting} - {model})
        waiting.remove(ready)
        done.append(ready)
    return done


def points_to(model: type[models.Model]) -> list[Any]:
    return [field.related_model for field in model._meta.concrete_fields if field.is_relation]


def columns(model: type[models.Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


def read(model: type[models.Model]) -> Iterator[list[Any]]:
    """The rows, by their keys: page after page, for a log is longer than the memory."""
    last, names = 0, columns(model)
    place = names.index(model._meta.pk.attname)
    while page := list(model._base_manager.filter(pk__gt=last).order_by("pk").values_list(*names)[:PAGE]):
        for row in page:
            yield [plain(value) for value in row]
        last = page[-1][place]


def plain(value: Any) -> Any:
    """As JSON has it; what it was is told from its column."""
    return base64.b64encode(value).decode() if isinstance(value, bytes | memoryview) else value
