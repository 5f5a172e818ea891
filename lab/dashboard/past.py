"""The board as it was: its rows at a revision, and what changed of them from there on, revision by revision.

A page that shows the past asks for it; the feed of what is live goes on beside it.
"""

import threading
import time
from collections import OrderedDict

import orjson
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from lab.apimachinery.errors import ApiError, bad_request
from lab.apimachinery.kinds import PODS
from lab.client import Change, Client, UnknownCluster
from lab.explain.history import between, kept
from lab.explain.past import PastClient
from lab.store import Row, changes, head_of, revision_at, time_of

from .answers import refused, strict
from .board import Board
from .deltas import Delta
from .loops import SILENT
from .rows import row_id
from .verdicts import chips, verdicts_of

LEAD = 100  # revisions before the one that is shown: from them it is known what loops last did, and how long pods took
A_PAGE = 500  # revisions
BRISK, FASTEST = 16, 60  # times as fast as it was: from twice the first on pages are longer, for they are over sooner
FRAME = 0.016  # seconds
PLAYERS = 4  # for so many a board is kept between two pages; one of some hundred pods takes a megabyte
SIDES = ("from", "to")
MOST_OBJECTS, MOST_PATHS, LONGEST_VALUE = 60, 12, 120  # of a difference, as a drawer has room for


@require_GET
@strict
def show(request: HttpRequest, cluster: str, revision: str) -> HttpResponse:
    """`{revision, time, head, rows}`: the rows as a snapshot of the live board has them."""
    try:
        board = board_at(cluster, int(revision))
        ends = {"time": time_of(cluster, int(revision)), "head": head_of(cluster).revision}
    except ApiError as error:
        return refused(error)
    told = {"revision": int(revision), **ends, "rows": list(board.rows.values())}
    return HttpResponse(orjson.dumps(told), content_type="application/json")


@require_GET
@strict
def lately(request: HttpRequest, cluster: str, seconds: str) -> HttpResponse:
    """`{revision}`: the one that stood so many seconds ago, or where the history begins."""
    try:
        begins = head_of(cluster).compacted
    except UnknownCluster:
        return HttpResponse(status=404)
    stood = max(begins, revision_at(cluster, time.time() - int(seconds)), 1)
    return HttpResponse(orjson.dumps({"revision": stood}), content_type="application/json")


@require_GET
@strict
def play(request: HttpRequest, cluster: str, after: str) -> HttpResponse:
    """`{steps, until, time}`: what each revision after `after` changed on the board, `{revision, time, upserts,
    removes, phases}`, without those that changed nothing there; up to the revision `until`, from where one asks on, and
    when that was. `?speed=`: how many times as fast it is shown; what falls into one frame is one step."""
    asked = request.GET.get("speed", "")
    speed = min(int(asked), FASTEST) if asked.isdecimal() else 0
    try:
        uid = head_of(cluster).uid
        board = _playing.take(uid, int(after)) or board_at(cluster, int(after))
        with kept():
            rows = changes(cluster, int(after), A_PAGE * max(1, speed // BRISK))
    except ApiError as error:
        return refused(error)
    steps = [_step(some[-1], delta) for some in together(rows, speed * FRAME) if (delta := apply(board, some))]
    until = rows[-1].revision if rows else int(after)
    _playing.put(uid, until, board)
    told = {"steps": steps, "until": until, "time": time_of(cluster, until)}
    return HttpResponse(orjson.dumps(told), content_type="application/json")


def together(rows: list[Row], seconds: float) -> list[list[Row]]:
    """The rows in order, those side by side that were written within so many seconds of the first of them."""
    found: list[list[Row]] = []
    for row in rows:
        if found and row.time - found[-1][0].time < seconds:
            found[-1].append(row)
        else:
            found.append([row])
    return found


class Playing:
    """Boards that somebody plays on, each where the last page left it: the next page need not read the whole state
    again. A board that is not here any more is made anew, as that of any other revision."""

    def __init__(self) -> None:
        self._boards: OrderedDict[tuple[str, int], Board] = OrderedDict()  # by a cluster's uid, and the revision
        self._lock = threading.Lock()

    def take(self, uid: str, revision: int) -> Board | None:
        """It is whoever's who takes it, for it changes as it is played."""
        with self._lock:
            return self._boards.pop((uid, revision), None)

    def put(self, uid: str, revision: int, board: Board) -> None:
        with self._lock:
            self._boards[uid, revision] = board
            while len(self._boards) > PLAYERS:
                self._boards.popitem(last=False)


_playing = Playing()


def difference(client: Client, ends: str) -> dict:
    """What the drawer shows of two moments, `<revision>-<revision>`: the objects that differ, the most telling first,
    each with a few of the values. Heartbeats and events are counted. Raises ApiError 400, 404, 410."""
    before, _, after = ends.partition("-")
    if not (before.isdecimal() and after.isdecimal()):
        raise bad_request("which two revisions? Two numbers, as 12-40")
    told = between(client, int(before), int(after))
    quiet = [item for item in told["objects"] if item["resource"] in SILENT]
    objects = sorted((item for item in told["objects"] if item not in quiet), key=lambda item: item["change"])
    shown = [_shown(item) for item in objects[:MOST_OBJECTS]]
    return {
        "from": told["from"],
        "to": told["to"],
        "objects": shown,
        "quiet": len(quiet),
        "more": len(objects) - len(shown),
    }


def _shown(item: dict) -> dict:
    paths = item.get("paths", [])
    told = [
        {
            "path": path["path"],
            **{f"has_{side}": side in path for side in SIDES},
            **{s: _written(path.get(s)) for s in SIDES},
        }
        for path in sorted(paths, key=lambda path: not path["path"].startswith("spec"))[:MOST_PATHS]
    ]
    id_ = "/".join(filter(None, (item["resource"], item["namespace"], item["name"])))
    return {**item, "id": id_, "paths": told, "more": len(paths) - len(told)}


def _written(value: object) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def board_at(cluster: str, revision: int) -> Board:
    """The board when `revision` had just been written. Raises ApiError 404, 410 as `explain.history.state` does."""
    compacted = head_of(cluster).compacted
    then = PastClient(cluster, max(revision - LEAD, min(revision, compacted)))
    board = Board(then.view(), _standing(then))
    with kept():
        apply(board, changes(cluster, then.revision, LEAD, revision))
    return board


def _standing(then: Client) -> dict[str, list[dict]]:
    """The decisions about the pods that waited for a node then."""
    waiting = [pod for pod in then.list(PODS) if not pod["spec"].get("nodeName")]
    return {row_id(PODS.resource, pod): verdicts_of(then, pod) for pod in waiting}


def apply(board: Board, rows: list[Row]) -> Delta:
    """Take rows of the log in, with the scheduler's verdicts where they hold some."""
    waits = [row for row in rows if row.resource == PODS.resource and not row.object["spec"].get("nodeName")]
    decided = {row_id(PODS.resource, row.object): chips(row.why) for row in waits if row.why and "nodes" in row.why}
    return board.apply(list[Change](rows), decided)


def _step(change: Change, delta: Delta) -> dict:
    return {
        "revision": change.revision,
        "time": change.time,
        "upserts": list(delta.upserts.values()),
        "removes": list(delta.removes),
        "phases": delta.phases,
    }
