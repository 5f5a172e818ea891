"""Reading the log: what was written and by whom, and the state that the cluster had at any revision that is kept.

Compaction may run while we read. So whoever reads asks last from where on the history is whole, and takes nothing for
it that was read from before.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import orjson
from django.db import models

from lab.models import Cluster, Revision

from .view import COLUMNS, ROWS_A_READ, Change, Compacted, UnknownCluster, View, head_of, load

RECORD = ("revision", "time", "author", "cause", "created", "deleted", "object", "why")


class Ahead(Exception):
    """The revision asked for is not written yet. `head` is the newest that there is."""

    def __init__(self, revision: int, head: int):
        super().__init__(f"revision {revision} is not written yet: the newest is {head}")
        self.head = head


@dataclass(frozen=True, slots=True)
class Row(Change):
    """A change with the decision that led to it, if one was recorded."""

    why: dict | None


def state_at(cluster: str, revision: int) -> View:
    """The cluster as it was when `revision` had just been written. The view is the caller's own, and stays as it is.

    Raises Compacted, Ahead, UnknownCluster.
    """
    head = head_of(cluster)
    if revision > head.revision:
        raise Ahead(revision, head.revision)
    found = View(head)
    found.load(revision)
    _check_kept(cluster, revision)
    return found


def changes(cluster: str, after: int, limit: int = 500, until: int | None = None) -> list[Row]:
    """What was written after revision `after`, up to `until`, oldest first, at most `limit`. Each with the object
    that it replaced. Raises Compacted, UnknownCluster."""
    asked = Revision.objects.filter(cluster__name=cluster, revision__gt=after)
    if until is not None:
        asked = asked.filter(revision__lte=until)
    found = _read(cluster, asked.order_by("revision")[:limit])
    _check_kept(cluster, after)
    return found


def find(cluster: str, wanted: models.Q, after: int, until: int) -> list[int]:
    """The revisions after `after`, up to `until`, whose rows are as `wanted`, oldest first. Every row is looked at: of
    100,000 that takes a quarter of a second."""
    rows = Revision.objects.filter(wanted, cluster__name=cluster, revision__gt=after, revision__lte=until)
    return sorted(rows.values_list("revision", flat=True))


def rows_at(cluster: str, revisions: Sequence[int]) -> Iterator[Row]:
    """The rows of these revisions, in their order, without those that are no longer kept."""
    for n in range(0, len(revisions), ROWS_A_READ):
        some = Revision.objects.filter(cluster__name=cluster, revision__in=revisions[n : n + ROWS_A_READ])
        yield from _read(cluster, some.order_by("revision"))


def _read(cluster: str, asked: models.QuerySet[Revision]) -> list[Row]:
    found = list(asked.values_list(*COLUMNS, "why", "previous"))
    before = {r: load(raw, r) for r, raw in _objects_at(cluster, [columns[-1] for columns in found])}
    return [_row(columns[:-1], before.get(columns[-1])) for columns in found]


def _row(columns: tuple, old: dict | None) -> Row:
    r, resource, namespace, name, raw, created, deleted, time, author, cause, why = columns  # COLUMNS, and why
    obj = load(raw, r)
    return Row(r, resource, namespace, name, obj, old, created, deleted, time, author, cause, _decision(why))


def _objects_at(cluster: str, revisions: list[int]) -> list[tuple[int, bytes]]:
    rows = Revision.objects.filter(cluster__name=cluster, revision__in=revisions)
    return list(rows.values_list("revision", "object"))


def _check_kept(cluster: str, revision: int) -> None:
    oldest = Cluster.objects.filter(name=cluster).values_list("compacted", flat=True).first()
    if oldest is None:
        raise UnknownCluster(cluster)
    if revision < oldest:
        raise Compacted(oldest)


def _decision(why: bytes | memoryview | None) -> dict | None:
    return orjson.loads(why) if why is not None else None


def history(
    cluster: str,
    resource: str,
    namespace: str,
    name: str,
    limit: int = 50,
    until: int | None = None,
    decided: bool = False,
) -> list[dict]:
    """The newest rows of one key up to `until`, newest first: revision, time, author, cause, created, deleted, object
    and the decision (`why`); of those that are `decided`, the rows that carry one."""
    rows = Revision.objects.filter(cluster__name=cluster, resource=resource, namespace=namespace, name=name)
    if until is not None:
        rows = rows.filter(revision__lte=until)
    if decided:
        rows = rows.filter(why__isnull=False)
    return _records(rows.order_by("-revision")[:limit])


def _records(rows: models.QuerySet) -> list[dict]:
    found = rows.values(*RECORD)
    return [{**row, "object": load(row["object"], row["revision"]), "why": _decision(row["why"])} for row in found]


def beginning(
    cluster: str, resource: str, namespace: str, name: str, limit: int, until: int | None = None
) -> list[dict]:
    """The first rows of the newest object of that key, from the one that made it on, oldest first, as `history` has
    them; none where that row is no longer kept."""
    rows = Revision.objects.filter(cluster__name=cluster, resource=resource, namespace=namespace, name=name)
    if until is not None:
        rows = rows.filter(revision__lte=until)
    made = rows.filter(created=True).order_by("-revision").values_list("revision", flat=True).first()
    return _records(rows.filter(revision__gte=made).order_by("revision")[:limit]) if made else []


def time_of(cluster: str, revision: int) -> float | None:
    """When it was written. Its row may be gone, and then it is told by the next one that is left; None: not yet."""
    rows = Revision.objects.filter(cluster__name=cluster, revision__gte=revision).order_by("revision")
    return rows.values_list("time", flat=True).first()


def revision_at(cluster: str, time: float) -> int:
    """The newest that was written by then and is kept; of what was before, 0."""
    rows = Revision.objects.filter(cluster__name=cluster, time__lte=time).order_by("-revision")
    return rows.values_list("revision", flat=True).first() or 0


def row_at(cluster: str, revision: int) -> dict | None:
    """Who wrote one revision, of what, and because of which: one link of a chain of causes."""
    columns = ("revision", "resource", "namespace", "name", "author", "cause", "time", "created", "deleted")
    return Revision.objects.filter(cluster__name=cluster, revision=revision).values(*columns).first()


def lineage(cluster: str, revision: int, limit: int) -> list[int]:
    """A revision, its cause, the cause of that, and so on, at most `limit`; those that are kept."""
    rows = Revision.objects.filter(cluster__name=cluster)
    found: list[int] = []
    while revision and len(found) < limit:
        cause = rows.filter(revision=revision).values_list("cause", flat=True).first()
        if cause is None:
            break
        found.append(revision)
        revision = cause
    return found


def effects(cluster: str, causes: Iterable[int], limit: int) -> list[tuple[int, int, str]]:
    """What was written because of any of these: (revision, its cause, resource), oldest first."""
    # `cause__gt` is what makes the index serve, which has only the rows that have one.
    rows = Revision.objects.filter(cluster__name=cluster, cause__in=list(causes), cause__gt=0).order_by("revision")
    return list(rows.values_list("revision", "cause", "resource")[:limit])
