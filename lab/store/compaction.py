"""Forgetting what is old in the log: heartbeats early, the rest when there is too much of it.

Nine of ten rows of an idle cluster are renewals of Leases, which say nothing but that somebody is still there. Without
their going first, they would push everything that happened out of the history.
"""

from collections.abc import Iterator
from itertools import groupby

import orjson
from django.db import models, transaction

from lab.apimachinery.kinds import LEASES
from lab.models import Cluster, Revision

KEEP_REVISIONS = 100_000  # rows that compaction leaves of the history; the current state is always kept
KEEP_RENEWALS = 5_000  # revisions of which every heartbeat is kept: who reads the log is rarely so far behind
KEEP_OF_STRANGERS = 10_000  # rows of a guarded cluster, at most
ROWS_A_PIECE = 1000


def compact(cluster: str, keep: int = KEEP_REVISIONS, renewals: int = KEEP_RENEWALS) -> int:
    """Forget superseded and deleted rows older than the newest `keep` (at least 1: the log ends with a row), and of
    those kept the renewals older than the newest `renewals` revisions; how many rows went.

    In pieces, so that nobody waits long who writes; the oldest first, so that whatever is left of a key is its newest.
    """
    row = Cluster.objects.get(name=cluster)
    keep = min(keep, KEEP_OF_STRANGERS) if row.guard else keep
    gone = _thin(row, row.revision - renewals)
    newest = Revision.objects.filter(cluster=row, revision__lte=row.revision).order_by("-revision")
    mark = newest.values_list("revision", flat=True)[keep : keep + 1].first()
    # The mark never goes back: behind it rows are missing, whoever put it there.
    if not mark or not Cluster.objects.filter(pk=row.pk, compacted__lt=mark).update(compacted=mark):
        return gone
    old = Revision.objects.filter(cluster=row, revision__lte=mark)
    superseded = old.filter(previous__gt=0).values("previous")
    outlived = old.filter(models.Q(revision__in=superseded) | models.Q(deleted=True)).order_by("revision")
    while some := list(outlived.values_list("pk", flat=True)[:ROWS_A_PIECE]):
        gone += Revision.objects.filter(pk__in=some).delete()[0]
    return gone


def _thin(cluster: Cluster, until: int) -> int:
    """Forget, up to revision `until`, the renewals of each Lease that come between others: of a run of them the first
    and the last are left, so that it can be told since when and how long somebody was there. How many went."""
    gone = 0
    leases = Revision.objects.filter(cluster=cluster, resource=LEASES.resource, revision__lte=until)
    for namespace, name in sorted(set(leases.order_by().values_list("namespace", "name"))):
        rows = leases.filter(namespace=namespace, name=name).order_by("revision")
        for run in list(_runs(rows)):
            gone += _shorten(cluster, run)
    return gone


def _runs(rows: models.QuerySet[Revision]) -> Iterator[list[tuple[int, int]]]:
    """A Lease's rows that differ in their time alone, in their order: (primary key, revision) each."""
    columns = rows.values_list("pk", "revision", "deleted", "why", "object").iterator(ROWS_A_PIECE)
    for _, same in groupby(columns, key=lambda row: (row[2], row[3] and bytes(row[3]), _but_the_time(row[4]))):
        yield [(pk, revision) for pk, revision, *_ in same]


def _but_the_time(raw: bytes | memoryview) -> dict:
    lease = orjson.loads(raw)
    lease["spec"].pop("renewTime", None)
    return lease


def _shorten(cluster: Cluster, run: list[tuple[int, int]]) -> int:
    """Leave the first and the last of a run, and those of which something came; each then follows the one that is left
    before it, as if there had been no other. How many rows went."""
    gone, (_, before) = 0, run[0]
    for n in range(1, len(run), ROWS_A_PIECE) if len(run) > 2 else ():
        some = run[n : n + ROWS_A_PIECE]
        of_some = Revision.objects.filter(cluster=cluster, cause__in=[revision for _, revision in some], cause__gt=0)
        led = {*of_some.values_list("cause", flat=True), run[-1][1]}
        left = [(pk, revision) for pk, revision in some if revision in led]
        with transaction.atomic():
            idle = [pk for pk, revision in some if revision not in led]
            gone += Revision.objects.filter(pk__in=idle).delete()[0]
            for pk, revision in left:
                Revision.objects.filter(pk=pk).exclude(previous=before).update(previous=before)
                before = revision
    return gone
