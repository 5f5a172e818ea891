"""The websockets of a workshop: an instructor's wall, and the page of each learner.

The wall is told `{type: "snap", now, room, tiles}` once, then `{type: "delta", now, room?, upserts, removes}`: an
upsert has the `id` of its tile and the fields that are another, null for those that are gone. A learner's page is told
`{type: "room", now, said, hand, waits, poll, questions, led, help, time}`, and answers whatever it hears, by which it
is seen to be here. An instructor's page of a learner's cluster is told `{type: "along", now, name, help}`. All hear
`{type: "beat", now}` at least every five seconds.
"""

import asyncio
import contextlib
import time

import orjson
from channels.generic.websocket import AsyncWebsocketConsumer

from lab.apiserver.threads import in_thread
from lab.httpserver import ONLY_CLUSTER
from lab.models import Seat

from . import presence
from .accounts import may_teach
from .gate import read_cookies
from .notice import Notice
from .tiles import news
from .wall import Wall
from .watching import Gone, Watched

BEAT_SECONDS = 5.0
STALLED_SECONDS = 10.0
TRY_AGAIN_LATER = 1013
GONE = 4404


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
                while watched.shown is not None:
                    self.wake.clear()
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
        code = self.scope["url_route"]["kwargs"]["code"]
        return code if await in_thread(may_teach, read_cookies(self.scope)) else ""

    def message(self, watched: Watched) -> dict | None:
        before, after = self.sent, watched.shown
        self.sent = after
        if before is None:
            return {"type": "snap", "room": after.room, "tiles": list(after.tiles.values())}
        upserts, removes = news(before.tiles, after.tiles)
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
        way = self.scope["url_route"]["kwargs"]
        self.cluster = way["cluster"]
        if not await in_thread(may_teach, read_cookies(self.scope)):
            return ""
        self.name = await in_thread(_nickname, way["code"], self.cluster)
        return way["code"] if self.name else ""

    def message(self, watched: Watched) -> dict | None:
        told = {"type": "along", "name": self.name, "help": watched.shown.help(self.cluster)}
        before, self.sent = self.sent, told
        return told if told != before else None


def _nickname(code: str, cluster: str) -> str:
    found = Seat.objects.filter(cluster=cluster, workshop__code=code)
    return found.values_list("nickname", flat=True).first() or ""


def _workshop_of(cluster: str) -> str:
    return Seat.objects.filter(cluster=cluster).values_list("workshop__code", flat=True).first() or ""
