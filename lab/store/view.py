"""The process's cached copy of a cluster's current state: Kubernetes' watch cache.

A view is never served as it is: `refresh()` first asks the database for the head of the log (one small query) and
reads what is new. So a view is as fresh as the database itself, and a get or a list costs memory, not SQL.
"""

import builtins  # `list` is also a verb here
import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import orjson
from django.db import connection
from django.db.models import F, Max, Q

from lab.models import Cluster, Revision

# How many changes a view remembers, for watchers and controllers that are nearly up to date. Each takes some 5 KB, so
# the views of a whole class share what they may remember. Whoever is further behind reads the log itself.
MOST_CHANGES, FEWEST_CHANGES, CHANGES_OF_ALL = 4096, 256, 32_768
ROWS_A_READ = 2000


class UnknownCluster(Exception):
    """There is no cluster of that name."""


class Compacted(Exception):
    """The history asked for is no longer kept. `oldest` is the oldest revision that can be watched from."""

    def __init__(self, oldest: int):
        super().__init__(f"the oldest revision that is kept is {oldest}")
        self.oldest = oldest


@dataclass(frozen=True, slots=True)
class Change:
    """One row of the log as its readers want it. `object` is the new state, or the last one of a deleted key."""

    revision: int
    resource: str
    namespace: str
    name: str
    object: dict
    old: dict | None
    created: bool
    deleted: bool
    time: float
    author: str
    cause: int


COLUMNS = ("revision", "resource", "namespace", "name", "object", "created", "deleted", "time", "author", "cause")


def load(raw: bytes | memoryview, revision: int) -> dict:
    """A stored object, with the resourceVersion that its row gives it."""
    obj = orjson.loads(raw)
    obj["metadata"]["resourceVersion"] = str(revision)
    return obj


class Head(NamedTuple):
    """The row of a cluster, as far as reading its log goes: above all, the newest revision."""

    pk: int
    name: str
    uid: str
    revision: int
    compacted: int
    guard: str


# Asked before every read and under the lock of every write, and after each write in each process, so by hand: building
# them with the ORM takes ten times as long as running them.
ASK_HEAD = f'SELECT id, name, uid, revision, compacted, guard FROM "{Cluster._meta.db_table}" WHERE name = %s'
READ_ON = 'SELECT "{}" FROM "{}" WHERE cluster_id = %s AND revision > %s ORDER BY revision LIMIT {}'.format(
    '", "'.join(COLUMNS), Revision._meta.db_table, ROWS_A_READ
)


def head_of(name: str, lock: bool = False) -> Head:
    """The cluster's row; locked until the end of the transaction, if so asked. Raises UnknownCluster."""
    # Nothing of the row's key changes: rows that only refer to it, such as a key to see again, need not wait for us.
    locking = " FOR NO KEY UPDATE" if lock and connection.features.has_select_for_no_key_update else ""
    with connection.cursor() as cursor:
        cursor.execute(ASK_HEAD + locking, [name])
        row = cursor.fetchone()
    if row is None:
        raise UnknownCluster(name)
    return Head(*row)


