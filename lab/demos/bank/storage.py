"""Where the bank keeps its records: one contract, several ways to keep it. No part can tell which it was given.

A table holds records by key. Whoever writes says which revision they had read; if somebody wrote since, nothing is
written and they read again (Kubernetes does the same with resourceVersion). All records of a write are put, or none.
"""

import json
import os
import threading
import time
from collections.abc import Callable
from typing import Protocol

Table = dict[str, dict]
SEED: dict[str, Table] = {
    "accounts": {
        "anna": {"owner": "Anna Berg", "cents": 250_000},
        "ben": {"owner": "Ben Okoro", "cents": 84_050},
        "chen": {"owner": "Chen Li", "cents": 1_290_000},
        "dora": {"owner": "Dora Weiss", "cents": 4_275},
    },
    "loans": {
        "house-7": {"account": "anna", "purpose": "a house", "cents": 18_400_000, "percent": 3.2},
        "bike-2": {"account": "ben", "purpose": "a bicycle", "cents": 120_000, "percent": 6.0},
    },
    "payments": {},
}


class Storage(Protocol):
    """The contract."""

    def read(self, table: str) -> tuple[Table, int]:
        """All its records, and the revision at which they were so."""

    def write(self, changes: dict[str, Table], revision: int) -> bool:
        """Put these records; False, and nothing is put, if somebody has written since `revision`."""

    def forget(self) -> None:
        """Be as at the beginning."""


class Memory:
    """Gone with the process. The others differ from it in what they do besides: `keep`."""

    def __init__(self) -> None:
        self._tables = _first()
        self._revision = 1
        self._lock = threading.Lock()

    def read(self, table: str) -> tuple[Table, int]:
        with self._lock:
            return dict(self._tables.get(table, {})), self._revision

    def write(self, changes: dict[str, Table], revision: int) -> bool:
        with self._lock:
            if revision != self._revision:
                return False
            self.keep(changes, revision + 1)
            self.put(changes, revision + 1)
            return True

    def forget(self) -> None:
        with self._lock:
            self.empty()
            self._tables = _first()
            self._revision += 1  # who has read before that must read again
            self.keep(self._tables, self._revision)

    def put(self, changes: dict[str, Table], revision: int) -> None:
        for name, records in changes.items():
            self._tables.setdefault(name, {}).update(records)
        self._revision = revision

    def keep(self, changes: dict[str, Table], revision: int) -> None:
        """Make it last. Before anybody is told that it was written."""

    def empty(self) -> None:
        """Drop what was kept."""


def _first() -> dict[str, Table]:
    return {name: dict(table) for name, table in SEED.items()}


class File(Memory):
    """One file with everything in it, made anew for each change: simple, and slow when there is much."""

    def __init__(self, path: str):
        super().__init__()
        self._path = path
        if os.path.exists(path):
            with open(path) as file:
                found = json.load(file)
            self.put(found["tables"], found["revision"])
        self.keep({}, self._revision)  # whether it can, is said now and not with the first payment

    def keep(self, changes: dict[str, Table], revision: int) -> None:
        tables = {name: {**self._tables.get(name, {}), **changes.get(name, {})} for name in {*self._tables, *changes}}
        with open(self._path + ".new", "w") as file:
            json.dump({"revision": revision, "tables": tables}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(self._path + ".new", self._path)  # either the old file or the new one, never half of one


class Journal(Memory):
    """A line for each change, added at the end: fast, however much there is. It takes over what a File has left."""

    def __init__(self, path: str):
        super().__init__()
        older = os.path.splitext(path)[0] + ".json"
        if not os.path.exists(path) and os.path.exists(older):
            with open(older) as file, open(path + ".new", "w") as new:
                left = json.load(file)
                new.write(json.dumps({"revision": left["revision"], "changes": left["tables"]}) + "\n")
            os.replace(path + ".new", path)
        self._file = open(path, "a+b")  # noqa: SIM115 - for as long as the process lives
        self._file.seek(0)
        whole, end, _ = self._file.read().rpartition(b"\n")
        self._file.truncate(len(whole + end))  # the last line may have been cut off, and the next one begins anew
        for line in whole.splitlines():
            change = json.loads(line)
            self.put(change["changes"], change["revision"])

    def keep(self, changes: dict[str, Table], revision: int) -> None:
        self._file.write(json.dumps({"revision": revision, "changes": changes}).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def empty(self) -> None:
        self._file.truncate(0)


class Away(Exception):
    """The storage does not answer."""


class Remote:
    """Another process, through `ask(method, path, body) -> (status, data)`. Raises Away.

    Asks again for a while if it is away: nobody notices when it is replaced. It may: to write twice is harmless
    here, for the second finds that somebody, itself, has written since.
    """

    def __init__(self, ask: Callable[[str, str, dict], tuple[int, dict]], patience: float = 8.0):
        self._ask = ask
        self._patience = patience

    def read(self, table: str) -> tuple[Table, int]:
        _, data = self._asked("GET", f"/tables/{table}", {})
        return data["records"], data["revision"]

    def write(self, changes: dict[str, Table], revision: int) -> bool:
        return self._asked("POST", "/changes", {"changes": changes, "revision": revision})[0] == 200

    def forget(self) -> None:
        """Each process forgets for itself."""

    def _asked(self, method: str, path: str, body: dict) -> tuple[int, dict]:
        end = time.monotonic() + self._patience
        while True:
            status, data = self._ask(method, path, body)
            if status in (200, 409):
                return status, data
            if status != 503 or time.monotonic() > end:
                raise Away(data.get("error", f"storage answered {status}"))
            time.sleep(0.1)


def opened(where: str) -> tuple[Storage, str]:
    """What `STORE` names, if it is of this process; and a word on what it is. Without a volume: in memory."""
    way, _, path = where.partition(":")
    if way not in ("file", "journal"):
        return Memory(), "in memory: gone when this process ends"
    try:
        return (File if way == "file" else Journal)(path), f"in {path}"
    except OSError as error:
        return Memory(), f"in memory, for {path} cannot be used: {error.strerror}"


def change(storage: Storage, table: str, edit: Callable[[Table], dict[str, Table]], tries: int = 20) -> None:
    """Read a table, let `edit` say what to write, and write it; again if somebody came between. Raises Away."""
    for _ in range(tries):
        records, revision = storage.read(table)
        changes = edit(records)
        if not changes or storage.write(changes, revision):
            return
        time.sleep(0.01)
    raise Away("too many write at once")
