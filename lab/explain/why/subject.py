"""What is asked about: an object as it is, or was last, and what the log has of it and of others."""

import time
from collections.abc import Callable
from functools import cached_property

from lab.apimachinery.errors import not_found
from lab.apimachinery.kinds import Kind
from lab.client import Client

MOST_ROWS = 100  # of one object, the newest
FAR = 1000  # the same, where all of those say what is asked for: 30 ms
MOST_DECIDED = 50  # of one object, the newest that carry a decision


class Subject:
    """`obj` is the object as its newest row has it, `gone` whether that row deleted it. Raises ApiError 404 for one of
    which no row is kept. Rows are dicts as `lab.store.history` has them, newest first."""

    def __init__(self, client: Client, kind: Kind, namespace: str, name: str, now: float | None = None):
        self.client, self.kind, self.namespace, self.name = client, kind, namespace, name
        self.now = time.time() if now is None else now
        newest = client.history(kind, namespace, name, 1)
        if not newest:
            raise not_found(kind, name)
        self.newest = newest[0]
        self.obj: dict = self.newest["object"]
        self.gone: bool = self.newest["deleted"]
        self.uid: str = self.obj["metadata"]["uid"]

    @cached_property
    def rows(self) -> list[dict]:
        return self._own(self.client.history(self.kind, self.namespace, self.name, MOST_ROWS))

    @cached_property
    def far(self) -> list[dict]:
        return self._own(self.client.history(self.kind, self.namespace, self.name, FAR))

    @cached_property
    def decided(self) -> list[dict]:
        """Those of its rows that carry a decision or a fault, however far back."""
        return self._own(self.client.history(self.kind, self.namespace, self.name, MOST_DECIDED, decided=True))

    @cached_property
    def beginning(self) -> list[dict]:
        """The first of its rows, oldest first, from the one that made it on; none if that is no longer kept."""
        return self._own(self.client.beginning(self.kind, self.namespace, self.name))

    def _own(self, rows: list[dict]) -> list[dict]:
        """Without those of a former object of the same name."""
        return [row for row in rows if row["object"]["metadata"]["uid"] == self.uid]

    def decision(self, *names: str) -> dict | None:
        """Its newest row with one of these decisions."""
        return next((row for row in self.decided if row["why"].get("decision") in names), None)

    def since(self, holds: Callable[[dict], bool]) -> dict | None:
        """The row that made it so: the oldest of the newest rows of which it `holds`. None if it does not hold. It may
        have become so before, if there are too many."""
        found = _oldest(self.rows, holds)
        many = len(self.rows) == MOST_ROWS and found is self.rows[-1]
        return _oldest(self.far, holds) if many else found

    def before(self, row: dict) -> dict | None:
        """The row before one of its own, if it is known."""
        return next((one for rows in (self.rows, self.far) for one in rows if one["revision"] < row["revision"]), None)

    def other(self, kind: Kind, namespace: str, name: str) -> "Subject | None":
        """Another object of the cluster; None if no row of it is kept."""
        rows = self.client.history(kind, namespace, name, 1)
        return Subject(self.client, kind, namespace, name, self.now) if rows else None


def _oldest(rows: list[dict], holds: Callable[[dict], bool]) -> dict | None:
    found = None
    for row in rows:
        if not holds(row["object"]):
            break
        found = row
    return found
