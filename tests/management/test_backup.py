"""Backup and restore: from one kind of database into the other and back, and what is refused."""

import gzip
import os
import socket
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from django.conf import settings
from django.db.migrations.loader import MigrationLoader

from lab import parts
from lab.management.commands.backup import said
from lab.operations.restore import newer
from tests.flow.databases import create_database
from tests.labs import HOME, clean_environment

CLASS = """
from datetime import date
from django.contrib.auth.models import User
from lab.models import Poll, Seat, Workshop
from lab.tutorials.cluster import ensure_learning_cluster
User.objects.create_user("grace", password="a long one to keep")
one = Workshop.objects.create(code="BCDFGH", title="A class", lessons=["a", "b"], by="grace", forget=date(2100, 1, 1))
seat = Seat.objects.create(workshop=one, nickname="Ada ♥", key="k", cluster="bcdfgh-1")
Poll.objects.create(workshop=one, lesson="a", step="b")
ensure_learning_cluster(seat.cluster, one.images)
"""

SLOWLY = """
import time
from django.db import connection
from lab.operations.backup import snapshot
with connection.cursor() as cursor:
    cursor.execute("SET idle_in_transaction_session_timeout = '100ms'")
    with snapshot():
        time.sleep(1)
        cursor.execute("SELECT 'read on'")
        print(*cursor.fetchone())
"""

SLOWLY_BACK = """
import time
from pathlib import Path
from django.db import connection
from lab.operations import restore
def slowly(path, tables=restore.tables):
    time.sleep(1)
    yield from tables(path)
restore.tables = slowly
with connection.cursor() as cursor:
    cursor.execute("SET idle_in_transaction_session_timeout = '100ms'")
file = Path({file!r})
restore.restore(file, restore.examine(file))
print("all of it")
"""


def run(data: Path, *words: str, **env: str) -> subprocess.CompletedProcess:
    env = clean_environment(ORRERY_DATA=str(data), **env)
    return subprocess.run(
        [sys.executable, "manage.py", *words], cwd=HOME, env=env, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=200,
    )  # fmt: skip


def command(data: Path, *words: str, **env: str) -> str:
    done = run(data, *words, **env)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def refused(data: Path, *words: str, **env: str) -> str:
    done = run(data, *words, **env)
    assert done.returncode != 0 and "Traceback" not in done.stderr
    return done.stderr


def lines(path: Path) -> list:
    with gzip.open(path) as file:
        return [orjson.loads(line) for line in file]


def rewrite(path: Path, said: list) -> Path:
    other = path.with_name("other")
    with gzip.open(other, "wb") as file:
        file.write(b"".join(orjson.dumps(line) + b"\n" for line in said))
    return other


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Path:
    """A backup of a lab with a class."""
    folder = tmp_path_factory.mktemp("kept")
    command(folder / "data", "prepare", ORRERY_RUNTIME="simulated", ORRERY_ROOM="http://room/")
    command(folder / "data", "shell", "-c", CLASS, ORRERY_ROOM="http://room/")
    assert ": 1 workshops, 1 learners, 2 clusters, " in command(folder / "data", "backup", str(folder / "file"))
    return folder / "file"


def test_what_was_kept_is_the_same_in_the_other_kind_of_database_and_back_again(kept, tmp_path, postgres):
    database = create_database(postgres, "restored")
    words = command(tmp_path / "two", "restore", str(kept), DATABASE_URL=database)
    assert "1 workshops, 1 learners, 2 clusters, " in words and "on SQLite" in words
    command(tmp_path / "two", "backup", str(tmp_path / "second"), DATABASE_URL=database)
    assert "on PostgreSQL" in command(tmp_path / "three", "restore", str(tmp_path / "second"))
    command(tmp_path / "three", "backup", str(tmp_path / "third"))
    first, second, third = (lines(path) for path in (kept, tmp_path / "second", tmp_path / "third"))
    assert first[1:] == second[1:] == third[1:]
    assert len(first) > 100 and any("grace" in line for line in first)
    # The next row that is made gets a number of its own.
    command(tmp_path / "two", "restore", str(kept), "--yes", DATABASE_URL=database)
    makes = "from lab.store import create_cluster; print(create_cluster('new'))"
    assert "True" in command(tmp_path / "two", "shell", "-c", makes, DATABASE_URL=database)


def test_a_backup_takes_its_time_between_two_pages(tmp_path, postgres):
    """PostgreSQL ends who stands still amid a transaction: they may have a row for which others wait."""
    database = create_database(postgres, "slowly")
    assert "read on" in command(tmp_path, "shell", "-c", SLOWLY, DATABASE_URL=database, ORRERY_ROOM="http://room/")


