"""Cause and effect as a thread: from any row of the log back to the person, the clock or the fault that began it, and
forwards to what came of it, to the first request that was served.

Every row says which other one made its writer act (`Revision.cause`); here those links are followed, never guessed.
"""

from collections.abc import Collection, Iterable, Iterator

from lab.apimachinery.errors import ApiError, not_found
from lab.apimachinery.kinds import ENDPOINTSLICES, EVENTS, LEASES, PODS, Kind
from lab.apimachinery.labels import SERVED
from lab.apimachinery.meta import is_true
from lab.client import Client
from lab.store import Row, effects, rows_at

from .authors import part_of
from .grounds import because
from .roots import root
from .words import call_words, ready_in, telling, told

MOST_HOPS = 200  # more than that nobody walks
MOST_READ = 600  # rows of one thread, of which most say nothing new
MOST_BACK = 100  # links from a row to its root
MOST_OWN = 100  # rows of one object
UNTOLD = (EVENTS.resource, LEASES.resource)  # notes for eyes, and heartbeats
ENGINE, REQUEST = "engine", "request"

Rows = dict[int, Row]


def of_object(client: Client, kind: Kind, namespace: str, name: str) -> dict:
    """The thread of an object: of a pod its whole life, of any other what came of its newest turn. Raises ApiError 404
    for one of which no row is kept."""
    rows = client.history(kind, namespace, name, MOST_OWN)
    if not rows:
        raise not_found(kind, name)
    if kind is PODS:
        born = next((row["revision"] for row in rows if row["created"]), 0)
        own_rows = [row["revision"] for row in rows if row["revision"] >= born]
        return _as_thread(_life(client.cluster, own_rows), min(own_rows))
    own = _rows(client.cluster, (row["revision"] for row in rows))
    return of_revision(client, max((revision for revision, row in own.items() if telling(row)), default=max(own)))


def of_revision(client: Client, revision: int) -> dict:
    """The thread of a revision: `{"root": {kind, author, text, time, revision}, "hops": […], "truncated"}`, with
    hops by time: `{revision, time, after, author, component, object, text, because, decision, parent, lane}`.

    `after`: seconds since the root; `parent`: the revision that caused it, 0 where that is not here; `truncated`: how
    many hops there are more, at least. Raises ApiError 404 for a revision that is not kept.
    """
    rows = _rows(client.cluster, [revision])
    if not rows:
        message = f"revision {revision} is not kept; /history says where it begins"
        raise ApiError(404, "NotFound", message, {"name": str(revision)})
    back = _back(client.cluster, rows)
    forward, more = _forward(client.cluster, revision)
    return _as_thread(without_silence(back | forward, back), revision, more)


def _life(cluster: str, own: list[int]) -> Rows:
    """A pod's own rows, with what led to each of them, and the EndpointSlices that let it in or took it out."""
    rows = _rows(cluster, own)
    uid = next(iter(rows.values())).object["metadata"]["uid"]
    found = effects(cluster, own, MOST_READ)
    slices = _rows(cluster, (revision for revision, _, resource in found if resource == ENDPOINTSLICES.resource))
    rows |= {revision: row for revision, row in slices.items() if _concerns(row, uid)}
    return _back(cluster, {revision: row for revision, row in rows.items() if telling(row) or revision == min(own)})


def _concerns(row: Row, uid: str) -> bool:
    return (uid in ready_in(row.object)) != (row.old is not None and uid in ready_in(row.old))


def _back(cluster: str, rows: Rows) -> Rows:
    """With all that led to them."""
    rows, asked = dict(rows), set(rows)
    for _ in range(MOST_BACK):
        causes = {row.cause for row in rows.values() if row.cause} - asked
        if not causes:
            break
        asked |= causes
        rows |= _rows(cluster, causes)
    return rows


def _forward(cluster: str, revision: int) -> tuple[Rows, int]:
    """All that came of it, and how many rows more there are at least."""
    found, news, more = {revision}, {revision}, 0
    while news:
        told = [each for each, _, resource in effects(cluster, news, MOST_READ) if resource not in UNTOLD]
        more = max(0, len(found) + len(told) - MOST_READ)
        news = set(told[: MOST_READ - len(found)]) - found
        found |= news
    return _rows(cluster, found), more


def _rows(cluster: str, revisions: Iterable[int]) -> Rows:
    return {row.revision: row for row in rows_at(cluster, sorted(revisions))}


def without_silence(rows: Rows, keep: Collection[int]) -> Rows:
    """Without rows that say nothing new and led to nothing that does."""
    needed = set(keep) | {revision for revision, row in rows.items() if telling(row)}
    for revision in sorted(rows, reverse=True):  # what is caused comes after what caused it
        if revision in needed:
            needed.add(rows[revision].cause)
    return {revision: row for revision, row in rows.items() if revision in needed}


def _as_thread(rows: Rows, start: int, more: int = 0) -> dict:
    """The hops in order, and the root to which the causes lead from `start`."""
    while rows[start].cause in rows:
        start = rows[start].cause
    begun = root(rows[start])
    hops = sorted((hop for row in rows.values() for hop in hops_of(row, rows)), key=lambda hop: hop["time"])
    shown = [{**hop, "after": round(max(0.0, hop["time"] - begun.time), 3)} for hop in hops[:MOST_HOPS]]
    return {"root": begun.as_dict(), "hops": shown, "truncated": more + len(hops) - len(shown)}


def hops_of(row: Row, rows: Collection[int]) -> Iterator[dict]:
    """The row as a hop, after the calls of the engine of which it tells."""
    part, why = part_of(row.author), row.why or {}
    hop = {
        "revision": row.revision,
        "time": row.time,
        "author": row.author,
        "component": part.component,
        "object": {"resource": row.resource, "namespace": row.namespace, "name": row.name},
        "parent": row.cause if row.cause in rows else 0,
    }
    for call in why.get("did", ()):
        told_so = {
            "text": call_words(call),
            "because": f"{call['call']} took {call['seconds']:g} s",
            "decision": call["call"],
        }
        yield {**hop, "time": call["at"] + call["seconds"], **told_so, "lane": ENGINE}
    served = (
        row.resource == PODS.resource and is_true(row.object, SERVED) and not (row.old and is_true(row.old, SERVED))
    )
    lane = REQUEST if served else part.lane
    yield {**hop, "text": told(row), "because": because(why), "decision": why.get("decision", ""), "lane": lane}
