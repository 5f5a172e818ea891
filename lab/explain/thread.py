"""Cause and effect as a thread: from any row of the log back to the person, the clock or the fault that began it, and
forwards to what came of it, to the first request that was served.

Every row says which other one made its writer act (`Revision.cause`); here those links are followed, never guessed.
"""

from collections.abc import Collection, Iterable, Iterator

from django.db.models import Q

from lab.apimachinery.errors import ApiError, not_found
from lab.apimachinery.kinds import ENDPOINTS, ENDPOINTSLICES, EVENTS, LEASES, PODS, Kind
from lab.apimachinery.labels import SERVED
from lab.apimachinery.meta import is_true
from lab.client import Client
from lab.store import Ahead, Row, effects, find, rows_at

from .authors import PERSON, part_of
from .grounds import because
from .history import kept
from .roots import root
from .words import call_words, ready_in, telling, told

HOPS = 100  # of a thread's beginning, and as many of its end: more than that nobody walks
MOST_READ = 600  # rows of one thread, of which most say nothing new
MOST_BACK = 100  # links from a row to its root
OWN = 100  # rows of a pod's beginning, and as many of its end; of another object, the newest
UNTOLD = (EVENTS.resource, LEASES.resource)  # notes for eyes, and heartbeats
ENGINE, REQUEST = "engine", "request"

Rows = dict[int, Row]


def of_object(client: Client, kind: Kind, namespace: str, name: str) -> dict:
    """The thread of an object: of a pod its whole life, of any other what came of its newest turn. Raises ApiError 404
    for one of which no row is kept."""
    if kind is PODS:
        return _life(client, namespace, name)
    rows = client.history(kind, namespace, name, OWN)
    if not rows:
        raise not_found(kind, name)
    own = _rows(client.cluster, (row["revision"] for row in rows))
    newest = max((revision for revision, row in own.items() if telling(row)), default=max(own))
    # A turn begins with the first row of its own that led there: of a rollout that is done, where it was begun.
    led = _back(client.cluster, {newest: own[newest]}).values()
    begun = min(row.revision for row in led if _key(row) == (kind.resource, namespace, name))
    return of_revision(client, begun, namespace)


def of_revision(client: Client, revision: int, within: str = "") -> dict:
    """The thread of a revision, as far as the client knows what was written: `{"root": {kind, author, text, time,
    revision}, "hops": […], "truncated", "cut"}`, with hops by time: `{revision, time, after, author, component, object,
    text, because, decision, parent, lane}`. Of an Event, what came of that of which it tells.

    `after`: seconds since the root; `parent`: the revision that caused it, 0 where that is not here; `truncated`: how
    many hops are left out, at least, after the first `cut`; `within`: a namespace, if what others have is not for who
    asks. Raises ApiError 404 for a revision that is not kept.
    """
    known = client.view().revision
    with kept():
        if revision > known:
            raise Ahead(revision, known)
    rows = _rows(client.cluster, [revision])
    if not rows:
        message = (
            f"revision {revision} is no longer kept: a heartbeat between others, or older than where /history begins"
        )
        raise ApiError(404, "NotFound", message, {"name": str(revision)})
    back = _back(client.cluster, rows)
    told_of = rows[revision].cause if rows[revision].resource in UNTOLD else revision
    forward, more = _forward(client.cluster, told_of or revision, known)
    return _as_thread(without_silence(back | forward, back), revision, max(forward), more, within)


def _life(client: Client, namespace: str, name: str) -> dict:
    """A pod's own rows, with what led to each of them, and the EndpointSlices that let it in or took it out."""
    cluster, known = client.cluster, client.view().revision
    its = Q(resource=PODS.resource, namespace=namespace, name=name)
    born = find(cluster, its & Q(created=True), 0, known)[-1:]
    own = find(cluster, its, born[0] - 1 if born else 0, known)
    if not own:
        raise not_found(PODS, name)
    first, between, last = own[:OWN], own[OWN:-OWN], own[OWN:][-OWN:]
    rows = _rows(cluster, first + last)
    uid = rows[first[0]].object["metadata"]["uid"]
    found = _effects(cluster, rows, known)
    slices = _rows(cluster, (revision for revision, _, resource in found if resource == ENDPOINTSLICES.resource))
    rows |= {revision: row for revision, row in slices.items() if _concerns(row, uid)}
    rows = _back(cluster, {revision: row for revision, row in rows.items() if telling(row) or revision == first[0]})
    return _as_thread(rows, first[0], first[-1], len(between), namespace)


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


def _forward(cluster: str, revision: int, known: int) -> tuple[Rows, int]:
    """All that came of it up to the revision `known`, and how many rows more there are at least."""
    found, news, more = {revision}, {revision}, 0
    while news:
        told = [each for each, _, resource in _effects(cluster, news, known) if resource not in UNTOLD]
        more = max(0, len(found) + len(told) - MOST_READ)
        news = set(told[: MOST_READ - len(found)]) - found
        found |= news
    return _rows(cluster, found), more


def _effects(cluster: str, causes: Iterable[int], known: int) -> list[tuple[int, int, str]]:
    return [found for found in effects(cluster, causes, MOST_READ) if found[0] <= known]


def _key(row: Row) -> tuple[str, str, str]:
    return row.resource, row.namespace, row.name


def _rows(cluster: str, revisions: Iterable[int]) -> Rows:
    return {row.revision: row for row in rows_at(cluster, sorted(revisions))}


def without_silence(rows: Rows, keep: Collection[int]) -> Rows:
    """Without rows that say nothing new and led to nothing that does."""
    needed = set(keep) | {revision for revision, row in rows.items() if telling(row) and not _repeats(row)}
    for revision in sorted(rows, reverse=True):  # what is caused comes after what caused it
        if revision in needed:
            needed.add(rows[revision].cause)
    return {revision: row for revision, row in rows.items() if revision in needed}


def _repeats(row: Row) -> bool:
    """An Endpoints object that says once more, as clients of old want it, what its EndpointSlices say."""
    return row.resource == ENDPOINTS.resource and part_of(row.author) is not PERSON


def _as_thread(rows: Rows, start: int, after: int, unread: int, within: str) -> dict:
    """The hops in order, and the root to which the causes lead from `start`. After the revision `after` there are so
    many rows that were not read."""
    while rows[start].cause in rows:
        start = rows[start].cause
    begun = root(rows[start], within)
    hops = sorted((hop for row in rows.values() for hop in hops_of(row, rows, within)), key=lambda hop: hop["time"])
    if unread:
        cut = sum(hop["revision"] <= after for hop in hops)
        first, last = hops[:cut][:HOPS], hops[cut:][-HOPS:]
    elif len(hops) > 2 * HOPS:
        first, last = hops[:HOPS], hops[-HOPS:]
    else:
        first, last = hops, []
    shown = [{**hop, "after": round(max(0.0, hop["time"] - begun.time), 3)} for hop in first + last]
    truncated = unread + len(hops) - len(shown)
    return {"root": begun.as_dict(), "hops": shown, "truncated": truncated, "cut": len(first)}


def hops_of(row: Row, rows: Collection[int], within: str = "") -> Iterator[dict]:
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
    served = row.resource == PODS.resource and is_true(row.object, SERVED) and row.old and not is_true(row.old, SERVED)
    lane = REQUEST if served else part.lane
    yield {**hop, "text": told(row, within), "because": because(why), "decision": why.get("decision", ""), "lane": lane}
