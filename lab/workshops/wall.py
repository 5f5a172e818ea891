"""The wall of a workshop: its tiles, kept up to date from the seats and the logs of their clusters.

A look costs a few small queries, and more only for clusters whose log has moved; of those a tile is made anew where
the change is one that it shows. (Machines sign their Leases all the time.)
"""

import asyncio
import logging
import time
from dataclasses import dataclass

from lab.apimachinery.errors import ApiError
from lab.apimachinery.kinds import LESSONS
from lab.client import Client, UnknownCluster, wait_for_any
from lab.models import Cluster, Seat, Workshop
from lab.tutorials import shelf

from .closing import in_time
from .helping import beside
from .polls import counted, open_poll
from .presence import away_since, last_seen
from .questions import of_workshop, on_wall
from .stops import still
from .tiles import SHOWN, Tile, cluster_part, course, seat_part, whole
from .watching import Gone, Watched

log = logging.getLogger(__name__)
# Seconds between two looks, however much happens: twice what the last one took, within limits.
RESTS, REST_LEAST, REST_MOST = 2, 0.08, 0.25
LOOK_SECONDS = 0.5  # of hands, messages and who is here no log tells


@dataclass(frozen=True)
class Read:
    """How far a cluster's log was read, and what it said."""

    uid: str
    revision: int
    part: Tile


@dataclass(frozen=True)
class Shown:
    """`room` is what is not of one learner."""

    room: dict
    tiles: dict[str, Tile]


class Wall(Watched):
    shown: Shown | None

    def __init__(self, code: str):
        super().__init__(code)
        self._read_to: dict[str, Read] = {}
        self._took = 0.0  # seconds, the last look

    async def more(self) -> None:
        rest = min(max(REST_LEAST, RESTS * self._took), REST_MOST)
        await asyncio.sleep(rest)
        known = {cluster: one.revision for cluster, one in self._read_to.items()}
        await wait_for_any(known, LOOK_SECONDS - rest)

    def look(self) -> Shown:
        began = time.monotonic()
        try:
            return self._look()
        finally:
            self._took = time.monotonic() - began

    def _look(self) -> Shown:
        workshop = Workshop.objects.filter(code=self.code).first()
        if workshop is None:
            raise Gone
        seats = list(workshop.taken.order_by("id"))
        names, now = [seat.cluster for seat in seats], time.time()
        heads = dict(Cluster.objects.filter(name__in=names).values_list("name", "revision"))
        seen = last_seen(names)
        self._read_to = {seat.cluster: self._read_on(seat, heads.get(seat.cluster)) for seat in seats}
        helped, tiles = beside(workshop), {}
        waiting, begun = workshop.is_waiting, workshop.begun.timestamp() if workshop.begun else 0.0
        for number, seat in enumerate(seats, 1):
            hand = seat.hand.timestamp() if seat.hand else 0
            away = away_since(seen.get(seat.cluster, seat.joined.timestamp()), now)
            group = seat.group if workshop.groups > 1 else ""
            part = seat_part(number, seat.nickname, seat.cluster, hand, away, workshop.led and seat.alone, group)
            if with_them := helped.get(seat.cluster):
                part["help"] = [with_them.by, with_them.state]
            if waiting:
                part["waits"] = True
            if workshop.over and seat.cluster not in heads:
                part["gone"] = True
            tiles[seat.cluster] = whole(part, self._read_to[seat.cluster].part, begun, workshop.stood)
        return Shown(_room(workshop, tiles), tiles)

    def _read_on(self, seat: Seat, head: int | None) -> Read:
        """What the cluster says now. One whose log has not moved is not asked, and one that has gone cannot be: then it
        is what was kept of it."""
        if head is None:
            return Read("", 0, _part(seat, {LESSONS.resource: list(seat.kept.values())}))
        known = self._read_to.get(seat.cluster)
        if known and known.revision == head:
            return known
        try:
            view = Client(seat.cluster, "board", hardware=True).view()
        except (ApiError, UnknownCluster):
            return Read("", head, _part(seat, {}))
        revision = view.revision  # taken first: what is written meanwhile is read again, and once more is harmless
        changes = view.changes_since(known.revision) if known and known.uid == view.uid else None
        if known and changes is not None and not any(change.resource in SHOWN for change in changes):
            return Read(view.uid, revision, known.part)
        return Read(view.uid, revision, _part(seat, {resource: view.list(resource) for resource in SHOWN}))


def _part(seat: Seat, objects: dict[str, list[dict]]) -> Tile:
    """What one learner writes into their own cluster takes the wall from nobody: then their tile says less."""
    nothing: dict[str, list[dict]] = {resource: [] for resource in SHOWN}
    try:
        return cluster_part({**nothing, **objects}, shelf.lesson, seat.joined.timestamp())
    except Exception:
        log.exception("no tile can be made of what is in %s", seat.cluster)
        return cluster_part(nothing, shelf.lesson, seat.joined.timestamp())


def _room(workshop: Workshop, tiles: dict[str, Tile]) -> dict:
    """Its lessons are those that were chosen, and whatever else somebody plays."""
    others = sorted({tile["lesson"] for tile in tiles.values() if "lesson" in tile} - set(workshop.lessons))
    lessons = [lesson for id in (*workshop.lessons, *others) if (lesson := shelf.lesson(id))]
    said = {"said": workshop.said, "open": workshop.is_open, "seats": workshop.seats, "lessons": course(lessons)}
    here = shelf.lesson(workshop.lesson)
    step = here.step(workshop.step) if here else None
    at = {"lesson": here.id, "step": here.steps.index(step) + 1, "held": workshop.held} if here and step else None
    left = sum("gone" not in tile for tile in tiles.values()) if workshop.over and workshop.goes else 0
    said |= {"led": workshop.led, "slide": workshop.slide, "time": {**in_time(workshop), "left": left}}
    said["groups"] = workshop.groups
    said |= {"waiting": workshop.is_waiting, "still": still(workshop)}
    poll = open_poll(workshop)
    asked = on_wall(of_workshop(workshop))
    return {**said, "at": at, "poll": counted(*poll) if poll else None, "questions": asked}