class View:
    """Current state of one cluster. Objects are shared between all readers: copy before you change one."""

    def __init__(self, cluster: Head):
        self.cluster_id = cluster.pk
        self.name = cluster.name
        self.uid = cluster.uid
        self.guard = cluster.guard
        self.revision = 0
        self._objects: dict[str, dict[str, dict[str, dict]]] = {}
        self._recent: deque[Change] = deque()
        self._lock = threading.RLock()

    def read_to(self, head: int) -> None:
        """Take in what the log holds up to `head`."""
        if head <= self.revision:
            return
        with self._lock:
            if self.revision == 0 and head > 0:
                self.load(head)
            while self.revision < head:
                self._read_some()

    def load(self, revision: int) -> None:
        """The whole state at `revision`, without the history that led there: the newest row of each key."""
        rows = Revision.objects.filter(cluster_id=self.cluster_id)
        keys = rows.filter(revision__lte=revision).order_by().values("resource", "namespace", "name")
        # Most keys that ever were are gone: that much is told by the index alone, without a look at their rows.
        ends = keys.annotate(newest=Max("revision"), gone=Max("revision", filter=Q(deleted=True), default=0))
        current = rows.filter(revision__in=ends.filter(newest__gt=F("gone")).values("newest"))
        objects: dict[str, dict[str, dict[str, dict]]] = {}
        for resource, namespace, name, raw, written in current.values_list(
            "resource", "namespace", "name", "object", "revision"
        ).iterator(ROWS_A_READ):
            objects.setdefault(resource, {}).setdefault(namespace, {})[name] = load(raw, written)
        self._recent.clear()
        self._objects = objects  # in one step, for others read without the lock
        self.revision = revision

    def _read_some(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(READ_ON, [self.cluster_id, self.revision])
            some = cursor.fetchall()
        if not some:
            raise RuntimeError(f"the log of {self.name} ends at {self.revision}, before its own head")
        # Revisions have no gaps. Where one is missing it was compacted away under us, perhaps with the news of a
        # deletion: what is left of the history no longer leads from our state to the present one.
        if some[-1][0] - self.revision != len(some):
            return self.load(Cluster.objects.values_list("revision", flat=True).get(pk=self.cluster_id))
        for row in some:
            self._apply(row)

    def take(self, before: int, rows: list[tuple]) -> None:
        """Take in what this process has itself appended after `before`: that need not be read. `rows`: of COLUMNS."""
        with self._lock:
            if self.revision == before:
                for row in rows:
                    self._apply(row)

    def _apply(self, row: tuple) -> None:
        revision, resource, namespace, name, raw, created, deleted, time, author, cause = row  # COLUMNS
        names = self._objects.setdefault(resource, {}).setdefault(namespace, {})
        obj = load(raw, revision)
        old = names.pop(name, None) if deleted else names.get(name)
        if not deleted:
            names[name] = obj
        self._recent.append(
            Change(revision, resource, namespace, name, obj, old, bool(created), bool(deleted), time, author, cause)
        )
        self.revision = revision
        most = max(FEWEST_CHANGES, min(MOST_CHANGES, CHANGES_OF_ALL // max(1, len(_views))))
        while len(self._recent) > most:
            self._recent.popleft()

    def refresh(self) -> "View":
        """Catch up with the log; returns itself. Raises UnknownCluster if the cluster is gone."""
        return view(self.name)

    def get(self, resource: str, namespace: str, name: str) -> dict | None:
        return self._objects.get(resource, {}).get(namespace, {}).get(name)

    def list(self, resource: str, namespace: str = "") -> builtins.list[dict]:
        """All objects of a resource, in one namespace or (empty) in all; in no particular order."""
        with self._lock:
            spaces = self._objects.get(resource, {})
            chosen = [spaces.get(namespace, {})] if namespace else spaces.values()
            return [obj for names in chosen for obj in names.values()]

    def count(self, resource: str) -> int:
        """How many objects of a resource there are."""
        with self._lock:
            return sum(map(len, self._objects.get(resource, {}).values()))

    def resources(self) -> builtins.list[str]:
        """The resources of which there is or was any object."""
        return list(self._objects)

    def changes_since(self, revision: int) -> builtins.list[Change] | None:
        """What happened after `revision`, oldest first; None if that is longer ago than the view remembers."""
        with self._lock:
            count = max(0, self.revision - revision)  # revisions have no gaps
            if count > len(self._recent):
                return None
            return list(islice(reversed(self._recent), count))[::-1]

    def __iter__(self) -> Iterator[dict]:
        with self._lock:
            every = [obj for spaces in self._objects.values() for names in spaces.values() for obj in names.values()]
        return iter(every)


_views: dict[str, View] = {}
_views_lock = threading.Lock()


def view_of(cluster: Head) -> View:
    """The process's view of a cluster, made if missing or so old that the log has forgotten the way; not refreshed."""
    with _views_lock:
        found = _views.get(cluster.name)
        if found is None or found.uid != cluster.uid or 0 < found.revision < cluster.compacted:
            found = _views[cluster.name] = View(cluster)
            _forget_gone()
        found.guard = cluster.guard
        return found


def _forget_gone() -> None:
    """Those of clusters that have gone and that nobody has asked for since, with all that was in them."""
    there = set(Cluster.objects.values_list("name", flat=True))
    for name in _views.keys() - there:
        _views.pop(name, None)  # whoever asks for it forgets it too, without the lock


def view(name: str) -> View:
    """The view of the cluster called `name`, up to date. Raises UnknownCluster."""
    try:
        cluster = head_of(name)
    except UnknownCluster:
        _views.pop(name, None)  # with all that was in it
        raise
    found = view_of(cluster)
    found.read_to(cluster.revision)
    return found
