"""The queue before SQLite's write lock: one at a time, and nobody keeps it who is gone."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import OperationalError, connection, transaction

from lab.models import Cursor
from lab.sqlite.base import DatabaseWrapper
from lab.sqlite.turn import Turn, turn_at

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has queues of its own"),
]
HOLDS = """
import sys, time
from pathlib import Path
from lab.sqlite.turn import Turn
turn = Turn(Path(sys.argv[1]))
turn.take(1)
print("taken", flush=True)
time.sleep(600)
"""


@pytest.fixture
def short(monkeypatch) -> None:
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0.1)


@pytest.fixture
def turn() -> Iterator[Turn]:
    found = turn_at(str(connection.settings_dict["NAME"]))
    yield found
    assert found.take(5), "somebody has kept it"
    found.give()


def is_free(turn: Turn) -> bool:
    taken = turn.take(0.01)
    if taken:
        turn.give()
    return taken


def test_a_transaction_has_the_turn_to_its_end_whichever_it_is(turn):
    with transaction.atomic():
        Cursor.objects.create(name="kept")
        with transaction.atomic():  # within another it is the same turn
            Cursor.objects.update(revision=1)
        assert not is_free(turn)
    assert is_free(turn)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        assert not is_free(turn)
        raise ZeroDivisionError
    assert is_free(turn)
    assert Cursor.objects.get().revision == 1


def test_a_connection_that_is_closed_in_the_middle_gives_it_back(turn):
    with transaction.atomic():
        connection.close()
        assert is_free(turn)


def test_readers_need_none_and_one_write_alone_has_one(turn, short):
    Cursor.objects.create(name="one")
    turn.take(1)
    assert Cursor.objects.get().name == "one"
    for write in (Cursor.objects.all().update, lambda revision: Cursor.objects.create(name="two", revision=revision)):
        with pytest.raises(OperationalError, match="database is locked"):
            write(revision=7)
    turn.give()
    assert Cursor.objects.update(revision=7) == 1
    assert is_free(turn)


def test_who_waits_has_it_as_soon_as_it_is_given_back(turn):
    turn.take(1)
    done = threading.Event()

    def write() -> None:
        Cursor.objects.create(name="waited")
        connection.close()
        done.set()

    threading.Thread(target=write, daemon=True).start()
    assert not done.wait(0.2)
    turn.give()
    assert done.wait(10)


def test_another_process_is_waited_for_and_one_that_was_killed_is_not(tmp_path: Path):
    holder = subprocess.Popen([sys.executable, "-c", HOLDS, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "taken\n"
    turn, mine = Turn(tmp_path), threading.Event()
    threading.Thread(target=lambda: turn.take(1) and mine.set(), daemon=True).start()
    assert not mine.wait(0.3)
    holder.kill()
    assert mine.wait(10)
    holder.wait()
    turn.give()


def test_what_was_deleted_is_in_none_of_the_files_once_the_log_is_emptied(tmp_path: Path):
    database = DatabaseWrapper({**connection.settings_dict, "NAME": str(tmp_path / "lab.sqlite3")}, "another")
    found = lambda: [path.name for path in tmp_path.iterdir() if b"Ada Lovelace" in path.read_bytes()]  # noqa: E731
    try:
        with database.cursor() as cursor:
            cursor.execute("CREATE TABLE seats (name TEXT)")
            cursor.execute("INSERT INTO seats VALUES ('Ada Lovelace')")
            cursor.execute("DELETE FROM seats")
        assert found() == ["lab.sqlite3-wal"]
        database.empty_log()
        assert found() == []
        assert is_free(turn_at(str(tmp_path / "lab.sqlite3")))
    finally:
        database.close()
