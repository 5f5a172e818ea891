"""SQLite has one write lock and no queue before it: who finds it taken sleeps, up to a tenth of a second, and whoever
comes just then has it (sqlite3_busy_timeout). Where a class acts, a dozen threads of three processes write
without a pause: the lock is free a third of the time, and the unlucky wait for seconds. So they queue for it here, and
SQLite's own is nearly always free for the one whose turn it is. It is still what guards the data: somebody who writes
past the queue only makes it wait. `tests/bench/bench_writers.py` measures it.

Nobody brings the log into the database out of turn either, though writers would not wait for it: until 3.51.3 a log
that is begun anew during a checkpoint may be taken for one that is in the database already
(sqlite.org/wal.html#walresetbug).
"""

from typing import Any

from django.db.backends.sqlite3 import base
from django.db.utils import OperationalError

from .turn import Turn, turn_at

READERS_MILLISECONDS = 500
WRITES = ("UPDATE", "INSERT", "DELETE", "REPLACE")


class Cursor(base.SQLiteCursorWrapper):
    """A write outside of a transaction has its turn, too."""

    wrapper: "DatabaseWrapper"

    def execute(self, query: str, params: Any = None) -> Any:
        if self.connection.in_transaction or not query.startswith(WRITES):
            return super().execute(query, params)
        self.wrapper.take_turn()
        try:
            return super().execute(query, params)
        finally:
            self.wrapper.give_turn()


class DatabaseWrapper(base.DatabaseWrapper):
    """What Django asks of a backend; the turn is taken with each transaction, and given back with its end."""

    _turn: Turn | None = None  # while it is ours

    def take_turn(self) -> None:
        """Raises OperationalError, as SQLite does, if others are at it for too long."""
        turn = turn_at(str(self.settings_dict["NAME"]))
        if not turn.take(self.settings_dict["OPTIONS"].get("timeout", 5.0)):
            raise OperationalError("database is locked")
        self._turn = turn

    def give_turn(self) -> None:
        turn, self._turn = self._turn, None
        if turn:
            turn.give()

    def empty_log(self) -> None:
        """Bring the log into the database and cut it off: what was deleted is not to be found there either. Who reads
        is waited for, but not for long, since nobody writes meanwhile; if they stay, what is written next covers it."""
        self.ensure_connection()
        patience = self.connection.execute("PRAGMA busy_timeout").fetchone()[0]
        self.take_turn()
        try:
            self.connection.execute(f"PRAGMA busy_timeout = {READERS_MILLISECONDS}")
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            self.connection.execute(f"PRAGMA busy_timeout = {patience}")
            self.give_turn()

    def create_cursor(self, name: str | None = None) -> Cursor:
        cursor = self.connection.cursor(factory=Cursor)
        cursor.wrapper = self
        return cursor

    def _start_transaction_under_autocommit(self) -> None:
        self.take_turn()
        try:
            super()._start_transaction_under_autocommit()
        except BaseException:
            self.give_turn()
            raise

    def _commit(self) -> None:
        super()._commit()  # where it fails, a rollback follows
        self.give_turn()

    def _rollback(self) -> None:
        try:
            super()._rollback()
        finally:
            self.give_turn()

    def _close(self) -> None:
        try:
            super()._close()
        finally:
            self.give_turn()
