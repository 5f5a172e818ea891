"""Appending to the log.

Revisions must become visible in the order of their numbers, or a watcher that has seen 8 would never look for a 7
that commits later. So they are given out under the lock of the cluster's row: whoever holds it appends alone.
On SQLite every transaction that writes is alone anyhow (`IMMEDIATE`); on PostgreSQL the row lock does it.
"""

import logging
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import orjson
from django.db import connection, transaction

from lab import counters
from lab.models import Cluster, Cursor, DeletedCluster, Revision

from . import hints
from .view import View, head_of, view_of

log = logging.getLogger(__name__)


class Conflict(Exception):
    """A key was not at the revision that the writer expected, or a guard said no; nothing of the batch was written."""

    def __init__(self, write: "Write", current: int):
        super().__init__(f"{write.resource} {write.namespace}/{write.name} is at {current}, not {write.expected}")
        self.write = write
        self.current = current


class LostFence(Exception):
    """The writer no longer holds its cursor: another worker has taken its place, and its writes are refused."""


@dataclass(frozen=True)
class Write:
    """One key's next state. `expected` is the revision it must be at now: 0 for a key that must not exist yet. `guard`
    is asked under the lock, of the state that this write would follow: may it be written? `cause` is this write's own,
    where a batch has several; None: the batch's."""

    resource: str
    namespace: str
    name: str
    object: dict
    expected: int
    deleted: bool = False
    why: dict | None = None
    guard: Callable[[View], bool] | None = None
    cause: int | None = None


@dataclass(frozen=True)
class Fence:
    """Proof, checked within the transaction, that the writer is still the one who may write: a cursor's holder, who
    has it for so many `seconds` more with each write; or, with `turn`, whoever is the first to write in that turn."""

    cursor: str
    holder: str
    seconds: float
    turn: int | None = None


# All that is done under the lock is asked by hand: building it with the ORM takes several times as long, and all wait.
IS_OURS = "name = %s AND (holder = %s OR (holder = '' AND turn = %s))"  # a Fence says of which cursor, who, which turn
HOLD = f'UPDATE "{Cursor._meta.db_table}" SET holder = %s, held_since = %s, expires = %s WHERE {IS_OURS}'
MOVE_HEAD = f'UPDATE "{Cluster._meta.db_table}" SET revision = %s WHERE id = %s'
INSERT = (
    f'INSERT INTO "{Revision._meta.db_table}" (cluster_id, revision, resource, namespace, name, object, created,'
    " deleted, previous, time, author, cause, why) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
)


def append(
    cluster: str,
    writes: list[Write],
    author: str,
    cause: int = 0,
    fence: Fence | None = None,
    check: Callable[[View], None] | None = None,
) -> int:
    """Append all of `writes` or none; the revision of the last one (they are consecutive, in the order given).

    `check` is called under the lock with the state that the batch would follow: what it raises refuses the batch.
    Raises Conflict, LostFence, UnknownCluster. After the commit, whoever watches is told that the log grew.
    """
    with transaction.atomic():
        row = head_of(cluster, lock=True)
        now = time.time()
        _hold(fence, now)
        # Under the lock nobody else can append, so the view is exactly the state that this batch follows.
        current = view_of(row)
        current.read_to(row.revision)
        rows = []
        for revision, write in enumerate(writes, row.revision + 1):
            before = current.get(write.resource, write.namespace, write.name)
            previous = int(before["metadata"]["resourceVersion"]) if before else 0
            if previous != write.expected or (write.guard and not write.guard(current)):
                raise Conflict(write, previous)
            why = orjson.dumps(write.why) if write.why is not None else None
            rows.append(
                (row.pk, revision, write.resource, write.namespace, write.name, _dump(write.object), not previous,
                 write.deleted, previous, now, author, cause if write.cause is None else write.cause, why)
            )  # fmt: skip
        if check:
            check(current)
        head = row.revision + len(rows)
        with connection.cursor() as cursor:
            cursor.executemany(INSERT, rows)
            cursor.execute(MOVE_HEAD, [head, row.pk])

        def tell() -> None:
            current.take(row.revision, [(*r[1:8], *r[9:12]) for r in rows])  # COLUMNS, of INSERT's
            for resource, rows_of in Counter(write.resource for write in writes).items():
                counters.count(counters.REVISIONS, resource, by=rows_of)
            hints.announce(current, row.revision, head)

        transaction.on_commit(tell, robust=True)  # the write has happened: whatever a listener does cannot undo it
    return head


def _dump(obj: dict) -> bytes:
    """The object as it is stored: its revision is the row's, so it carries none itself."""
    meta = obj["metadata"]
    if "resourceVersion" in meta:
        obj = {**obj, "metadata": {k: v for k, v in meta.items() if k != "resourceVersion"}}
    return orjson.dumps(obj)


def _hold(fence: Fence | None, now: float) -> None:
    """Refuse who may not write; and keep the hold from being taken before this batch is committed, or the one who takes
    it would decide on a log that lacks the batch, and do its work once more."""
    if fence is None:
        return
    taken = [fence.holder, now, now + fence.seconds]
    with connection.cursor() as cursor:
        cursor.execute(HOLD, [*taken, fence.cursor, fence.holder, fence.turn])
        if not cursor.rowcount:
            raise LostFence(fence.cursor)


def create_cluster(name: str, guard: str = "") -> bool:
    """Make an empty cluster; False if there is one of that name."""
    _, created = Cluster.objects.get_or_create(name=name, defaults={"uid": str(uuid.uuid4()), "guard": guard})
    return created


def delete_cluster(name: str) -> None:
    """Forget a cluster with its whole log. What it has on engines is the kubelet's to remove."""
    with transaction.atomic():
        row = head_of(name, lock=True)
        # Its loops' holds first: whoever is just ending a turn ends it, and nobody begins another.
        Cursor.objects.filter(name__startswith=f"{row.uid}/").delete()
        Cluster.objects.filter(pk=row.pk).delete()
        DeletedCluster.objects.get_or_create(name=name)


def deleted_clusters() -> set[str]:
    """Those that somebody has deleted, and nobody has made anew."""
    there = Cluster.objects.values("name")
    return set(DeletedCluster.objects.exclude(name__in=there).values_list("name", flat=True))


def cluster_names() -> list[str]:
    """Asked by every loop once a second, so by hand: building it with the ORM takes ten times as long as running it."""
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT name FROM "{Cluster._meta.db_table}" ORDER BY id')
        return [name for (name,) in cursor.fetchall()]


def heads() -> dict[str, tuple[str, int]]:
    """Of each cluster its uid and its newest revision: for who looks at all of them, one question instead of many."""
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT name, uid, revision FROM "{Cluster._meta.db_table}" ORDER BY id')
        return {name: (uid, revision) for name, uid, revision in cursor.fetchall()}
