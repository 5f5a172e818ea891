"""The live board's websocket: `resume` in; `snap`, `delta`, `figures` and `beat` out.

Messages, all JSON: `{type: "resume", epoch, seq}`; `{type: "snap", epoch, seq, rows, now}`; `{type: "delta", epoch,
prev, seq, upserts, removes, phases}`; `{type: "beat", epoch, seq, now}` at least every five seconds. `now` is the lab's
clock, by which a browser counts ages. A delta fits only a board that is at `prev`; whoever is elsewhere says `resume`
again. `{type: "figures", …}` comes at most once a second and only if it says something new: it is what flows now (see
`figures`), has no place and is never sent again.
"""

import asyncio
import contextlib
import json
import time

from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError

from lab.apimachinery.errors import ApiError

from .feed import NO_FIGURES, Feed, watching

BEAT_SECONDS = 5.0
STALLED_SECONDS = 10.0  # a browser that takes nothing for so long is told to come back later,
PATIENCE_SECONDS = 60.0  # as soon as it listens again; after this the connection is the web server's to end
TRY_AGAIN_LATER = 1013
NO_SUCH_CLUSTER = 4404


class BoardConsumer(AsyncWebsocketConsumer):
    """One browser: a place in the feed, one send in flight, and no queue."""

    async def connect(self) -> None:
        self.place: tuple[str, int] | None = None
        self.told = NO_FIGURES
        self.placed = time.monotonic()  # when it was last told a place in the sequence
        self.wake = asyncio.Event()  # the log has grown, or the browser has said where it is
        await self.accept()
        self.sender = asyncio.create_task(self.run())

    async def disconnect(self, code: int) -> None:
        self.sender.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.sender

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        try:
            message = json.loads(text_data or "")
            if message["type"] == "resume":
                self.place = (str(message["epoch"]), int(message["seq"]))
                self.wake.set()
        except (ValueError, KeyError, TypeError):
            await self.close(1003)

    async def run(self) -> None:
        """Send what is new, until the browser goes or takes nothing any more."""
        try:
            async with watching(self.scope["url_route"]["kwargs"]["cluster"], self.wake) as feed:
                while True:
                    await self.send_next(feed)
        except ApiError as error:
            await self.close(NO_SUCH_CLUSTER, reason=error.reason)
        except (TimeoutError, DatabaseError):
            with contextlib.suppress(TimeoutError, OSError, RuntimeError):
                await asyncio.wait_for(self.close(TRY_AGAIN_LATER), PATIENCE_SECONDS)
        except (OSError, RuntimeError):
            return  # the browser vanished while something was on its way to it

    async def send_next(self, feed: Feed) -> None:
        self.wake.clear()
        asked = self.place
        text, place = feed.since(asked) if asked else ("", asked)
        if not text and (asked is None or feed.figures == self.told):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.wake.wait(), BEAT_SECONDS)
            if asked is None or self.place is not asked:
                return  # it has not said where it is, or only now
            text, place = feed.since(asked)
        # Figures may come each second for ever, and would never show it that it has lost a delta.
        overdue = time.monotonic() - self.placed >= BEAT_SECONDS
        if not text and feed.figures != self.told and not overdue:
            text = self.told = feed.figures
        else:
            self.placed = time.monotonic()
        if not text and place:
            text = json.dumps({"type": "beat", "epoch": place[0], "seq": place[1], "now": time.time()})
        await asyncio.wait_for(self.send(text_data=timed(text)), STALLED_SECONDS)
        if self.place is asked:
            self.place = place


def timed(text: str) -> str:
    """A snapshot with the time of now: it is serialised once for all, and may be sent much later than that."""
    return f'{text[:-1]},"now":{time.time():.3f}}}' if text.startswith('{"type":"snap"') else text
