"""What became of each act: in the log, on the board of who acted, on the wall. Pure, but for `rows_of`.

An act's effect is the row that the board has written for it while the act was under way. A scale and a delete are shown
by that row; a restart, and anything on the wall, by the first row of a pod that came of it: the log says of each row
because of which other one it was written. The wall shows it when a tile is as it has to be from that row on, or as it
had to be at some time after it.
"""

import bisect
import contextlib
import heapq
import math
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from lab.apimachinery.kinds import NODES
from lab.apimachinery.labels import RESTARTED
from lab.apimachinery.meta import parse_time
from lab.workshops.tiles import board_part

from .classroom import DELETE, POD, RESTART, SCALE, WORKLOAD, Act

BOARD = "board"  # the author
SLACK = 0.05  # seconds by which the log's clock and ours may differ


@dataclass(frozen=True)
class Row:
    revision: int
    time: float
    resource: str
    name: str
    author: str
    cause: int
    deleted: bool = False
    ending: bool = False  # it has a time by which it is to be gone
    object: dict | None = None  # only of what the board has written, and of what a tile is made of


@dataclass(frozen=True)
class Became:
    """`board`, `wall`: seconds from the click until there; None: never, or not before their next act. `same`: the
    tile looked so already. It has a letter for each pod: one that waits instead of another one is no difference."""

    act: Act
    revision: int = 0  # 0: it is not in the log
    board: float | None = None
    wall: float | None = None
    same: bool = False


def rows_of(database: Path, cluster: str) -> list[Row]:
    asked = (
        "SELECT r.revision, time, resource, r.name, author, cause, deleted, "
        "instr(CAST(object AS TEXT), '\"deletionTimestamp\"') > 0, "
        "CASE WHEN author = ? OR resource IN (?, ?) THEN object END "
        "FROM lab_revision r JOIN lab_cluster c ON c.id = cluster_id WHERE c.name = ? ORDER BY r.revision"
    )
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as opened:
        found = opened.execute(asked, (BOARD, POD, NODES.resource, cluster)).fetchall()
    return [Row(*row[:6], bool(row[6]), bool(row[7]), row[8] and orjson.loads(row[8])) for row in found]


class Log:
    """The rows of one cluster, in their order."""

    def __init__(self, rows: Sequence[Row]):
        self._rows = {row.revision: row for row in rows}
        self._by_board = [row for row in rows if row.author == BOARD]
        self._caused: dict[int, list[int]] = defaultdict(list)
        for row in rows:
            self._caused[row.cause].append(row.revision)
        self._pictures = list(pictures(rows))

    def effect(self, act: Act) -> Row | None:
        """To delete what is ending already changes nothing: then it is the row by which it does."""
        mine = next((row for row in self._by_board if is_effect(row, act)), None)
        if mine or act.name != DELETE:
            return mine
        others = (row for row in self._rows.values() if row.ending and (row.resource, row.name) == (POD, act.target))
        return next((row for row in others if row.time <= act.answered + SLACK), None)

    def first_pod(self, row: Row) -> Row | None:
        """The first row of a pod that came of this one, which may be it."""
        ahead = [row.revision]
        while ahead:
            one = self._rows[heapq.heappop(ahead)]
            if one.resource == POD:
                return one
            for revision in self._caused[one.revision]:
                heapq.heappush(ahead, revision)
        return None

    def shown(self, row: Row, turned: Sequence[tuple[float, dict]], until: float) -> tuple[float | None, bool]:
        """When a tile first was as it has to be from this row on; and whether it was so at once."""
        at = bisect.bisect_right(self._pictures, row.revision, key=lambda one: one[0]) - 1
        wanted = [(max(time, row.time), 0, picture) for _, time, picture in self._pictures[max(at, 0) :]]
        first = bisect.bisect_right(turned, row.time, key=lambda one: one[0]) - 1
        told = [(max(time, row.time), 1, picture) for time, picture in turned[max(first, 0) :]]
        rightful, is_now = [], None
        for time, is_told, picture in heapq.merge(wanted, told, key=lambda one: one[:2]):
            if time >= until:
                break
            if is_told:
                is_now = picture
            else:
                rightful.append(picture)
            if is_now in rightful:
                return time, time == row.time
        return None, False


def pictures(rows: Iterable[Row]) -> Iterable[tuple[int, float, dict]]:
    """From which revision on, and since when, a tile has to show what."""
    held: dict[str, dict[str, dict]] = {POD: {}, NODES.resource: {}}
    last = None
    for row in rows:
        if row.resource not in held:
            continue
        held[row.resource].pop(row.name, None)
        if not row.deleted and row.object:
            held[row.resource][row.name] = row.object
        picture = board_part(list(held[NODES.resource].values()), list(held[POD].values()))
        if picture != last:
            yield row.revision, row.time, picture
        last = picture


def is_effect(row: Row, act: Act) -> bool:
    if row.name != act.target or not act.sent - SLACK <= row.time <= act.answered + SLACK or row.object is None:
        return False
    if act.name == DELETE:
        return row.resource == POD and (row.deleted or "deletionTimestamp" in row.object["metadata"])
    if row.resource != WORKLOAD:
        return False
    spec = row.object["spec"]
    if act.name == SCALE:
        return spec["replicas"] == act.replicas
    at = spec["template"]["metadata"].get("annotations", {}).get(RESTARTED)
    return bool(at) and parse_time(at) >= int(act.sent)


def became(
    act: Act,
    log: Log,
    heard: Sequence[tuple[int, float]],
    turned: Sequence[tuple[float, dict]],
    until: float = math.inf,
) -> Became:
    """`heard`: where each message led their board, and when; `turned`: when their tile was another, and which; `until`:
    when they did something else, of which that may have come."""
    effect = log.effect(act)
    if effect is None or effect.author != BOARD:
        return Became(act, effect.revision if effect else 0)
    pod = log.first_pod(effect)
    shown = pod if act.name == RESTART else effect
    board = wall = None
    same = False
    if shown:
        at = bisect.bisect_left(heard, (shown.revision, 0.0))
        board = heard[at][1] - act.sent if at < len(heard) else None
    if pod:
        at, same = log.shown(pod, turned, until)
        wall = None if at is None or same else at - act.sent
    return Became(act, effect.revision, board, wall, same)
