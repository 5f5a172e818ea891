"""Whose turn it is to write: of the threads of this process, and of the processes of this machine."""

import fcntl
import os
import threading
from functools import cache
from pathlib import Path


class Turn:
    """Of one database. Who waits is woken as soon as it is given back; a process that dies gives it back."""

    def __init__(self, folder: Path | None = None):
        """`folder`: the one that the database is in, for other processes to wait at; None if only this one has it."""
        self._threads = threading.Lock()
        # A folder can be locked like a file, so there is nothing to make, to forget or to lack room for.
        self._folder = os.open(folder, os.O_RDONLY) if folder else None

    def take(self, seconds: float) -> bool:
        """False if it was not ours within so many seconds. For another process one waits longer if need be: to wait
        less would mean to ask again and again, and to be woken by nobody."""
        if not self._threads.acquire(timeout=seconds):
            return False
        try:
            if self._folder is not None:
                fcntl.flock(self._folder, fcntl.LOCK_EX)
        except OSError:  # a file system that knows no locks: processes meet at SQLite's own
            self._folder = None
        except BaseException:
            self._threads.release()
            raise
        return True

    def give(self) -> None:
        if self._folder is not None:
            fcntl.flock(self._folder, fcntl.LOCK_UN)
        self._threads.release()


@cache
def turn_at(database: str) -> Turn:
    """The one that all connections of this process share. `database`: its path, or what SQLite has in its place."""
    path = Path(database)
    return Turn(path.parent if path.is_absolute() else None)