def test_and_so_does_a_restore_between_two_batches(kept, tmp_path, postgres):
    words = SLOWLY_BACK.format(file=str(kept))
    database = create_database(postgres, "slowly_back")
    assert "all of it" in command(tmp_path, "shell", "-c", words, DATABASE_URL=database, ORRERY_ROOM="http://room/")


def test_a_backup_is_its_owners_alone_and_never_written_over(kept):
    assert os.stat(kept).st_mode & 0o777 == 0o600
    assert "is there already" in refused(kept.parent / "data", "backup", str(kept))
    assert [path.name for path in kept.parent.iterdir() if path.is_file()] == ["file"]


def test_what_is_there_is_replaced_only_if_somebody_says_so(kept, tmp_path):
    data = tmp_path / "data"
    command(data, "prepare", ORRERY_RUNTIME="simulated")
    makes = "from lab.store import create_cluster, cluster_names; create_cluster('mine'); print(cluster_names())"
    command(data, "shell", "-c", makes)
    assert "Kept: 2 clusters" in refused(data, "restore", str(kept))
    shows = "from lab.store import cluster_names; print(cluster_names())"
    assert "['default', 'mine']" in command(data, "shell", "-c", shows)
    command(data, "restore", str(kept), "--yes")
    assert "['default', 'bcdfgh-1']" in command(data, "shell", "-c", shows)


def test_a_lab_that_runs_somewhere_is_not_restored_under_its_processes(kept, tmp_path, broker):
    parts._client.delete(parts._key())
    env = {"REDIS_URL": broker, "ORRERY_LAB_ID": settings.LAB_ID}
    worker = parts.Here("worker", lambda: {"queues": ["kubelet"]})
    worker.start()
    why = f"still runs: worker@{socket.gethostname()}:"
    assert why in refused(tmp_path / "data", "restore", str(kept), "--yes", **env)
    worker.stop()
    parts.say("clock", "clock", {})  # the last that was heard of one that has been stopped just now
    command(tmp_path / "data", "restore", str(kept), **env)


def test_a_newer_schema_is_refused_in_words_that_say_what_to_do(kept, tmp_path):
    first, *rest = lines(kept)
    new = rewrite(kept, [{**first, "schema": [*first["schema"], "9999_later"]}, *rest])
    words = refused(tmp_path / "data", "restore", str(new))
    assert "written by a newer Orrery: its tables have 9999_later" in words and "Update Orrery" in words
    assert "number 9" in newer({**first, "orrery": 9}, first["schema"])
    assert newer(first, first["schema"]) == ""


def test_an_older_schema_goes_through_the_same_migrations_as_an_older_lab(kept, tmp_path):
    first, *rest = lines(kept)
    schema = first["schema"][: first["schema"].index("0010_rehearsals")]
    then = MigrationLoader(None).project_state(("lab", schema[-1])).apps
    old, names, keep = [{**first, "schema": schema}], {}, []
    for line in (line for line in rest if isinstance(line, list) or line.get("table", "").startswith("lab.")):
        if isinstance(line, dict):
            there = {model._meta.label_lower: model for model in then.get_models()}.get(line["table"])
            names = line["columns"] if there else []
            keep = [n for n, name in enumerate(names) if name in {field.attname for field in there._meta.fields}]
            old += [{**line, "columns": [names[n] for n in keep]}] if there else []
        elif keep:
            old.append([line[n] for n in keep])
    assert "rehearsal" not in str(old[:2000]) and any("Ada" in str(line) for line in old)
    old.append({"end": sum(isinstance(line, list) for line in old)})
    command(tmp_path / "data", "restore", str(rewrite(kept, old)))
    shows = "from lab.models import *; one = Workshop.objects.get(); print(one.title, one.rehearsal, one.polls.count())"
    assert "A class {} 0" in command(tmp_path / "data", "shell", "-c", shows)


@pytest.mark.parametrize("spoil", [lambda raw: raw[: len(raw) // 2], lambda raw: b"no backup at all", lambda raw: b""])
def test_what_is_cut_short_or_no_backup_changes_nothing(kept, tmp_path, spoil):
    (tmp_path / "spoilt").write_bytes(spoil(kept.read_bytes()))
    assert "Nothing was changed" in refused(tmp_path / "data", "restore", str(tmp_path / "spoilt"), "--yes")


def test_a_file_whose_last_rows_are_missing_is_not_whole(kept, tmp_path):
    short = rewrite(kept, [line for line in lines(kept) if not (isinstance(line, dict) and "end" in line)])
    assert "is not whole" in refused(tmp_path / "data", "restore", str(short), "--yes")


def test_what_was_written_is_said_in_words():
    assert said({"lab.workshop": 2, "lab.revision": 5}) == "2 workshops, 0 learners, 0 clusters, 5 revisions"
