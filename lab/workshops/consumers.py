"""The websockets of a workshop: an instructor's wall, and the page of each learner.

The wall is told `{type: "snap", now, room, tiles}` once, then `{type: "delta", now, room?, upserts, removes}`: an
upsert has the `id` of its tile and the fields that are another, null for those that are gone. An observer's has numbers
in the place of names. A learner's page is told
`{type: "room", now, said, hand, waits, poll, questions, led, help, time, waiting}`, and answers whatever it hears, by
which it is seen to be here. An instructor's page of a learner's cluster is told `{type: "along", now, name, help}`. All
hear `{type: "beat", now}` at least every five seconds.
"""

import asyncio
import contextlib
import time

import orjson
from channels.generic.websocket import AsyncWebsocketConsumer

from lab.apiserver.threads import in_thread
from lab.httpserver import ONLY_CLUSTER
from lab.models import Seat, Workshop

from . import presence
from .accounts import account_of
from .gate import read_cookies
from .notice import Notice
from .roles import OBSERVER, Standing, may, standing
from .tiles import nameless, news
from .wall import Wall
from .watching import Gone, Watched

BEAT_SECONDS = 5.0
STILL_SECONDS = 2.0  # for so long somebody may do what they might a moment ago
STALLED_SECONDS = 10.0
TRY_AGAIN_LATER = 1013
GONE = 4404
NOT_YOURS = 4403  # any more


class RoomConsumer(AsyncWebsocketConsumer):
    """One page: one send in flight, and no queue; what happens meanwhile is in the next difference."""

    kind: type[Watched]

    async def connect(self) -> None:
        code = await self.code()
        if not code:
            await self.close()  # before it was accepted: 403
            return
        self.wake = asyncio.Event()
        await self.accept()
        self.sender = asyncio.create_task(self.run(code))

    async def code(self) -> str:
        """Of the workshop that they may watch; empty for who may watch none."""
        raise NotImplementedError

    async def still(self) -> bool:
        """Whether they may watch it as they did."""
        return True

    def message(self, watched: Watched) -> dict | None:
        """What the page does not know yet."""
        raise NotImplementedError

    async def disconnect(self, code: int) -> None:
        if hasattr(self, "sender"):
            self.sender.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.sender

    async def run(self, code: str) -> None:
        try:
            async with self.kind.watching(code, self.wake) as watched:
                asked = time.monotonic()
                while watched.shown is not None:
                    self.wake.clear()
                    if time.monotonic() - asked > STILL_SECONDS:
                        asked = time.monotonic()
                        if not await self.still():
                            await self.close(NOT_YOURS)
                            return
                    message = self.message(watched) or {"type": "beat"}
                    text = orjson.dumps({**message, "now": time.time()}).decode()
                    await asyncio.wait_for(self.send(text_data=text), STALLED_SECONDS)
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self.wake.wait(), BEAT_SECONDS)
            await self.close(GONE)
        except Gone:
            await self.close(GONE)
        except TimeoutError:
            with contextlib.suppress(TimeoutError, OSError, RuntimeError):
                await asyncio.wait_for(self.close(TRY_AGAIN_LATER), STALLED_SECONDS)
        except (OSError, RuntimeError):
            return  # the browser vanished while something was on its way to it


class WallConsumer(RoomConsumer):
    kind = Wall

    async def code(self) -> str:
        self.sent = None
        self.standing = await in_thread(self._standing)
        return self.scope["url_route"]["kwargs"]["code"] if self.standing.role else ""

    async def still(self) -> bool:
        return await in_thread(self._standing) == self.standing

    def _standing(self) -> Standing:
        workshop = Workshop.objects.filter(code=self.scope["url_route"]["kwargs"]["code"]).first()
        user = account_of(read_cookies(self.scope))
        return standing(user, workshop) if user and workshop else Standing()

    def message(self, watched: Watched) -> dict | None:
        before, after = self.sent, watched.shown
        self.sent = after
        hides = self.standing.role == OBSERVER
        if before is None:
            tiles = list(after.tiles.values())
            return {"type": "snap", "room": after.room, "tiles": nameless(tiles) if hides else tiles}
        upserts, removes = news(before.tiles, after.tiles)
        upserts = nameless(upserts) if hides else upserts
        room = {"room": after.room} if after.room != before.room else {}
        return {"type": "delta", **room, "upserts": upserts, "removes": removes} if upserts or removes or room else None


class SeatConsumer(RoomConsumer):
    kind = Notice

    async def code(self) -> str:
        self.sent = None
        self.cluster = self.scope.get("state", {}).get(ONLY_CLUSTER, "")
        return await in_thread(_workshop_of, self.cluster) if self.cluster else ""

    def message(self, watched: Watched) -> dict | None:
        before, self.sent = self.sent, watched.shown.of(self.cluster)
        return self.sent if self.sent != before else None

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        await in_thread(presence.seen, self.cluster)


class AlongConsumer(RoomConsumer):
    """Of an instructor who is beside a learner, or was a moment ago."""

    kind = Notice

    async def code(self) -> str:
        self.sent: dict | None = None
        self.cluster = self.scope["url_route"]["kwargs"]["cluster"]
        self.name = await in_thread(self._name)
        return self.scope["url_route"]["kwargs"]["code"] if self.name else ""

    async def still(self) -> bool:
        return bool(await in_thread(self._name))

    def _name(self) -> str:
        """The learner's, for who may be with them."""
        way, user = self.scope["url_route"]["kwargs"], account_of(read_cookies(self.scope))
        seat = Seat.objects.select_related("workshop").filter(cluster=self.cluster, workshop__code=way["code"]).first()
        return seat.nickname if seat and user and may(user, seat.workshop, "look", seat) else ""

    def message(self, watched: Watched) -> dict | None:
        told = {"type": "along", "name": self.name, "help": watched.shown.help(self.cluster)}
        before, self.sent = self.sent, told
        return told if told != before else None


def _workshop_of(cluster: str) -> str:
    return Seat.objects.filter(cluster=cluster).values_list("workshop__code", flat=True).first() or ""
